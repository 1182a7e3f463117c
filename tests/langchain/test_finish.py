"""Why an answer ended, in langchain-core's shared words."""

from __future__ import annotations

import pytest

from flash_integrations._core.completion.completion import Choice
from flash_integrations.langchain import ChatFlash, _finish, _from_wire
from flash_integrations.langchain._finish import NORMALIZED, is_normalized, normalized
from flash_integrations.testing import Answer

WORDS = {"stop", "length", "tool_call", "content_filter", "refusal", "context_exceeded", "error", "other"}


def test_the_table_has_no_other_words():
    """Every reason becomes one of the words that LangChain's providers share."""
    assert set(NORMALIZED.values()) <= WORDS


@pytest.mark.parametrize(
    ("finish", "raw", "refusal", "expected"),
    [
        ("stop", "stop", None, "stop"),
        ("stop", "end_turn", None, "stop"),
        ("length", "max_tokens", None, "length"),
        ("tool_calls", "stop", None, "tool_call"),
        ("tool_calls", "tool_use", None, "tool_call"),
        ("function_call", "function_call", None, "tool_call"),
        ("content_filter", "content_filter", None, "content_filter"),
        ("content_filter", "SAFETY", None, "refusal"),
        ("refusal", "refusal", None, "refusal"),
        ("stop", "stop", "I will not.", "refusal"),
        ("model_context_window_exceeded", "model_context_window_exceeded", None, "context_exceeded"),
        ("MALFORMED_FUNCTION_CALL", "MALFORMED_FUNCTION_CALL", None, "error"),
        ("abort", "abort", None, "other"),
        (None, None, None, None),
    ],
)
def test_normalized(finish, raw, refusal, expected):
    """The gateway's word decides, a refusal before it; what no row knows is other, and nothing is made of nothing."""
    assert normalized(Choice(0, finish_reason=finish, raw_finish_reason=raw, refusal=refusal)) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.7.0", False), ("1.8.3", False), ("1.8.4", True), ("1.9.0a1", True), ("2.0.0", True), ("1.10.0", True)],
)
def test_only_cores_that_know_the_words_get_them(version, expected):
    """langchain-core 1.8.4 is the first."""
    assert is_normalized(version) is expected


@pytest.fixture
def llm(flash_gateway):
    flash_gateway.script(Answer("Hi", finish_reason="length"))
    return ChatFlash(model="gpt-5.2", base_url=flash_gateway.base_url, api_key=flash_gateway.api_key)


def streamed(llm):
    first, *others = llm.stream("hi")
    for chunk in others:
        first += chunk
    return first


WAYS = {
    "whole": lambda llm: llm.invoke("hi"),
    "streamed": streamed,
    "events": lambda llm: llm.stream_events("hi", version="v3").output,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_messages_tell_it_on_new_cores(llm, way, monkeypatch):
    """``response_metadata`` has the shared word beside the gateway's, however the answer comes."""
    monkeypatch.setattr(_from_wire, "is_normalized", lambda: True)
    metadata = way(llm).response_metadata
    assert (metadata["finish_reason"], metadata["normalized_finish_reason"]) == ("length", "length")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_messages_are_as_before_on_older_cores(llm, way, monkeypatch):
    """Nothing is added there."""
    monkeypatch.setattr(_from_wire, "is_normalized", lambda: False)
    assert "normalized_finish_reason" not in way(llm).response_metadata


def test_the_last_event_tells_it(llm, monkeypatch):
    """Whoever reads events finds both words at the top of ``message-finish``, as langchain-core puts them there."""
    monkeypatch.setattr(_from_wire, "is_normalized", lambda: True)
    *_, last = llm.stream_events("hi", version="v3")
    assert (last["event"], last["finish_reason"], last["normalized_finish_reason"]) == (
        "message-finish",
        "length",
        "length",
    )


def test_no_word_no_fields():
    """An event's fields come with the shared word alone, as in langchain-core."""
    assert _finish.finish_fields({"finish_reason": "stop"}) == {}
