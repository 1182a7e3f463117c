"""JSON as gateways send it: orjson, and the standard library for what orjson refuses.

orjson refuses lone surrogates (an emoji cut in half by a token boundary), NaN, and control characters inside
strings (new-api writes newlines raw). The standard library takes all three.
"""

from __future__ import annotations

import json
from typing import Any

import orjson


def loads(data: bytes | str) -> Any:
    """Decode JSON; bytes that are no UTF-8 become replacement characters.

    Raises:
        ValueError: not JSON (``json.JSONDecodeError``).
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        try:
            return json.loads(text, strict=False)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def dumps(value: Any) -> bytes:
    """Encode as compact UTF-8 JSON, non-ASCII as it is.

    Raises:
        TypeError: a value JSON has no form for.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        # Integers past 64 bits, lone surrogates, dict subclasses' odd keys: the standard library has a form for them.
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()


def rejoin(text: str) -> str:
    """Make the characters whole again whose surrogate halves arrived in two pieces; lone halves become U+FFFD."""
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
