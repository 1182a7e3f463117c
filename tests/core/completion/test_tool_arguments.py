"""A call's arguments in pieces."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.completion.tool_arguments import Arguments


def put_together(*pieces, cut=False):
    """(what was handed out piece by piece, what was left for the end, the text)."""
    arguments = Arguments()
    given_out = []
    for piece in pieces:
        arguments.add_piece(piece)
        given_out.append(arguments.take_settled())
    arguments.finish(cut=cut)
    return given_out, arguments.take_settled(), arguments.text


def text_of(*pieces, cut=False):
    """The final text, which is what was handed out."""
    given_out, rest, text = put_together(*pieces, cut=cut)
    assert "".join(given_out) + rest == text
    return text


CASES = {
    "nothing": ([], "{}"),
    "blank": (["", " "], "{}"),
    "no arguments": (["{}"], "{}"),
    "null": (["null"], "{}"),
    "null in pieces": (["nu", "ll"], "{}"),
    "one piece": (['{"a":1}'], '{"a":1}'),
    "pieces": (['{"a"', ":", "1}"], '{"a":1}'),
    "blanks are the model's": (['{ "a" : 1 }\n'], '{ "a" : 1 }\n'),
    "braces in texts": (['{"a":"}{', '\\"}', '"}'], '{"a":"}{\\"}"}'),
    "a backslash at a cut": (['{"a":"x\\', '"}"}'], '{"a":"x\\"}"}'),
    "two backslashes at a cut": (['{"a":"x\\', '\\"}'], '{"a":"x\\\\"}'),
    "half characters": (['{"a":"\ud83d', '\ude00"}'], '{"a":"😀"}'),
    "T15 all again": (['{"a":', '{"a":1}'], '{"a":1}'),
    "T15 all again and again": (['{"a"', '{"a":', '{"a":1,', '{"a":1,"b"', '{"a":1,"b":2}'], '{"a":1,"b":2}'),
    "T15 from the first brace on": (["{", '{"a"', '{"a":1}'], '{"a":1}'),
    "T15 the same again": (['{"a":1', '{"a":1', '{"a":1}'], '{"a":1}'),
    "T15 cut": (['{"a":', '{"a":"lo'], '{"a":"lo'),
    "T16 empty, then real": (["{}", '{"a":1}'], '{"a":1}'),
    "T16 empty, then pieces": (["{}", '{"a"', ":1}"], '{"a":1}'),
    "T16 empty in pieces, then real": (["{", "}", '{"a":1}'], '{"a":1}'),
    "T16 empty with a blank": (["{ }", '{"a":1}'], '{"a":1}'),
    "T16 in one piece": (['{}{"a":1}'], '{"a":1}'),
    "T16 null, then real": (["null", '{"a":1}'], '{"a":1}'),
    "T16 empty twice": (["{}", "{}"], "{}"),
    "T26 twice in one": (['{"a":1}{"a":1}'], '{"a":1}'),
    "T26 twice": (['{"a":1}', '{"a":1}'], '{"a":1}'),
    "T26 twice in pieces": (['{"a"', ':1}{"', 'a": 1}'], '{"a":1}'),
    "T26 three times": (['{"a":1}\n', '{"a":1}\n', '{"a":1}'], '{"a":1}'),
    "two values that differ": (['{"a":1}{"a":2}'], '{"a":1}{"a":2}'),
    "text after the value": (['{"a":1}', " thanks"], '{"a":1} thanks'),
    "a list": (["[[", "[[", "1]]]]"], "[[[[1]]]]"),
    "no JSON": (["not ", "JSON"], "not JSON"),
}


@pytest.mark.parametrize(("pieces", "text"), CASES.values(), ids=CASES)
def test_pieces_make_one_text(pieces, text):
    """Placeholders are dropped, repetitions told once; the rest is the model's."""
    assert text_of(*pieces) == text


@pytest.mark.parametrize(
    ("pieces", "text"), [([], ""), ([" "], ""), (["{"], "{"), (["{}"], "{}"), (['{"a":"lo'], '{"a":"lo')]
)
def test_a_cut_answer_gets_no_arguments_made_up(pieces, text):
    """T23: where the answer hit its length, arguments that never came stay none."""
    assert text_of(*pieces, cut=True) == text


def test_arguments_stream():
    """Pieces are handed out as they come, once they can be no placeholder."""
    given_out, rest, _ = put_together("{", '"a"', ":1", "}")
    assert (given_out, rest) == (["", '{"a"', ":1", "}"], "")


def test_a_quote_after_a_cut_backslash_ends_no_text():
    """A brace inside a text is not taken for the end, wherever the text is cut."""
    pieces = ['{"a":"x\\', '"}', 'y"}']
    assert put_together(*pieces) == (pieces, "", "".join(pieces))


def test_what_may_be_a_repetition_waits():
    """After the first whole object nothing is handed out before the end."""
    given_out, rest, _ = put_together('{"a":1}', '{"a"', ":2}")
    assert (given_out, rest) == (['{"a":1}', "", ""], '{"a":2}')


def test_many_pieces_are_joined_once():
    """A long text in small pieces is not gone through again with each of them."""
    arguments = Arguments()
    arguments.add_piece('{"code":"')
    for count in range(1000):
        arguments.add_piece("{x}")
        assert len(arguments._parts) == count + 2


CHANCE = st.builds(Random, st.integers(0, 2**32))
OBJECTS = st.dictionaries(
    st.text(max_size=8),
    st.text(max_size=8) | st.integers() | st.lists(st.text(max_size=3), max_size=3),
    min_size=1,
    max_size=4,
)


@given(OBJECTS, st.booleans(), CHANCE)
def test_any_cut_of_any_arguments_gives_them_back(value, ascii_only, chance):
    """Arguments cut anywhere are the arguments."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    cuts = sorted(chance.randrange(len(text) + 1) for _ in range(chance.randrange(8)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert text_of(*pieces) == text


@given(st.lists(st.text('{}[]":, \\anul1', max_size=6)), st.booleans())
def test_what_is_handed_out_is_the_text(pieces, cut):
    """Whatever the pieces are, nothing handed out is ever taken back."""
    text_of(*pieces, cut=cut)
