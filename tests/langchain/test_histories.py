"""Earlier answers sent back, wherever they were made and in whatever form they are kept."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from flash_integrations._core.completion.completion import Choice, Completion
from flash_integrations._core.completion.tool_calls import ToolCall
from flash_integrations._core.policy.past_reasoning import with_past_reasoning
from flash_integrations.langchain._from_wire import MessageOptions, to_result
from flash_integrations.langchain._to_wire import to_wire

CALL = {"type": "tool_call", "name": "add", "args": {"a": 1}, "id": "call_1"}
WIRE_CALL = {"type": "function", "id": "call_1", "function": {"name": "add", "arguments": '{"a": 1}'}}


def sent(message, *after, send_reasoning=None):
    """An answer as it is sent, with what comes after it."""
    return with_past_reasoning(to_wire([message, *after]), send=send_reasoning)[0][0]


def texts(body):
    """The content as one text."""
    content = body["content"] or ""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


ANSWERS = {
    "text": Choice(text="4", finish_reason="stop"),
    "reasoning": Choice(text="4", reasoning="2+2", finish_reason="stop"),
    "refusal": Choice(refusal="no", finish_reason="stop"),
    "calls": Choice(text="so", tool_calls=(ToolCall("call_1", "add", '{"a": 1}'),), finish_reason="tool_calls"),
    "invalid call": Choice(tool_calls=(ToolCall("call_1", "add", '{"a"'),), finish_reason="length"),
    "audio": Choice(audio={"id": "audio_1", "data": "UklGRg==", "transcript": "hi"}, finish_reason="stop"),
    "citations": Choice(text="so", annotations=({"type": "url_citation", "url": "u"},), finish_reason="stop"),
    "function call": Choice(function_call={"name": "add", "arguments": "{}"}, finish_reason="function_call"),
}


@pytest.mark.parametrize("send_reasoning", [False, True])
@pytest.mark.parametrize("choice", ANSWERS.values(), ids=ANSWERS.keys())
def test_both_output_versions_go_back_alike(choice, send_reasoning):
    """An answer kept as content blocks goes back as the one kept as a text does."""
    completion = Completion(id="c1", model="m", choices=(choice,))
    bodies = []
    for blocks in (False, True):
        message = to_result(completion, MessageOptions("flashapi", blocks=blocks)).generations[0].message
        body = sent(message, send_reasoning=send_reasoning)
        bodies.append({**body, "content": texts(body) or body["content"]})
    assert bodies[0] == bodies[1]
    assert ("reasoning_content" in bodies[0]) == (send_reasoning and bool(choice.reasoning))


REASONED = {
    "LangChain v1": AIMessage([{"type": "reasoning", "reasoning": "2+2"}, {"type": "text", "text": "4"}]),
    "Anthropic": AIMessage([{"type": "thinking", "thinking": "2+2", "signature": "s"}, {"type": "text", "text": "4"}]),
    "OpenAI responses": AIMessage(
        [{"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "2+2"}]}, "4"]
    ),
    "Bedrock": AIMessage([{"type": "reasoning_content", "reasoning_content": {"text": "2+2"}}, "4"]),
    "DeepSeek": AIMessage("4", additional_kwargs={"reasoning_content": "2+2"}),
}


@pytest.mark.parametrize("message", REASONED.values(), ids=REASONED.keys())
def test_reasoning_goes_back_wherever_it_is_kept(message):
    """With ``send_reasoning`` it is sent from extras and from content blocks of any vendor; without, never."""
    assert sent(message, send_reasoning=True)["reasoning_content"] == "2+2"
    without = sent(message)
    assert "reasoning_content" not in without
    assert texts(without) == "4"


def test_reasoning_details_go_back_as_they_came():
    """OpenRouter's details, signatures and all, are echoed with ``send_reasoning``."""
    details = [{"type": "reasoning.encrypted", "data": "x"}]
    message = AIMessage("4", additional_kwargs={"reasoning_details": details})
    assert sent(message, send_reasoning=True)["reasoning_details"] == details
    assert "reasoning_details" not in sent(message)


SIGNED = {"type": "thinking", "thinking": "2+2", "signature": "s"}
BEGUN_AT_CLAUDE = {
    "in its own form": [SIGNED, {"type": "redacted_thinking", "data": "d"}],
    "in LangChain's": [
        {"type": "reasoning", "reasoning": "2+2", "extras": {"signature": "s"}},
        {"type": "non_standard", "value": {"type": "redacted_thinking", "data": "d"}},
    ],
}


