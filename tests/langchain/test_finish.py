"""Why an answer ended, in langchain-core's shared words."""

from __future__ import annotations

import pytest

from flash_integrations._core.completion.completion import Choice, Completion
from flash_integrations.langchain._events import Events
from flash_integrations.langchain._finish import NORMALIZED, is_normalized, normalized
from flash_integrations.langchain._from_wire import Chunks, MessageOptions, to_result

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


COMPLETION = Completion(id="c1", model="m", created=7, choices=(Choice(text="Hi", finish_reason="length"),))
WAYS = {
    "whole": lambda options: to_result(COMPLETION, options).generations[0].message.response_metadata,
    "streamed": lambda options: Chunks(options).last(COMPLETION).message.response_metadata,
    "events": lambda options: [*Events(options, message_id="1", model="m").items(COMPLETION, None)][-1]["metadata"],
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_messages_tell_it_on_new_cores(way):
    """``response_metadata`` has the shared word beside the gateway's, however the answer comes."""
    metadata = way(MessageOptions("flashapi", normalized=True))
    assert (metadata["finish_reason"], metadata["normalized_finish_reason"]) == ("length", "length")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_messages_are_as_before_on_older_cores(way):
    """Nothing is added there."""
    assert "normalized_finish_reason" not in way(MessageOptions("flashapi", normalized=False))


@pytest.mark.parametrize("on_new_cores", [True, False])
def test_the_last_event_tells_it(on_new_cores):
    """On new cores both words stand at the top of ``message-finish``, where langchain-core puts them; else neither."""
    *_, last = Events(MessageOptions("flashapi", normalized=on_new_cores), message_id="1", model="m").items(
        COMPLETION, None
    )
    assert ("finish_reason" in last, "normalized_finish_reason" in last) == (on_new_cores, on_new_cores)
