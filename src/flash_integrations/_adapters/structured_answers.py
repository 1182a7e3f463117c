"""The JSON in an answer that was asked for as an object, and why there may be none."""

from __future__ import annotations

import re
from json import JSONDecoder

_FENCE = re.compile(r"```(?:json)?[ \t]*\r?\n(.*?)(?:\r?\n[ \t]*```|\Z)", re.DOTALL | re.IGNORECASE)
_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)

_decode_first = JSONDecoder(strict=False).raw_decode

_MAX_TRIES = 20  # braces in prose that are tried

_CUTS = {
    "length": "at the token limit; raise max_tokens",
    "content_filter": "by a content filter",
}


def cut_reason(finish_reason: str | None) -> str | None:
    """How an answer was cut, for an error; None where it was not."""
    return _CUTS.get(finish_reason or "")


def find_json(text: str) -> str:
    """The JSON in an answer, of models that are not held to the schema behind their gateway.

    Thoughts in ``<think>`` before it, prose around it and a Markdown fence are left off. The JSON may be unfinished:
    the beginning of a stream is read alike. A text without JSON comes back without thoughts and blanks.
    """
    text = _THOUGHT.sub("", text, count=1).strip()
    if not text.startswith(("{", "[")):
        if fenced := _FENCE.search(text):
            return fenced.group(1).strip()
        text = _from_object(text)
    try:
        return text[: _decode_first(text)[1]]
    except (ValueError, RecursionError):
        return text


def _from_object(text: str) -> str:
    """A text from its first object on: prose may have brackets of its own, such as [1]."""
    starts = [match.start() for match in re.finditer(r"\{", text)]
    for start in starts[:_MAX_TRIES]:
        try:
            _decode_first(text, start)
        except (ValueError, RecursionError):
            continue
        return text[start:]
    return text[starts[0] :] if starts else text
