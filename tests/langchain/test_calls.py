"""What a call may say and what its answer brings: response formats, audio, headers, and LangChain's own ways."""

from __future__ import annotations

import json
from functools import reduce
from operator import add

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableField
from langchain_core.runnables.history import RunnableWithMessageHistory
from pydantic import BaseModel
from replay import DONE, WHOLE, Answer, chunk, plain, replay

from flash_integrations import testing
from flash_integrations.langchain import ChatFlash


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


ANN = '{"name": "Ann", "age": 7}'


def at(server, **params):
    """A model at a replay server."""
    return ChatFlash(**{"model": "m", "base_url": server.base_url, "rate_limit": None, "max_retries": 0, **params})


# --- response_format --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["call", "bind", "object", "model_kwargs"])
def test_a_class_as_response_format_is_sent_as_its_schema(gateway, make, where):
    """A Pydantic class goes out as a strict JSON schema, wherever it was said; the answer is parsed."""
    gateway.script(testing.Answer(ANN))
    params = {"response_format": Person}
    llm = {"object": lambda: make(**params), "model_kwargs": lambda: make(model_kwargs=params)}.get(where, make)()
    message = (
        llm.bind(**params).invoke("Who?")
        if where == "bind"
        else llm.invoke("Who?", **params if where == "call" else {})
    )
    sent = gateway.requests[-1].body["response_format"]
    assert (sent["type"], sent["json_schema"]["name"], sent["json_schema"]["strict"]) == ("json_schema", "Person", True)
    assert message.additional_kwargs["parsed"] == Person(name="Ann", age=7)


def test_a_stream_parses_its_answer_too(gateway, llm):
    """The sum of a stream has the object."""
    gateway.script(testing.Answer(ANN))
    sum_ = reduce(add, llm.stream("Who?", response_format=Person))
    assert sum_.additional_kwargs["parsed"] == Person(name="Ann", age=7)


@pytest.mark.parametrize("answer", [testing.Answer('{"name": "A'), testing.Answer(ANN, finish_reason="length")])
def test_what_does_not_fit_is_not_parsed(gateway, llm, answer):
    """An answer that was cut, or is something else, has no object, and is no error."""
    gateway.script(answer)
    assert "parsed" not in llm.invoke("Who?", response_format=Person).additional_kwargs


def test_a_dict_as_response_format_is_sent_as_it_is(gateway, llm):
    """A dict goes out unchanged, and nothing is parsed."""
    gateway.script(testing.Answer(ANN))
    message = llm.invoke("Who?", response_format={"type": "json_object"})
    assert gateway.requests[-1].body["response_format"] == {"type": "json_object"}
    assert "parsed" not in message.additional_kwargs


# --- words of the request ---------------------------------------------------------------------------------------------

PARAMS = {
    "prediction": {"type": "content", "content": "x"},
    "web_search_options": {"search_context_size": "low"},
    "service_tier": "flex",
    "verbosity": "low",
    "logit_bias": {"50256": -100},
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "wav"},
    "reasoning_effort": "low",
    "seed": 7,
    "store": True,
}


@pytest.mark.parametrize("where", ["call", "object"])
def test_the_rarer_words_are_sent(where):
    """Prediction, web search, tiers, verbosity, biases and audio go out from a call and from the object."""
    with replay(WHOLE) as server:
        at(server, **(PARAMS if where == "object" else {})).invoke("Hello", **(PARAMS if where == "call" else {}))
    assert {name: server.bodies[0].get(name) for name in PARAMS} == PARAMS


def test_biases_of_numbered_tokens_are_sent():
    """Token ids as numbers become JSON's texts."""
    with replay(WHOLE) as server:
        at(server).invoke("Hello", logit_bias={50256: -100})
    assert server.bodies[0]["logit_bias"] == {"50256": -100}


def test_stop_may_be_bound():
    """``bind(stop=...)`` is sent as ``stop=`` is."""
    with replay(WHOLE) as server:
        at(server).bind(stop=["END"]).invoke("Hello")
    assert server.bodies[0]["stop"] == ["END"]


