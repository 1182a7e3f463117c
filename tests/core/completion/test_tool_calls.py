"""Tool calls from their pieces, row by row of docs/wire-quirks.md (T1-T26)."""

from __future__ import annotations

import pytest
from assembling import assemble, calls_of, entry, summed

from flash_integrations._core.completion.tool_calls import ToolCall, ToolCallAssembler

F, G = ("call_1", "f", '{"a":1}'), ("call_2", "g", '{"b":2}')
MADE_UP_F, MADE_UP_G = ("new_1", *F[1:]), ("new_2", *G[1:])
BARE = ("call_1", "f", "{}")

CASES = {
    "documented": (
        [
            entry("", "f", index=0, id="call_1", type="function"),
            entry('{"a"', index=0),
            entry(":1}", index=0),
            entry("", "g", index=1, id="call_2", type="function"),
            entry('{"b":2}', index=1),
        ],
        [F, G],
    ),
    "T1 no index, one call": ([entry("", "f", id="call_1"), entry('{"a"'), entry(":1}")], [F]),
    "T1 index on the first piece only": ([entry("", "f", index=0, id="call_1"), entry('{"a":1}')], [F]),
    "T1 index on later pieces only": ([entry("", "f", id="call_1"), entry('{"a":1}', index=0)], [F]),
    "T1 no index, no id": ([entry("", "f"), entry('{"a"'), entry(":1}")], [MADE_UP_F]),
    "T2 no index, parallel": ([entry('{"a":1}', "f", id="call_1"), entry('{"b":2}', "g", id="call_2")], [F, G]),
    "T2 no index, parallel, in pieces": (
        [entry("", "f", id="call_1"), entry('{"a":1}'), entry("", "g", id="call_2"), entry('{"b"'), entry(":2}")],
        [F, G],
    ),
    "T2 no index, no ids": ([entry('{"a":1}', "f"), entry('{"b":2}', "g")], [MADE_UP_F, MADE_UP_G]),
    "T2 no index, no ids, one function": (
        [entry('{"a":1}', "f"), entry('{"a":2}', "f")],
        [MADE_UP_F, ("new_2", "f", '{"a":2}')],
    ),
    "two ids beyond 64 bits are two calls": (
        [entry('{"a":18446744073709551616}', "f"), entry('{"a":18446744073709551617}', "f")],
        [("new_1", "f", '{"a":18446744073709551616}'), ("new_2", "f", '{"a":18446744073709551617}')],
    ),
    "a fresh index goes on with the open call": (
        [
            entry("", "f", index=0, id="call_1"),
            entry('{"a":1}', index=0),
            entry("", "g", index=0, id="call_2"),
            entry('{"b"', index=1),
            entry(":2}", index=1),
        ],
        [F, G],
    ),
    "one id and index over two whole objects": (
        [entry('{"a":1}', "f", index=0, id="call_1"), entry('{"a":2}', "f", index=0, id="call_1")],
        [F, ("new_1", "f", '{"a":2}')],
    ),
    "one id and index over two whole objects, the second nameless": (
        [entry('{"a":1}', "f", index=0, id="call_1"), entry('{"a":2}', index=0, id="call_1")],
        [F, ("new_1", "f", '{"a":2}')],
    ),
    "one object told twice in other blanks": (
        [entry('{"a":1}', "f", index=0, id="call_1"), entry('{"a": 1}', "f", index=0, id="call_1")],
        [F],
    ),
    "arguments encoded twice": ([entry('"{\\"a\\":1}"', "f", index=0, id="call_1")], [F]),
    "arguments encoded twice, in pieces": (
        [entry("", "f", index=0, id="call_1"), *(entry(piece, index=0) for piece in ('"{', '\\"a\\"', ":", '1}"'))],
        [F],
    ),
    "arguments that are a JSON text, which is no object": (
        [entry('"a"', "f", index=0, id="call_1")],
        [("call_1", "f", '"a"')],
    ),
    "T3 index null": ([entry("", "f", index=None, id="call_1"), entry('{"a":1}', index=None)], [F]),
    "T4 index 0 for all": (
        [entry('{"a":1}', "f", index=0, id="call_1"), entry('{"b":2}', "g", index=0, id="call_2")],
        [F, G],
    ),
    "T4 index 0 for all, no ids": (
        [entry('{"a":1}', "f", index=0), entry('{"b":2}', "g", index=0)],
        [MADE_UP_F, MADE_UP_G],
    ),
    "T4 index 0 for all, no ids, no arguments": (
        [entry("{}", "f", index=0), entry("{}", "g", index=0)],
        [("new_1", "f", "{}"), ("new_2", "g", "{}")],
    ),
    "T4 index 0 for all, no arguments": (
        [entry("", "f", index=0, id="call_1"), entry("", "f", index=0, id="call_2")],
        [BARE, ("call_2", "f", "{}")],
    ),
    "T5 index 0 for all, in pieces": (
        [
            entry('{"a"', "f", index=0, id="call_1"),
            entry(":1}", index=0),
            entry('{"b"', "g", index=0, id="call_2"),
            entry(":2}", index=0),
        ],
        [F, G],
    ),
    "T5 index 0 for all, in turns": (
        [
            entry('{"a"', "f", index=0, id="call_1"),
            entry('{"b"', "g", index=0, id="call_2"),
            entry(":", index=0, id="call_1"),
            entry("1}", index=0),
            entry(":2}", index=0, id="call_2"),
        ],
        [F, G],
    ),
    "T6 index from 1": (
        [entry('{"a":1}', "f", index=1, id="call_1"), entry('{"b":2}', "g", index=7, id="call_2")],
        [F, G],
    ),
    "T7 no id": ([entry("", "f", index=0), entry('{"a":1}', index=0)], [MADE_UP_F]),
    "T7 empty id": ([entry('{"a":1}', "f", index=0, id="")], [MADE_UP_F]),
    "T7 id null": ([entry('{"a":1}', "f", index=0, id="null")], [MADE_UP_F]),
    "T7 id late": ([entry('{"a"', "f", index=0), entry(":1}", index=0, id="call_1")], [MADE_UP_F]),
    "T7 id late, then repeated": (
        [entry('{"a"', "f", index=0), entry(":", index=0, id="call_1"), entry("1}", index=0, id="call_1")],
        [MADE_UP_F],
    ),
    "T8 empty id and name later": (
        [entry("", "f", index=0, id="call_1"), entry('{"a":1}', "", index=0, id="", type="")],
        [F],
    ),
    "T9 id repeated": (
        [entry("", "f", index=0, id="call_1"), entry('{"a"', index=0, id="call_1"), entry(":1}", index=0, id="call_1")],
        [F],
    ),
    "T9 id alone first": ([{"index": 0, "id": "call_1"}, entry(None, "f", index=0), entry('{"a":1}', index=0)], [F]),
    "T9 one id under two indexes": (
        [
            entry("", "f", index=0, id="call_1"),
            entry('{"a":1}', index=0, id="call_1"),
            entry("", "g", index=1, id="call_1"),
            entry('{"b":2}', index=1, id="call_1"),
        ],
        [F, ("new_1", *G[1:])],
    ),
    "T9 one id for all": (
        [entry('{"a":1}', "f", index=0, id="call_1"), entry('{"b":2}', "g", index=0, id="call_1")],
        [F, ("new_1", *G[1:])],
    ),
    "T10 name repeated": (
        [entry('{"a"', "f", index=0, id="call_1"), entry(":", "f", index=0), entry("1}", "f", index=0, id="call_1")],
        [F],
    ),
    "T10 name repeated before": (
        [entry("", "f", index=0, id="call_1"), entry("", "f", index=0), entry('{"a":1}')],
        [F],
    ),
    "T10 name repeated, no index": ([entry('{"a"', "f"), entry(":1}", "f")], [MADE_UP_F]),
    "T11 name in two": (
        [entry("", "get_", index=0, id="call_1"), entry("", "weather", index=0), entry("{}", index=0)],
        [("call_1", "get_weather", "{}")],
    ),
    "T11 name longer each time": (
        [entry("", "get_", index=0, id="call_1"), entry("", "get_weather", index=0), entry("{}", index=0)],
        [("call_1", "get_weather", "{}")],
    ),
    "T11 a name after the arguments began": (
        [entry('{"a"', "f", index=0, id="call_1"), entry(":1}", "x", index=0, id="call_1")],
        [F],
    ),
    "T12 arguments as an object": ([entry({"a": 1}, "f", index=0, id="call_1")], [F]),
    "T12 arguments as an empty object": ([entry({}, "f", index=0, id="call_1")], [BARE]),
    "T13 arguments null": ([{"index": 0, "id": "call_1", "function": {"name": "f", "arguments": None}}], [BARE]),
    "T13 arguments empty": ([entry("", "f", index=0, id="call_1")], [BARE]),
    "T13 arguments missing": ([entry(None, "f", index=0, id="call_1")], [BARE]),
    "T14 arguments 'null'": ([entry("null", "f", index=0, id="call_1")], [BARE]),
    "T15 arguments all again": (
        [entry("", "f", index=0, id="call_1"), entry('{"a":', index=0), entry('{"a":1}', index=0)],
        [F],
    ),
    "T15 everything again": (
        [entry('{"a":', "f", index=0, id="call_1"), entry('{"a":1}', "f", index=0, id="call_1")],
        [F],
    ),
    "T16 empty, then real": ([entry("{}", "f", index=0, id="call_1"), entry('{"a":1}', index=0)], [F]),
    "T16 empty object, then pieces": (
        [entry({}, "f", index=0, id="call_1"), entry('{"a"', index=0), entry(":1}", index=0)],
        [F],
    ),
    "T20 function null": ([{"index": 0, "function": None}, entry('{"a":1}', "f", index=0, id="call_1")], [F]),
    "T20 nothing but an id": (
        [{"index": 0, "id": "x", "function": None}, entry('{"a":1}', "f", index=1, id="call_1")],
        [F],
    ),
    "T24 in turns": (
        [
            entry("", "f", index=0, id="call_1"),
            entry("", "g", index=1, id="call_2"),
            entry('{"a"', index=0),
            entry('{"b"', index=1),
            entry(":1}", index=0),
            entry(":2}", index=1),
        ],
        [F, G],
    ),
    "T26 twice in one": ([entry('{"a":1}{"a":1}', "f", index=0, id="call_1")], [F]),
    "T26 twice": ([entry('{"a":1}', "f", index=0, id="call_1"), entry('{"a":1}', "f", index=0, id="call_1")], [F]),
    "T26 twice without id": ([entry('{"a":1}', "f", index=0), entry('{"a":1}', "f", index=0)], [MADE_UP_F]),
}


