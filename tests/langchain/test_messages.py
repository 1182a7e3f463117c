"""Messages to the wire and back."""

from __future__ import annotations

from functools import reduce
from operator import add

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from flash_integrations import Completion, errors
from flash_integrations._core.completion.completion import ChatDelta, Choice
from flash_integrations._core.completion.tool_calls import ToolCall, ToolCallDelta
from flash_integrations._core.completion.usage import Usage
from flash_integrations._core.wire import CARRIED
from flash_integrations.langchain._finish import IS_NORMALIZED
from flash_integrations.langchain._from_wire import Chunks, MessageOptions, to_result
from flash_integrations.langchain._to_wire import to_wire
from flash_integrations.langchain._usage import to_usage
from flash_integrations.testing import Answer

CALL = {"name": "add", "args": {"a": 1}, "id": "call_1", "type": "tool_call"}
WIRE_CALL = {"type": "function", "id": "call_1", "function": {"name": "add", "arguments": '{"a": 1}'}}


def body(message, **params):
    """The wire form of one message."""
    return to_wire([message], **params)[0]


# --- outward: roles ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (SystemMessage("s"), {"role": "system", "content": "s"}),
        (SystemMessage("d", additional_kwargs={"__openai_role__": "developer"}), {"role": "developer", "content": "d"}),
        (HumanMessage("h"), {"role": "user", "content": "h"}),
        (HumanMessage("h", name="Ann"), {"role": "user", "content": "h", "name": "Ann"}),
        (AIMessage("a"), {"role": "assistant", "content": "a"}),
        (AIMessageChunk("a"), {"role": "assistant", "content": "a"}),
        (ToolMessage("t", tool_call_id="1"), {"role": "tool", "content": "t", "tool_call_id": "1"}),
        (FunctionMessage("f", name="fn"), {"role": "function", "content": "f", "name": "fn"}),
        (ChatMessage("c", role="critic"), {"role": "critic", "content": "c"}),
        (("human", "h"), {"role": "user", "content": "h"}),
        ({"role": "developer", "content": "d"}, {"role": "developer", "content": "d"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_role_has_its_form(message, expected):
    """Each kind of message goes out under its role, with nothing beside it."""
    assert body(message) == expected


def test_the_system_role_can_be_developer():
    """``system_role`` renames system messages."""
    assert body(SystemMessage("s"), system_role="developer")["role"] == "developer"


def test_a_message_without_a_role_is_refused():
    """A message the wire has no word for is named."""
    with pytest.raises(errors.InvalidRequestError, match="RemoveMessage"):
        to_wire([RemoveMessage(id="1")])


# --- outward: content -------------------------------------------------------------------------------------------------

PNG = "aGVsbG8="


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("text", {"type": "text", "text": "text"}),
        ({"type": "text", "text": "t", "id": "1", "index": 0, "annotations": []}, {"type": "text", "text": "t"}),
        (
            {"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}},
        ),
        (
            {"type": "image", "base64": PNG, "mime_type": "image/png"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        ),
        (
            {"type": "image", "url": "https://x.example/a.png"},
            {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
        ),
        (
            {"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/jpeg"},
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PNG}"}},
        ),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": PNG}},
            {"type": "image_url", "image_url": {"url": f"data:image/webp;base64,{PNG}"}},
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
            {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "low"}},
        ),
        (
            {"type": "audio", "base64": PNG, "mime_type": "audio/wav"},
            {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": PNG, "format": "mp3"}},
            {"type": "input_audio", "input_audio": {"data": PNG, "format": "mp3"}},
        ),
        (
            {"type": "file", "base64": PNG, "mime_type": "application/pdf", "filename": "a.pdf"},
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PNG}", "filename": "a.pdf"}},
        ),
        (
            {"type": "file", "base64": PNG, "mime_type": "application/pdf"},
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PNG}", "filename": "file.pdf"}},
        ),
        ({"type": "file", "file_id": "file-1"}, {"type": "file", "file": {"file_id": "file-1"}}),
        (
            {"type": "non_standard", "value": {"type": "video_url", "video_url": {"url": "v"}}},
            {"type": "video_url", "video_url": {"url": "v"}},
        ),
        ({"type": "video_url", "video_url": {"url": "v"}}, {"type": "video_url", "video_url": {"url": "v"}}),
    ],
    ids=lambda value: value.get("type") if isinstance(value, dict) else "str",
)
def test_every_content_block_has_its_form(block, expected):
    """LangChain's, OpenAI's and Anthropic's blocks all go out as the endpoint takes them; its own pass unchanged."""
    assert body(HumanMessage([block]))["content"] == [expected]


