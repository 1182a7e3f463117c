"""Error bodies read: nested, flat, a string, a list, ``detail``, HTML, plain text or nothing at all.

Also tells whether an object inside a 200 answer is an error (:func:`is_error`).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from . import json

MAX_MESSAGE = 400
"""Characters kept of an error's text."""

_MESSAGE_KEYS = ("message", "msg", "error_msg", "errorMessage", "status_msg", "error_description", "details", "detail")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What an error body says.

    Attributes:
        message: its words, short; "" if it has none.
        code: its code as text; numbers are no codes.
        type: its type.
        param: the parameter it names.
        status: an HTTP status it names in place of a code.
        reset_seconds: seconds to wait, where the body says so.
        is_page: it was HTML.
    """

    message: str = ""
    code: str | None = None
    type: str | None = None
    param: str | None = None
    status: int | None = None
    reset_seconds: float | None = None
    is_page: bool = False


def read(body: Any) -> ErrorFacts:
    """Read an error's body: bytes, text, or a JSON value already decoded. Never raises."""
    if isinstance(body, bytes):
        text = body.strip()
        if text[:1] in (b"{", b"[", b'"'):
            try:
                return read_value(json.loads(text))
            except ValueError:
                pass  # not JSON after all: shown as the text it is
        body = text.decode("utf-8", "replace")
    return _read_text(body) if isinstance(body, str) else read_value(body)


def read_value(value: Any) -> ErrorFacts:
    """Read a decoded JSON value as an error."""
    if isinstance(value, list):
        inner = [read_value(each) for each in value]
        best = next((facts for facts in inner if facts.message or facts.code), ErrorFacts())
        return best
    if not isinstance(value, dict):
        return _read_text("" if value is None else str(value))
    outer = _read_fields(value)
    for key in ("error", "errors", "detail", "base_resp", "response"):
        inner_value = value.get(key)
        if isinstance(inner_value, dict | list) and inner_value:
            inner = read_value(inner_value)
            if inner.message or inner.code:
                return ErrorFacts(
                    inner.message or outer.message,
                    inner.code or outer.code,
                    inner.type or (outer.type if outer.type != "error" else None),
                    inner.param,
                    inner.status or outer.status,
                    inner.reset_seconds or outer.reset_seconds,
                    inner.is_page,
                )
        elif key == "error" and isinstance(inner_value, str) and inner_value:
            facts = _read_text(inner_value)
            # {"error": "Bad Request", "message": "what was bad"}: the longer form says more.
            message = outer.message if len(outer.message) > len(facts.message) else facts.message
            return ErrorFacts(message, outer.code, outer.type, outer.param, outer.status, outer.reset_seconds)
    return outer


def _read_fields(value: dict[str, Any]) -> ErrorFacts:
    message = next((value[key] for key in _MESSAGE_KEYS if isinstance(value.get(key), str) and value[key]), "")
    facts = _read_text(message)
    if isinstance(value.get("loc"), list) and message:  # FastAPI names the field beside the message
        where = ".".join(str(step) for step in value["loc"])
        facts = ErrorFacts(f"{where}: {facts.message}")
    code, status = _code(value.get("code", value.get("status_code")))
    if code is None and isinstance(value.get("status"), str):
        code = value["status"] or None  # Gemini: INVALID_ARGUMENT
    param = value.get("param")
    seconds = value.get("reset_seconds", value.get("retry_after"))
    return ErrorFacts(
        facts.message,
        code,
        _word(value.get("type")),
        param if isinstance(param, str) and param else None,
        status,
        float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None,
        facts.is_page,
    )


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in ("", "None", "null") else None


def _code(value: Any) -> tuple[str | None, int | None]:
    """A code as (text, HTTP status): 429 and "429" are statuses, other numbers are the text they are."""
    if isinstance(value, bool) or value is None:
        return None, None
    text = str(value).strip()
    if text.isdecimal() and 400 <= int(text) < 600:
        return None, int(text)
    return (_word(text), None)


def _read_text(text: str) -> ErrorFacts:
    is_page = text.lstrip()[:1] == "<" and "<" in text and ">" in text
    if is_page:
        title = _TITLE.search(text)
        text = title.group(1) if title and title.group(1).strip() else _TAG.sub(" ", _HIDDEN.sub(" ", text))
        text = html.unescape(text)
    text = " ".join(text.split())
    if len(text) > MAX_MESSAGE:
        text = text[: MAX_MESSAGE - 1] + "…"
    return ErrorFacts(text, is_page=is_page)


def is_error(body: dict[str, Any]) -> bool:
    """Whether an object of a 200 answer is an error, in any of the forms gateways use.

    An ``error`` wins over choices. Without choices these count too: ``type`` of an error, ``object: error``, MiniMax's
    ``base_resp``, ``success: false``, and a code or message where an answer should be.
    """
    if body.get("error"):
        return True
    choices = body.get("choices")
    if choices:
        return _ended_in_error(choices)
    if body.get("type") in ("error", "response.failed") or body.get("object") == "error" or body.get("success") is False:
        return True
    base = body.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        return True
    if "usage" in body or "id" in body:
        return False
    return any(isinstance(body.get(key), str) and body[key] for key in _MESSAGE_KEYS)


def _ended_in_error(choices: Any) -> bool:
    """OpenRouter ends a broken answer with the finish reason "error"."""
    return isinstance(choices, list) and any(
        isinstance(choice, dict) and choice.get("finish_reason") == "error" for choice in choices
    )
