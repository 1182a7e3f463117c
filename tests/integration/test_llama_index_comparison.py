"""The same calls through FlashLLM behind the stream-only gateway, and OpenAILike at the model server itself.

OpenAILike cannot be made to stream its whole answers, so the gateway refuses most of what it asks; the plain server
answers it. Text, tool calls and usage are equal, or the difference has a reason here.
"""

from __future__ import annotations

import json

import httpx
import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, TextBlock, ToolCallBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from flash_integrations.llama_index import FlashLLM

pytestmark = pytest.mark.vcr


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


def now() -> str:
    """The time of day."""
    return "noon"


class City(BaseModel):
    """A city."""

    name: str
    country: str


WEATHER, NOW = FunctionTool.from_defaults(get_weather), FunctionTool.from_defaults(now)
DESCRIBE = PromptTemplate("Describe {city}.")
CITY_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "City", "schema": {**City.model_json_schema(), "additionalProperties": False}},
}


def user(text):
    return [ChatMessage(role="user", content=text)]


CALLED = ChatMessage(
    role="assistant",
    blocks=[ToolCallBlock(tool_call_id="call_1", tool_name="get_weather", tool_kwargs={"city": "Paris"})],
)
RESULT = ChatMessage(role="tool", content="Sunny in Paris.", additional_kwargs={"tool_call_id": "call_1"})
CONVERSATION = [*user("I am Ann."), ChatMessage(role="assistant", content="Hello Ann."), *user("Who am I?")]
SYSTEM = [ChatMessage(role="system", content="Answer in French."), *user("Say hello.")]
NAMED = [ChatMessage(role="user", content="Say hello.", additional_kwargs={"name": "ann"})]
BLOCKS = [ChatMessage(role="user", blocks=[TextBlock(text="Say hello. "), TextBlock(text="In Italian.")])]


def chat(messages, **params):
    return lambda llm: llm.chat(user(messages) if isinstance(messages, str) else messages, **params)


def with_tools(text, *tools, **params):
    return lambda llm: llm.chat_with_tools(list(tools), user_msg=text, **params)


def last(items):
    return list(items)[-1]


async def alast(items):
    return [item async for item in await items][-1]


CALLS = {
    "complete": lambda llm: llm.complete("Name three primes."),
    "async complete": lambda llm: llm.acomplete("Name three primes."),
    "stream of a completion": lambda llm: last(llm.stream_complete("Name three primes.")),
    "async stream of a completion": lambda llm: alast(llm.astream_complete("Name three primes.")),
    "chat": chat("Name three primes."),
    "async chat": lambda llm: llm.achat(user("Name three primes.")),
    "stream": lambda llm: last(llm.stream_chat(user("Name three primes."))),
    "async stream": lambda llm: alast(llm.astream_chat(user("Name three primes."))),
    "chinese": chat("用一句话介绍北京。"),
    "emoji": chat("Answer with two emoji: 🙂"),
    "code": chat("Write a Python function that reverses a list."),
    "system": chat(SYSTEM),
    "conversation": chat(CONVERSATION),
    "a named user": chat(NAMED),
    "blocks of text": chat(BLOCKS),
    "stop": chat("Count from 1 to 9, separated by commas.", stop=["5"]),
    # By the object: OpenAILike's own max_tokens beats a call's.
    "cut": lambda llm: llm.model_copy(update={"max_tokens": 6}).chat(user("Tell me a story.")),
    "warm, with a seed": chat("Invent a word.", temperature=0.9),
    "top_p": chat("Say hello.", top_p=0.5),
    "penalties": chat("Say hello.", frequency_penalty=0.5, presence_penalty=0.5),
    "json schema": chat("Describe Paris as JSON.", response_format=CITY_FORMAT),
    "a tool": with_tools("What is the weather in Paris?", WEATHER),
    "a tool that must be": with_tools("What time is it?", WEATHER, NOW, tool_required=True),
    "tools side by side": with_tools("The weather in Paris?", WEATHER, allow_parallel_tool_calls=True),
    "async tools": lambda llm: llm.achat_with_tools([WEATHER], user_msg="What is the weather in Rome?"),
    "stream of a call": lambda llm: last(llm.stream_chat_with_tools([WEATHER], user_msg="The weather in Oslo?")),
    "a tool's answer": lambda llm: llm.chat_with_tools(
        [WEATHER], chat_history=[*user("The weather in Paris?"), CALLED, RESULT]
    ),
    "a prompt": lambda llm: llm.predict(DESCRIBE, city="Paris"),
    "stream of a prompt": lambda llm: "".join(llm.stream(DESCRIBE, city="Rome")),
    "structured": lambda llm: llm.structured_predict(City, DESCRIBE, city="Paris"),
    "async structured": lambda llm: llm.astructured_predict(City, DESCRIBE, city="Rome"),
    "predict and call": lambda llm: llm.predict_and_call([WEATHER], user_msg="The weather in Paris?").response,
}
HELD = {"temperature": 0, "max_tokens": 40, "max_retries": 0}


@pytest.fixture
def ours(server, gateway):
    if not server.tools:
        pytest.skip(f"{server.model} knows no tools")
    return FlashLLM(
        model="gpt-5.2", base_url=gateway.base_url, api_key=gateway.api_key, rate_limit=None, seed=7, **HELD
    )


@pytest.fixture
async def theirs(server):
    params = {"is_chat_model": True, "is_function_calling_model": True, "additional_kwargs": {"seed": 7}}
    at = {"model": server.model, "api_base": server.base_url, "api_key": server.api_key}
    # OpenAILike closes no client of its own.
    with httpx.Client(timeout=120) as client:
        async with httpx.AsyncClient(timeout=120) as async_client:
            yield OpenAILike(http_client=client, async_http_client=async_client, **at, **params, **HELD)


async def answered(call, llm):
    answer = call(llm)
    return await answer if hasattr(answer, "__await__") else answer


def seen(answer):
    """What of an answer both must agree in; ids are each call's own."""
    if isinstance(answer, ChatResponse):
        calls = [block for block in answer.message.blocks if isinstance(block, ToolCallBlock)]
        return {
            "text": answer.message.content or "",
            "calls": [(block.tool_name, as_dict(block.tool_kwargs)) for block in calls],
            "usage": usage(answer),
        }
    if isinstance(answer, CompletionResponse):
        return {"text": answer.text, "usage": usage(answer)}
    return answer


def as_dict(arguments):
    """OpenAILike leaves a call's arguments as the text they were."""
    return json.loads(arguments) if isinstance(arguments, str) else arguments


def usage(answer):
    """Token counts, as far as they are told."""
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return {name: answer.additional_kwargs[name] for name in names if name in answer.additional_kwargs}


@pytest.mark.parametrize("name", CALLS)
async def test_the_same(ours, theirs, name):
    """One call through both."""
    mine, other = seen(await answered(CALLS[name], ours)), seen(await answered(CALLS[name], theirs))
    if isinstance(other, dict):
        told, counted = mine.pop("usage"), other.pop("usage")
        if "tool" in name:
            # OpenAILike says "strict": false of every tool, which this model's template shows to the model.
            assert told["prompt_tokens"] < counted["prompt_tokens"]
            assert told["completion_tokens"] == counted["completion_tokens"]
        elif "stream" in name:
            # OpenAILike asks for no usage in streams.
            assert told["completion_tokens"] > 0
            assert not counted
        else:
            assert told == counted
    assert mine == other
