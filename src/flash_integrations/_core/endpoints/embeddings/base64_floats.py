"""A vector as a text: base64 of little-endian floats, 32 bits each unless it shows to be otherwise.

Nothing on the wire tells how wide the floats are. Doubles that are read as 32-bit floats give twice as many numbers,
every other one of them noise: tiny, huge or none. Where a reading looks so, and that as doubles looks like a vector,
it is one of doubles. Halves are told by the length that was asked for alone.
"""

from __future__ import annotations

import binascii
import struct
from math import isfinite

_URL_SAFE = str.maketrans("-_", "+/")
_SMALL, _LARGE, _NOISE = 1e-3, 1e4, 1e-12
"""The largest number of a vector lies between the first two; what is below the third and not 0 is noise."""

_FEW, _LOOK = 8, 32
"""Fewer 32-bit floats tell nothing; so many are looked at, for vectors come by the ten thousand."""

_WIDTHS = {"f": 4, "d": 8, "e": 2}


def decode_base64_floats(text: str, dimensions: int | None) -> list[float]:
    """The numbers in a text.

    Args:
        text: base64, also the URL-safe alphabet, without padding or with line breaks.
        dimensions: how many were asked for, or None.

    Raises:
        ValueError: no base64, or no floats.
    """
    data = _bytes(text)
    if not data:
        raise ValueError("no numbers at all")
    size = len(data)
    numbers = [] if size % _WIDTHS["f"] else _read(data, "f")
    wrong = not numbers or _looks_wrong(numbers[:_LOOK])
    if wrong and size == _WIDTHS["e"] * (dimensions or 0):
        return _read(data, "e")
    told = size == _WIDTHS["d"] * (dimensions or 0)
    if size % _WIDTHS["d"] == 0 and (told or (wrong and len(numbers) >= _FEW)):
        doubles = _read(data, "d")
        if not _looks_wrong(doubles):
            return doubles
    return numbers or _read(data, "f")


def _bytes(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)  # nearly all of them
    except ValueError:
        compact = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
        return binascii.a2b_base64(compact + "=" * (-len(compact) % 4), strict_mode=True)


def _read(data: bytes, code: str) -> list[float]:
    try:
        return list(struct.unpack(f"<{len(data) // _WIDTHS[code]}{code}", data))
    except struct.error as error:
        raise ValueError(str(error)) from error


def _looks_wrong(numbers: list[float]) -> bool:
    """Whether these are hardly a vector's numbers. Nothing but zeros may be part of one."""
    sizes = [abs(number) for number in numbers if number]
    return bool(sizes) and not (_SMALL <= max(sizes) <= _LARGE and min(sizes) >= _NOISE and isfinite(sum(sizes)))