@pytest.mark.parametrize("kind", ["tool_use", "tool_call", "thinking", "reasoning", "refusal", "redacted_thinking"])
def test_what_is_no_content_stays_behind(kind):
    """Calls and reasoning in an earlier answer's content are not sent as content."""
    message = AIMessage([{"type": "text", "text": "so"}, {"type": kind, "id": "1", "text": "x"}])
    assert body(message)["content"] == [{"type": "text", "text": "so"}]


def test_a_block_that_cannot_be_sent_is_named():
    """A block the endpoint has no form for is an error before anything is sent, naming its type."""
    with pytest.raises(errors.InvalidRequestError, match="'file'"):
        body(HumanMessage([{"type": "file", "url": "https://x.example/a.pdf"}]))


def test_tool_messages_take_list_content():
    """A tool's answer may be blocks."""
    message = ToolMessage([{"type": "text", "text": "t"}], tool_call_id="1", status="error", artifact=object())
    assert body(message) == {"role": "tool", "content": [{"type": "text", "text": "t"}], "tool_call_id": "1"}


# --- outward: earlier answers -----------------------------------------------------------------------------------------


def test_tool_calls_go_back():
    """An answer with calls goes back with them, its content null."""
    assert body(AIMessage("", tool_calls=[CALL])) == {
        "role": "assistant",
        "content": None,
        "tool_calls": [WIRE_CALL],
    }


def test_text_beside_tool_calls_is_kept():
    """An answer with text and calls keeps both."""
    assert body(AIMessage("so", tool_calls=[CALL]))["content"] == "so"


def test_invalid_calls_go_back_as_they_came():
    """A call whose arguments did not parse is sent back with those arguments."""
    invalid = {"name": "add", "args": '{"a": 1', "id": "call_1", "error": "cut"}
    (call,) = body(AIMessage("", invalid_tool_calls=[invalid]))["tool_calls"]
    assert call["function"] == {"name": "add", "arguments": '{"a": 1'}


def test_chinese_arguments_are_not_escaped():
    """Arguments go back as readable text."""
    call = {**CALL, "args": {"城市": "上海"}}
    assert body(AIMessage("", tool_calls=[call]))["tool_calls"][0]["function"]["arguments"] == '{"城市": "上海"}'


def test_a_refusal_goes_back():
    """A refusal in an earlier answer is sent as one."""
    message = AIMessage("", additional_kwargs={"refusal": "no"})
    assert body(message) == {"role": "assistant", "content": None, "refusal": "no"}


def test_audio_goes_back_by_its_id():
    """Audio the model spoke is sent back by id alone."""
    message = AIMessage("", additional_kwargs={"audio": {"id": "a1", "data": "...", "transcript": "hi"}})
    assert body(message) == {"role": "assistant", "content": None, "audio": {"id": "a1"}}


LEGACY = AIMessage("", tool_calls=[CALL], additional_kwargs={"function_call": {"name": "add", "arguments": '{"a": 1}'}})


def test_a_legacy_call_goes_back_as_one():
    """A call in the old format, answered by a function message, keeps the old format."""
    sent = to_wire([LEGACY, FunctionMessage("2", name="add")])
    assert sent[0]["function_call"] == {"name": "add", "arguments": '{"a": 1}'}
    assert "tool_calls" not in sent[0]


def test_a_legacy_call_that_was_answered_as_a_tool_goes_back_as_a_tool_call():
    """A call in the old format, answered by a tool message, goes back as a tool call, so that the two fit."""
    sent = to_wire([LEGACY, ToolMessage("2", tool_call_id="call_1")])
    assert sent[0]["tool_calls"] == [WIRE_CALL]
    assert "function_call" not in sent[0]


def test_reasoning_is_carried_for_those_who_want_it():
    """R6, R7: reasoning of earlier answers stands apart from what is sent."""
    message = AIMessage("4", additional_kwargs={"reasoning_content": "2+2"})
    assert body(message) == {"role": "assistant", "content": "4", CARRIED: {"reasoning_content": "2+2"}}


