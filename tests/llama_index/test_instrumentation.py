"""Spans of LlamaIndex's instrumentation: every call is one, and it is closed however the call ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from pydantic import PrivateAttr
from replay import DONE, WHOLE, Answer, chunk, refuse, replay

from flash_integrations.errors import InvalidRequestError, ServerError, StreamInterruptedError
from flash_integrations.llama_index import FlashLLM

MESSAGES = [ChatMessage(role="user", content="hi")]
CUT = Answer([chunk({"role": "assistant", "content": "Hel"}), DONE])


async def collected(coroutine):
    """All items of an async stream."""
    return [item async for item in await coroutine]


WHOLE_CALLS = {
    "chat": lambda llm, **params: llm.chat(MESSAGES, **params),
    "complete": lambda llm, **params: llm.complete("hi", **params),
    "achat": lambda llm, **params: asyncio.run(llm.achat(MESSAGES, **params)),
    "acomplete": lambda llm, **params: asyncio.run(llm.acomplete("hi", **params)),
}
STREAMS = {
    "stream_chat": lambda llm, **params: list(llm.stream_chat(MESSAGES, **params)),
    "stream_complete": lambda llm, **params: list(llm.stream_complete("hi", **params)),
    "astream_chat": lambda llm, **params: asyncio.run(collected(llm.astream_chat(MESSAGES, **params))),
    "astream_complete": lambda llm, **params: asyncio.run(collected(llm.astream_complete("hi", **params))),
}
CALLS = WHOLE_CALLS | STREAMS


class Events(BaseEventHandler):
    """Counts events by name."""

    _counts: Counter = PrivateAttr(default_factory=Counter)

    def handle(self, event, **kwargs):
        self._counts[type(event).__name__] += 1


@pytest.fixture
def events():
    """Every event of the framework."""
    events, root = Events(), get_dispatcher()
    root.add_event_handler(events)
    yield events._counts
    root.event_handlers.remove(events)


@pytest.fixture
def spans():
    """Every span of the framework."""
    spans, root = SimpleSpanHandler(), get_dispatcher()
    root.add_span_handler(spans)
    yield spans
    root.span_handlers.remove(spans)


def of_server(server, **params):
    """A FlashLLM before a server."""
    return FlashLLM(model="gpt-5.2", base_url=server.base_url, api_key="sk-sentinel", max_retries=0, **params)


def names(spans):
    """The methods that spans are of."""
    return [span.id_.partition("-")[0] for span in spans]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_one_span(name, spans):
    """A completion is no span of a chat besides, and nothing stays open."""
    with replay(WHOLE) as server:
        CALLS[name](of_server(server))
    assert names(spans.completed_spans) == [f"FlashLLM.{name}"]
    assert not spans.open_spans
    assert not spans.dropped_spans


@pytest.mark.parametrize("name", CALLS)
def test_a_failed_call_leaves_no_span_open(name, spans, events):
    """A refused call ends its span and is told once: as a dropped span, or out of a stream as an exception."""
    with replay(refuse(500)) as server, pytest.raises(ServerError):
        CALLS[name](of_server(server))
    assert not spans.open_spans
    assert names([*spans.completed_spans, *spans.dropped_spans]) == [f"FlashLLM.{name}"]
    kind = "LLMChat" if "chat" in name else "LLMCompletion"
    told = "ExceptionEvent" if name in STREAMS else "SpanDropEvent"
    assert events == {f"{kind}StartEvent": 1, told: 1}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_breaks_tells_what_came_and_the_error(name, spans, events):
    """Items before the break are told as in progress, then the exception, and no end."""
    with replay(CUT) as server, pytest.raises(StreamInterruptedError):
        CALLS[name](of_server(server))
    kind = "LLMChat" if "chat" in name else "LLMCompletion"
    assert events == {f"{kind}StartEvent": 1, f"{kind}InProgressEvent": 1, "ExceptionEvent": 1}
    assert not spans.open_spans


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_is_not_sent_leaves_no_span_open(name, spans):
    """A value out of its bounds drops the span, and nothing was started that does not end."""
    with replay(WHOLE) as server, pytest.raises(InvalidRequestError):
        CALLS[name](of_server(server), temperature=9)
    assert not spans.open_spans
    assert names(spans.dropped_spans) == [f"FlashLLM.{name}"]


@pytest.mark.parametrize("name", CALLS)
def test_spans_show_no_key(name, spans):
    """What a span keeps of the object and of the error has no key in it."""
    for answer in (WHOLE, refuse(401, "bad key sk-sentinel")):
        with replay(answer) as server, suppress(Exception):
            CALLS[name](of_server(server))
    shown = [*spans.completed_spans, *spans.dropped_spans]
    assert len(shown) == 2
    assert "sentinel" not in repr(shown)
