"""What LlamaIndex's callbacks, events and counters are told of a call."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import (
    CallbackManager,
    CBEventType,
    EventPayload,
    LlamaDebugHandler,
    TokenCountingHandler,
)
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from pydantic import PrivateAttr
from replay import DONE, WHOLE, Answer, chunk, refuse, replay

from flash_integrations.errors import ServerError
from flash_integrations.llama_index import FlashLLM

MESSAGES = [ChatMessage(role="user", content="hi")]


async def collected(coroutine):
    """All items of an async stream."""
    return [item async for item in await coroutine]


WHOLE_CALLS = {
    "chat": lambda llm: llm.chat(MESSAGES),
    "complete": lambda llm: llm.complete("hi"),
    "achat": lambda llm: asyncio.run(llm.achat(MESSAGES)),
    "acomplete": lambda llm: asyncio.run(llm.acomplete("hi")),
}
STREAMS = {
    "stream_chat": lambda llm: list(llm.stream_chat(MESSAGES)),
    "stream_complete": lambda llm: list(llm.stream_complete("hi")),
    "astream_chat": lambda llm: asyncio.run(collected(llm.astream_chat(MESSAGES))),
    "astream_complete": lambda llm: asyncio.run(collected(llm.astream_complete("hi"))),
}
CALLS = WHOLE_CALLS | STREAMS


class Listener(BaseEventHandler):
    """Keeps the events it is told."""

    _events: list = PrivateAttr(default_factory=list)

    def handle(self, event, **kwargs):
        self._events.append(event)

    def counts(self):
        return Counter(type(event).__name__ for event in self._events)


@pytest.fixture
def listener():
    """Hears every event of the framework."""
    listener, root = Listener(), get_dispatcher()
    root.add_event_handler(listener)
    yield listener
    root.event_handlers.remove(listener)


@pytest.fixture
def server():
    """Answers "Hello" as a stream."""
    with replay(WHOLE) as server:
        yield server


def of_server(server, **params):
    """A FlashLLM before it."""
    return FlashLLM(model="gpt-5.2", base_url=server.base_url, max_retries=0, **params)


@pytest.mark.parametrize("name", WHOLE_CALLS)
def test_a_whole_answer_has_one_start_and_one_end(name, server, listener):
    """A completion is told as one and not as the chat it is made of; a forced stream shows no pieces."""
    CALLS[name](of_server(server))
    kind = "LLMChat" if "chat" in name else "LLMCompletion"
    assert listener.counts() == {f"{kind}StartEvent": 1, f"{kind}EndEvent": 1}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_tells_each_item_in_between(name, server, listener):
    """Start and end come once, and one event in progress for each item."""
    items = CALLS[name](of_server(server))
    kind = "LLMChat" if "chat" in name else "LLMCompletion"
    assert listener.counts() == {f"{kind}StartEvent": 1, f"{kind}InProgressEvent": len(items), f"{kind}EndEvent": 1}
    assert listener._events[-1].response == items[-1]


@pytest.mark.parametrize("name", CALLS)
def test_events_show_no_key(name, server, listener):
    """What observers are told of the model names it and holds no key."""
    CALLS[name](of_server(server, api_key="sk-sentinel"))
    assert listener._events[0].model_dict["model_name"] == "gpt-5.2"
    assert "sentinel" not in "".join(repr(event) for event in listener._events)


@pytest.mark.parametrize("name", CALLS)
def test_the_callback_manager_hears_start_and_end(name, server):
    """Handlers of the older kind get one pair of events, with the answer."""
    handler = LlamaDebugHandler(print_trace_on_end=False)
    CALLS[name](of_server(server, callback_manager=CallbackManager([handler])))
    ((start, end),) = handler.get_event_pairs(CBEventType.LLM)
    assert EventPayload.SERIALIZED in start.payload
    response = end.payload[EventPayload.RESPONSE if "chat" in name else EventPayload.COMPLETION]
    assert response.raw["usage"]["total_tokens"] == 11


@pytest.mark.parametrize("name", CALLS)
def test_errors_end_the_event(name):
    """An error reaches the caller and the handler, as the same object."""
    handler = LlamaDebugHandler(print_trace_on_end=False)
    with replay(refuse(500)) as server, pytest.raises(ServerError) as caught:
        CALLS[name](of_server(server, callback_manager=CallbackManager([handler])))
    ((_, end),) = handler.get_event_pairs(CBEventType.LLM)
    assert end.payload[EventPayload.EXCEPTION] is caught.value


@pytest.mark.parametrize("name", CALLS)
def test_tokens_are_counted_as_the_gateway_counts_them(name, gateway, llm_of):
    """TokenCountingHandler agrees with the gateway's usage, whole and streamed."""
    counter = TokenCountingHandler(tokenizer=lambda text: [0] * 1000)
    last = CALLS[name](llm_of(callback_manager=CallbackManager([counter])))
    last = last[-1] if isinstance(last, list) else last
    usage = last.raw["usage"]
    assert counter.prompt_llm_token_count == usage["prompt_tokens"]
    assert counter.completion_llm_token_count == usage["completion_tokens"]


@pytest.mark.parametrize("name", CALLS)
def test_where_nothing_is_reported_tokens_are_estimated(name):
    """A gateway that reports no usage leaves the counter to its tokenizer, in sync and async, without a download."""
    silent = Answer([chunk({"role": "assistant", "content": "Hello"}), chunk({}, "stop"), DONE])
    with replay(silent) as server:
        llm = of_server(server)
        counter = TokenCountingHandler(tokenizer=llm.tokenizer)
        llm.callback_manager = CallbackManager([counter])
        CALLS[name](llm)
    assert len(counter.llm_token_counts) == 1
    assert counter.prompt_llm_token_count > 0 < counter.completion_llm_token_count


class Turnstile:
    """A rate limiter that counts."""

    def __init__(self):
        self.passed = Counter()

    def acquire(self, num_tokens=0):
        self.passed["sync"] += 1

    async def async_acquire(self, num_tokens=0):
        self.passed["async"] += 1


@pytest.mark.parametrize("name", CALLS)
def test_the_users_rate_limiter_is_passed_once(name, server):
    """LlamaIndex's own rate_limiter is asked once a call, in the call's mode."""
    turnstile = Turnstile()
    CALLS[name](of_server(server, rate_limiter=turnstile))
    assert turnstile.passed == {"async" if name.startswith("a") else "sync": 1}
