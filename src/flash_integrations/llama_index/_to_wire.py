"""Messages between LlamaIndex and the wire, both ways.

Outward: every role LlamaIndex has, its content made by ``_content``. Inward: a :class:`Completion` as a
``ChatResponse``; what has come of a stream so far is made into the same in ``_streams``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ChatResponse,
    CitationBlock,
    CompletionResponse,
    ContentBlock,
    ImageBlock,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from .._adapters.citations import read_citations
from .._adapters.past_answers import past_answer
from .._adapters.tool_calls import calls_of, load_arguments, wire_call
from .._core.completion.completion import Choice, Completion, Usage
from .._core.framing import json_codec
from .._core.wire import SIGNED_REASONING
from ._content import to_content
from ._raw import to_raw

_REASONING_FIELD = "reasoning_field"
"""Where a message keeps the name its reasoning came under, unless that is ``reasoning_content``."""

_ROLES = {MessageRole.CHATBOT: "assistant", MessageRole.MODEL: "assistant"}

# --- outward --------------------------------------------------------------------------------------------------------


def to_wire(messages: Sequence[ChatMessage], *, system_role: str = "system") -> list[dict[str, Any]]:
    """Messages in the wire's form; earlier answers carry their reasoning, for the core to send or not.

    Args:
        messages: LlamaIndex's messages.
        system_role: the role system messages go out under.

    Raises:
        InvalidRequestError: a block that the endpoint has no form for, or none under its message's role.
        OSError: a block's file or URL cannot be read.
    """
    answered = {message.additional_kwargs.get("tool_call_id") for message in messages if message.role == "tool"}
    bodies = []
    for position, message in enumerate(messages):
        role = system_role if message.role == "system" else _ROLES.get(message.role, message.role.value)
        audio_id = _audio_id(message) if role == "assistant" else None
        # The gateway knows its own spoken words by their id; they are not sent again.
        blocks = [block for block in message.blocks if not (audio_id and isinstance(block, AudioBlock))]
        content = to_content(blocks, role=role, where=f"messages[{position}]")
        named = {"name": message.additional_kwargs.get("name")}
        if role == "assistant":
            bodies.append(_to_past_answer(message, content, audio_id, answered, named))
            continue
        named["tool_call_id"] = message.additional_kwargs.get("tool_call_id") if role == "tool" else None
        bodies.append({"role": role, "content": content} | {key: value for key, value in named.items() if value})
    return bodies


def _audio_id(message: ChatMessage) -> str | None:
    audio = message.additional_kwargs.get("audio")
    found = audio.get("id") if isinstance(audio, Mapping) else message.additional_kwargs.get("reference_audio_id")
    return str(found) if found else None


def _reasoning(message: ChatMessage) -> dict[str, Any]:
    """The reasoning of an answer under the names it came under; Claude's signed blocks as LiteLLM takes them back."""
    blocks, kwargs = [block for block in message.blocks if isinstance(block, ThinkingBlock)], message.additional_kwargs
    signed = [
        {"type": "thinking", "thinking": block.content or "", "signature": block.additional_information["signature"]}
        for block in blocks
        if block.additional_information.get("signature")
    ]
    text = "".join(block.content or "" for block in blocks)
    found = {kwargs.get(_REASONING_FIELD) or "reasoning_content": text, "thinking_blocks": signed}
    return found | {name: kwargs[name] for name in SIGNED_REASONING if kwargs.get(name)}


def _to_past_answer(
    message: ChatMessage,
    content: str | list[dict[str, Any]],
    audio_id: str | None,
    answered: set[Any],
    fields: dict[str, Any],
) -> dict[str, Any]:
    return past_answer(
        content,
        calls=tool_calls_of(message),
        answered=answered,
        function_call=message.additional_kwargs.get("function_call"),
        refusal=message.additional_kwargs.get("refusal"),
        audio_id=audio_id,
        reasoning=_reasoning(message),
        fields=fields,
    )


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
        arguments = given if isinstance(given, str) else json_codec.dumps(given).decode()
    return wire_call(block.tool_call_id, block.tool_name, arguments, dict(older))


# --- inward ---------------------------------------------------------------------------------------------------------


def to_response(completion: Completion, *, delta: str | None = None) -> ChatResponse:
    """A whole answer: its first choice as the message, all of it in ``raw`` as the plain endpoint writes it."""
    choice = completion.choices[0]
    return ChatResponse(
        message=_to_message(completion, choice),
        delta=delta,
        raw=to_raw(completion.as_dict()),
        logprobs=to_logprobs(choice.logprobs),
        additional_kwargs=_token_counts(completion.usage),
    )


