"""One JSON object of an answer, however odd, read into a :class:`Chunk`.

Whole answers and chunks of streams are read alike: a whole answer is a stream of one chunk whose choice has a
``message`` where others have a ``delta``. Everything here is stateless; what several chunks make together is
``accumulator``'s business. No shape raises: what cannot be read is absent, what is not known is kept in ``extra``.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from ...completion.chunk import Chunk, Part
from ...completion.usage import find_usage, read_usage
from ...framing import json_codec
from ...wire import REASONING_TEXTS
from .finish_reasons import FAILED, read_finish_reason

_TOP = frozenset("id object created model choices usage system_fingerprint service_tier obfuscation".split())
_USUAL_CHOICE = frozenset({"index", "delta", "message", "text", "logprobs", "finish_reason"})
_CHOICE = _USUAL_CHOICE | {"finishReason", "usage", "error"}
_PLAIN = frozenset({"role", "content"})
REASONING_FIELDS = (*REASONING_TEXTS, "thinking")
"""Where the text of reasoning stands; the last is Ollama's."""

_ENVELOPES = ("data", "result", "response")
"""Where relays put the answer beside a ``code`` and ``msg`` of their own (vscode-unify-chat-provider#71)."""

_MESSAGE = _PLAIN | {*REASONING_FIELDS, "refusal", "tool_calls", "function_call", "audio", "annotations"}
_PART_KEYS = ("type", "text", "thinking", "reasoning", "refusal")


def unwrap(body: dict[str, Any]) -> dict[str, Any]:
    """An answer or chunk out of the envelope a relay put it in; any other body as it is."""
    for key in _ENVELOPES if "choices" not in body else ():
        inner = body.get(key)
        if isinstance(inner, dict) and "choices" in inner:
            return inner
    return body


def read_chunk(body: dict[str, Any]) -> Chunk:
    """Read one object of an answer; never raises."""
    usual = body.keys() <= _TOP
    usage = body.get("usage")
    if usage is not None:
        usage = read_usage(usage)
    elif not usual:
        usage = find_usage(body)
    choices = body.get("choices")
    if isinstance(choices, dict):
        choices = [choices]
    parts: list[Part] = []
    if isinstance(choices, list):
        for position, choice in enumerate(choices):
            if isinstance(choice, dict):
                parts.append(_read_choice(choice, position))
                if usage is None and choice.get("usage"):
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
    if not usual and ("choices" in body or usage):
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
    usual = choice.keys() <= _USUAL_CHOICE
    finish = choice.get("finish_reason")
    if not (finish or usual):
        finish = choice.get("finishReason")
    if isinstance(finish, str) and finish:
        part.raw_finish_reason = finish
        part.finish_reason = read_finish_reason(finish)
        if part.finish_reason == FAILED:
            part.error = {"message": f"the gateway ended the answer with the finish reason {finish!r}"}
    logprobs = choice.get("logprobs")
    if isinstance(logprobs, dict) and logprobs:
        part.logprobs = logprobs
    if usual:
        return part
    error = choice.get("error")
    if error and (not isinstance(error, dict) or any(error.values())):
        part.error = error  # OpenRouter, beside the finish reason "error" (genkit#6259)
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
        _read_content(content, part)
    if message.keys() <= _PLAIN:
        return
    for key in REASONING_FIELDS:
        value = message.get(key)
        # Several may carry the same text; it counts once, under the first name.
        if value is not None and not part.reasoning_field and (text := _scalar(value)):
            part.reasoning, part.reasoning_field = part.reasoning + text, key
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
        part.reasoning = part.reasoning or _told_apart(extra)


def _told_apart(extra: dict[str, Any]) -> str:
    """The reasoning of OpenRouter's details or LiteLLM's blocks, where it stands nowhere else."""
    items = extra.get("reasoning_details") or extra.get("thinking_blocks")
    return _flat([_detail(item) for item in items]) if isinstance(items, list) else ""


def _detail(item: Any) -> Any:
    return item.get("text") or item.get("summary") or item.get("thinking") if isinstance(item, dict) else None


def _scalar(value: Any) -> str:
    """The text a piece is: a str; or a number or bool in its JSON form, for Workers AI sends tokens so (ai#651)."""
    if isinstance(value, str):
        return value
    return json_codec.dumps(value).decode() if isinstance(value, int | float) else ""


def _read_content(content: Any, part: Part) -> None:
    """Content that is no str: a list of parts, or a JSON value in JSON mode, which is its JSON text."""
    items = content if isinstance(content, list) else [content]
    if any(isinstance(item, list) or (isinstance(item, dict) and not _is_part(item)) for item in items):
        part.text = json_codec.dumps(content).decode()
        return
    others = []
    for item in items:
        if not isinstance(item, dict):
            part.text += _scalar(item)
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


def _is_part(item: dict[str, Any]) -> bool:
    """Whether an object in a content list is a part of a message, rather than the answer of JSON mode."""
    return isinstance(item.get("type"), str) or (len(item) == 1 and not item.keys().isdisjoint(_PART_KEYS))


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    texts = [item.get("text") if isinstance(item, dict) else item for item in value]
    return "".join(text for text in texts if isinstance(text, str))