@pytest.mark.parametrize(("entries", "calls"), CASES.values(), ids=CASES)
def test_odd_pieces_make_the_calls_that_were_meant(entries, calls):
    """Each dialect seen at gateways gives its calls, whole and in deltas alike."""
    assert calls_of(entries) == calls


def test_a_whole_call_is_handed_out_at_once():
    """T17: a call in one piece needs no end to be handed out."""
    assembler = ToolCallAssembler(str)
    assert summed(assembler.add_entry(entry('{"a":1}', "f", index=0, id="call_1"))) == [F]


def test_a_name_waits_for_the_arguments():
    """A name that may go on is not handed out; with the arguments, or with the next call, it is whole."""
    assembler = ToolCallAssembler(str)
    assert assembler.add_entry(entry("", "f", index=0, id="call_1")) == []
    assert [delta.name for delta in assembler.add_entry(entry("", "g", index=1, id="call_2"))] == ["f"]
    assert [delta.name for delta in assembler.add_entry(entry('{"', index=1))] == ["g"]


def test_arguments_stream():
    """Argument pieces are handed out as they come."""
    assembler = ToolCallAssembler(str)
    assembler.add_entry(entry("", "f", index=0, id="call_1"))
    pieces = ['{"a', '":', "1}"]
    given_out = [[delta.arguments for delta in assembler.add_entry(entry(piece, index=0))] for piece in pieces]
    assert given_out == [[piece] for piece in pieces]


