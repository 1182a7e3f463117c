"""How many tokens a text has, without a tokenizer: an estimate for trimming and budgets, not for bills.

The frameworks' own ways would load a tokenizer from the network. The rules here lean to the high side, so that what is
trimmed by them fits: a Chinese, Japanese or Korean character is one token, an English word one for every six letters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from math import ceil
from typing import Any

from ..wire import REASONING_TEXTS

_PIECE = re.compile(
    "(?P<cjk>[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\u3000-\u303f])"
    r"|(?P<word>[A-Za-z]+)|(?P<digits>[0-9]+)|(?P<blank>\s+)|(?P<letters>[^\W\d_]+)|(?P<signs>[!-/:-@\[-`{-~]+)|(?P<rest>.)",
    re.DOTALL,
)
_LETTERS_PER_TOKEN = {"cjk": 1, "word": 6, "digits": 2, "letters": 2, "signs": 2, "rest": 0.5}

_PER_MESSAGE, _PER_REQUEST = 4, 3
_PER_IMAGE, _PER_SMALL_IMAGE = 765, 85  # OpenAI's figures for 1024x1024 pixels in high detail, and for low detail
_PER_FILE = 1000


def count_text(text: str) -> int:
    """Tokens of a text, estimated."""
    count = 0
    for match in _PIECE.finditer(text):
        kind, size = str(match.lastgroup), match.end() - match.start()
        if kind == "blank":
            # One space belongs to the word after it.
            count += size > 1 or "\n" in match.group()
        else:
            count += ceil(size / _LETTERS_PER_TOKEN[kind])
    return count


def count_messages(
    bodies: Iterable[Mapping[str, Any]], tools: Iterable[Mapping[str, Any]], *, count: Callable[[str], int] = count_text
) -> int:
    """Tokens of messages and tools in wire form: their texts and frames; images, audio and files at a flat rate."""
    total = _PER_REQUEST
    for body in bodies:
        total += _PER_MESSAGE + sum(count(body[name]) for name in ("name", *REASONING_TEXTS) if body.get(name))
        content = body.get("content") or ""
        total += count(content) if isinstance(content, str) else sum(_count_part(part, count) for part in content)
        for call in body.get("tool_calls") or []:
            total += _PER_MESSAGE + count(call["function"]["name"]) + count(call["function"]["arguments"])
    return total + sum(count(json.dumps(tool, ensure_ascii=False)) for tool in tools)


def _count_part(part: Mapping[str, Any], count: Callable[[str], int]) -> int:
    match part.get("type"):
        case "text":
            return count(str(part["text"]))
        case "image_url":
            image = part.get("image_url")
            small = isinstance(image, Mapping) and image.get("detail") == "low"
            return _PER_SMALL_IMAGE if small else _PER_IMAGE
        case _:
            return _PER_FILE
