"""Vectors as base64: alphabets, breaks, and how wide the floats are."""

from __future__ import annotations

import base64
import math
import random
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


def rounded(vector, code):
    """The vector as floats of one width hold it."""
    return list(struct.unpack(f"<{len(vector)}{code}", struct.pack(f"<{len(vector)}{code}", *vector)))


@pytest.mark.parametrize("dimensions", [None, 256])
@pytest.mark.parametrize("code", ["f", "d"])
def test_the_width_shows(code, dimensions):
    """Floats of 32 bits as agreed, and doubles, with or without a length that was asked for."""
    assert decode_base64_floats(coded(MODEL_LIKE, code), dimensions) == rounded(MODEL_LIKE, code)


def test_doubles_that_were_floats_once_show_too():
    """A model's 32-bit floats, widened before they were packed, leave most of their bits 0."""
    widened = rounded(MODEL_LIKE, "f")
    assert decode_base64_floats(coded(widened, "d"), None) == widened


def test_halves_are_told_by_the_length_asked_for():
    """Half as many bytes as agreed."""
    assert decode_base64_floats(coded(MODEL_LIKE, "e"), 256) == rounded(MODEL_LIKE, "e")


def test_a_longer_vector_than_asked_for_is_not_taken_for_doubles():
    """A gateway that ignores ``dimensions`` sends twice as many floats, not doubles; or half as many, not halves."""
    assert decode_base64_floats(coded(MODEL_LIKE), 128) == rounded(MODEL_LIKE, "f")
    assert decode_base64_floats(coded(MODEL_LIKE), 512) == rounded(MODEL_LIKE, "f")


@given(st.lists(st.floats(-1, 1, width=32).filter(lambda number: abs(number) > 1e-6 or number == 0), min_size=1))
def test_floats_of_a_usual_size_are_never_taken_for_anything_else(vector):
    """Whatever their bits look like as doubles."""
    assert decode_base64_floats(coded(vector), None) == vector


@pytest.mark.parametrize("vector", [[0.0] * 16, [0.0, 1.0] * 8, [1.0] + [0.0] * 15, [1e-9] * 16, [1e6] * 16])
def test_unusual_vectors_of_floats_stay_what_they_are(vector):
    """Zeros, one-hot vectors, and numbers of an odd size."""
    assert decode_base64_floats(coded(vector), None) == rounded(vector, "f")


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
    assert decode_base64_floats(text, None) == rounded([-1.7, 3e30], "f")


@pytest.mark.parametrize("text", ["", "====", "%%%", "1.0,0.5", "é", base64.b64encode(b"12345").decode()])
def test_what_holds_no_floats_is_refused(text):
    """No base64, nothing in it, or a part of a number."""
    with pytest.raises(ValueError, match=r"\w"):
        decode_base64_floats(text, None)
