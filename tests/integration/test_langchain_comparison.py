"""The same calls through ChatFlash and ChatOpenAI, at the same stream-only gateway before the same real model.

ChatOpenAI is told to stream everything and to ask for usage, without which the gateway refuses it. Content, tool calls,
usage and metadata are equal, or the difference has a reason here.
"""

from __future__ import annotations

from functools import reduce
from operator import add

import httpx
import pytest
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from flash_integrations.langchain import ChatFlash

pytestmark = [
    pytest.mark.vcr,
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),  # ChatOpenAI's, on parsed objects
]

ONLY_OURS = {
    "id": "ChatOpenAI puts it into the message's id where it streams; there it is in the metadata, as of plain answers",
    "created": "a field of plain answers, which the forced stream's equal",
    "token_usage": "the same",
    "request_id": "the gateway's, for support",
    "model_provider": "ours names the row of the catalogue, ChatOpenAI says openai whoever answers",
    "extra": "fields that the gateway adds, such as llama.cpp's timings, are kept",
}
"""Keys of ``response_metadata`` that may differ, and why."""


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


@tool
def now() -> str:
    """The time of day."""
    return "noon"


class City(BaseModel):
    """A city."""

    name: str
    country: str


CITY_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "City", "schema": {**City.model_json_schema(), "additionalProperties": False}},
}
CALLED = AIMessage("", tool_calls=[{"name": "get_weather", "args": {"city": "Paris"}, "id": "call_1"}])
CALLED_TWICE = AIMessage(
    "Let me look.",
    tool_calls=[
        {"name": "get_weather", "args": {"city": "Paris"}, "id": "call_1"},
        {"name": "get_weather", "args": {"city": "Rome"}, "id": "call_2"},
    ],
)
FAILED = AIMessage("", invalid_tool_calls=[{"name": "now", "args": "{", "id": "call_1", "error": "no JSON"}])


def ask(text):
    return lambda llm: llm.invoke(text)


def with_words(text, **params):
    return lambda llm: llm.invoke(text, **params)


def structured(method, **params):
    return lambda llm: llm.with_structured_output(City, method=method, **params).invoke("Describe Paris as JSON.")


async def summed(llm, text):
    return reduce(add, [chunk async for chunk in llm.astream(text)])


CALLS = {
    "text": ask("Name three primes."),
    "chinese": ask("用一句话介绍北京。"),
    "emoji": ask("Answer with two emoji: 🙂"),
    "code": ask("Write a Python function that reverses a list."),
    "system": ask([SystemMessage("Answer in French."), HumanMessage("Say hello.")]),
    "conversation": ask([HumanMessage("I am Ann."), AIMessage("Hello Ann."), HumanMessage("Who am I?")]),
    "a role by its name": ask([ChatMessage(role="system", content="Be brief."), HumanMessage("Why is the sky blue?")]),
    "a named user": ask([HumanMessage("Say hello.", name="ann")]),
    # One block: several go out as one text, ChatOpenAI's as a list, between whose parts llama.cpp puts line breaks.
    "a block of text": ask([HumanMessage([{"type": "text", "text": "Say hello."}])]),
    "stop": with_words("Count from 1 to 9, separated by commas.", stop=["5"]),
    "cut": with_words("Tell me a story.", max_tokens=6),
    "warm, with a seed": with_words("Invent a word.", temperature=0.9, seed=3),
    "top_p": with_words("Say hello.", top_p=0.5),
    "penalties": with_words("Say hello.", frequency_penalty=0.5, presence_penalty=0.5),
    "logit_bias": with_words("Say hello.", logit_bias={"9707": -100}),
    "logprobs": with_words("Say hello.", logprobs=True, top_logprobs=2, max_tokens=8),
    "json mode": with_words('Answer {"a": 1} as JSON.', response_format={"type": "json_object"}),
    "json schema": with_words("Describe Paris as JSON.", response_format=CITY_FORMAT),
    "async": lambda llm: llm.ainvoke("Name three primes."),
    "stream": lambda llm: reduce(add, llm.stream("Name three primes.")),
    "async stream": lambda llm: summed(llm, "Name three primes."),
    "stream of a call": lambda llm: reduce(add, llm.bind_tools([get_weather]).stream("The weather in Paris?")),
    "batch": lambda llm: llm.batch(["Say hello.", "Say goodbye."], {"max_concurrency": 1}),
    "a tool": lambda llm: llm.bind_tools([get_weather]).invoke("What is the weather in Paris?"),
    "a tool that must be": lambda llm: llm.bind_tools([get_weather, now], tool_choice="any").invoke("What time is it?"),
    "a tool by name": lambda llm: llm.bind_tools([get_weather], tool_choice="get_weather").invoke("Rome?"),
    "a tool's answer": lambda llm: llm.bind_tools([get_weather]).invoke(
        [HumanMessage("The weather in Paris?"), CALLED, ToolMessage("Sunny in Paris.", tool_call_id="call_1")]
    ),
    "two tools' answers": lambda llm: llm.bind_tools([get_weather]).invoke(
        [
            HumanMessage("The weather in Paris and Rome?"),
            CALLED_TWICE,
            ToolMessage("Sunny in Paris.", tool_call_id="call_1"),
            ToolMessage("Rain in Rome.", tool_call_id="call_2"),
        ]
    ),
    "structured by schema": structured("json_schema", include_raw=True),
    "structured by call": structured("function_calling", include_raw=True),
    "structured by json mode": lambda llm: llm.with_structured_output(method="json_mode").invoke(
        'Answer with the JSON {"name": "Paris", "country": "France"}'
    ),
}


