"""Messages between LlamaIndex and the wire, as values."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    CitationBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from flash_integrations._core.completion.completion import Choice, Completion
from flash_integrations._core.completion.tool_calls import ToolCall
from flash_integrations._core.completion.usage import Usage
from flash_integrations._core.wire import CARRIED
from flash_integrations.llama_index._raw import RawDict
from flash_integrations.llama_index._to_wire import to_completion, to_logprobs, to_response, to_wire

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(32)


def encoded(data):
    """Bytes as base64 text."""
    return base64.b64encode(data).decode()


def wire_of(*blocks, role="user", **params):
    """One message's body."""
    kwargs = params.pop("additional_kwargs", {})
    message = ChatMessage(role=role, blocks=list(blocks), additional_kwargs=kwargs)
    return to_wire([message], **params)[0]


# --- outward --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "sent"),
    [
        (MessageRole.SYSTEM, "system"),
        (MessageRole.DEVELOPER, "developer"),
        (MessageRole.USER, "user"),
        (MessageRole.ASSISTANT, "assistant"),
        (MessageRole.CHATBOT, "assistant"),
        (MessageRole.MODEL, "assistant"),
        (MessageRole.TOOL, "tool"),
        (MessageRole.FUNCTION, "function"),
    ],
)
def test_every_role_has_its_word(role, sent):
    """A message of any role goes out under the wire's word for it, its text as a string."""
    assert wire_of(TextBlock(text="hi"), role=role) == {"role": sent, "content": "hi"}


def test_system_messages_go_out_under_the_role_that_was_set():
    """system_role renames system messages and no others."""
    messages = [ChatMessage(role="system", content="a"), ChatMessage(role="user", content="b")]
    assert [body["role"] for body in to_wire(messages, system_role="developer")] == ["developer", "user"]


def test_a_message_without_content_is_an_empty_text():
    """A tool that gave nothing has an empty answer, which endpoints want said."""
    body = wire_of(role="tool", additional_kwargs={"tool_call_id": "c1"})
    assert body == {"role": "tool", "content": "", "tool_call_id": "c1"}


def test_names_and_call_ids_go_out_where_they_belong():
    """A name goes with any role, a tool call's id with tool messages alone."""
    kwargs = {"name": "ann", "tool_call_id": "c1"}
    assert wire_of(TextBlock(text="x"), additional_kwargs=kwargs) == {"role": "user", "content": "x", "name": "ann"}
    assert wire_of(TextBlock(text="x"), role="tool", additional_kwargs=kwargs)["tool_call_id"] == "c1"
    assert "tool_call_id" not in wire_of(TextBlock(text="x"), role="assistant", additional_kwargs=kwargs)


def test_reasoning_is_carried_for_those_who_want_it():
    """The thinking of earlier answers stands apart from what is sent."""
    body = wire_of(ThinkingBlock(content="hm"), TextBlock(text="a"), role="assistant")
    assert body == {"role": "assistant", "content": "a", CARRIED: {"reasoning_content": "hm"}}


def test_signed_thinking_of_claude_is_carried_in_litellms_form():
    """A conversation that began with LlamaIndex's Anthropic class goes on behind LiteLLM."""
    block = ThinkingBlock(content="hm", additional_information={"signature": "s"})
    carried = wire_of(block, TextBlock(text="a"), role="assistant")[CARRIED]
    assert carried["thinking_blocks"] == [{"type": "thinking", "thinking": "hm", "signature": "s"}]


def test_tool_calls_go_back_as_the_model_wrote_them():
    """A call whose older copy is there keeps the model's spelling and the gateway's own fields."""
    written = {
        "id": "c1",
        "type": "function",
        "function": {"name": "f", "arguments": '{ "a": 1 }'},
        "extra_content": {"signature": "s"},
    }
    block = ToolCallBlock(tool_call_id="c1", tool_name="f", tool_kwargs={"a": 1})
    body = wire_of(block, role="assistant", additional_kwargs={"tool_calls": [written]})
    assert body == {"role": "assistant", "content": None, "tool_calls": [written]}


