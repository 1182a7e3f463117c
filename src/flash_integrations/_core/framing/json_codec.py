"""JSON as gateways send it: orjson, and the standard library for what orjson refuses.

orjson refuses lone surrogates (an emoji cut in half by a token boundary), NaN, and control characters inside
strings (new-api writes newlines raw). The standard library takes all three.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_LONG_NUMBER = re.compile(r"\d{19}")
"""What may be an int beyond 64 bits."""


def loads(data: bytes | str) -> Any:
    """Decode JSON; bytes that are no UTF-8 become replacement characters.

    Raises:
        ValueError: not JSON (``json.JSONDecodeError``), or nested too deep.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _loads_by_standard_library(data if isinstance(data, str) else data.decode("utf-8", "replace"))


def loads_exact(text: str) -> Any:
    """Decode JSON as :func:`loads` does, and keep whole numbers of any length.

    orjson makes a float, another number, of an int beyond 64 bits. Ids in tool arguments may be that long.

    Raises:
        ValueError: not JSON, or nested too deep.
    """
    return _loads_by_standard_library(text) if _LONG_NUMBER.search(text) else loads(text)


def _loads_by_standard_library(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def loads_many(data: bytes | str) -> list[Any]:
    """Decode JSON values that follow one another, with nothing but blanks or record separators between.

    Raises:
        TrailingTextError: not JSON to its end.
    """
    try:
        return [loads(data)]
    except ValueError:
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    values: list[Any] = []
    position = _skip_blanks(text, 0)
    while position < len(text):
        try:
            value, position = _decode_first(text, position)
        except (ValueError, RecursionError) as error:
            raise TrailingTextError(values) from error
        values.append(value)
        position = _skip_blanks(text, position)
    return values


class TrailingTextError(ValueError):
    """Text after JSON values is no JSON; ``values`` are those before it."""

    def __init__(self, values: list[Any]) -> None:
        super().__init__("not JSON to its end")
        self.values = values


_decode_first = json.JSONDecoder(strict=False).raw_decode
_BLANKS = re.compile(r"[\s\x1e]*")


def _skip_blanks(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def dumps(value: Any) -> bytes:
    """Encode as compact UTF-8 JSON, non-ASCII as it is.

    Raises:
        TypeError: a value JSON has no form for.
        ValueError: a number JSON has no form for, or a value that holds itself.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        # Integers past 64 bits, lone surrogates, keys that are numbers: the standard library has a form for them.
        try:
            return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
        except RecursionError as error:
            raise TypeError("nested too deep") from error


def rejoin(text: str) -> str:
    """Make the characters whole again whose surrogate halves arrived in two pieces; lone halves become U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class SurrogateJoiner:
    """Joins pieces of one text. Half a character (a high surrogate that ends a piece) waits for its other half."""

    __slots__ = ("_half",)

    def __init__(self) -> None:
        self._half = ""

    def join_piece(self, piece: str) -> str:
        """Take a piece; give what is whole of it."""
        if not piece:
            return ""
        if self._half:
            piece, self._half = self._half + piece, ""
        if "\ud800" <= piece[-1] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        return rejoin(piece)

    def flush(self) -> str:
        """Give U+FFFD for a half that still waits, else ""."""
        half, self._half = self._half, ""
        return "\ufffd" if half else ""
