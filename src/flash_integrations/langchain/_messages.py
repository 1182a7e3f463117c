"""Messages between LangChain and the wire, both ways.

Outward: every role and content block LangChain has, as the chat completions endpoint takes it. Inward: a
:class:`Completion` as messages, a :class:`ChatDelta` as chunks whose sum is the same message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from mimetypes import guess_extension
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UsageMetadata,
    convert_to_messages,
    is_data_content_block,
)
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails
from langchain_core.messages.block_translators.openai import convert_to_openai_data_block
from langchain_core.messages.tool import ToolCallChunk, invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from .._core import tool_calls as core
from .._core.completion import ChatDelta, Choice, Completion, Usage
from ..errors import InvalidRequestError

# Blocks of earlier answers that are not content to send: calls travel beside it, reasoning only on request.
_NOT_CONTENT = frozenset(
    {
        "tool_use",
        "tool_call",
        "tool_call_chunk",
        "invalid_tool_call",
        "function_call",
        "reasoning",
        "reasoning_content",
        "thinking",
        "redacted_thinking",
        "refusal",
    }
)
_EXTRA = "tool_call_extra"
"""Where an AI message keeps what gateways send beside a call, such as Gemini's thought signatures: by call id."""


# --- outward --------------------------------------------------------------------------------------------------------


def to_wire(
    messages: Sequence[BaseMessage], *, system_role: str = "system", send_reasoning: bool = False
) -> list[dict[str, Any]]:
    """Messages in the wire's form.

    Args:
        messages: LangChain's messages, or anything its ``convert_to_messages`` takes.
        system_role: the role system messages go out under.
        send_reasoning: whether the reasoning of earlier answers goes back.

    Raises:
        InvalidRequestError: a message or block that the endpoint has no form for.
    """
    known = convert_to_messages(messages)
    answered = {message.tool_call_id for message in known if isinstance(message, ToolMessage)}
    return [
        _to_body(message, system_role=system_role, send_reasoning=send_reasoning, answered=answered)
        for message in known
    ]


def _to_body(message: BaseMessage, *, system_role: str, send_reasoning: bool, answered: set[str]) -> dict[str, Any]:
    body: dict[str, Any] = {"role": _role(message, system_role), "content": _to_content(message.content)}
    name = message.name or message.additional_kwargs.get("name")
    if name:
        body["name"] = name
    if isinstance(message, ToolMessage):
        body["tool_call_id"] = message.tool_call_id
    elif isinstance(message, AIMessage):
        _add_answer(body, message, answered)
        if send_reasoning and (reasoning := message.additional_kwargs.get("reasoning_content")):
            body["reasoning_content"] = reasoning
    return body


def _role(message: BaseMessage, system_role: str) -> str:
    match message:
        case HumanMessage():
            return "user"
        case AIMessage():
            return "assistant"
        case SystemMessage():
            return str(message.additional_kwargs.get("__openai_role__") or system_role)
        case ToolMessage():
            return "tool"
        case FunctionMessage():
            return "function"
        case ChatMessage():
            return message.role
        case _:
            raise InvalidRequestError(f"messages of type {type(message).__name__} have no role on the wire")


def _to_content(content: str | list[str | dict[str, Any]]) -> str | list[Any]:
    if isinstance(content, str):
        return content
    parts = [part for block in content if (part := _to_part(block)) is not None]
    return parts or ""


def _to_part(block: str | dict[str, Any]) -> dict[str, Any] | None:
    """One content block in the wire's form; None where it is not content."""
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = block.get("type")
    if kind == "text" or (kind is None and "text" in block):
        # Ids, indexes and annotations of earlier answers are refused by strict upstreams; cache marks are asked for.
        return {"type": "text", "text": block["text"]} | {key: block[key] for key in ("cache_control",) if key in block}
    if kind in _NOT_CONTENT:
        return None
    if kind == "non_standard" and isinstance(block.get("value"), dict):
        return _to_part(block["value"])
    if kind == "image" and isinstance(block.get("source"), Mapping):
        return _from_anthropic_image(block["source"])
    if is_data_content_block(block):
        block = _with_filename(block)
        try:
            return convert_to_openai_data_block(block, api="chat/completions")
        except (ValueError, KeyError) as error:
            raise InvalidRequestError(f"a content block of type {kind!r} cannot be sent: {error}") from error
    return block


