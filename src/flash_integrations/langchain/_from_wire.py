"""Answers inward: a :class:`Completion` as messages, and deltas as chunks whose sum is the same message.

One thing langchain-core decides otherwise in a sum: arguments of calls that were cut it mends, where a whole answer
keeps them as an invalid call. ``finish_reason`` says "length" in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, InvalidToolCall, ToolCall
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from .._adapters.tool_calls import calls_of, load_arguments
from .._core.completion import tool_calls as core
from .._core.completion.completion import ChatDelta, Choice, Completion
from ._content_blocks import AUDIO, audio_type, make_known, to_blocks, to_indexed_blocks
from ._finish import IS_NORMALIZED, normalized
from ._structured import Schema, parsed
from ._to_wire import CALL_EXTRA, REASONING_FIELD
from ._usage import to_usage


@dataclass(frozen=True, slots=True)
class MessageOptions:
    """How an answer is shown.

    Attributes:
        provider: the provider's name.
        blocks: whether content is content blocks (output version v1) rather than a text.
        headers: whether ``response_metadata`` has the answer's headers.
        schema: what ``response_format`` was given; of a Pydantic class ``additional_kwargs["parsed"]`` has an instance.
        normalized: whether ``response_metadata`` has ``normalized_finish_reason``, as langchain-core 1.8.4 wants it.
    """

    provider: str
    blocks: bool = False
    headers: bool = False
    schema: Schema | None = None
    normalized: bool = IS_NORMALIZED


# --- whole ------------------------------------------------------------------------------------------------------------


def to_result(completion: Completion, options: MessageOptions) -> ChatResult:
    """A whole answer as LangChain's result: one generation a choice, the usage on the first alone."""
    generations = []
    for position, choice in enumerate(completion.choices):
        message = to_message(completion, choice, options)
        message.usage_metadata = to_usage(completion.usage, completion.service_tier) if position == 0 else None
        info = {"finish_reason": choice.finish_reason}
        if choice.logprobs is not None:
            info["logprobs"] = choice.logprobs  # type: ignore[assignment]
        generations.append(ChatGeneration(message=message, generation_info=info))
    output = {
        "token_usage": dict(completion.usage) if completion.usage else None,
        "model_provider": options.provider,
        "model_name": completion.model,
        "system_fingerprint": completion.system_fingerprint,
        "service_tier": completion.service_tier,
        "id": completion.id,
    }
    return ChatResult(generations=generations, llm_output={key: value for key, value in output.items() if value})


def to_message(completion: Completion, choice: Choice, options: MessageOptions) -> AIMessage:
    """One choice as a message, without its usage."""
    calls, invalid = _from_calls(calls_of(completion, choice))
    kwargs = _additional(choice, options)
    if choice.reasoning:
        kwargs["reasoning_content"] = choice.reasoning
    if choice.refusal:
        kwargs["refusal"] = choice.refusal
    if choice.audio:
        kwargs["audio"] = choice.audio
    message = AIMessage(
        content=choice.text,
        additional_kwargs=kwargs,
        response_metadata=_metadata(completion, choice, options)
        | ({} if choice.logprobs is None else {"logprobs": choice.logprobs}),
        tool_calls=calls,
        invalid_tool_calls=invalid,
    )
    if options.blocks:
        message.content = to_blocks(message)  # type: ignore[assignment]
        message.response_metadata["output_version"] = "v1"
    return message


def _metadata(completion: Completion, choice: Choice, options: MessageOptions) -> dict[str, Any]:
    """``response_metadata`` of an answer, but for logprobs."""
    make_known(options.provider)
    metadata = {
        "model_provider": options.provider,
        "model_name": completion.model,
        "finish_reason": choice.finish_reason,
        "id": completion.id,
        "created": completion.created,
        "system_fingerprint": completion.system_fingerprint,
        "service_tier": completion.service_tier,
        "request_id": completion.request_id,
        "token_usage": dict(completion.usage) if completion.usage else None,
        "extra": completion.extra | choice.extra,
        "headers": dict(completion.headers) if options.headers else None,
    }
    if choice.raw_finish_reason != choice.finish_reason:
        metadata["raw_finish_reason"] = choice.raw_finish_reason
    if options.normalized:
        metadata["normalized_finish_reason"] = normalized(choice)
    return {name: value for name, value in metadata.items() if value not in (None, "", {})}


def _additional(choice: Choice, options: MessageOptions) -> dict[str, Any]:
    """``additional_kwargs`` of an answer, but for what streams in pieces: reasoning, refusal and audio."""
    usable = choice.finish_reason not in ("length", "content_filter") and not choice.refusal
    found = {
        "function_call": choice.function_call,
        "annotations": list(choice.annotations),
        CALL_EXTRA: {call.id: call.extra for call in choice.tool_calls if call.extra},
        REASONING_FIELD: choice.reasoning_field if choice.reasoning_field != "reasoning_content" else None,
        "parsed": parsed(choice.text, options.schema) if usable else None,
    }
    beside = {name: value for name, value in choice.message_extra.items() if name not in found}
    return beside | {name: value for name, value in found.items() if value not in (None, [], {})}


