"""Answers as values."""

from __future__ import annotations

import copy
import pickle

import pytest

from flash_integrations._core.completion.completion import ChatDelta, Choice, Completion
from flash_integrations._core.completion.tool_calls import ToolCall
from flash_integrations._core.completion.usage import Usage

CALL = ToolCall("call_1", "f", '{"a":1}')


def test_an_empty_completion_has_empty_parts():
    """What never came is empty, not an error."""
    empty = Completion()
    assert (empty.text, empty.reasoning, empty.tool_calls, empty.finish_reason) == ("", "", (), None)


def test_a_completion_speaks_for_its_first_choice():
    """Text, reasoning, calls and finish reason are those of choice 0."""
    first = Choice(text="a", reasoning="r", tool_calls=(CALL,), finish_reason="tool_calls")
    whole = Completion(choices=(first, Choice(index=1, text="b")))
    assert (whole.text, whole.reasoning, whole.tool_calls, whole.finish_reason) == ("a", "r", (CALL,), "tool_calls")


@pytest.mark.parametrize(
    ("choice", "content"),
    [
        (Choice(text="x", tool_calls=(CALL,)), "x"),
        (Choice(tool_calls=(CALL,)), None),
        (Choice(refusal="no"), None),
        (Choice(function_call={"name": "f", "arguments": "{}"}), None),
        (Choice(reasoning="r"), ""),
        (Choice(), ""),
    ],
)
def test_content_is_null_beside_what_stands_for_it(choice, content):
    """The plain endpoint writes null where a call or a refusal takes the text's place, else a text."""
    assert choice.message["content"] == content


def test_what_has_nothing_to_say_is_left_out():
    """The JSON holds no nulls for fields that are optional."""
    assert Completion(id="c", model="m", created=1, choices=(Choice(text="x", finish_reason="stop"),)).as_dict() == {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}],
    }


def test_how_an_answer_travelled_is_no_part_of_it():
    """Answers are equal whether streamed or not, sent once or more often."""
    assert Completion(id="c") == Completion(id="c", streamed=True, retries=2, request_id="r")


@pytest.mark.parametrize(
    ("usage", "counts"),
    [({}, (0, 0, 0)), ({"prompt_tokens": 1, "completion_tokens": 2}, (1, 2, 3)), ({"total_tokens": 5}, (0, 0, 5))],
)
def test_usage_has_the_common_three(usage, counts):
    """Counts that were not told are 0, the total their sum."""
    usage = Usage(usage)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == counts


TWO = {"completion_tokens": 2}


@pytest.mark.parametrize(
    ("choice", "usage", "hollow"),
    [
        pytest.param(Choice(finish_reason="stop"), TWO, True, id="tokens and no text"),
        pytest.param(Choice(), TWO, True, id="no finish reason either"),
        pytest.param(Choice(finish_reason="stop"), None, False, id="no usage"),
        pytest.param(Choice(finish_reason="stop"), {"completion_tokens": 0}, False, id="no tokens"),
        pytest.param(Choice(text="x", finish_reason="stop"), TWO, False, id="text"),
        pytest.param(Choice(reasoning="x", finish_reason="stop"), TWO, False, id="reasoning"),
        pytest.param(Choice(tool_calls=(CALL,), finish_reason="tool_calls"), TWO, False, id="a call"),
        pytest.param(Choice(finish_reason="length"), TWO, False, id="its length was used up by reasoning"),
        pytest.param(Choice(finish_reason="content_filter"), TWO, False, id="a filter emptied it"),
        pytest.param(
            Choice(finish_reason="stop"),
            {**TWO, "completion_tokens_details": {"reasoning_tokens": 2}},
            False,
            id="all tokens were reasoning",
        ),
    ],
)
def test_an_answer_is_hollow_that_lost_its_text(choice, usage, hollow):
    """E7, N11: counted tokens and no word of them, with no reason for it."""
    assert Completion(choices=(choice,), usage=None if usage is None else Usage(usage)).is_hollow is hollow


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])  # noqa: S301
def test_answers_and_deltas_can_be_copied_and_pickled(copied):
    """Values go through caches and process borders."""
    values = (Completion(id="c", choices=(Choice(tool_calls=(CALL,)),), usage=Usage(TWO)), ChatDelta(text="x"))
    assert copied(values) == values
    assert isinstance(copied(values)[0].usage, Usage)
