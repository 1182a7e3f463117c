"""Any tool calls, in any dialect, come out the same."""

from __future__ import annotations

import json
from random import Random

from assembling import calls_of, entry
from hypothesis import given
from hypothesis import strategies as st

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
    """Ids and names repeated, indexes gone or all 0, arguments whole, repeated or after `{}`: the same calls."""
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
