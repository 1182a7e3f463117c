"""Answers as gateways really send them, read however they are cut; and streams cut after every byte."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from outcomes import faults, of_completion
from replay import load_cases
from response_stream import (
    CREATED,
    Way,
    call,
    completion,
    event,
    message,
    reading,
    reasoning,
    stream,
)

from flash_integrations._core.failures.error_mapping import refusal
from flash_integrations.errors import APIConnectionError, FlashError

CASES = load_cases(Path(__file__).parents[3] / "wire" / "responses_cases.json")
LOST = APIConnectionError("lost")


def segments(body, size):
    """A body in pieces of a size."""
    return [body[at : at + size] for at in range(0, len(body), size)]


def outcome(case, pieces):
    """What a case comes to."""
    if case.answer.status >= 300:
        return refusal(case.answer.status, case.answer.headers, b"".join(pieces), now=0.0)
    reader = reading(headers=case.answer.headers)
    try:
        for piece in pieces:
            reader.feed(piece)
        reader.close(None if reader.done or case.answer.end == "close" else LOST)
    except FlashError as error:
        error.partial = reader.partial(retries=0)
        return error
    return of_completion(reader.result(retries=0))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_answer_is_read_rightly_however_it_is_cut(case):
    """As it came, in one piece, in pieces of a few sizes: the right answer or the true error (S3, S12)."""
    body = b"".join(case.answer.segments)
    ways = [case.answer.segments, [body], *(segments(body, size) for size in (1, 7, 100))]
    assert [fault for pieces in ways for fault in faults(case, outcome(case, pieces))] == []


@pytest.mark.parametrize("case", [case for case in CASES if case.error is None], ids=str)
def test_an_answer_is_there_before_the_connection_ends(case):
    """Once the terminal event came nothing more is waited for; plain JSON ends with its body."""
    reader = reading(*case.answer.segments, headers=case.answer.headers)
    assert reader.done is reader.is_stream


AGENT = [
    reasoning("so ", "be it"),
    message("I ", "look: é😀"),
    call("f", '{"a": [1, "é"]}', call_id="c1"),
    call("g", "{}", call_id="c2"),
]
BODIES = {
    "as documented": b"".join(stream(AGENT, Way())),
    "no ends, no list": b"".join(stream(AGENT, Way(ends_parts=False, ends_items=False, lists="empty"))),
    "whole items alone": b"".join(stream(AGENT, Way(pieces=0, ends_parts=False, announces=False, lists="null"))),
    "no names": b"".join(stream([message("I look"), AGENT[2]], Way(names="nothing"))),
}


def held(answer):
    """What an answer holds of text, reasoning and calls."""
    if answer is None:
        return "", "", ()
    return answer.text, answer.reasoning, tuple((each.id, each.name, each.arguments) for each in answer.tool_calls)


@pytest.mark.parametrize("lost", [None, LOST], ids=["ended", "lost"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_cut_after_any_byte_leaves_what_came_before_it(body, lost):
    """Never a half answer that passes, and never less in ``partial`` than was handed out; each byte adds to it."""
    whole = held(completion(body))
    wrong, former = [], ("", "", ())
    for size in range(1, len(body)):
        reader = reading(body[:size])
        shown = "".join(delta.text for delta in reading().feed(body[:size]))
        try:
            reader.close(lost)
        except FlashError:
            partial = held(reader.partial(retries=0))
            grows = all(new.startswith(old) for old, new in zip(former[:2], partial[:2], strict=True))
            right = partial[0].startswith(shown) and grows and whole[0].startswith(partial[0])
            right = right and len(former[2]) <= len(partial[2]) <= len(whole[2])
            former = partial
        else:
            partial = held(reader.result(retries=0))
            right = partial == whole and json.loads(body[:size].rsplit(b"data: ", 1)[1])["type"] == "response.completed"
        wrong += [] if right else [size]
    assert wrong == []


def test_the_partial_answer_holds_each_event_that_came():
    """After each delta of the text the partial answer ends with it."""
    deltas = [event("output_text.delta", item_id="m", delta=text) for text in ("a", "b", "c")]
    partials = []
    for stop in range(1, 4):
        reader = reading(CREATED, *deltas[:stop])
        with pytest.raises(FlashError):
            reader.close(None)
        partials.append(reader.partial(retries=0).text)
    assert all(after.startswith(before) for before, after in pairwise(partials))
    assert partials[-1] == "abc"
