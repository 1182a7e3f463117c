"""Error bodies read: nested, flat, a string, a list, ``detail``, HTML, plain text, half broken or nothing at all.

Also decides whether an object inside a 200 answer is an error (:func:`is_error`).
"""

from __future__ import annotations

import ast
import html
import re
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from ...errors import MalformedResponseError
from ..framing import json_codec
from ..framing.body import BodyDecoder, NonJSON

MAX_MESSAGE = 400
"""Characters of an error's text that are shown."""

_MAX_TEXT = 4000  # characters of it that are looked at: wrapped errors say late what they are
_MAX_PAGE = 16_000  # characters of an HTML page that are looked at
_MAX_DEPTH = 8
_YEAR_2001 = 1e9  # Unix time in seconds; a thousand times as much is milliseconds

MESSAGE_KEYS = (
    "message",
    "msg",
    "error_msg",
    "error_message",
    "errorMessage",
    "status_msg",
    "error_description",
    "details",
    "detail",
)
"""Where errors, and good answers too, have their words."""

_CODE_KEYS = ("code", "error_code", "errorCode", "status_code", "status")
_TYPE_KEYS = ("type", "error_type", "errorType")
_MARKS = ("error_code", "error_type", "errorCode", "errorType")
"""What makes an object without choices an error (hermes-agent#68451), even where its words stand in ``text``."""