def from_call(call: core.ToolCall) -> ToolCall | InvalidToolCall:
    """A call with its arguments parsed; an invalid one where they are no JSON object."""
    try:
        return tool_call(name=call.name, args=load_arguments(call.arguments), id=call.id)
    except ValueError as error:
        return invalid_tool_call(name=call.name, args=call.arguments, id=call.id, error=str(error))


def _from_calls(calls: Sequence[core.ToolCall]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    good: list[ToolCall] = []
    bad: list[InvalidToolCall] = []
    for call in map(from_call, calls):
        if call["type"] == "tool_call":
            good.append(call)
        else:
            bad.append(call)
    return good, bad


# --- in pieces --------------------------------------------------------------------------------------------------------


class Chunks:
    """The chunks of one stream.

    Args:
        options: how they are shown.
    """

    def __init__(self, options: MessageOptions) -> None:
        self._options = options
        self._metadata = {"model_provider": options.provider} | ({"output_version": "v1"} if options.blocks else {})
        self._is_first = True
        self._audio = {"data": "", "transcript": ""}  # as far as it has come
        make_known(options.provider)

    def chunk(self, delta: ChatDelta) -> ChatGenerationChunk | None:
        """What a delta adds; None where that is only what :meth:`last` gives."""
        kwargs: dict[str, Any] = {}
        if delta.reasoning:
            kwargs["reasoning_content"] = delta.reasoning
        if delta.refusal:
            kwargs["refusal"] = delta.refusal
        if delta.audio and (piece := self._hear(delta.audio)):
            kwargs["audio"] = piece
        pieces = [
            tool_call_chunk(name=piece.name, args=piece.arguments, id=piece.id, index=piece.index)
            for piece in delta.tool_calls
        ]
        if not (delta.text or kwargs or pieces or delta.logprobs):
            return None
        # Metadata costs as much as the chunk: the first has it, and those whose blocks langchain-core would not know.
        has_metadata = self._options.blocks or self._is_first or "refusal" in kwargs or "audio" in kwargs
        self._is_first = False
        metadata = dict(self._metadata) if has_metadata else {}
        message = AIMessageChunk(
            content=delta.text, additional_kwargs=kwargs, tool_call_chunks=pieces, response_metadata=metadata
        )
        info = None if delta.logprobs is None else {"logprobs": delta.logprobs}
        return ChatGenerationChunk(message=self._formed(message), generation_info=info)

    def last(self, completion: Completion) -> ChatGenerationChunk:
        """The chunk that ends a stream: metadata, usage, and what only comes whole."""
        choice = completion.choices[0]
        pieces = []
        if choice.function_call:
            call = calls_of(completion, choice)[0]
            pieces = [tool_call_chunk(name=call.name, args=call.arguments, id=call.id, index=0)]
        kwargs = _additional(choice, self._options)
        if choice.audio:
            kwargs["audio"] = self._rest_of(choice.audio)
        message = AIMessageChunk(
            content="",
            additional_kwargs=kwargs,
            response_metadata=_metadata(completion, choice, self._options) | self._metadata,
            tool_call_chunks=pieces,
            usage_metadata=to_usage(completion.usage, completion.service_tier),
            chunk_position="last",
        )
        message = self._formed(message)
        if pieces:
            # A call may be all there is: then nothing is added up, which is when pieces become calls.
            message.init_tool_calls()  # type: ignore[operator]
        for block in message.content:
            if choice.audio and isinstance(block, dict) and block.get("index") == AUDIO:
                block["mime_type"] = audio_type(str(choice.audio.get("data", "")))
        return ChatGenerationChunk(message=message, generation_info={"finish_reason": choice.finish_reason})

    def _hear(self, audio: dict[str, Any]) -> dict[str, str]:
        """The data and transcript of a piece of audio; what else it has comes once, at the end."""
        piece = {name: audio[name] for name in self._audio if isinstance(audio.get(name), str) and audio[name]}
        for name, text in piece.items():
            self._audio[name] += text
        return piece

    def _rest_of(self, audio: dict[str, Any]) -> dict[str, Any]:
        """What the pieces have not brought of the audio."""
        rest = dict(audio)
        for name, heard in self._audio.items():
            if heard and isinstance(whole := rest.pop(name, None), str) and whole != heard and whole.startswith(heard):
                rest[name] = whole[len(heard) :]
        return rest

    def _formed(self, message: AIMessageChunk) -> AIMessageChunk:
        if self._options.blocks:
            message.content = to_indexed_blocks(message)  # type: ignore[assignment]
        return message
