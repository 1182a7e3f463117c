"""Messages between LlamaIndex and the wire, both ways.

Outward: every role and content block LlamaIndex has, as the chat completions endpoint takes it. Inward: a
:class:`Completion` as a ``ChatResponse``; what a stream has said so far is made into the same in ``_streams``.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    ChatResponse,
    CitableBlock,
    CitationBlock,
    CompletionResponse,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from .._core import json
from .._core.completion import Choice, Completion, ToolCall, Usage
from ..errors import InvalidRequestError

_ROLES = {MessageRole.CHATBOT: "assistant", MessageRole.MODEL: "assistant"}

# --- outward --------------------------------------------------------------------------------------------------------


def to_wire(
    messages: Sequence[ChatMessage], *, system_role: str = "system", send_reasoning: bool = False
) -> list[dict[str, Any]]:
    """Messages in the wire's form.

    Args:
        messages: LlamaIndex's messages.
        system_role: the role system messages go out under.
        send_reasoning: whether the reasoning of earlier answers goes back.

    Raises:
        InvalidRequestError: a block that the endpoint has no form for.
        OSError: a block's file cannot be read.
    """
    answered = {message.additional_kwargs.get("tool_call_id") for message in messages if message.role == "tool"}
    bodies = []
    for position, message in enumerate(messages):
        role = system_role if message.role == "system" else _ROLES.get(message.role, message.role.value)
        audio_id = _audio_id(message) if role == "assistant" else None
        # The gateway knows its own spoken words by their id; they are not sent again.
        blocks = [block for block in message.blocks if not (audio_id and isinstance(block, AudioBlock))]
        parts = [part for block in blocks for part in _to_parts(block, f"messages[{position}]")]
        body: dict[str, Any] = {"role": role, "content": _joined(parts)}
        if audio_id:
            body["audio"] = {"id": audio_id}
        if name := message.additional_kwargs.get("name"):
            body["name"] = name
        if role == "tool" and (call_id := message.additional_kwargs.get("tool_call_id")):
            body["tool_call_id"] = call_id
        elif role == "assistant":
            _add_answer(body, message, answered)
            if send_reasoning and (reasoning := _reasoning(message)):
                body["reasoning_content"] = reasoning
        bodies.append(body)
    return bodies


def reads_files(messages: Iterable[ChatMessage]) -> bool:
    """Whether :func:`to_wire` will read a file or fetch a URL, which takes its time."""
    return any(
        getattr(block, "path", None) or (isinstance(block, AudioBlock | DocumentBlock) and block.url)
        for message in messages
        for block in message.blocks
    )


def _joined(parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Text-only content as one text: many upstreams take no lists."""
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _to_parts(block: ContentBlock, where: str) -> list[dict[str, Any]]:
    """One block as parts of a message's content; none where it travels beside the content, or not at all."""
    match block:
        case TextBlock():
            return [{"type": "text", "text": block.text}]
        case ImageBlock():
            return [_to_image(block)]
        case AudioBlock():
            if not block.format:
                raise InvalidRequestError(f'{where}: the audio\'s format is not known: give AudioBlock(format="wav")')
            sound = b64encode(block.resolve_audio().read()).decode()
            return [{"type": "input_audio", "input_audio": {"data": sound, "format": block.format}}]
        case DocumentBlock():
            return [_to_file(block)]
        case CitableBlock():
            source = {"type": "text", "text": f"{block.title} ({block.source}):\n"}
            return [source, *(part for inner in block.content for part in _to_parts(inner, where))]
        case CachePoint() | CitationBlock() | ThinkingBlock() | ToolCallBlock():
            # Gateways cache by themselves; a citation's words stand in the answer's text; the other two see below.
            return []
        case VideoBlock():
            raise InvalidRequestError(f"{where}: video cannot be sent to /chat/completions; send frames as images")
        case _:
            raise InvalidRequestError(f"{where}: blocks of type {type(block).__name__} cannot be sent")


def _to_image(block: ImageBlock) -> dict[str, Any]:
    if block.url:
        url = str(block.url)
    else:
        data = block.resolve_image().read()
        kind = block.image_mimetype or ImageBlock(image=data).image_mimetype or "image/jpeg"
        url = f"data:{kind};base64,{b64encode(data).decode()}"
    detail = {"detail": block.detail} if block.detail else {}
    return {"type": "image_url", "image_url": {"url": url, **detail}}


def _to_file(block: DocumentBlock) -> dict[str, Any]:
    data = block.resolve_document().read()
    kind = block.document_mimetype or DocumentBlock(data=data).document_mimetype or "application/octet-stream"
    untitled = block.title in {None, "", "input_document"}
    name = Path(str(block.path)).name if block.path and untitled else block.title
    return {"type": "file", "file": {"filename": name, "file_data": f"data:{kind};base64,{b64encode(data).decode()}"}}


def _audio_id(message: ChatMessage) -> str | None:
    audio = message.additional_kwargs.get("audio")
    found = audio.get("id") if isinstance(audio, Mapping) else message.additional_kwargs.get("reference_audio_id")
    return str(found) if found else None


def _reasoning(message: ChatMessage) -> str:
    return "".join(block.content or "" for block in message.blocks if isinstance(block, ThinkingBlock))