# --- inward -----------------------------------------------------------------------------------------------------------

USAGE = Usage(
    prompt_tokens=10,
    completion_tokens=7,
    total_tokens=17,
    prompt_tokens_details={"cached_tokens": 4, "audio_tokens": 1},
    completion_tokens_details={"reasoning_tokens": 3, "audio_tokens": 2},
)


def completion(*choices, **fields):
    """An answer of given choices."""
    return Completion(id="c1", model="gpt-5.2-2026", created=7, choices=choices, usage=USAGE, **fields)


def message_of(choice, **fields):
    """The one message of an answer of one choice."""
    (generation,) = to_result(completion(choice, **fields), MessageOptions("flashapi")).generations
    return generation.message


def test_metadata_says_who_answered_and_how():
    """``response_metadata`` has provider, model, finish reason, ids and what else the gateway told."""
    message = message_of(
        Choice(text="hi", finish_reason="stop", raw_finish_reason="stop", logprobs={"content": [1]}),
        system_fingerprint="fp",
        service_tier="flex",
        request_id="req-1",
        extra={"cost": 2},
    )
    assert message.response_metadata == {
        "model_provider": "flashapi",
        "model_name": "gpt-5.2-2026",
        "finish_reason": "stop",
        "id": "c1",
        "created": 7,
        "system_fingerprint": "fp",
        "service_tier": "flex",
        "request_id": "req-1",
        "token_usage": dict(USAGE),
        "extra": {"cost": 2},
        "logprobs": {"content": [1]},
    } | ({"normalized_finish_reason": "stop"} if IS_NORMALIZED else {})


def test_the_wires_own_finish_reason_stays():
    """Where the finish reason was put right, the wire's word is kept."""
    message = message_of(Choice(finish_reason="tool_calls", raw_finish_reason="stop"))
    assert message.response_metadata["raw_finish_reason"] == "stop"


def test_reasoning_and_refusal_have_their_places():
    """Reasoning and refusal are in ``additional_kwargs``; reasoning is a content block too."""
    message = message_of(Choice(text="4", reasoning="2+2", refusal="no"))
    assert message.content == "4"
    assert message.additional_kwargs == {"reasoning_content": "2+2", "refusal": "no"}
    assert message.content_blocks[0] == {"type": "reasoning", "reasoning": "2+2"}


def test_audio_and_annotations_have_their_places():
    """Audio and citations are in ``additional_kwargs``."""
    message = message_of(Choice(audio={"id": "a"}, annotations=({"type": "url_citation"},)))
    assert message.additional_kwargs == {"audio": {"id": "a"}, "annotations": [{"type": "url_citation"}]}


def test_calls_are_parsed():
    """Arguments that are a JSON object make a tool call."""
    message = message_of(Choice(tool_calls=(ToolCall("call_1", "add", '{"a": 1}'),)))
    assert message.tool_calls == [CALL]
    assert message.invalid_tool_calls == []


@pytest.mark.parametrize("arguments", ['{"a": 1', "[1]", '"text"', "nonsense"])
def test_calls_that_do_not_parse_are_kept_as_invalid(arguments):
    """Arguments that are no JSON object make an invalid call, which keeps their text."""
    message = message_of(Choice(tool_calls=(ToolCall("call_1", "add", arguments),), finish_reason="length"))
    assert message.tool_calls == []
    (call,) = message.invalid_tool_calls
    assert (call["name"], call["args"], call["id"]) == ("add", arguments, "call_1")
    assert call["error"]


def test_what_came_beside_a_call_goes_back_with_it():
    """What a gateway sends beside a call, such as a thought signature, is kept and sent back."""
    extra = {"extra_content": {"google": {"thought_signature": "s"}}}
    message = message_of(Choice(tool_calls=(ToolCall("call_1", "add", '{"a": 1}', extra=extra),)))
    assert body(message)["tool_calls"] == [WIRE_CALL | extra]


def test_a_legacy_call_shows_twice():
    """A call in the old format is a tool call, and stays in ``additional_kwargs``."""
    message = message_of(Choice(function_call={"name": "add", "arguments": '{"a": 1}'}))
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("add", {"a": 1})]
    assert message.additional_kwargs["function_call"] == {"name": "add", "arguments": '{"a": 1}'}


