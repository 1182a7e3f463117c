"""Embeddings without a model: counts of words, hashed into a vector. Texts that share words lie close together."""

from __future__ import annotations

import base64
import math
import struct
from collections import Counter
from hashlib import blake2b

from .text import stemmed

__all__ = ["DIMENSIONS", "as_base64", "embed"]

DIMENSIONS = 512


def embed(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A vector of length 1 for a text: English words and pairs of CJK characters, by a hash that never changes."""
    # A text of nothing but common words still needs a direction of its own.
    counts = Counter(stemmed(text)) or Counter([text])
    vector = [0.0] * dimensions
    for word, count in counts.items():
        digest = int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest())
        # The sign comes from the hash as well, so that collisions cancel out instead of adding up.
        vector[(digest >> 1) % dimensions] += (1 + math.log(count)) * (1 if digest & 1 else -1)
    length = math.sqrt(sum(value * value for value in vector))
    if not length:
        vector[0] = length = 1.0
    return [value / length for value in vector]


def as_base64(vector: list[float]) -> str:
    """A vector as little-endian 32-bit floats in base64, the way ``encoding_format: base64`` has it."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
