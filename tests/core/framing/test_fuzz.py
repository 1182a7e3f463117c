"""Bytes that nobody meant: whatever a gateway sends, what comes out is an answer or a FlashError, never a crash."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from flash_integrations._core.completion.completion import Completion
from flash_integrations._core.endpoints.chat.reader import ChatReader
from flash_integrations._core.endpoints.reader import AnswerContext
from flash_integrations._core.environment import Environment
from flash_integrations.errors import FlashError
from flash_integrations.langchain._events import Events
from flash_integrations.langchain._from_wire import Chunks, MessageOptions, to_result
from flash_integrations.langchain._to_wire import to_wire
from flash_integrations.llama_index._to_wire import to_response

REAL = (Path(__file__).parents[2] / "wire" / "real_answer.sse").read_bytes()
ENV = Environment(
    clock=lambda: 0.0,
    unix_time=lambda: 0.0,
    random=lambda: 0.0,
    new_id=iter(f"call_{n}" for n in range(10**9)).__next__,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WORDS = """id object created model choices usage system_fingerprint service_tier error index delta message finish_reason
    logprobs text role content reasoning_content reasoning refusal tool_calls function_call audio annotations function
    name arguments type code prompt_tokens completion_tokens total_tokens base_resp success data""".split()


def crooked(depth):
    """Objects with the wire's words, and anything at all under them."""
    if depth == 0:
        return JSON
    value = JSON | crooked(depth - 1) | st.lists(crooked(depth - 1), max_size=2)
    return st.dictionaries(st.sampled_from(WORDS), value, max_size=4)


CHUNKS = st.lists(crooked(4), max_size=5).map(
    lambda objects: b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in objects)
)


@st.composite
def damaged(draw):
    """A real answer with bytes taken out, put in and changed."""
    body = bytearray(REAL)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(body) - 1))
        width = draw(st.integers(0, 40))
        body[at : at + width] = draw(st.binary(max_size=20))
        if not body:
            break
    return bytes(body)


def read(body, cuts):
    """Read a body cut at some places; the completion, or the FlashError it is."""
    reading = ChatReader(AnswerContext({}, streamed=True, accepts_done=False, env=ENV))
    deltas = []
    try:
        for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
            deltas += reading.feed(body[start:end])
        deltas += reading.close(None)
    except FlashError:
        reading.partial(retries=0)
        return None, deltas
    return reading.result(retries=0), deltas


BODIES = st.binary(max_size=300) | damaged() | CHUNKS | CHUNKS.map(lambda body: REAL[:400] + body + REAL[400:])


@settings(max_examples=300, deadline=None)
@given(BODIES, st.lists(st.integers(0, 2000), max_size=4))
def test_any_bytes_are_an_answer_or_an_error(body, cuts):
    """Random bytes, damaged answers and crooked objects: nothing but a FlashError is raised, in core and adapters."""
    answer, deltas = read(body, sorted(min(cut, len(body)) for cut in cuts))
    manners = [MessageOptions("x", blocks=blocks) for blocks in (False, True)]
    ways = [(Chunks(manner), Events(manner, message_id="1", model="m")) for manner in manners]
    for delta in deltas:
        for chunks, events in ways:
            assert list(events.items(delta, None)) is not None
            chunk = chunks.chunk(delta)
            assert chunk is None or isinstance(chunk.message.content_blocks, list)
    if answer is None:
        return
    assert isinstance(answer, Completion)
    json.dumps(answer.as_dict())
    for manner, (chunks, events) in zip(manners, ways, strict=True):
        messages = [each.message for each in to_result(answer, manner).generations]
        assert all(isinstance(each.content_blocks, list) for each in [*messages, chunks.last(answer).message])
        assert list(events.items(answer, None))[-1]["event"] == "message-finish"
        to_wire(messages)
    to_response(answer)
