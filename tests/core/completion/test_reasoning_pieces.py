"""R9: signed and encrypted reasoning in pieces: what goes back is what the plain answer would have had."""

from __future__ import annotations

import pytest

from flash_integrations._core.completion.accumulator import Accumulator
from flash_integrations._core.endpoints.chat.chunks import read_chunk

TEXT = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
SECRET = {"type": "reasoning.encrypted", "format": "google-gemini-v1"}
CLAUDE = {"type": "thinking", "signature": ""}

STREAMS = {
    "OpenRouter's Claude": (
        "reasoning_details",
        [[{**TEXT, "text": "Let"}], [{**TEXT, "text": " me"}], [{**TEXT, "signature": "s1"}]],
        [{**TEXT, "text": "Let me", "signature": "s1"}],
    ),
    "two indexes, mixed": (
        "reasoning_details",
        [[{**TEXT, "text": "a"}], [{**TEXT, "index": 1, "text": "x"}], [{**TEXT, "text": "b"}]],
        [{**TEXT, "text": "ab"}, {**TEXT, "index": 1, "text": "x"}],
    ),
    "OpenRouter's Gemini: a signature for each call": (
        "reasoning_details",
        [[{**SECRET, "id": "call_1", "index": 0, "data": "x"}], [{**SECRET, "id": "call_2", "index": 0, "data": "y"}]],
        [{**SECRET, "id": "call_1", "index": 0, "data": "x"}, {**SECRET, "id": "call_2", "index": 0, "data": "y"}],
    ),
    "by id": (
        "reasoning_details",
        [[{"type": "reasoning.summary", "id": "rs_1", "summary": text}] for text in ("a", "b")],
        [{"type": "reasoning.summary", "id": "rs_1", "summary": "ab"}],
    ),
    "an encrypted one told twice": (
        "reasoning_details",
        [[{**SECRET, "index": 0, "data": "x"}], [{**SECRET, "index": 0, "data": "x"}]],
        [{**SECRET, "index": 0, "data": "x"}],
    ),
    "no index, no id": (
        "reasoning_details",
        [[{"type": "reasoning.text", "text": text}] for text in ("ha", "ha", "!")],
        [{"type": "reasoning.text", "text": "haha!"}],
    ),
    "LiteLLM's Claude": (
        "thinking_blocks",
        [
            [{**CLAUDE, "thinking": "ha"}],
            [{**CLAUDE, "thinking": "ha"}],
            [{**CLAUDE, "thinking": "", "signature": "s1"}],
            [{"type": "redacted_thinking", "data": "d"}],
            [{**CLAUDE, "thinking": "more"}],
            [{**CLAUDE, "thinking": "", "signature": "s2"}],
        ],
        [
            {"type": "thinking", "thinking": "haha", "signature": "s1"},
            {"type": "redacted_thinking", "data": "d"},
            {"type": "thinking", "thinking": "more", "signature": "s2"},
        ],
    ),
    "LiteLLM's Claude, two blocks on end": (
        "thinking_blocks",
        [[{**CLAUDE, "thinking": "a", "signature": "s1"}], [{**CLAUDE, "thinking": "b", "signature": "s2"}]],
        [{**CLAUDE, "thinking": "a", "signature": "s1"}, {**CLAUDE, "thinking": "b", "signature": "s2"}],
    ),
}


def choice_of(*choices):
    """The one choice of an answer in these pieces."""
    answer = Accumulator(new_id=str)
    for choice in choices:
        answer.add_chunk(read_chunk({"id": "c", "model": "m", "choices": [{"index": 0, **choice}]}))
    answer.finish()
    return answer.result().choices[0]


@pytest.mark.parametrize(("field", "pieces", "items"), STREAMS.values(), ids=STREAMS)
def test_pieces_of_reasoning_are_put_together(field, pieces, items):
    """By index and id; a text without either goes on until it is signed."""
    streamed = choice_of(*({"delta": {field: piece}} for piece in pieces), {"delta": {}, "finish_reason": "stop"})
    assert streamed.message[field] == items


@pytest.mark.parametrize(("field", "items"), [row[::2] for row in STREAMS.values()], ids=STREAMS)
def test_a_plain_answer_keeps_them_as_they_came(field, items):
    """Nothing is put together that came whole, and nothing twice that a whole message says after its pieces."""
    plain = {"message": {"role": "assistant", "content": "x", field: items}, "finish_reason": "stop"}
    assert choice_of(plain).message[field] == items
    assert choice_of({"delta": {field: items}}, plain).message[field] == items


def test_reasoning_told_in_signed_blocks_alone_is_reasoning():
    """Where no field has the text it is read from the blocks."""
    assert choice_of({"delta": {"thinking_blocks": [{"type": "thinking", "thinking": "hm"}]}}).reasoning == "hm"
