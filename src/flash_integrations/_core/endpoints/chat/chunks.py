"""One JSON object of an answer, however odd, read into a :class:`Chunk`.

Whole answers and chunks of streams are read alike: a whole answer is a stream of one chunk whose choice has a
``message`` where others have a ``delta``. Everything here is stateless; what several chunks make together is
``accumulator``'s business. No shape raises: what cannot be read is absent, what is not known is kept in ``extra``.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from ...completion.chunk import Chunk, Part
from ...completion.usage import read_usage

_TOP = frozenset("id object created model choices usage system_fingerprint service_tier obfuscation".split())
_CHOICE = frozenset({"index", "delta", "message", "text", "logprobs", "finish_reason", "usage"})
_PLAIN = frozenset({"role", "content"})
_MESSAGE = _PLAIN | frozenset(
    {"reasoning_content", "reasoning", "refusal", "tool_calls", "function_call", "audio", "annotations"}
)

# Other vendors' words for the reasons OpenAI names; what is in no table stays as it came.
_FINISH = {
    **{name: name for name in ("stop", "length", "tool_calls", "content_filter", "function_call")},
    "complete": "stop",
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


def read_chunk(body: dict[str, Any]) -> Chunk:
    """Read one object of an answer; never raises."""
    usage = body.get("usage")
    if usage is not None:
        usage = read_usage(usage)
    choices = body.get("choices")
    if isinstance(choices, dict):
        choices = [choices]
    parts: list[Part] = []
    if isinstance(choices, list):
        for position, choice in enumerate(choices):
            if isinstance(choice, dict):
                parts.append(_read_choice(choice, position))
                if usage is None and "usage" in choice:
                    usage = read_usage(choice["usage"])
    created = body.get("created")
    if type(created) is not int or created <= 0:
        created = _time(created)
    chunk = Chunk(
        parts,
        _word(body.get("id")),
        _word(body.get("model")),
        created,
        _word(body.get("system_fingerprint")),
        _word(body.get("service_tier")),
        usage,
    )
    # A ping is an object too; what stands beside neither choices nor usage says nothing about the answer.
    if ("choices" in body or usage) and not body.keys() <= _TOP:
        chunk.extra = {key: value for key, value in body.items() if key not in _TOP and value is not None}
    return chunk


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(value: Any) -> int | None:
    """Unix seconds, of a float too; 0 and less is no time."""
    return int(value) if isinstance(value, float) and isfinite(value) and value > 0 else None


def _read_choice(choice: dict[str, Any], position: int) -> Part:
    index = choice.get("index")
    if type(index) is not int or index < 0:
        index = int(index) if isinstance(index, str) and index.isdecimal() and len(index) < 5 else position
    part = Part(index)
    message = choice.get("delta")
    if "message" in choice and not _says(message):
        message, part.whole = choice["message"], True
    if isinstance(message, dict):
        _read_message(message, part)
    if not message and isinstance(choice.get("text"), str):
        part.text = choice["text"]
    finish = choice.get("finish_reason")
    if isinstance(finish, str) and finish:
        part.raw_finish_reason = finish
        part.finish_reason = _FINISH.get(finish.lower(), finish)
    logprobs = choice.get("logprobs")
    if isinstance(logprobs, dict) and logprobs:
        part.logprobs = logprobs
    if not choice.keys() <= _CHOICE:
        part.choice_extra = {key: value for key, value in choice.items() if key not in _CHOICE and value is not None}
    return part


def _says(delta: Any) -> bool:
    """Whether a delta beside a message says anything of its own."""
    return isinstance(delta, dict) and any(value for key, value in delta.items() if key != "role")


def _read_message(message: dict[str, Any], part: Part) -> None:
    content = message.get("content")
    if isinstance(content, str):
        part.text = content
    elif content is not None:
        _read_content_parts(content if isinstance(content, list) else [content], part)
    if message.keys() <= _PLAIN:
        return
    for key in ("reasoning_content", "reasoning"):
        value = message.get(key)
        # Both may carry the same text; it is told once, under the first name.
        if isinstance(value, str) and value and not part.reasoning_field:
            part.reasoning, part.reasoning_field = part.reasoning + value, key
    if isinstance(message.get("refusal"), str):
        part.refusal += message["refusal"]
    calls = message.get("tool_calls")
    if calls:
        calls = [calls] if isinstance(calls, dict) else calls
        part.tool_calls = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else ()
    if isinstance(message.get("function_call"), dict):
        part.function_call = message["function_call"]
    if isinstance(message.get("audio"), dict):
        part.audio = message["audio"]
    if isinstance(message.get("annotations"), list):
        part.annotations = message["annotations"]
    if not message.keys() <= _MESSAGE:
        extra = {key: value for key, value in message.items() if key not in _MESSAGE and value is not None}
        part.message_extra = {**(part.message_extra or {}), **extra}
        if not part.reasoning and isinstance(extra.get("reasoning_details"), list):
            part.reasoning = _flat([_detail(item) for item in extra["reasoning_details"]])


def _detail(item: Any) -> Any:
    return item.get("text") or item.get("summary") if isinstance(item, dict) else None


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
        part.message_extra = {"content_parts": others}


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    texts = [item.get("text") if isinstance(item, dict) else item for item in value]
    return "".join(text for text in texts if isinstance(text, str))
