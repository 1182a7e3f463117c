"""However a server tells an answer, it is the one that a whole response object tells."""

from __future__ import annotations

import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from response_stream import Way, call, custom, message, plain, read, reasoning, stream

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9) | st.sampled_from(["😀", "a😀b", "{}"])
ARGUMENTS = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2).map(json.dumps)
NAMES = st.sampled_from(["get_weather", "now"])

MESSAGES = st.builds(lambda texts, refusal: message(*texts, refusal=refusal), st.lists(TEXT, max_size=2), st.just(""))
REFUSALS = st.builds(lambda refusal: message(refusal=refusal), TEXT)
REASONINGS = st.builds(
    lambda texts, raw: reasoning(*texts, raw=raw, encrypted_content="gAAA"), st.lists(TEXT, max_size=2), st.booleans()
)
CALLS = st.builds(call, NAMES, ARGUMENTS)
CUSTOMS = st.builds(custom, NAMES, TEXT)


@st.composite
def outputs(draw):
    """The items of an answer, their calls with distinct ids."""
    items = draw(st.lists(st.one_of(MESSAGES, REFUSALS, REASONINGS, CALLS, CUSTOMS), max_size=4))
    for number, item in enumerate(items):
        if item["type"].endswith("_call"):
            item["call_id"] = f"call_{number}"
    return items


WAYS = st.builds(
    Way,
    names=st.sampled_from(["both", "ids", "indexes", "random", "shifted", "nothing"]),
    announces=st.booleans(),
    pieces=st.integers(0, 3),
    ends_parts=st.booleans(),
    ends_items=st.booleans(),
    lists=st.sampled_from(["all", "renamed", "empty", "null"]),
    twice=st.booleans(),
)


def tells_all(items, way):
    """Whether a server that goes this way tells the whole answer at all, and tells its items apart."""
    listed = way.lists in ("all", "renamed")
    names_calls = way.announces or way.ends_items or listed
    names_items = way.ends_items or way.announces
    parts = max((len(item.get("content") or item.get("summary") or ()) for item in items), default=0)
    distinct = all(item not in items[:place] for place, item in enumerate(items))
    raw = any(item["type"] == "reasoning" and len(item.get("content", ())) > 1 for item in items)
    return (
        (way.pieces or way.ends_parts or way.ends_items or listed)
        and names_calls
        and (names_items or way.names in ("both", "indexes", "random") or not (way.pieces or way.ends_parts))
        and (way.names != "nothing" or (names_items and parts < 2 and distinct))
        and not (raw and way.pieces and not way.ends_parts)
        and not (way.twice and way.names in ("random", "nothing"))
    )


def summed(deltas):
    """(text, reasoning, refusal, calls) of the deltas together."""
    calls = {}
    for piece in (piece for delta in deltas for piece in delta.tool_calls):
        known = calls.setdefault(piece.index, [piece.id, piece.name, ""])
        known[2] += piece.arguments
    texts = ["".join(getattr(delta, name) for delta in deltas) for name in ("text", "reasoning", "refusal")]
    return *texts, [tuple(known) for known in calls.values()]


@settings(max_examples=300, deadline=None)
@given(outputs(), WAYS)
def test_every_way_to_tell_an_answer_comes_to_the_plain_one(items, way):
    """Text, reasoning, refusal, calls, kept items, usage and the end; and the deltas add up to them (S4, S5, S6)."""
    assume(tells_all(items, way))
    expected = plain(*items)
    deltas, answer = read(*stream(items, way))
    told, wanted = answer.as_dict(), expected.as_dict()
    if way.lists in ("empty", "null") and not way.ends_items:  # what is encrypted came in no event
        for body in (told, wanted):
            body["choices"][0]["message"].pop("responses_output", None)
    for kept in (body["choices"][0]["message"].get("responses_output", {"items": []}) for body in (told, wanted)):
        for item in kept["items"]:
            item.pop("id", None)
    assert told == wanted
    calls = [(one.id, one.name, one.arguments) for one in answer.tool_calls]
    assert summed(deltas) == (answer.text, answer.reasoning, answer.choices[0].refusal or "", calls)
