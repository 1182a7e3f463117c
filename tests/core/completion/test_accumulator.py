"""Chunks added up: what is handed out when, and what comes of it."""

from __future__ import annotations

import json

import pytest

from flash_integrations._core.completion.accumulator import Accumulator
from flash_integrations._core.endpoints.chat.chunks import read_chunk

USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def add_up(*bodies, choices=1):
    """(the deltas, the completion) of these chunks."""
    answer = Accumulator(new_id=lambda: "made-up", choices=choices)
    deltas = [delta for body in bodies for delta in answer.add_chunk(read_chunk(body), body)]
    return deltas + answer.finish(), answer.result()


def said(delta=None, finish=None, index=0, **top):
    """A chunk of one choice."""
    return {"id": "c", "choices": [{"index": index, "delta": delta or {}, "finish_reason": finish}], **top}


def test_text_is_handed_out_at_once():
    """Each piece of text is a delta of its own, with the wire's chunk beside it."""
    bodies = [said({"content": "Hel"}), said({"content": "lo"})]
    deltas, _ = add_up(*bodies)
    assert [(delta.text, delta.raw) for delta in deltas] == [("Hel", bodies[0]), ("lo", bodies[1]), ("", {})]


@pytest.mark.parametrize(
    "body", [said({"role": "assistant"}), said({"content": ""}), said({}, "stop"), said(usage=USAGE)]
)
def test_a_chunk_that_says_nothing_new_is_no_delta(body):
    """Roles, empty texts, finish reasons and usage make no delta of their own while the stream runs."""
    assert Accumulator(new_id=str).add_chunk(read_chunk(body)) == []


def test_half_a_character_at_the_end_is_handed_out_marked():
    """What never became whole comes last, as U+FFFD, in every kind of text."""
    deltas, whole = add_up(said({"content": "a\ud83d", "reasoning": "b\ud83d", "refusal": "c\ud83d"}))
    assert (deltas[-1].text, deltas[-1].reasoning, deltas[-1].refusal) == ("\ufffd", "\ufffd", "\ufffd")
    assert (whole.text, whole.reasoning, whole.choices[0].refusal) == ("a\ufffd", "b\ufffd", "c\ufffd")


def test_held_arguments_come_out_at_the_end():
    """Arguments that could have been `{}` or `null` to the last are in the last delta."""
    deltas, _ = add_up(said({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{"}}]}))
    assert [piece.arguments for delta in deltas for piece in delta.tool_calls] == ["", "{"]


@pytest.mark.parametrize(
    ("calls", "wire", "reason"),
    [(True, "stop", "tool_calls"), (True, "length", "length"), (True, None, None), (False, "stop", "stop")],
)
def test_stop_beside_tool_calls_is_tool_calls(calls, wire, reason):
    """T18: the finish reason says that tools are called; the wire's word stays."""
    delta = {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}]} if calls else {}
    deltas, whole = add_up(said(delta), said({}, wire))
    assert (deltas[-1].finish_reason, whole.finish_reason, whole.choices[0].raw_finish_reason) == (reason, reason, wire)


def test_a_legacy_function_call_is_kept():
    """T22: the call in the format before tools is put together, and is no tool call."""
    pieces_ = [{"name": "f", "arguments": ""}, {"arguments": '{"a"'}, {"arguments": ":1}"}]
    _, whole = add_up(*(said({"function_call": piece}) for piece in pieces_), said({}, "function_call"))
    assert whole.choices[0].function_call == {"name": "f", "arguments": '{"a":1}'}
    assert (whole.tool_calls, whole.finish_reason) == ((), "function_call")


def test_the_usage_is_the_last_deltas():
    """With several choices only the very last delta has the usage."""
    deltas, _ = add_up(
        said({"content": "a"}, "stop", 1), said({"content": "b"}, "stop", 0), said(usage=USAGE), choices=2
    )
    assert [(delta.index, delta.finish_reason, delta.usage) for delta in deltas[-2:]] == [
        (0, "stop", None),
        (1, "stop", USAGE),
    ]


def test_usage_alone_is_taken_after_the_end_mark():
    """F21: of what comes after [DONE] only the counts are taken."""
    answer = Accumulator(new_id=str)
    answer.add_chunk(read_chunk(said({"content": "a"}, "stop")))
    answer.add_usage(read_chunk(said({"content": "b"}, usage=USAGE)))
    assert (answer.result().text, answer.result().usage) == ("a", USAGE)


@pytest.mark.parametrize(
    ("bodies", "began", "finished"),
    [
        ([], False, False),
        ([said(usage=USAGE) | {"choices": []}], False, False),
        ([said({"role": "assistant"})], True, False),
        ([said({}, "stop", 0)], True, True),
        ([said({}, "stop", 0), said({"content": "x"}, None, 1)], True, False),
    ],
)
def test_an_answer_is_whole_when_all_that_began_has_ended(bodies, began, finished):
    """A role begins a choice; each choice that began needs its finish reason."""
    answer = Accumulator(new_id=str)
    for body in bodies:
        answer.add_chunk(read_chunk(body))
    assert (answer.began, answer.finished) == (began, finished)


def test_the_whole_message_once_more_doubles_nothing():
    """C4: a last chunk that tells the whole message again adds nothing to what came in pieces."""
    message = {
        "content": "Hello",
        "reasoning": "think",
        "refusal": "no",
        "audio": {"id": "a", "data": "AAAA"},
        "annotations": [{"x": 1}],
        "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": '{"a":1}'}}],
    }
    first = said({**message, "content": "Hel"}) | {}
    first["choices"][0]["logprobs"] = {"content": [1]}
    last = {"choices": [{"message": message, "finish_reason": "stop", "logprobs": {"content": [1]}}]}
    (choice,) = add_up(first, last)[1].choices
    assert choice.message == {
        "role": "assistant",
        **message,
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
    }
    assert choice.logprobs == {"content": [1]}


def test_equal_messages_in_a_row_are_two_pieces():
    """C4: a gateway that writes `message` for `delta` may say the same syllable twice."""
    bodies = [{"choices": [{"message": {"content": "ha"}}]}] * 2
    assert add_up(*bodies)[1].text == "haha"


def test_equal_pieces_of_audio_are_two_pieces():
    """Silence is written as equal pieces, and none is lost."""
    bodies = [said({"audio": {"id": "a", "data": "AAAA"}})] * 3
    assert add_up(*bodies)[1].choices[0].audio == {"id": "a", "data": "AAAA" * 3}


def test_logprobs_of_odd_shapes_are_kept():
    """Log probabilities that are no lists replace each other, and break nothing."""
    bodies = [said({"content": "x"}) for _ in range(3)]
    for body, logprobs in zip(bodies, [{"content": "?"}, {"content": None}, {"content": [1]}], strict=True):
        body["choices"][0]["logprobs"] = logprobs
    assert add_up(*bodies)[1].choices[0].logprobs == {"content": [1]}


def test_a_result_does_not_change_afterwards():
    """A completion taken early stays as it was while the stream goes on."""
    answer = Accumulator(new_id=str)
    token = {
        "logprobs": {"content": [1]},
        "index": 0,
        "delta": {"content": "a", "audio": {"data": "A"}, "x": {"y": "z"}},
    }
    answer.add_chunk(read_chunk({"choices": [token], "usage": USAGE}))
    early = answer.result()
    before = json.dumps(early.as_dict())
    answer.add_chunk(read_chunk({"choices": [token], "usage": {**USAGE, "prompt_tokens": 99}}))
    assert json.dumps(early.as_dict()) == before
