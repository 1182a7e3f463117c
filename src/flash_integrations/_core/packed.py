"""A vector as a text: base64 of little-endian floats, 32 bits each unless it shows to be otherwise.

Nothing on the wire tells how wide the floats are. Doubles that are read as 32-bit floats give twice as many numbers,
every other one of them noise: tiny, huge or none. Where a reading looks so, and that as doubles looks like a vector,
it is one of doubles. Halves are told by the length that was asked for alone.
"""

from __future__ import annotations

import binascii
import struct
from itertools import islice
from math import isfinite

_URL_SAFE = str.maketrans("-_", "+/")
_SMALL, _LARGE, _NOISE = 1e-3, 1e4, 1e-12
"""The largest number of a vector lies between the first two; what is below the third and not 0 is noise."""

_FEW, _LOOK = 8, 16
"""Fewer 32-bit floats tell nothing; so many are searched for noise."""

_WIDTHS = {"f": 4, "d": 8, "e": 2}


def unpack(text: str, dimensions: int | None) -> list[float]:
    """The numbers in a text.

    Args:
        text: base64, also the URL-safe alphabet, without padding or with line breaks.
        dimensions: how many were asked for, or None.

    Raises:
        ValueError: no base64, or no floats.
    """
    compact = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
    data = binascii.a2b_base64(compact + "=" * (-len(compact) % 4), strict_mode=True)
    if not data:
        raise ValueError("no numbers at all")
    if dimensions and len(data) == _WIDTHS["e"] * dimensions:
        return _read(data, "e")
    numbers = _read(data, "f")
    told = dimensions is not None and len(data) == _WIDTHS["d"] * dimensions
    if (told or (len(numbers) >= _FEW and _looks_wrong(numbers))) and len(data) % _WIDTHS["d"] == 0:
        doubles = _read(data, "d")
        if not _looks_wrong(doubles, search=len(doubles)):
            return doubles
    return numbers


def _read(data: bytes, code: str) -> list[float]:
    try:
        return list(struct.unpack(f"<{len(data) // _WIDTHS[code]}{code}", data))
    except struct.error as error:
        raise ValueError(str(error)) from error


def _looks_wrong(numbers: list[float], *, search: int = _LOOK) -> bool:
    """Whether these are hardly a vector's numbers. One of zeros is."""
    largest = max(max(numbers), -min(numbers))
    if not isfinite(largest) or not _SMALL <= largest <= _LARGE:
        return largest != 0
    return any(0 < abs(number) < _NOISE or not isfinite(number) for number in islice(numbers, search))