def _with_filename(block: dict[str, Any]) -> dict[str, Any]:
    """A file's block with a name, which OpenAI asks for beside a file's data."""
    inside = [block, *(block[key] for key in ("extras", "metadata") if isinstance(block.get(key), Mapping))]
    has_name = any(each.get("filename") for each in inside)
    if block.get("type") != "file" or has_name or not (block.get("base64") or block.get("data")):
        return block
    return {**block, "filename": f"file{guess_extension(str(block.get('mime_type'))) or ''}"}


def _from_anthropic_image(source: Mapping[str, Any]) -> dict[str, Any]:
    if source.get("type") == "base64":
        url = f"data:{source.get('media_type', 'image/png')};base64,{source['data']}"
    else:
        url = source["url"]
    return {"type": "image_url", "image_url": {"url": url}}


def _add_answer(body: dict[str, Any], message: AIMessage, answered: set[str]) -> None:
    """The calls and the refusal of an earlier answer."""
    refusal = message.additional_kwargs.get("refusal")
    if refusal:
        body["refusal"] = refusal
    audio = message.additional_kwargs.get("audio")
    if isinstance(audio, Mapping) and audio.get("id"):
        body["audio"] = {"id": audio["id"]}
    calls = [_to_call(call, json.dumps(call["args"], ensure_ascii=False), message) for call in message.tool_calls]
    calls += [_to_call(call, call["args"] or "", message) for call in message.invalid_tool_calls]
    legacy = message.additional_kwargs.get("function_call")
    if legacy and not any(call["id"] in answered for call in calls):
        body["function_call"] = legacy
    elif calls:
        body["tool_calls"] = calls
    if not body["content"] and (calls or legacy or refusal or "audio" in body):
        body["content"] = None


def _to_call(call: ToolCall | InvalidToolCall, arguments: str, message: AIMessage) -> dict[str, Any]:
    call_id = call["id"] or ""
    function = {"name": call["name"] or "", "arguments": arguments}
    extra = message.additional_kwargs.get(_EXTRA, {}).get(call_id, {})
    return {"type": "function", "id": call_id, "function": function, **extra}


# --- inward ---------------------------------------------------------------------------------------------------------


def to_result(completion: Completion, provider: str) -> ChatResult:
    """A whole answer as LangChain's result: one generation a choice, the usage on the first alone."""
    generations = []
    for position, choice in enumerate(completion.choices):
        message = to_message(completion, choice, provider)
        message.usage_metadata = to_usage(completion.usage) if position == 0 else None
        info = {"finish_reason": choice.finish_reason}
        if choice.logprobs is not None:
            info["logprobs"] = choice.logprobs  # type: ignore[assignment]
        generations.append(ChatGeneration(message=message, generation_info=info))
    output = {
        "token_usage": dict(completion.usage) if completion.usage else None,
        "model_provider": provider,
        "model_name": completion.model,
        "system_fingerprint": completion.system_fingerprint,
        "id": completion.id,
    }
    return ChatResult(generations=generations, llm_output={key: value for key, value in output.items() if value})


def to_message(completion: Completion, choice: Choice, provider: str) -> AIMessage:
    """One choice as a message, without its usage."""
    calls, invalid = _from_calls(_calls(completion, choice))
    kwargs = _additional(choice)
    if choice.reasoning:
        kwargs["reasoning_content"] = choice.reasoning
    if choice.refusal:
        kwargs["refusal"] = choice.refusal
    return AIMessage(
        content=choice.text,
        additional_kwargs=kwargs,
        response_metadata=to_metadata(completion, choice, provider)
        | ({} if choice.logprobs is None else {"logprobs": choice.logprobs}),
        tool_calls=calls,
        invalid_tool_calls=invalid,
    )


def to_chunk(delta: ChatDelta) -> ChatGenerationChunk | None:
    """What a delta adds, as a chunk; None where that is only what :func:`to_last_chunk` tells."""
    kwargs: dict[str, Any] = {}
    if delta.reasoning:
        kwargs["reasoning_content"] = delta.reasoning
    if delta.refusal:
        kwargs["refusal"] = delta.refusal
    pieces = [_to_piece(piece) for piece in delta.tool_calls]
    if not (delta.text or kwargs or pieces or delta.logprobs):
        return None
    message = AIMessageChunk(content=delta.text, additional_kwargs=kwargs, tool_call_chunks=pieces)
    info = None if delta.logprobs is None else {"logprobs": delta.logprobs}
    return ChatGenerationChunk(message=message, generation_info=info)


def _to_piece(piece: core.ToolCallDelta) -> ToolCallChunk:
    return tool_call_chunk(name=piece.name, args=piece.arguments, id=piece.id, index=piece.index)


