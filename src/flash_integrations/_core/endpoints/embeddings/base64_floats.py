"""A vector as a text: base64 of little-endian 32-bit floats, as OpenAI writes them."""

from __future__ import annotations

import binascii
import struct
from typing import Final

PLAIN_NUMBERS: Final = 'encoding_format="float" asks for plain numbers'
"""What helps where a gateway packs vectors in a way of its own."""

_URL_SAFE = str.maketrans("-_", "+/")
_WIDTH = 4  # bytes


def decode_base64_floats(text: str) -> list[float]:
    """The numbers in a text.

    Nothing on the wire says how wide the floats are, and a guess could turn a true vector into another one: what is
    no whole number of 32-bit floats is an error, and so is a length that was not asked for (``vectors``).

    Args:
        text: base64, also the URL-safe alphabet, without padding or with line breaks.

    Raises:
        ValueError: no base64, or no 32-bit floats.
    """
    try:
        data = _bytes(text)
    except ValueError as error:  # binascii's own words are about padding and quanta
        raise ValueError(f"{text[:40]!r} is no base64") from error
    if not data:
        raise ValueError("it holds no numbers")
    if len(data) % _WIDTH:
        raise ValueError(f"its {len(data)} bytes are no whole number of 32-bit floats")
    return list(struct.unpack(f"<{len(data) // _WIDTH}f", data))


def _bytes(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)  # nearly all of them
    except ValueError:
        compact = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
        return binascii.a2b_base64(compact + "=" * (-len(compact) % 4), strict_mode=True)
