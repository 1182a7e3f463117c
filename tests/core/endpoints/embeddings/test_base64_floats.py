"""Vectors as base64: alphabets, breaks, and what is no vector."""

from __future__ import annotations

import base64
import math
import random
import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.endpoints.embeddings.base64_floats import decode_base64_floats

CHANCE = random.Random(7)
MODEL_LIKE = [CHANCE.gauss(0, 1 / math.sqrt(256)) for _ in range(256)]


def coded(vector, code="f", *, encode=base64.b64encode):
    """A vector as base64 of floats of one width."""
    return encode(struct.pack(f"<{len(vector)}{code}", *vector)).decode()


def rounded(vector):
    """The vector as 32-bit floats hold it."""
    return list(struct.unpack(f"<{len(vector)}f", struct.pack(f"<{len(vector)}f", *vector)))


def test_the_numbers_come_out_as_they_were_packed():
    """Little-endian floats of 32 bits."""
    assert decode_base64_floats(coded(MODEL_LIKE)) == rounded(MODEL_LIKE)


def test_no_width_is_guessed():
    """Doubles give twice as many numbers, which the length asked for tells; a guess could be wrong."""
    assert len(decode_base64_floats(coded(MODEL_LIKE, "d"))) == 2 * len(MODEL_LIKE)


@given(st.lists(st.floats(-1, 1, width=32).filter(lambda number: abs(number) > 1e-6 or number == 0), min_size=1))
def test_floats_of_a_usual_size_are_never_taken_for_anything_else(vector):
    """Whatever their bits look like as doubles."""
    assert decode_base64_floats(coded(vector)) == vector


@pytest.mark.parametrize("vector", [[0.0] * 16, [0.0, 1.0] * 8, [1.0] + [0.0] * 15, [1e-9] * 16, [1e6] * 16])
def test_unusual_vectors_of_floats_stay_what_they_are(vector):
    """Zeros, one-hot vectors, and numbers of an odd size."""
    assert decode_base64_floats(coded(vector)) == rounded(vector)


@pytest.mark.parametrize(
    "text",
    [
        coded([-1.7, 3e30], encode=base64.urlsafe_b64encode),
        coded([-1.7, 3e30], encode=base64.urlsafe_b64encode).rstrip("="),
        coded([-1.7, 3e30], encode=base64.encodebytes),
        coded([-1.7, 3e30])[:6] + "\r\n " + coded([-1.7, 3e30])[6:],
    ],
)
def test_alphabet_padding_and_breaks_are_no_matter(text):
    """URL-safe, bare or broken into lines."""
    assert decode_base64_floats(text) == rounded([-1.7, 3e30])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it holds no numbers"),
        ("====", "it holds no numbers"),
        ("%%%", "'%%%' is no base64"),
        ("1.0,0.5", "'1.0,0.5' is no base64"),
        ("é", "'é' is no base64"),
        ("%" * 100, f"'{'%' * 40}' is no base64"),
        (base64.b64encode(b"12345").decode(), "its 5 bytes are no whole number of 32-bit floats"),
    ],
)
def test_what_holds_no_floats_is_refused(text, why):
    """No base64, nothing in it, or a part of a number: the error says which."""
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        decode_base64_floats(text)
