"""Messages as items of the input."""

from __future__ import annotations

import pytest

from flash_integrations._core.endpoints.responses.input_items import as_developer, short_call_id, to_input

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def items(*messages, model="m"):
    """The items of these messages."""
    return to_input(messages, model=model)[1]


def contents(message):
    """The content of the one item that a message is."""
    (item,) = items(message)
    return item["content"]


def test_leading_system_texts_are_joined_and_later_ones_are_developers():
    """One that is no text ends the leading ones."""
    parts = [{"type": "text", "text": "C", "cache_control": {"type": "ephemeral"}}]
    instructions, turned = to_input(
        [
            {"role": "system", "content": "A"},
            {"role": "developer", "content": "B"},
            {"role": "system", "content": parts},
            {"role": "system", "content": "D"},
        ],
        model="m",
    )
    assert instructions == "A\n\nB"
    assert [item["role"] for item in turned] == ["developer", "developer"]
    assert turned[1] == as_developer("D")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "text": "a"}, {"type": "input_text", "text": "a"}),
        (
            {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}},
            {"type": "input_image", "image_url": "data:x", "detail": "low"},
        ),
        ({"type": "image_url", "image_url": "data:x"}, {"type": "input_image", "image_url": "data:x"}),
        (
            {"type": "file", "file": {"file_data": "d", "filename": "n"}},
            {"type": "input_file", "file_data": "d", "filename": "n"},
        ),
        ({"type": "file", "file": {"file_id": "f"}}, {"type": "input_file", "file_id": "f"}),
        (
            {"type": "input_audio", "input_audio": {"data": "d", "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": "d", "format": "wav"}},
        ),
        ({"type": "input_image", "file_id": "f"}, {"type": "input_image", "file_id": "f"}),
    ],
)
def test_a_part_of_a_users_message_has_its_form_here(part, expected):
    """Texts, images, files and audio."""
    assert contents({"role": "user", "content": [part], "name": "left out"}) == [expected]


@pytest.mark.parametrize("content", [None, "", []])
def test_an_empty_content_is_an_empty_text(content):
    """Null content is refused."""
    assert contents({"role": "user", "content": content}) == [{"type": "input_text", "text": ""}]


def test_an_answer_is_its_text_and_its_calls():
    """The text is of the output's type; items have no id and no status."""
    assert items({"role": "assistant", "content": "I look.", "tool_calls": [CALL]}) == [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
    ]


def test_an_answer_that_says_nothing_is_no_item():
    """Its calls alone are."""
    assert items({"role": "assistant", "content": None}) == []
    assert [item["type"] for item in items({"role": "assistant", "content": "", "tool_calls": [CALL]})] == [
        "function_call"
    ]


def test_a_refusal_is_a_refusal():
    """As a field, and as a part of the content."""
    refusal = {"type": "refusal", "refusal": "no"}
    assert contents({"role": "assistant", "content": None, "refusal": "no"}) == [refusal]
    parts = [{"type": "text", "text": "a"}, refusal]
    assert contents({"role": "assistant", "content": parts}) == [{"type": "output_text", "text": "a"}, refusal]


def test_reasoning_that_is_to_be_sent_goes_before_the_answer():
    """As plain text, which some gateways want back (rikkahub#1690)."""
    parts = [{"type": "reasoning_text", "text": "hm"}]
    turned = items({"role": "assistant", "content": "a", "reasoning_content": "hm"})
    assert turned[0] == {"type": "reasoning", "summary": [], "content": parts}


def test_a_result_goes_to_its_call():
    """A text, or a list of parts, so that images work."""
    image = {"type": "image_url", "image_url": {"url": "data:x"}}
    assert items(
        {"role": "tool", "tool_call_id": "c1", "content": "r"},
        {"role": "tool", "tool_call_id": "c2", "content": [image]},
        {"role": "tool", "tool_call_id": "c3", "content": None},
    ) == [
        {"type": "function_call_output", "call_id": "c1", "output": "r"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_image", "image_url": "data:x"}]},
        {"type": "function_call_output", "call_id": "c3", "output": ""},
    ]


def test_custom_tools_have_calls_and_outputs_of_their_own():
    """In the chat wire's form, with the input as text."""
    call = {"id": "c1", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    assert items(
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
    ) == [
        {"type": "custom_tool_call", "call_id": "c1", "name": "sql", "input": "select 1"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "1"},
    ]


def test_a_function_call_of_the_form_before_tools_gets_an_id():
    """The same for the call and its result, another for the next."""
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    ids = [item["call_id"] for item in items(call, {"role": "function", "name": "f", "content": "r"}, call)]
    assert ids[0] == ids[1] != ids[2]


def test_long_ids_are_shortened_alike_on_both_sides():
    """64 characters are taken; two ids that begin alike stay two."""
    long, other = "x" * 80, "x" * 81
    turned = items(
        {"role": "assistant", "content": None, "tool_calls": [{**CALL, "id": long}]},
        {"role": "tool", "tool_call_id": long, "content": "r"},
    )
    assert turned[0]["call_id"] == turned[1]["call_id"] == short_call_id(long)
    assert len(short_call_id(long)) == 64
    assert short_call_id(long) != short_call_id(other)
    assert short_call_id("y" * 64) == "y" * 64
