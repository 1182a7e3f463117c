"""Tool calls between the core and the frameworks."""

import pytest

from flash_integrations._adapters.tool_calls import calls_of, load_arguments, wire_call
from flash_integrations._core.completion.completion import Choice, Completion, ToolCall


@pytest.mark.parametrize("text", ["", "[1]", '"a"', '{"a":', "null"])
def test_arguments_that_are_no_object_are_refused(text):
    """They make an invalid call in either framework."""
    with pytest.raises(ValueError):  # noqa: PT011 - the text of JSON's own errors varies
        load_arguments(text)


@pytest.mark.parametrize("number", [-(2**63) - 1, 2**64, 10**30 + 1])
def test_numbers_of_any_length_are_kept(number):
    """An id beyond 64 bits is the same id in the tool, not the nearest float."""
    assert load_arguments(f'{{"id": {number}}}') == {"id": number}


def test_arguments_may_hold_raw_line_ends():
    """Models write them, and new-api passes them on."""
    assert load_arguments('{"a": "x\ny"}') == {"a": "x\ny"}


def test_a_call_in_the_format_before_tools_is_one():
    """Under an id of the answer's, so that it can be answered."""
    choice = Choice(function_call={"name": "f", "arguments": "{}"})
    assert calls_of(Completion(id="c1"), choice) == (ToolCall("call_c1", "f", "{}"),)


def test_tool_calls_win_over_the_older_format():
    """Gateways that write both mean one call."""
    call = ToolCall("call_1", "f", "{}")
    choice = Choice(tool_calls=(call,), function_call={"name": "f", "arguments": "{}"})
    assert calls_of(Completion(), choice) == (call,)


def test_what_the_gateway_sent_beside_a_call_goes_back_with_it():
    """Gemini's thought signatures; the call's own fields win."""
    made = wire_call("c1", "f", "{}", {"extra_content": {"s": 1}, "id": "old"})
    assert made == {
        "extra_content": {"s": 1},
        "type": "function",
        "id": "c1",
        "function": {"name": "f", "arguments": "{}"},
    }
