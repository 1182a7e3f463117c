"""JSON as gateways send it."""

from __future__ import annotations

import json as standard
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.framing import json_codec

CHANCE = st.builds(Random, st.integers(0, 2**32))
UTF16_UNITS = st.text(st.characters(codec="utf-8") | st.characters(categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(b'{"a":"\\ud83d"}', {"a": "\ud83d"}, id="half a character"),
        pytest.param(b'{"a":NaN}', {"a": pytest.approx(float("nan"), nan_ok=True)}, id="NaN"),
        pytest.param(b'{"a":"x\ny"}', {"a": "x\ny"}, id="raw newline"),
        pytest.param(b'{"a":"\xe4\xbd"}', {"a": "\ufffd"}, id="cut UTF-8"),
    ],
)
def test_what_orjson_refuses_is_read_all_the_same(text, value):
    """Lone surrogates, NaN, control characters and broken UTF-8 are read."""
    assert json_codec.loads(text) == value


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**30 + 1])
def test_whole_numbers_of_any_length_are_kept(number):
    """An id beyond 64 bits is the same id, not the nearest float."""
    assert json_codec.loads_exact(f'{{"id": {number}}}') == {"id": number}


def test_what_is_nested_too_deep_is_a_value_error_with_long_numbers_too():
    """As without them: a caller has one error to look for."""
    with pytest.raises(ValueError, match="nested too deep"):
        json_codec.loads_exact("[" * 100_000 + "1" * 20)


@pytest.mark.parametrize("text", [b"", b"{", b"unexpected EOF", b"[" * 100_000])
def test_what_is_no_json_is_a_value_error(text):
    """Nothing but ValueError comes of text that is no JSON, however deep it is nested."""
    with pytest.raises(ValueError):  # noqa: PT011 - its text is the decoder's
        json_codec.loads(text)


@given(st.binary())
def test_any_bytes_are_a_value_or_a_value_error(data):
    """No bytes raise anything but ValueError."""
    with suppress(ValueError):
        json_codec.loads(data)


@pytest.mark.parametrize("value", [{"a": "\ud83d"}, {1: 2}, 2**70, "é"])
def test_what_json_has_a_form_for_is_written(value):
    """Numbers as keys, half characters and long integers are written as the standard library writes them."""
    assert standard.loads(json_codec.dumps(value)) == standard.loads(standard.dumps(value))


def nested(depth):
    """A list in a list in a list."""
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, nested(100_000)], ids=["object", "set", "deep"])
def test_what_json_has_no_form_for_is_a_type_error(value):
    """A value without a form in JSON is refused as TypeError."""
    with pytest.raises(TypeError):
        json_codec.dumps(value)


@given(st.text(st.characters(codec="utf-8")), CHANCE)
def test_characters_cut_in_half_are_whole_again(text, chance):
    """A text cut anywhere in UTF-16, also inside an emoji, is put together without loss."""
    raw = text.encode("utf-16-le")
    pieces, start = [], 0
    while start < len(raw):
        end = start + 2 * chance.randint(1, 4)
        pieces.append(raw[start:end].decode("utf-16-le", "surrogatepass"))
        start = end
    seam = json_codec.SurrogateJoiner()
    given_out = [seam.join_piece(piece) for piece in pieces]
    assert "".join(given_out) + seam.flush() == text


@given(st.lists(UTF16_UNITS))
def test_no_half_character_is_handed_out(pieces):
    """Whatever came in, what comes out can be written as UTF-8."""
    seam = json_codec.SurrogateJoiner()
    text = "".join([*(seam.join_piece(piece) for piece in pieces), seam.flush()])
    assert text.encode().decode() == text


@pytest.mark.parametrize(
    ("text", "whole"),
    [("\ud83d\ude00", "😀"), ("a\ud83d", "a\ufffd"), ("\ude00\ud83d", "\ufffd\ufffd"), ("\ufeffé", "\ufeffé")],
)
def test_halves_side_by_side_are_one_character(text, whole):
    """A high and a low half make one character; a half alone becomes U+FFFD."""
    assert json_codec.rejoin(text) == whole