async def test_audio_is_answered_in_every_way():
    """Whole and streamed, audio and transcript are in ``additional_kwargs``, joined."""
    audio = {"id": "audio_1", "data": "UklGRiQAAABX", "transcript": "hi", "expires_at": 1700000000}
    pieces = [
        {"id": "audio_1"},
        {"data": "UklGRiQA"},
        {"transcript": "hi"},
        {"data": "AABX"},
        {"expires_at": 1700000000},
    ]
    stream = Answer([*(chunk({"audio": piece}) for piece in pieces), chunk({}, "stop"), DONE])
    with replay(plain("", audio=audio), stream) as server:
        llm = at(server, modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"})
        answers = [llm.invoke("Say hi"), await llm.ainvoke("Say hi"), reduce(add, llm.stream("Say hi"))]
        answers.append(reduce(add, [part async for part in llm.astream("Say hi")]))
    assert [answer.additional_kwargs for answer in answers] == [{"audio": audio}] * 4


# --- headers ----------------------------------------------------------------------------------------------------------

KEY = "sk-a-secret-key-of-ones-own"
HEADERS = {
    "content-type": "text/event-stream",
    "x-request-id": "req-1",
    "x-ratelimit-remaining-tokens": "5",
    "set-cookie": "session=1",
    "authorization": f"Bearer {KEY}",
    "x-echo": f"got {KEY}",
}


@pytest.fixture
def heads():
    """A model that includes headers, at a gateway that echoes the key in them."""
    with replay(Answer(WHOLE.segments, headers=HEADERS)) as server:
        yield at(server, api_key=KEY, include_response_headers=True)


async def test_headers_are_in_the_metadata(heads):
    """With ``include_response_headers`` every way to call brings them, without cookies and keys."""
    answers = [heads.invoke("Hello"), await heads.ainvoke("Hello"), reduce(add, heads.stream("Hello"))]
    answers.append(reduce(add, [part async for part in heads.astream("Hello")]))
    for answer in answers:
        headers = answer.response_metadata["headers"]
        assert headers["x-ratelimit-remaining-tokens"] == "5"
        assert headers["x-echo"] == "got **********"
        assert not {"set-cookie", "authorization"} & headers.keys()
        assert answer.response_metadata["request_id"] == "req-1"
        assert KEY not in repr(answer)


def test_headers_stay_out_unless_asked_for(heads):
    """By default there are none."""
    llm = heads.model_copy(update={"include_response_headers": False})
    assert "headers" not in llm.invoke("Hello").response_metadata


class Traces(BaseCallbackHandler):
    """Keeps what traces are told of a call."""

    def __init__(self):
        self.told = []

    def on_chat_model_start(self, serialized, messages, **told):
        self.told.append(told)


def test_keys_of_a_call_are_in_no_trace_and_no_cache():
    """Headers of a call and keys of servers behind it reach the gateway, but neither traces nor a cache's keys."""
    tool = {"type": "mcp", "server_label": "s", "authorization": KEY, "headers": {"x-key": KEY}}
    traces, cache = Traces(), InMemoryCache()
    with replay(WHOLE) as server:
        llm = at(server, cache=cache).bind(tools=[tool], extra_headers={"x-team-key": KEY}, extra_query={"key": KEY})
        llm.invoke("Hello", config={"callbacks": [traces]})
        list(llm.stream("Hello", config={"callbacks": [traces]}))
    assert KEY in server.heads[0]
    assert server.bodies[0]["tools"] == [tool]
    assert len(traces.told) == 2
    assert KEY not in repr(traces.told)
    assert KEY not in repr(list(cache._cache))


def test_a_call_that_says_something_else_is_another_cache_entry(gateway, make):
    """Headers count among what makes two calls equal."""
    llm = make(cache=InMemoryCache())
    for team in ("a", "b", "a"):
        llm.invoke("Hello", extra_headers={"x-team": team})
    assert len(gateway.requests) == 2


# --- LangChain's ways -------------------------------------------------------------------------------------------------


def test_a_cached_answer_is_the_answer(gateway, make):
    """From the cache an answer comes with its calls, blocks and metadata, and a stream does not ask it."""
    gateway.script(testing.Answer("so", tool_calls=[("add", {"a": 1})]), testing.Answer("again"))
    llm = make(cache=InMemoryCache())
    first, second = llm.invoke("Hello"), llm.invoke("Hello")
    assert (second.content, second.tool_calls) == (first.content, first.tool_calls)
    assert second.content_blocks == first.content_blocks
    assert len(gateway.requests) == 1
    assert reduce(add, llm.stream("Hello")).text == "again"


def test_model_and_temperature_can_be_configured(gateway, make):
    """``configurable_fields`` chooses model and temperature at the call."""
    llm = make().configurable_fields(model=ConfigurableField(id="model"), temperature=ConfigurableField(id="heat"))
    llm.invoke("Hello", config={"configurable": {"model": "gpt-5.1", "heat": 0.5}})
    assert (gateway.requests[-1].model, gateway.requests[-1].body["temperature"]) == ("gpt-5.1", 0.5)


def test_alternatives_can_be_configured(gateway, make):
    """``configurable_alternatives`` chooses another model object."""
    llm = make().configurable_alternatives(ConfigurableField(id="llm"), default_key="a", b=make("claude-sonnet-4-6"))
    llm.with_config(configurable={"llm": "b"}).invoke("Hello")
    llm.invoke("Hello")
    assert [request.model for request in gateway.requests] == ["claude-sonnet-4-6", "gpt-5.2"]


def test_tools_can_be_bound_to_a_configurable_model(gateway, make):
    """A configurable model takes tools."""
    llm = make().configurable_fields(model=ConfigurableField(id="model"))
    llm.bind_tools([Person]).invoke("Hello", config={"configurable": {"model": "gpt-5.1"}})
    assert gateway.requests[-1].body["tools"][0]["function"]["name"] == "Person"


async def test_a_batch_is_as_wide_as_asked(gateway, make):
    """``max_concurrency`` bounds how many calls of a batch are out at once."""
    llm, prompts = make(), [str(number) for number in range(6)]
    answers = llm.batch(prompts, config={"max_concurrency": 2}) + await llm.abatch(
        prompts, config={"max_concurrency": 2}
    )
    assert [answer.text for answer in answers[:6]] == [answer.text for answer in answers[6:]]
    assert len(gateway.requests) == 12


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainDeprecationWarning")
@pytest.mark.parametrize("output_version", ["v0", "v1"])
def test_a_conversation_is_kept_by_langchain(gateway, make, output_version):
    """``RunnableWithMessageHistory`` sends what was said before, in both output versions alike."""
    history = InMemoryChatMessageHistory()
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{question}")])
    chain = prompt | make(output_version=output_version)
    talk = RunnableWithMessageHistory(
        chain, lambda: history, input_messages_key="question", history_messages_key="history", history_factory_config=[]
    )
    gateway.script(testing.Answer("Hello Ann", reasoning="a name"), testing.Answer("Ann"))
    talk.invoke({"question": "I am Ann"})
    assert talk.invoke({"question": "Who am I?"}).text == "Ann"
    sent = [(each["role"], each["content"]) for each in gateway.requests[-1].body["messages"]]
    assert sent == [("user", "I am Ann"), ("assistant", "Hello Ann"), ("user", "Who am I?")]


def test_answers_survive_json(gateway, make):
    """An answer in blocks is plain data."""
    gateway.script(testing.Answer("so", reasoning="r", tool_calls=[("add", {"a": 1})]))
    message = make(output_version="v1").invoke([HumanMessage("Hello")])
    assert json.loads(message.model_dump_json())["content"] == message.content