_RESET_SECONDS = ("reset_seconds", "resets_in_seconds", "retry_after")
_INNER_KEYS = ("error", "errors", "detail", "base_resp", "response")
_REQUEST_ID = re.compile(r"\s*\(request[ _]id: ?([^)\s]+)\)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_TITLE = re.compile(r"<title[^<>]*>([^<]*)</title>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style)\b.*?(?:</\1>|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")

# sub2api writes its JSON without escaping: a quote in the message breaks it.
_BROKEN_MESSAGE = re.compile(r'"message"\s*:\s*"(.*?)"\s*(?:,\s*"\w+"\s*:|\})', re.DOTALL)
_BROKEN_WORD = re.compile(r'"(code|type)"\s*:\s*"?([\w.-]+)')


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What an error body says.

    Attributes:
        message: its words, at most 4,000 characters; "" if it has none.
        code: its code as text; a number that is an HTTP status is none.
        type: its type.
        param: the parameter it names.
        status: the HTTP status it names in place of a code.
        reset_seconds: seconds to wait, where the body says so.
        reset_at: Unix time in seconds until which to wait, where the body says so.
        request_id: the id in its words, which are without it.
        is_page: it was HTML.
    """

    message: str = ""
    code: str | None = None
    type: str | None = None
    param: str | None = None
    status: int | None = None
    reset_seconds: float | None = None
    reset_at: float | None = None
    request_id: str | None = None
    is_page: bool = False

    @property
    def has_content(self) -> bool:
        """Whether there is anything to tell it by."""
        return bool(self.message or self.code or self.status)

    def reset_seconds_at(self, now: float) -> float | None:
        """Seconds to wait from ``now``, a Unix time, on."""
        if self.reset_seconds is None and self.reset_at is not None:
            return max(0.0, self.reset_at - now)
        return self.reset_seconds


def shorten(message: str) -> str:
    """A message as it is shown: at most :data:`MAX_MESSAGE` characters."""
    return message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"


def read(body: Any) -> ErrorFacts:
    """Read an error's body: bytes, text, or a JSON value already decoded. Never raises."""
    if isinstance(body, bytes):
        decoder = BodyDecoder()
        try:
            items = decoder.feed(body) + decoder.close()
        except MalformedResponseError as error:
            return ErrorFacts(error.message)
        if decoder.is_stream:
            body = next((item for item in items if isinstance(item, dict)), None) or _texts(items)
        else:
            body = [item for item in items if isinstance(item, dict)] or _texts(items)
    return read_value(body)


def _texts(items: list[Any]) -> str:
    return " ".join(item.text for item in items if isinstance(item, NonJSON))


def read_value(value: Any, *, depth: int = 0) -> ErrorFacts:
    """Read a decoded JSON value, or a text, as an error."""
    if isinstance(value, str):
        return _read_text(value, depth)
    if isinstance(value, list):
        read_all = (read_value(item, depth=depth + 1) for item in value[:_MAX_DEPTH])
        return (
            next((facts for facts in read_all if facts.has_content), ErrorFacts())
            if depth < _MAX_DEPTH
            else ErrorFacts()
        )
    if not isinstance(value, dict):
        return ErrorFacts() if value is None or isinstance(value, bool) else _read_text(str(value), depth)
    outer = _read_fields(value, depth)
    for key in _INNER_KEYS if depth < _MAX_DEPTH else ():
        inner_value = value.get(key)
        if isinstance(inner_value, dict | list) and inner_value:
            inner = read_value(inner_value, depth=depth + 1)
            if inner.has_content:
                return _laid_over(outer, inner)
        elif key == "error" and isinstance(inner_value, str) and inner_value:
            inner = _read_text(inner_value, depth)
            # {"error": "Bad Request", "message": "what was bad"}: the longer form says more.
            return _laid_over(inner, outer) if len(outer.message) > len(inner.message) else _laid_over(outer, inner)
    return outer


def _laid_over(outer: ErrorFacts, inner: ErrorFacts) -> ErrorFacts:
    return ErrorFacts(
        inner.message or outer.message,
        inner.code or outer.code,
        inner.type or (outer.type if outer.type != "error" else None),
        inner.param or outer.param,
        inner.status or outer.status,
        outer.reset_seconds if inner.reset_seconds is None else inner.reset_seconds,
        inner.reset_at or outer.reset_at,
        inner.request_id or outer.request_id,
        inner.is_page,
    )


def _read_fields(value: dict[str, Any], depth: int) -> ErrorFacts:
    keys = (*MESSAGE_KEYS, "text") if any(value.get(mark) for mark in _MARKS) else MESSAGE_KEYS
    message = next((value[key] for key in keys if isinstance(value.get(key), str) and value[key]), "")
    facts = _read_text(message, depth)
    metadata = value.get("metadata")
    if message and isinstance(metadata, dict) and isinstance(metadata.get("raw"), str):
        # OpenRouter says "Provider returned error", and here what it was.
        raw = _read_text(metadata["raw"], depth)
        facts = _laid_over(facts, replace(raw, message=f"{facts.message}: {raw.message}"[:_MAX_TEXT]))
    if isinstance(value.get("loc"), list) and message:  # FastAPI names the field beside the message
        facts = replace(facts, message=f"{'.'.join(str(step) for step in value['loc'][:8])}: {facts.message}")
    codes = [_code(value.get(key)) for key in _CODE_KEYS]
    param = value.get("param")
    seconds = next((value[key] for key in _RESET_SECONDS if key in value), None)
    return ErrorFacts(
        facts.message,
        next((code for code, _ in codes[:4] if code), None) or _gemini_status(value.get("status")) or facts.code,
        next((kind for key in _TYPE_KEYS if (kind := _word(value.get(key)))), None) or facts.type,
        param if isinstance(param, str) and param else None,
        next((status for _, status in codes if status), None) or facts.status,
        _seconds(seconds),
        _reset_at(value.get("resets_at"), metadata),
        facts.request_id,
        facts.is_page,
    )


def _word(value: Any) -> str | None:
    return value[:100] if isinstance(value, str) and value not in ("", "None", "null") else None


def _gemini_status(value: Any) -> str | None:
    """Gemini's code is a word in capitals: INVALID_ARGUMENT."""
    return _word(value) if isinstance(value, str) and value.isupper() else None


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        return None
    return float(value) if isfinite(value) else None


def _reset_at(value: Any, metadata: Any) -> float | None:
    """When a limit ends: Codex's ``resets_at``, or the header that OpenRouter puts into its metadata."""
    headers = metadata.get("headers") if isinstance(metadata, dict) else None
    if isinstance(headers, dict):
        value = next((value for name, value in headers.items() if name.lower() == "x-ratelimit-reset"), value)
    try:
        moment = float(value)
    except (TypeError, ValueError):
        return None
    if not isfinite(moment) or moment < _YEAR_2001:
        return None
    return moment / 1000 if moment >= 1000 * _YEAR_2001 else moment


def _code(value: Any) -> tuple[str | None, int | None]:
    """A code as (text, HTTP status): 429 and "429" are statuses, other numbers are the text they are."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None, None
    text = str(value).strip()
    if text.isdecimal() and len(text) == 3 and text[0] in "45":
        return None, int(text)
    return (_word(text) if text != "0" else None, None)


def _read_text(text: str, depth: int) -> ErrorFacts:
    text = text.strip()
    if text[:1] in ("{", "[") and depth < _MAX_DEPTH:
        inner = _read_json(text, depth)
        if inner.message:
            return inner
    is_page = text.startswith("<") and ">" in text
    if is_page:
        text = text[:_MAX_PAGE]
        title = _TITLE.search(text)
        text = title.group(1) if title and title.group(1).strip() else _TAG.sub(" ", _HIDDEN.sub(" ", text))
        text = html.unescape(text)
    text = " ".join(_CONTROL.sub(" ", json_codec.rejoin(text[: 2 * _MAX_TEXT])).split())
    told_id = _REQUEST_ID.search(text)
    if told_id:
        text = _REQUEST_ID.sub("", text).strip()
    return ErrorFacts(text[:_MAX_TEXT], request_id=told_id.group(1) if told_id else None, is_page=is_page)


def _read_json(text: str, depth: int) -> ErrorFacts:
    """An error as JSON inside a text, whole or broken."""
    try:
        return read_value(_decode(text), depth=depth + 1)
    except ValueError:
        text = text[:_MAX_TEXT]
        message = _BROKEN_MESSAGE.search(text)
        fields = {key: _code(value)[0] for key, value in reversed(_BROKEN_WORD.findall(text))}
        if message is None:
            return ErrorFacts()
        return replace(_read_text(message.group(1), _MAX_DEPTH), code=fields.get("code"), type=fields.get("type"))


def _decode(text: str) -> Any:
    """JSON; or what Python prints of a dict, which relays write by hand."""
    try:
        return json_codec.loads(text)
    except ValueError:
        if len(text) > _MAX_TEXT or "'" not in text:
            raise
        try:
            return ast.literal_eval(text)
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise ValueError("no Python literal") from error


def is_error(body: dict[str, Any]) -> bool:
    """Whether an object of a 200 answer is an error, in any of the forms gateways use.

    An ``error`` that says anything wins over choices, and so does MiniMax's ``base_resp``. Without choices these count
    too: ``type`` of an error, ``object: error``, ``success: false``, and a message where an answer should be.
    """
    error = body.get("error")
    if error and (not isinstance(error, dict) or any(error.values())):
        return True
    base = body.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        return True
    choices = body.get("choices")
    if choices:
        return False
    if body.get("type") in ("error", "response.failed") or body.get("object") == "error":
        return True
    if body.get("success") is False or body.get("errors"):
        return True
    if choices is not None or body.get("usage"):
        return False
    if any(body.get(mark) for mark in _MARKS):
        return True
    return any(isinstance(body.get(key), str | list) and body[key] for key in MESSAGE_KEYS)