def _to_message(completion: Completion, choice: Choice) -> ChatMessage:
    calls = calls_of(completion, choice)
    kwargs: dict[str, Any] = {
        "tool_calls": [call.as_dict() for call in calls],
        "function_call": choice.function_call,
        "refusal": choice.refusal,
        "annotations": list(choice.annotations),
        _REASONING_FIELD: choice.reasoning_field if choice.reasoning_field != "reasoning_content" else None,
        **{name: choice.message_extra.get(name) for name in SIGNED_REASONING},
    }
    blocks: list[ContentBlock] = to_blocks(
        choice.text,
        choice.reasoning,
        [ToolCallBlock(tool_call_id=c.id, tool_name=c.name, tool_kwargs=parse_arguments(c.arguments)) for c in calls],
        to_citations(choice.annotations, choice.text),
    )
    blocks += _to_images(choice.message_extra)
    if choice.audio:
        kwargs["audio"] = {key: value for key, value in choice.audio.items() if key != "data"}
        if data := choice.audio.get("data"):
            blocks.append(AudioBlock(audio=data.encode()))
    details = (completion.usage or Usage()).get("completion_tokens_details")
    thought = details.get("reasoning_tokens") if isinstance(details, Mapping) else None
    for block in blocks:
        if isinstance(block, ThinkingBlock) and type(thought) is int:
            block.num_tokens = thought
    return ChatMessage(
        role=MessageRole.ASSISTANT,
        blocks=blocks,
        additional_kwargs={name: value for name, value in kwargs.items() if value},
    )


def _to_images(extra: Mapping[str, Any]) -> list[ImageBlock]:
    """The images a model made: parts of the kind ``image_url``, beside the content or in it."""
    parts = [
        part for name in ("images", "content_parts") for part in extra.get(name) or () if isinstance(part, Mapping)
    ]
    images = [part.get("image_url") for part in parts]
    urls = [image.get("url") if isinstance(image, Mapping) else image for image in images]
    blocks = []
    for url in filter(None, (url for url in urls if isinstance(url, str))):
        head, comma, data = url.partition(";base64,")
        if comma and head.startswith("data:"):
            blocks.append(ImageBlock(image=data.encode(), image_mimetype=head.removeprefix("data:")))
        else:
            blocks.append(ImageBlock(url=url))
    return blocks


def to_blocks(
    text: str, reasoning: str, calls: Sequence[ToolCallBlock], citations: Sequence[CitationBlock] = ()
) -> list[ContentBlock]:
    """Reasoning, text, citations and calls as a message's blocks; the text alone is there even when it is empty."""
    blocks: list[ContentBlock] = [ThinkingBlock(content=reasoning)] if reasoning else []
    if text or not calls:
        blocks.append(TextBlock(text=text))
    return [*blocks, *citations, *calls]


def to_citations(annotations: Iterable[Any], text: str) -> list[CitationBlock]:
    """The sources that an answer names, from its annotations of the kind ``url_citation``.

    What is cited is the page's own words where the gateway gives them, else the words of the answer that the
    annotation's ``start_index`` and ``end_index`` (characters of the text) mark; these two are kept too.
    """
    return [
        CitationBlock(
            cited_content=TextBlock(text=citation.quoted(text)),
            source=citation.url,
            title=citation.title or citation.url,
            additional_location_info={
                name: at for name in ("start_index", "end_index") if (at := getattr(citation, name)) is not None
            },
        )
        for citation in read_citations(annotations)
        if citation.kind == "url_citation" and citation.url
    ]


def parse_arguments(arguments: str) -> dict[str, Any] | str:
    """A call's arguments as a dict; as the text they are where that is no JSON object."""
    try:
        return load_arguments(arguments) if arguments.strip() else {}
    except ValueError:
        return arguments


def to_logprobs(logprobs: Mapping[str, Any] | None) -> list[list[LogProb]] | None:
    """For each token the likely ones, the chosen one first if it is not among them; None where none came."""
    tokens = (logprobs or {}).get("content")
    if not isinstance(tokens, list):
        return None
    return [_to_likely(token) for token in tokens if isinstance(token, Mapping)] or None


def _to_likely(token_fields: Mapping[str, Any]) -> list[LogProb]:
    others = token_fields.get("top_logprobs")
    likely = [other for other in others if isinstance(other, Mapping)] if isinstance(others, list) else []
    if all(other.get("token") != token_fields.get("token") for other in likely):
        likely.insert(0, token_fields)
    return [_to_logprob(other) for other in likely]


def _to_logprob(token_fields: Mapping[str, Any]) -> LogProb:
    """One token as LlamaIndex keeps it; what a gateway wrote in a wrong type is left empty."""
    token, data, logprob = token_fields.get("token"), token_fields.get("bytes"), token_fields.get("logprob")
    if type(logprob) is int and abs(logprob) < 10**9:
        logprob = float(logprob)
    return LogProb(
        token=token if isinstance(token, str) else "",
        logprob=logprob if isinstance(logprob, float) else 0.0,
        bytes=data if isinstance(data, list) and all(type(byte) is int for byte in data) else [],
    )


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