def to_last_chunk(completion: Completion, provider: str) -> ChatGenerationChunk:
    """The chunk that ends a stream: metadata, usage, and what is only told whole."""
    choice = completion.choices[0]
    pieces = []
    if choice.function_call:
        call = _calls(completion, choice)[0]
        pieces = [tool_call_chunk(name=call.name, args=call.arguments, id=call.id, index=0)]
    message = AIMessageChunk(
        content="",
        additional_kwargs=_additional(choice),
        response_metadata=to_metadata(completion, choice, provider),
        tool_call_chunks=pieces,
        usage_metadata=to_usage(completion.usage),
        chunk_position="last",
    )
    return ChatGenerationChunk(message=message, generation_info={"finish_reason": choice.finish_reason})


def to_metadata(completion: Completion, choice: Choice, provider: str) -> dict[str, Any]:
    """``response_metadata`` of an answer, but for logprobs."""
    metadata = {
        "model_provider": provider,
        "model_name": completion.model,
        "finish_reason": choice.finish_reason,
        "id": completion.id,
        "created": completion.created,
        "system_fingerprint": completion.system_fingerprint,
        "service_tier": completion.service_tier,
        "request_id": completion.request_id,
        "token_usage": dict(completion.usage) if completion.usage else None,
        "extra": completion.extra | choice.extra,
    }
    if choice.raw_finish_reason != choice.finish_reason:
        metadata["raw_finish_reason"] = choice.raw_finish_reason
    return {name: value for name, value in metadata.items() if value not in (None, "", {})}


def _additional(choice: Choice) -> dict[str, Any]:
    """``additional_kwargs`` of an answer, but for what streams in pieces: reasoning and refusal."""
    found = {
        "function_call": choice.function_call,
        "audio": choice.audio,
        "annotations": list(choice.annotations),
        _EXTRA: {call.id: call.extra for call in choice.tool_calls if call.extra},
    }
    return {name: value for name, value in found.items() if value} | choice.message_extra


def _calls(completion: Completion, choice: Choice) -> tuple[core.ToolCall, ...]:
    """The tool calls; a call in the format before tools is one, under an id of the answer's."""
    if choice.tool_calls or not choice.function_call:
        return choice.tool_calls
    name, arguments = choice.function_call["name"], choice.function_call["arguments"]
    return (core.ToolCall(f"call_{completion.id or 'function'}", name, arguments),)


def _from_calls(calls: Sequence[core.ToolCall]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Calls with their arguments parsed, and those whose arguments are no JSON object."""
    good: list[ToolCall] = []
    bad: list[InvalidToolCall] = []
    for call in calls:
        try:
            arguments = json.loads(call.arguments, strict=False)
        except ValueError as error:
            bad.append(invalid_tool_call(name=call.name, args=call.arguments, id=call.id, error=str(error)))
            continue
        if isinstance(arguments, dict):
            good.append(tool_call(name=call.name, args=arguments, id=call.id))
        else:
            problem = "the arguments are no JSON object"
            bad.append(invalid_tool_call(name=call.name, args=call.arguments, id=call.id, error=problem))
    return good, bad


def to_usage(usage: Usage | None) -> UsageMetadata | None:
    """Token counts as LangChain's; None where the gateway told none."""
    if usage is None:
        return None
    prompt = usage.get("prompt_tokens_details") or {}
    answer = usage.get("completion_tokens_details") or {}
    metadata = UsageMetadata(
        input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens, total_tokens=usage.total_tokens
    )
    details = {"audio": prompt.get("audio_tokens"), "cache_read": prompt.get("cached_tokens")}
    details["cache_creation"] = prompt.get("cached_creation_tokens", prompt.get("cache_creation_tokens"))
    made = {"audio": answer.get("audio_tokens"), "reasoning": answer.get("reasoning_tokens")}
    if told := {name: count for name, count in details.items() if isinstance(count, int)}:
        metadata["input_token_details"] = InputTokenDetails(**told)  # type: ignore[typeddict-item]
    if told := {name: count for name, count in made.items() if isinstance(count, int)}:
        metadata["output_token_details"] = OutputTokenDetails(**told)  # type: ignore[typeddict-item]
    return metadata


def add_counts(one: Any, other: Any) -> Any:
    """Token counts added up, details too."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {name: add_counts(one.get(name), other.get(name)) for name in {**one, **other}}
    if one is None or other is None:
        return one if other is None else other
    return one + other