def test_usage_has_its_details():
    """Cached, audio and reasoning tokens are told under LangChain's names."""
    assert to_usage(USAGE) == {
        "input_tokens": 10,
        "output_tokens": 7,
        "total_tokens": 17,
        "input_token_details": {"audio": 1, "cache_read": 4},
        "output_token_details": {"audio": 2, "reasoning": 3},
    }


def test_no_usage_is_none():
    """Counts that were not told are not made up."""
    assert to_usage(None) is None


def test_usage_counts_once_among_choices():
    """The usage of several choices is on the first message alone."""
    result = to_result(completion(Choice(text="a"), Choice(index=1, text="b")), MessageOptions("flashapi"))
    assert [generation.message.usage_metadata is None for generation in result.generations] == [False, True]
    assert [generation.text for generation in result.generations] == ["a", "b"]


# --- chunks -----------------------------------------------------------------------------------------------------------


def test_a_delta_that_adds_nothing_is_no_chunk():
    """Finish reason and usage alone come with the last chunk, not before."""
    assert Chunks(MessageOptions("flashapi")).chunk(ChatDelta(finish_reason="stop", usage=USAGE)) is None


def test_pieces_of_calls_carry_index_id_and_name():
    """The pieces of a call are told as they are."""
    delta = ChatDelta(tool_calls=(ToolCallDelta(1, "call_1", "add"), ToolCallDelta(1, arguments='{"a"')))
    chunk = Chunks(MessageOptions("flashapi")).chunk(delta)
    pieces = [{key: piece[key] for key in ("index", "id", "name", "args")} for piece in chunk.message.tool_call_chunks]
    assert pieces == [
        {"index": 1, "id": "call_1", "name": "add", "args": ""},
        {"index": 1, "id": None, "name": None, "args": '{"a"'},
    ]


def test_the_last_chunk_ends_the_message():
    """The last chunk has position, usage and metadata."""
    chunk = Chunks(MessageOptions("flashapi")).last(completion(Choice(finish_reason="stop")))
    assert chunk.message.chunk_position == "last"
    assert chunk.message.usage_metadata == to_usage(USAGE)
    assert chunk.message.response_metadata["finish_reason"] == "stop"
    assert chunk.generation_info == {"finish_reason": "stop"}


ANSWERS = {
    "text": Answer("Hello there, 世界"),
    "nothing": Answer(""),
    "reasoning": Answer("4", reasoning="two and two"),
    "refusal": Answer(refusal="I can not do that."),
    "calls": Answer(tool_calls=[("add", {"a": 1, "b": [2, "三"]}), ("now", {})]),
    "text and calls": Answer("Let me see.", tool_calls=[("add", {"a": 1})]),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_chunks_add_up_to_the_whole_message(gateway, llm, answer):
    """The sum of a stream equals the whole answer in content, calls, extras, usage and metadata."""
    gateway.script(answer, answer)
    whole = llm.invoke("go")
    sum_ = reduce(add, llm.stream("go"))
    for name in ("content", "tool_calls", "invalid_tool_calls", "additional_kwargs", "usage_metadata"):
        assert getattr(sum_, name) == getattr(whole, name), name
    differ = {"id", "created"}
    metadata = [{k: v for k, v in each.response_metadata.items() if k not in differ} for each in (sum_, whole)]
    assert metadata[0] == metadata[1]


def test_usage_and_last_position_come_exactly_once(llm):
    """Of a stream's chunks one has the usage, the last one, which says that it is."""
    chunks = list(llm.stream("Hello"))
    assert [bool(chunk.usage_metadata) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert [chunk.chunk_position for chunk in chunks] == [None] * (len(chunks) - 1) + ["last"]


def test_logprobs_add_up(gateway, llm):
    """Log probabilities of the pieces are those of the whole."""
    whole = llm.invoke("Hello", logprobs=True, top_logprobs=2).response_metadata["logprobs"]
    sum_ = reduce(add, llm.stream("Hello", logprobs=True, top_logprobs=2)).response_metadata["logprobs"]
    assert whole["content"]
    assert sum_ == whole


def test_several_system_and_chat_messages_keep_their_order():
    """Messages go out in the order they are in."""
    sent = to_wire([HumanMessage("1"), SystemMessage("2"), AIMessage("3"), HumanMessage("4")])
    assert [each["content"] for each in sent] == ["1", "2", "3", "4"]