@pytest.mark.parametrize("kind", [None, "", "function"])
def test_a_call_without_a_type_is_a_function(kind):
    """T19: the type is a function's where none is told."""
    _, (call,) = assemble([entry("{}", "f", index=0, id="call_1", type=kind)])
    assert call.as_dict() == {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_cut_arguments_stay_cut():
    """T23: what the answer's length cut off is not mended."""
    entries = [entry('{"a":"lo', "f", index=0, id="call_1"), entry("", "g", index=1, id="call_2")]
    assert calls_of(entries, cut=True) == [("call_1", "f", '{"a":"lo'), ("call_2", "g", "")]


def test_what_else_came_with_a_call_is_kept():
    """Extra fields of an entry (Gemini's thought signatures) stay with the call."""
    extra = {"extra_content": {"google": {"thought_signature": "s"}}}
    _, (call,) = assemble([entry("{}", "f", index=0, id="call_1", **extra), entry("", index=0, unset=None)])
    assert call == ToolCall("call_1", "f", "{}", extra=extra)


@pytest.mark.parametrize(
    "entries", [[], [{}], [{"function": None}], [{"index": 0, "id": "x"}], [{"function": "f"}], [entry(" ", index=0)]]
)
def test_no_call_is_made_of_nothing(entries):
    """T20, T21: entries that name no function and say nothing are no calls."""
    assembler = ToolCallAssembler(str)
    for each in entries:
        assembler.add_entry(each)
    assert (bool(assembler), assembler.finish(), assembler.calls()) == (False, [], ())


def test_half_an_answer_shows_its_calls():
    """Before the end the calls are as far as they came."""
    assembler = ToolCallAssembler(lambda: "new")
    assembler.add_entry(entry('{"a"', "f", index=0))
    assert assembler.calls() == (ToolCall("new", "f", '{"a"'),)