@pytest.mark.parametrize("content", BEGUN_AT_CLAUDE.values(), ids=BEGUN_AT_CLAUDE)
def test_signed_thinking_of_claude_goes_back_in_litellms_form(content):
    """A conversation that began at Anthropic's own endpoint goes on behind LiteLLM."""
    body = sent(AIMessage([*content, "4"]), send_reasoning=True)
    assert body["thinking_blocks"] == [SIGNED, {"type": "redacted_thinking", "data": "d"}]


def test_a_reasoning_block_carries_what_must_go_back():
    """Whoever keeps an answer's content blocks alone loses nothing of it."""
    details = [{"type": "reasoning.encrypted", "data": "x", "index": 0}]
    choice = Choice(text="4", reasoning="2+2", message_extra={"reasoning_details": details}, finish_reason="stop")
    message = to_result(Completion(choices=(choice,)), MessageOptions("flashapi")).generations[0].message
    body = sent(AIMessage(message.content_blocks), send_reasoning=True)
    assert (body["reasoning_content"], body["reasoning_details"]) == ("2+2", details)


FOREIGN = {
    "Anthropic": [
        {"type": "text", "text": "so"},
        {"type": "tool_use", "id": "call_1", "name": "add", "input": {"a": 1}},
    ],
    "LangChain v1": [{"type": "text", "text": "so"}, CALL],
    "OpenAI responses": [
        {"type": "text", "text": "so", "annotations": []},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "add", "arguments": '{"a": 1}'},
    ],
}


@pytest.mark.parametrize("with_calls", [True, False])
@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_calls_of_other_vendors_go_back_once(content, with_calls):
    """A call in the content and in ``tool_calls`` is sent once, one in the content alone as well."""
    message = AIMessage(content, tool_calls=[CALL] if with_calls else [])
    body = sent(message, ToolMessage("2", tool_call_id="call_1"))
    assert body["tool_calls"] == [WIRE_CALL]
    assert texts(body) == "so"


def test_a_call_that_was_taken_out_stays_out():
    """A call without an answer that only the content still has was taken out by somebody, and is not sent."""
    assert "tool_calls" not in sent(AIMessage(FOREIGN["Anthropic"]), HumanMessage("never mind"))


SERVER_SIDE = [
    {"type": "server_tool_call", "id": "s1", "name": "web_search", "args": {}},
    {"type": "server_tool_call_chunk", "id": "s1", "name": "web_search", "args": ""},
    {"type": "server_tool_result", "tool_call_id": "s1", "status": "success", "output": "x"},
    {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
    {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    {"type": "code_interpreter_call", "id": "ci_1", "code": "1"},
    {"type": "mcp_call", "id": "mcp_1", "name": "x", "arguments": "{}"},
    {"type": "image_generation_call", "id": "ig_1", "result": "aGk="},
    {"type": "executable_code", "executable_code": "1"},
    {"type": "code_execution_result", "code_execution_result": "1"},
    {"type": "non_standard", "value": {"type": "compaction", "id": "cmp_1"}},
    {"type": "tool_call_chunk", "id": "call_1", "name": "add", "args": "{"},
    {"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"},
    {"type": "redacted_thinking", "data": "x"},
]


@pytest.mark.parametrize("block", SERVER_SIDE, ids=lambda block: block["type"])
def test_what_ran_elsewhere_stays_behind(block):
    """Calls on a provider's side, their results, and what else the endpoint takes from no assistant are not sent."""
    assert sent(AIMessage(["so", block])) == {"role": "assistant", "content": [{"type": "text", "text": "so"}]}


@pytest.mark.parametrize("form", ["refusal", "non_standard"])
def test_a_refusal_in_the_content_goes_back_as_one(form):
    """A refusal block is the message's refusal."""
    refusal = {"type": "refusal", "refusal": "no"}
    block = refusal if form == "refusal" else {"type": "non_standard", "value": refusal}
    assert sent(AIMessage([block])) == {"role": "assistant", "content": None, "refusal": "no"}


def test_ids_that_langchain_made_up_name_no_audio():
    """Audio goes back by the gateway's id alone."""
    audio = {"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"}
    assert sent(AIMessage([{**audio, "id": "audio_1"}]))["audio"] == {"id": "audio_1"}
    assert "audio" not in sent(AIMessage([{**audio, "id": "lc_1"}, "so"]))
