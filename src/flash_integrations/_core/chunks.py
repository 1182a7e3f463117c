"""One JSON object of an answer, however odd, read into a :class:`Chunk`.

Whole answers and chunks of streams are read alike: a whole answer is a stream of one chunk whose choice has a
``message`` where others have a ``delta``. Everything here is stateless; what several chunks make together is
``completion``'s business. No shape raises: what cannot be read is absent, what is not known is kept in ``extra``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_TOP = frozenset({"id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier", "obfuscation"})
_CHOICE = frozenset({"index", "delta", "message", "text", "logprobs", "finish_reason", "usage"})
_MESSAGE = frozenset(
    {
        "role",
        "content",
        "reasoning_content",
        "reasoning",
        "refusal",
        "tool_calls",
        "function_call",
        "audio",
        "annotations",
    }
)

# Other vendors' words for the reasons OpenAI names; what is in no table stays as it came.
_FINISH = {
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "safety": "content_filter",
}

# Anthropic's and the Responses API's names for the counts.
_USAGE_NAMES = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "prompt_tokens_details": "input_tokens_details",
    "completion_tokens_details": "output_tokens_details",
}


@dataclass(slots=True)
class Part:
    """What one chunk says about one choice. Empty and None mean: nothing said."""

    index: int = 0
    text: str = ""
    reasoning: str = ""
    reasoning_field: str = ""
    refusal: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    function_call: dict[str, Any] | None = None
    audio: dict[str, Any] | None = None
    annotations: list[Any] = field(default_factory=list)
    logprobs: dict[str, Any] | None = None
    finish_reason: str | None = None
    raw_finish_reason: str | None = None
    whole: bool = False
    message_extra: dict[str, Any] = field(default_factory=dict)
    choice_extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Chunk:
    """One JSON object of an answer, read."""

    parts: list[Part]
    id: str | None = None
    model: str | None = None
    created: int | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    usage: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def read_chunk(body: dict[str, Any]) -> Chunk:
    """Read one object of an answer; never raises."""
    choices = body.get("choices")
    parts: list[Part] = []
    usage = read_usage(body.get("usage"))
    if isinstance(choices, dict):
        choices = [choices]
    if isinstance(choices, list):
        for position, choice in enumerate(choices):
            if isinstance(choice, dict):
                parts.append(_read_choice(choice, position))
                if usage is None and "usage" in choice:
                    usage = read_usage(choice["usage"])
    created = body.get("created")
    return Chunk(
        parts,
        id=_word(body.get("id")),
        model=_word(body.get("model")),
        created=int(created) if isinstance(created, int | float) and created == created and 0 < created < 1e18 else None,
        system_fingerprint=_word(body.get("system_fingerprint")),
        service_tier=_word(body.get("service_tier")),
        usage=usage,
        # A ping is an object too; what stands beside no choices, id or usage says nothing about the answer.
        extra={key: value for key, value in body.items() if key not in _TOP and value is not None}
        if "choices" in body or "id" in body or usage
        else {},
    )


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _read_choice(choice: dict[str, Any], position: int) -> Part:
    index = choice.get("index")
    if isinstance(index, str) and index.isdecimal():
        index = int(index)
    part = Part(index if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else position)
    message = choice.get("delta")
    if not isinstance(message, dict) or (not message and isinstance(choice.get("message"), dict)):
        message, part.whole = choice.get("message"), True
    if isinstance(message, dict):
        _read_message(message, part)
    elif isinstance(choice.get("text"), str):
        part.text = choice["text"]
    finish = choice.get("finish_reason")
    if isinstance(finish, str) and finish:
        part.raw_finish_reason = finish
        lowered = finish.lower()
        part.finish_reason = _FINISH.get(lowered, lowered if lowered in ("stop", "length") else finish)
    logprobs = choice.get("logprobs")
    if isinstance(logprobs, dict) and logprobs:
        part.logprobs = logprobs
    if not choice.keys() <= _CHOICE:
        part.choice_extra = {key: value for key, value in choice.items() if key not in _CHOICE and value is not None}
    return part


def _read_message(message: dict[str, Any], part: Part) -> None:
    content = message.get("content")
    if isinstance(content, str):
        part.text = content
    elif isinstance(content, list):
        _read_content_parts(content, part)
    for key in ("reasoning_content", "reasoning"):
        value = message.get(key)
        # Both may carry the same text; it is told once, under the first name.
        if isinstance(value, str) and value and not part.reasoning_field:
            part.reasoning, part.reasoning_field = part.reasoning + value, key
    if isinstance(message.get("refusal"), str):
        part.refusal = message["refusal"]
    calls = message.get("tool_calls")
    if isinstance(calls, dict):
        calls = [calls]
    if isinstance(calls, list):
        part.tool_calls = [call for call in calls if isinstance(call, dict)]
    if isinstance(message.get("function_call"), dict):
        part.function_call = message["function_call"]
    if isinstance(message.get("audio"), dict):
        part.audio = message["audio"]
    if isinstance(message.get("annotations"), list):
        part.annotations = message["annotations"]
    if not message.keys() <= _MESSAGE:
        part.message_extra |= {key: value for key, value in message.items() if key not in _MESSAGE and value is not None}
        if not part.reasoning and isinstance(message.get("reasoning_details"), list):
            details = message["reasoning_details"]
            part.reasoning = "".join(
                item["text"] for item in details if isinstance(item, dict) and isinstance(item.get("text"), str)
            )


def _read_content_parts(content: list[Any], part: Part) -> None:
    """Content as a list: text parts are the text, thinking parts the reasoning, others are kept as they are."""
    others = []
    for item in content:
        if isinstance(item, str):
            part.text += item
        elif not isinstance(item, dict):
            continue
        elif isinstance(item.get("thinking") or item.get("reasoning"), str | list):
            part.reasoning += _flat(item.get("thinking") or item.get("reasoning"))
        elif isinstance(item.get("text"), str):
            part.text += item["text"]
        elif isinstance(item.get("refusal"), str):
            part.refusal += item["refusal"]
        else:
            others.append(item)
    if others:
        part.message_extra["content_parts"] = others


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    texts = [item.get("text") if isinstance(item, dict) else item for item in value]
    return "".join(text for text in texts if isinstance(text, str))


def read_usage(body: Any) -> dict[str, Any] | None:
    """Read a usage object: OpenAI's names, nulls left out, the total added; None where it counts nothing."""
    if not isinstance(body, dict):
        return None
    usage = {key: value for key, value in body.items() if value is not None}
    for name, other in _USAGE_NAMES.items():
        if name not in usage and other in usage:
            usage[name] = usage[other]
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    if not any(_is_count(value) for value in (*counts, usage.get("total_tokens"))):
        return None
    if not _is_count(usage.get("total_tokens")) and all(_is_count(value) for value in counts):
        usage["total_tokens"] = sum(value for value in counts if value is not None)
    return usage


def _is_count(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