@pytest.mark.parametrize(("given", "sent"), [({"市": "巴黎"}, '{"市":"巴黎"}'), ('{"a": ', '{"a": ')])
def test_tool_call_blocks_alone_are_enough(given, sent):
    """Without the older copy arguments go out as JSON text; those that are no JSON, as they are."""
    body = wire_of(ToolCallBlock(tool_call_id="c1", tool_name="f", tool_kwargs=given), role="assistant")
    assert body["tool_calls"] == [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": sent}}]


def test_changed_blocks_count_more_than_the_older_copy():
    """Who changed a block's arguments sends the changed ones."""
    older = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    block = ToolCallBlock(tool_call_id="c1", tool_name="f", tool_kwargs={"a": 2})
    body = wire_of(block, role="assistant", additional_kwargs={"tool_calls": [older]})
    assert body["tool_calls"][0]["function"]["arguments"] == '{"a":2}'


def test_the_older_copy_alone_goes_out():
    """Histories of other integrations, dicts or objects, are understood."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    other = SimpleNamespace(model_dump=lambda **_: call)
    for legacy in (call, other):
        assert wire_of(role="assistant", additional_kwargs={"tool_calls": [legacy]})["tool_calls"] == [call]


def test_function_calls_go_back_in_the_form_they_are_answered_in():
    """A call of the time before tools goes back as one, unless a tool message answers it."""
    made = Choice(function_call={"name": "f", "arguments": "{}"}, finish_reason="function_call")
    message = to_response(Completion(id="1", choices=(made,))).message
    assert to_wire([message]) == [
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    ]
    answer = ChatMessage(role="tool", content="x", additional_kwargs={"tool_call_id": "call_1"})
    assert to_wire([message, answer])[0]["tool_calls"][0]["id"] == "call_1"


def test_refusals_and_spoken_answers_go_back():
    """A refusal goes back as one; what was spoken goes back by its id."""
    refused = wire_of(TextBlock(text=""), role="assistant", additional_kwargs={"refusal": "no"})
    assert refused == {"role": "assistant", "content": None, "refusal": "no"}
    for kwargs in ({"audio": {"id": "a1"}}, {"reference_audio_id": "a1"}):
        spoken = wire_of(AudioBlock(audio=b"?"), role="assistant", additional_kwargs=kwargs)
        assert spoken == {"role": "assistant", "content": None, "audio": {"id": "a1"}}


# --- inward ---------------------------------------------------------------------------------------------------------


def completion(choice, **params):
    """An answer of one choice."""
    return Completion(id="1", model="m", choices=(choice,), **params)


def test_an_answer_becomes_a_message_with_the_whole_answer_beside_it():
    """Text, raw as the plain endpoint writes it, and the three counts."""
    usage = Usage(prompt_tokens=9, completion_tokens=2, total_tokens=11)
    whole = completion(Choice(text="Hello", finish_reason="stop"), usage=usage)
    response = to_response(whole)
    assert response.message == ChatMessage(role="assistant", content="Hello")
    assert response.raw == whole.as_dict()
    assert type(response.raw["usage"]) is RawDict
    assert response.additional_kwargs == {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def test_without_usage_no_counts_are_made_up():
    """Where the gateway told no usage, none is shown."""
    assert to_response(completion(Choice(text="x"))).additional_kwargs == {}


def test_reasoning_becomes_a_thinking_block_with_its_tokens():
    """Thinking stands before the text, with its own count of tokens."""
    usage = Usage(completion_tokens_details={"reasoning_tokens": 5})
    message = to_response(completion(Choice(text="a", reasoning="hm"), usage=usage)).message
    assert message.blocks == [ThinkingBlock(content="hm", num_tokens=5), TextBlock(text="a")]
    assert message.content == "a"


def test_an_empty_answer_is_an_empty_text():
    """An answer that says nothing has the text "", not None."""
    assert to_response(completion(Choice())).message.content == ""


def test_tool_calls_become_blocks_and_the_older_copy():
    """Calls are blocks with parsed arguments, and dicts as on the wire for older code."""
    calls = (ToolCall("c1", "f", '{"a": 1}'), ToolCall("c2", "g", "{}"))
    message = to_response(completion(Choice(tool_calls=calls))).message
    assert message.blocks == [
        ToolCallBlock(tool_call_id="c1", tool_name="f", tool_kwargs={"a": 1}),
        ToolCallBlock(tool_call_id="c2", tool_name="g", tool_kwargs={}),
    ]
    assert message.additional_kwargs == {"tool_calls": [call.as_dict() for call in calls]}
    assert message.content is None


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "1"])
def test_arguments_that_are_no_object_stay_text(arguments):
    """What cannot be arguments is kept as it came, neither lost nor raised."""
    message = to_response(completion(Choice(tool_calls=(ToolCall("c1", "f", arguments),)))).message
    assert message.blocks == [ToolCallBlock(tool_call_id="c1", tool_name="f", tool_kwargs=arguments)]


def test_a_function_call_is_shown_as_a_tool_call_too():
    """The format before tools is a block with an id, and itself in additional_kwargs."""
    made = Choice(function_call={"name": "f", "arguments": '{"a": 1}'})
    message = to_response(completion(made)).message
    assert message.blocks == [ToolCallBlock(tool_call_id="call_1", tool_name="f", tool_kwargs={"a": 1})]
    assert message.additional_kwargs["function_call"] == made.function_call


def test_refusals_annotations_and_audio_have_their_places():
    """What is not text is in additional_kwargs; sound is a block as well."""
    sound = {"id": "a1", "data": encoded(WAV), "transcript": "hi", "expires_at": 1}
    said = Choice(refusal="no", annotations=({"type": "file_citation"},), audio=sound)
    message = to_response(completion(said)).message
    assert message.additional_kwargs == {
        "refusal": "no",
        "annotations": [{"type": "file_citation"}],
        "audio": {"id": "a1", "transcript": "hi", "expires_at": 1},
    }
    assert message.blocks[-1].resolve_audio().read() == WAV


CITED = {"url": "https://host.test/a", "title": "A", "start_index": 0, "end_index": 5}


@pytest.mark.parametrize(
    ("annotation", "params", "title", "place"),
    [
        ({"type": "url_citation", "url_citation": CITED}, "Paris", "A", {"start_index": 0, "end_index": 5}),
        ({"type": "url_citation", **CITED}, "Paris", "A", {"start_index": 0, "end_index": 5}),
        ({"type": "url_citation", "url_citation": {**CITED, "content": "The page."}}, "The page.", "A", None),
        ({"type": "url_citation", "url_citation": {"url": CITED["url"]}}, "", CITED["url"], {}),
        ({"type": "url_citation", "url_citation": {**CITED, "start_index": None, "title": 7}}, "", CITED["url"], None),
    ],
    ids=["nested", "flat", "with the page's words", "bare", "crooked"],
)
def test_url_citations_become_blocks(annotation, params, title, place):
    """A source that the answer names is a block after the text, with the words that are cited; the raw one stays."""
    message = to_response(completion(Choice(text="Paris is sunny.", annotations=(annotation,)))).message
    text, citation = message.blocks
    assert isinstance(citation, CitationBlock)
    assert (message.content, text.text) == ("Paris is sunny.", "Paris is sunny.")
    assert (citation.source, citation.title, citation.cited_content.text) == (CITED["url"], title, params)
    assert place is None or citation.additional_location_info == place
    assert message.additional_kwargs["annotations"] == [annotation]
    assert to_wire([message]) == [{"role": "assistant", "content": "Paris is sunny."}]


@pytest.mark.parametrize("annotation", [{"type": "file_citation", "file_citation": {}}, {"type": "url_citation"}, "x"])
def test_other_annotations_stay_beside_the_message(annotation):
    """What is no citation of a page makes no block and is kept as it came."""
    message = to_response(completion(Choice(text="a", annotations=(annotation,)))).message
    assert message.blocks == [TextBlock(text="a")]
    assert message.additional_kwargs["annotations"] == [annotation]


def test_crooked_logprobs_and_details_do_not_break_an_answer():
    """Wrong types beside the text are left out; the text comes."""
    odd = {"content": [{"token": 5, "logprob": "x", "bytes": "y", "top_logprobs": {}}, 7]}
    usage = Usage(completion_tokens_details=["?"])
    response = to_response(completion(Choice(text="a", reasoning="r", logprobs=odd), usage=usage))
    assert [(each.token, each.logprob, each.bytes) for each in response.logprobs[0]] == [("", 0.0, [])]
    assert to_logprobs({"content": {"a": 1}}) is None
    assert response.message.blocks == [ThinkingBlock(content="r"), TextBlock(text="a")]


def test_every_choice_is_in_raw():
    """Of several choices the first is the message, and all are in raw."""
    several = Completion(choices=(Choice(0, "a"), Choice(1, "b")))
    response = to_response(several)
    assert response.message.content == "a"
    assert [choice["message"]["content"] for choice in response.raw["choices"]] == ["a", "b"]


def test_logprobs_list_the_likely_tokens():
    """Each token has its likely ones; the said one stands first where it is not among them."""
    said = {"token": "a", "logprob": -0.5, "bytes": [97]}
    other = {"token": "b", "logprob": -1.0, "bytes": None}
    content = [{**said, "top_logprobs": [said, other]}, {**said, "top_logprobs": [other]}, {**said, "top_logprobs": []}]
    found = to_logprobs({"content": content})
    assert [[(each.token, each.logprob, each.bytes) for each in token] for token in found] == [
        [("a", -0.5, [97]), ("b", -1.0, [])],
        [("a", -0.5, [97]), ("b", -1.0, [])],
        [("a", -0.5, [97])],
    ]
    assert to_logprobs({"content": None, "refusal": None}) is None


def test_a_completion_keeps_what_the_chat_response_had():
    """Text, delta, raw, logprobs and both kinds of additional_kwargs, and the response is left as it was."""
    choice = Choice(text="a", refusal="r", logprobs={"content": [{"token": "a", "logprob": -1}]})
    response = to_response(completion(choice, usage=Usage(prompt_tokens=1)), delta="x")
    done = to_completion(response)
    assert (done.text, done.delta, done.raw, done.logprobs) == ("a", "x", response.raw, response.logprobs)
    assert done.additional_kwargs.keys() == {"refusal", "prompt_tokens", "completion_tokens", "total_tokens"}
    assert response.message.additional_kwargs == {"refusal": "r"}


@pytest.mark.parametrize(
    "choice",
    [
        Choice(text="a"),
        Choice(tool_calls=(ToolCall("c1", "f", '{ "a": [1, 2] }', extra={"extra_content": {"x": 1}}),)),
        Choice(tool_calls=(ToolCall("c1", "f", '{"a": '),)),
        Choice(text="a", tool_calls=(ToolCall("c1", "f"), ToolCall("c2", "g"))),
        Choice(refusal="no"),
    ],
    ids=["text", "call", "broken call", "text and calls", "refusal"],
)
def test_an_answer_goes_back_as_it_came(choice):
    """A message made of an answer goes out again as the wire's own message."""
    assert to_wire([to_response(completion(choice)).message]) == [choice.message]
