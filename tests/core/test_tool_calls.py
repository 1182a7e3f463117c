"""Tool calls from their pieces (GATEWAYS B5)."""

from __future__ import annotations

import json
from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.tool_calls import ToolCall, ToolCallAssembler


def assemble(entries, *, cut=False):
    """(the deltas, the calls) of these entries."""
    numbers = count(1)
    assembler = ToolCallAssembler(lambda: f"new_{next(numbers)}")
    deltas = [delta for entry in entries for delta in assembler.add(entry)]
    deltas += assembler.end(cut=cut)
    return deltas, assembler.calls()


def summed(deltas):
    """The calls that the deltas make; each id and name comes once, whole, before the call's arguments."""
    calls = []
    for delta in deltas:
        if delta.index == len(calls):
            calls.append([delta.id, delta.name, delta.arguments])
            assert delta.id is not None
            assert delta.name is not None
        else:
            assert (delta.id, delta.name) == (None, None)
            calls[delta.index][2] += delta.arguments
    return [tuple(call) for call in calls]


def calls_of(entries, *, cut=False):
    """(id, name, arguments) of the calls, which the handed-out deltas make too."""
    deltas, calls = assemble(entries, cut=cut)
    found = [(call.id, call.name, call.arguments) for call in calls]
    assert summed(deltas) == found
    return found


def entry(arguments=None, name=None, **top):
    """One element of a delta's `tool_calls`."""
    function = {key: value for key, value in {"name": name, "arguments": arguments}.items() if value is not None}
    return {**top, "function": function} if function else top


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
    assert summed(assembler.add(entry('{"a":1}', "f", index=0, id="call_1"))) == [F]


def test_a_name_waits_for_the_arguments():
    """A name that may go on is not handed out; with the arguments, or with the next call, it is whole."""
    assembler = ToolCallAssembler(str)
    assert assembler.add(entry("", "f", index=0, id="call_1")) == []
    assert [delta.name for delta in assembler.add(entry("", "g", index=1, id="call_2"))] == ["f"]
    assert [delta.name for delta in assembler.add(entry('{"', index=1))] == ["g"]


def test_arguments_stream():
    """Argument pieces are handed out as they come."""
    assembler = ToolCallAssembler(str)
    assembler.add(entry("", "f", index=0, id="call_1"))
    pieces = ['{"a', '":', "1}"]
    given_out = [[delta.arguments for delta in assembler.add(entry(piece, index=0))] for piece in pieces]
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


@pytest.mark.parametrize("entries", [[], [{}], [{"function": None}], [{"index": 0, "id": "x"}], [{"function": "f"}]])
def test_no_call_is_made_of_nothing(entries):
    """T20, T21: entries that name no function and say nothing are no calls."""
    assembler = ToolCallAssembler(str)
    for each in entries:
        assembler.add(each)
    assert (bool(assembler), assembler.end(), assembler.calls()) == (False, [], ())


def test_half_an_answer_shows_its_calls():
    """Before the end the calls are as far as they came."""
    assembler = ToolCallAssembler(lambda: "new")
    assembler.add(entry('{"a"', "f", index=0))
    assert assembler.calls() == (ToolCall("new", "f", '{"a"'),)


# --- any calls, in any dialect --------------------------------------------------------------------------------------

CHANCE = st.builds(Random, st.integers(0, 2**32))
NAMES = ["get_weather", "search", "add", "Zeit"]
ARGUMENTS = st.dictionaries(
    st.text(max_size=5), st.text(max_size=5) | st.integers() | st.lists(st.integers()), max_size=3
)
CALLS = st.lists(st.tuples(st.sampled_from(NAMES), ARGUMENTS), min_size=1, max_size=4)


def cut(text, chance):
    """A text in pieces, none of them empty."""
    ends = sorted({chance.randrange(1, len(text)) for _ in range(chance.randrange(5))}) if len(text) > 1 else []
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def pieces_of(position, call, traits, chance):
    """One call's entries in a dialect."""
    name, arguments = call
    text = json.dumps(arguments)
    head = {"id": f"call_{position}", "index": position, "type": "function"}
    if "index 0" in traits:
        head["index"] = 0
    if "no index" in traits:
        del head["index"]
    rest = {key: value for key, value in head.items() if key == "index" or (key == "id" and "ids" in traits)}
    if "empty ids" in traits and "ids" not in traits:
        rest["id"] = ""
    parts = cut(text, chance)
    if "object" in traits:
        parts = [arguments]
    elif "cumulative" in traits:
        parts = ["".join(parts[: end + 1]) for end in range(len(parts))]
    if "twice" in traits and "object" not in traits:
        parts = [*parts, text]
    if "placeholder" in traits:
        parts = ["{}", *parts]
    again = name if "names" in traits else None
    if "name first" in traits:
        return [entry("", name, **head), *(entry(part, again, **rest) for part in parts)]
    return [entry(parts[0], name, **head), *(entry(part, again, **rest) for part in parts[1:])]


TRAITS = [
    "index 0",
    "no index",
    "ids",
    "empty ids",
    "names",
    "object",
    "cumulative",
    "twice",
    "placeholder",
    "name first",
]


@given(CALLS, st.sets(st.sampled_from(TRAITS)), st.booleans(), CHANCE)
def test_any_calls_in_any_dialect_come_out_the_same(calls, traits, in_turns, chance):
    """Ids and names repeated, indexes gone or all 0, arguments whole, repeated, or after `{}`: the calls are the calls."""
    written = [pieces_of(position, call, traits, chance) for position, call in enumerate(calls)]
    entries = [pieces.pop(0) for pieces in written]
    routed = "ids" in traits or not traits & {"index 0", "no index"}
    if in_turns and routed:
        while any(written):
            entries.append(chance.choice([pieces for pieces in written if pieces]).pop(0))
    else:
        entries = [piece for head, rest in zip(entries, written, strict=True) for piece in (head, *rest)]
    found = [(call_id, name, json.loads(arguments)) for call_id, name, arguments in calls_of(entries)]
    assert found == [(f"call_{position}", name, arguments) for position, (name, arguments) in enumerate(calls)]


ODD = st.fixed_dictionaries(
    {},
    optional={
        "index": st.none() | st.integers(-1, 2) | st.text(max_size=1),
        "id": st.none() | st.sampled_from(["", "a", "b", "null"]) | st.integers(),
        "type": st.none() | st.text(max_size=2),
        "function": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "name": st.none() | st.sampled_from(["", "f", "fg", "g"]),
                "arguments": st.none() | st.text('{}"a:1 ', max_size=5) | st.dictionaries(st.just("a"), st.integers()),
            },
        ),
    },
)


@given(st.lists(ODD), st.booleans())
def test_the_deltas_are_the_calls_whatever_comes(entries, cut_off):
    """Ids and names come once and whole, argument pieces join to the arguments, ids differ: for any entries at all."""
    calls = calls_of(entries, cut=cut_off)
    assert len({call_id for call_id, _, _ in calls}) == len(calls)