def _add_answer(body: dict[str, Any], message: ChatMessage, answered: set[Any]) -> None:
    """The calls and the refusal of an earlier answer."""
    kwargs = message.additional_kwargs
    calls = tool_calls_of(message)
    if kwargs.get("function_call") and not any(call["id"] in answered for call in calls):
        body["function_call"] = kwargs["function_call"]
    elif calls:
        body["tool_calls"] = calls
    if kwargs.get("refusal"):
        body["refusal"] = kwargs["refusal"]
    if not body["content"] and body.keys() & {"tool_calls", "function_call", "refusal", "audio"}:
        body["content"] = None


def tool_calls_of(message: ChatMessage) -> list[dict[str, Any]]:
    """A message's tool calls in the wire's form: its blocks, or else the older copy in ``additional_kwargs``."""
    older = [_plain(call) for call in message.additional_kwargs.get("tool_calls") or []]
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if not blocks:
        return older
    by_id = {call.get("id"): call for call in older}
    return [_to_call(block, by_id.get(block.tool_call_id) or {}) for block in blocks]


def _plain(call: Any) -> dict[str, Any]:
    """A tool call of the older copy: a dict, or another integration's object."""
    return dict(call) if isinstance(call, Mapping) else call.model_dump(exclude_none=True)


def _to_call(block: ToolCallBlock, older: Mapping[str, Any]) -> dict[str, Any]:
    """A block as a call, with what its older copy keeps: fields of the gateway's own, and the model's own spelling."""
    arguments = (older.get("function") or {}).get("arguments")
    if not isinstance(arguments, str) or parse_arguments(arguments) != block.tool_kwargs:
        given = block.tool_kwargs
        arguments = given if isinstance(given, str) else json.dumps(given).decode()
    function = {"name": block.tool_name, "arguments": arguments}
    return {**older, "id": block.tool_call_id or "", "type": "function", "function": function}


# --- inward ---------------------------------------------------------------------------------------------------------


def to_response(completion: Completion, *, delta: str | None = None) -> ChatResponse:
    """A whole answer: its first choice as the message, all of it in ``raw`` as the plain endpoint writes it."""
    choice = completion.choices[0]
    return ChatResponse(
        message=_to_message(completion, choice),
        delta=delta,
        raw=completion.as_dict(),
        logprobs=to_logprobs(choice.logprobs),
        additional_kwargs=_token_counts(completion.usage),
    )


def _to_message(completion: Completion, choice: Choice) -> ChatMessage:
    calls = choice.tool_calls
    if not calls and choice.function_call:
        # A call in the format before tools, under an id of the answer's.
        function = choice.function_call
        calls = (ToolCall(f"call_{completion.id or 'function'}", function["name"], function["arguments"]),)
    kwargs: dict[str, Any] = {
        "tool_calls": [call.as_dict() for call in calls],
        "function_call": choice.function_call,
        "refusal": choice.refusal,
        "annotations": list(choice.annotations),
    }
    blocks: list[ContentBlock] = to_blocks(
        choice.text,
        choice.reasoning,
        [ToolCallBlock(tool_call_id=c.id, tool_name=c.name, tool_kwargs=parse_arguments(c.arguments)) for c in calls],
    )
    if choice.audio:
        kwargs["audio"] = {key: value for key, value in choice.audio.items() if key != "data"}
        if data := choice.audio.get("data"):
            blocks.append(AudioBlock(audio=data.encode()))
    details = (completion.usage or Usage()).get("completion_tokens_details") or {}
    for block in blocks:
        if isinstance(block, ThinkingBlock):
            block.num_tokens = details.get("reasoning_tokens")
    return ChatMessage(
        role=MessageRole.ASSISTANT,
        blocks=blocks,
        additional_kwargs={name: value for name, value in kwargs.items() if value},
    )


def to_blocks(text: str, reasoning: str, calls: Sequence[ToolCallBlock]) -> list[ContentBlock]:
    """Reasoning, text and calls as a message's blocks; the text alone is there even when it is empty."""
    blocks: list[ContentBlock] = [ThinkingBlock(content=reasoning)] if reasoning else []
    if text or not calls:
        blocks.append(TextBlock(text=text))
    return [*blocks, *calls]


def parse_arguments(arguments: str) -> dict[str, Any] | str:
    """A call's arguments as a dict; as the text they are where that is no JSON object."""
    try:
        parsed = json.loads(arguments) if arguments.strip() else {}
    except ValueError:
        return arguments
    return parsed if isinstance(parsed, dict) else arguments


def to_logprobs(logprobs: Mapping[str, Any] | None) -> list[list[LogProb]] | None:
    """For each token the likely ones, the one that was said first if it is not among them; None where none came."""
    told = (logprobs or {}).get("content") or []
    return [_to_likely(token) for token in told if isinstance(token, Mapping)] or None


def _to_likely(said: Mapping[str, Any]) -> list[LogProb]:
    likely = [each for each in said.get("top_logprobs") or [] if isinstance(each, Mapping)]
    if all(each.get("token") != said.get("token") for each in likely):
        likely.insert(0, said)
    return [
        LogProb(token=each.get("token") or "", logprob=each.get("logprob") or 0.0, bytes=each.get("bytes") or [])
        for each in likely
    ]


def _token_counts(usage: Usage | None) -> dict[str, int]:
    if usage is None:
        return {}
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


def to_completion(response: ChatResponse) -> CompletionResponse:
    """A chat response as LlamaIndex's completions give it."""
    return CompletionResponse(
        text=response.message.content or "",
        delta=response.delta,
        raw=response.raw,
        logprobs=response.logprobs,
        additional_kwargs={**response.message.additional_kwargs, **response.additional_kwargs},
    )
