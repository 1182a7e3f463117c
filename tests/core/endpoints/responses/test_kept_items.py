"""Output items kept with their message, and sent back in the next turn."""

from __future__ import annotations

import json

import pytest
from response_stream import Way, call, completion, custom, end, event, message, plain, reasoning, stream

from flash_integrations._core.endpoints.responses.input_items import to_input
from flash_integrations._core.endpoints.responses.kept_items import KEPT, to_kept, without_kept, without_reasoning

THOUGHT = reasoning("hm", id="rs_1", encrypted_content="gAAA", status="completed")
SENT_THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "gAAA",
}
TEXT = message("I look.", id="msg_1", phase="commentary")
SENT_TEXT = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "I look."}],
    "phase": "commentary",
}
CALL = call("f", '{"a":1}', call_id="c1", id="fc_1")
SENT_CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "x"}}


def kept_of(*items):
    """What an answer with these items keeps."""
    return plain(*items).choices[0].message_extra.get(KEPT)


def sent(answer_message, *, model="gpt-5.2"):
    """The items that go out for an answer's message, after a round trip through JSON."""
    return to_input([json.loads(json.dumps(answer_message))], model=model)[1]


def test_encrypted_reasoning_goes_back_with_what_followed_it():
    """In order; reasoning with its id, messages and calls without, and none with a status."""
    answer = plain(THOUGHT, TEXT, SEARCH, CALL).choices[0].message
    assert sent(answer) == [SENT_THOUGHT, SENT_TEXT, SEARCH, SENT_CALL]


def test_an_answer_without_encrypted_reasoning_keeps_nothing():
    """The provider's own items go back with such reasoning only."""
    assert kept_of(reasoning("hm", id="rs_1"), TEXT, SEARCH) is None


def test_reasoning_is_never_alone_at_the_end():
    """It is refused without what followed it; so is an answer that is nothing else."""
    assert kept_of(THOUGHT) is None
    assert [item["type"] for item in kept_of(THOUGHT, TEXT, THOUGHT)["items"]] == ["reasoning", "message"]


def test_the_finished_encryption_counts():
    """That of the announcement is unfinished."""
    added = event("output_item.added", output_index=0, item={**THOUGHT, "encrypted_content": "gA"})
    done = event("output_item.done", output_index=0, item=THOUGHT)
    text = event("output_text.delta", item_id="m", output_index=1, delta="a")
    kept = completion(added, done, text, end([])).choices[0].message_extra[KEPT]
    assert [item.get("encrypted_content") for item in kept["items"]] == ["gAAA", None]


def test_the_kept_text_is_the_one_that_was_shown():
    """Not the empty one of later events (CliRelay#325)."""
    items = stream([THOUGHT, TEXT], Way(lists="empty"))
    emptied = [
        part if b"output_item.done" not in part or b'"message"' not in part else part.replace(b"I look.", b"")
        for part in items
    ]
    assert sent(completion(*emptied).choices[0].message)[1]["content"] == SENT_TEXT["content"]


def test_the_final_list_gives_the_order():
    """Where the stream told an item late."""
    events = [event("output_text.delta", output_index=1, delta="I look."), end([THOUGHT, TEXT])]
    kept = completion(*events).choices[0].message_extra[KEPT]
    assert [item["type"] for item in kept["items"]] == ["reasoning", "message"]


def test_a_call_without_an_id_of_its_own_keeps_nothing():
    """The id in the message was made up elsewhere."""
    assert kept_of(THOUGHT, call("f", "{}")) is None


ANSWER = {
    "role": "assistant",
    "content": "I look.",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
    KEPT: to_kept([THOUGHT, SENT_TEXT, CALL], model="m"),
}


def changed(**fields):
    """The answer as a user changed it."""
    return {**ANSWER, **fields}


def test_arguments_written_otherwise_are_the_same():
    """Frameworks parse and write them anew."""
    assert sent(ANSWER, model="m") == [SENT_THOUGHT, SENT_TEXT, SENT_CALL]


@pytest.mark.parametrize(
    "answer",
    [
        changed(content="I looked."),
        changed(tool_calls=[]),
        changed(tool_calls=[{**ANSWER["tool_calls"][0], "id": "c2"}]),
        changed(tool_calls=[{**ANSWER["tool_calls"][0], "function": {"name": "f", "arguments": '{"a":2}'}}]),
        changed(tool_calls=[{**ANSWER["tool_calls"][0], "function": {"name": "g", "arguments": '{"a":1}'}}]),
        changed(**{KEPT: "x"}),
        changed(**{KEPT: {"model": "m", "items": []}}),
    ],
)
def test_a_changed_message_is_sent_as_it_is_now(answer):
    """Another text, other calls, other arguments: without what was kept."""
    assert sent(answer, model="m") == sent({name: value for name, value in answer.items() if name != KEPT})


def test_what_one_model_thought_is_not_sent_to_another():
    """It could not open it; nor is it sent as plain text, which those refuse that encrypt theirs (9router#2497)."""
    answer = changed(reasoning_content="hm")
    assert "reasoning" not in [item["type"] for item in sent(answer, model="other")]


def test_custom_calls_are_kept_and_compared():
    """By their input; their outputs have a type of their own."""
    answer = plain(THOUGHT, custom("sql", "select 1", call_id="c1")).choices[0].message
    output = {"role": "tool", "tool_call_id": "c1", "content": "1"}
    turned = to_input([answer, output], model="gpt-5.2")[1]
    assert [item["type"] for item in turned] == ["reasoning", "custom_tool_call", "custom_tool_call_output"]
    answer["tool_calls"][0]["custom"]["input"] = "select 2"
    turned = to_input([answer, output], model="gpt-5.2")[1]
    assert [item["type"] for item in turned] == ["custom_tool_call", "custom_tool_call_output"]


def test_the_chat_wire_sees_nothing_of_it():
    """Messages without kept items stay the very same."""
    assert KEPT not in without_kept([ANSWER])[0]
    messages = [{"role": "user", "content": "hi"}]
    assert without_kept(messages) is messages


def test_an_input_without_reasoning_has_no_calls_of_the_providers_tools_either():
    """They are refused without it; the rest stays in order."""
    assert without_reasoning([SENT_THOUGHT, SENT_TEXT, SEARCH, SENT_CALL]) == [SENT_TEXT, SENT_CALL]