@pytest.fixture
def params(server, gateway):
    if not server.tools:
        pytest.skip(f"{server.model} knows no tools")
    held = {"temperature": 0, "seed": 7, "max_tokens": 40, "max_retries": 0}
    # Not gpt-5.2: ChatOpenAI sends no temperature to models of that name, and so would get other words.
    return {"model": "gpt-4o", "base_url": gateway.base_url, "api_key": gateway.api_key, **held}


@pytest.fixture
def ours(params):
    return ChatFlash(**params, rate_limit=None)


@pytest.fixture
async def theirs(params):
    # The pool that ChatOpenAI keeps for the process outlives the loop it belongs to.
    with httpx.Client(timeout=120) as client:
        async with httpx.AsyncClient(timeout=120) as async_client:
            yield ChatOpenAI(
                **params, streaming=True, stream_usage=True, http_client=client, http_async_client=async_client
            )


async def answered(call, llm):
    answer = call(llm)
    return await answer if hasattr(answer, "__await__") else answer


def seen(answer):
    """What of an answer both must agree in, message by message; ids are each call's own."""
    if isinstance(answer, list):
        return [seen(each) for each in answer]
    if isinstance(answer, dict):
        return {name: seen(value) for name, value in answer.items()}
    if not isinstance(answer, BaseMessage):
        return answer
    metadata = {name: value for name, value in answer.response_metadata.items() if name not in ONLY_OURS}
    if "logprobs" in metadata:
        # The openai package fills in a field of refusals that nobody sent.
        metadata["logprobs"] = metadata["logprobs"]["content"]
    return {
        "content": answer.content,
        "tool calls": [(call["name"], call["args"]) for call in answer.tool_calls],
        "invalid calls": [(call["name"], call["args"]) for call in answer.invalid_tool_calls],
        "usage": {name: count for name, count in (answer.usage_metadata or {}).items() if count != {}},
        "metadata": metadata,
    }


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_the_same(ours, theirs, call):
    """One call through both."""
    assert seen(await answered(call, ours)) == seen(await answered(call, theirs))


def test_several_choices(params, ours):
    """ChatFlash puts two streamed choices together again; ChatOpenAI streams no more than one."""
    both = ours.generate([[HumanMessage("Say hello.")]], n=2).generations[0]
    assert len(both) == 2
    assert all(each.text for each in both)
    with pytest.raises(ValueError, match="n must be 1 when streaming"):
        ChatOpenAI(**params, streaming=True, n=2)
