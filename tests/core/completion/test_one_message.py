"""Choices nobody asked for are one message."""

import pytest

from flash_integrations._core.completion.accumulator import Accumulator
from flash_integrations._core.endpoints.chat.chunks import read_chunk

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def choice(delta, finish=None, index=None):
    """A choice of a chunk."""
    return {"delta": delta, "finish_reason": finish} | ({} if index is None else {"index": index})


def add_up(*chunks):
    """What chunks, each a list of choices, make."""
    answer, deltas = Accumulator(new_id=lambda: "made-up"), []
    for choices in chunks:
        deltas += answer.add_chunk(read_chunk({"choices": choices}))
    return answer, deltas + answer.finish(), answer.result()


TEXT, CALLS = {"content": "look"}, {"tool_calls": [{"index": 0, **CALL}]}


@pytest.mark.parametrize(
    "chunks",
    [
        [[choice(TEXT, "tool_calls"), choice(CALLS, "tool_calls")]],
        [[choice(CALLS, "tool_calls"), choice(TEXT, "stop")]],
        [[choice(TEXT, index=0)], [choice(CALLS, index=1)], [choice({}, "stop", 0)], [choice({}, "tool_calls", 1)]],
        [[choice({"content": "lo"}, index=1)], [choice(CALLS, "stop", 0)], [choice({"content": "ok"}, "stop", 1)]],
    ],
    ids=["one chunk", "the call first", "a stream", "a stream that begins with the second"],
)
def test_text_and_call_of_two_choices_are_one_message(chunks):
    """gptel#1284: whole and streamed, in either order."""
    answer, deltas, whole = add_up(*chunks)
    assert answer.finished
    assert len(whole.choices) == 1
    assert (whole.text, whole.finish_reason, whole.choices[0].index) == ("look", "tool_calls", 0)
    assert [call.as_dict() for call in whole.tool_calls] == [CALL]
    assert {delta.index for delta in deltas} == {0}
    assert "".join(delta.text for delta in deltas) == "look"


def test_a_second_answer_is_not_mixed_into_the_first():
    """litellm#35444: what another choice says again is left out, its end too."""
    first = {"content": "a", "reasoning": "r"}
    answer, deltas, whole = add_up(
        [choice(first, index=0), choice({"content": "b"}, index=1)],
        [choice({"content": "c"}, "stop", 0), choice({"reasoning": "s"}, "length", 1)],
    )
    assert answer.finished
    assert (whole.text, whole.reasoning, whole.finish_reason) == ("ac", "r", "stop")
    assert "".join(delta.text for delta in deltas) == "ac"


def test_the_message_ends_when_all_who_said_some_of_it_have_ended():
    """A call in a second choice that was cut is no answer; a second answer that was cut changes nothing."""
    cut_call, _, _ = add_up([choice(TEXT, "stop", 0)], [choice(CALLS, index=1)])
    cut_answer, _, _ = add_up([choice(TEXT, "stop", 0)], [choice({"content": "b"}, index=1)])
    assert (cut_call.finished, cut_answer.finished) == (False, True)


def test_a_single_choice_has_index_0_whatever_the_wire_calls_it():
    """Nobody asked for a second one, so there is no other."""
    _, deltas, whole = add_up([choice(TEXT, "stop", index=3)])
    assert ([delta.index for delta in deltas], whole.choices[0].index) == ([0, 0], 0)
