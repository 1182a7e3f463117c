"""Odd values anywhere in an answer: an answer, or one of our errors; and the deltas add up."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from response_stream import CREATED, end, event, read, reading

from flash_integrations._core.endpoints.responses.answer import ENDS
from flash_integrations._core.endpoints.responses.events import ResponseEvents
from flash_integrations._core.endpoints.responses.request import to_responses_body
from flash_integrations.errors import FlashError, InvalidRequestError

TYPES = [*ResponseEvents(model="m")._readers, *ENDS, "response.created", "response.content_part.added", "ping", ""]
ITEM_TYPES = ["message", "reasoning", "function_call", "custom_tool_call", "web_search_call", "image_generation_call"]
SCALARS = st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.sampled_from(["", "a", "{}", "{", "null"])
WORDS = st.sampled_from([*ITEM_TYPES, "output_text", "refusal", "summary_text", "url_citation", "completed", "failed"])
FIELDS = st.sampled_from(
    "type id call_id name arguments input content summary text refusal annotations status item part delta logprobs"
    " item_id output_index content_index summary_index sequence_number annotation start_index url_citation url role"
    " encrypted_content error message code incomplete_details reason usage input_tokens created_at model output"
    " result phase object response".split()
)
VALUES = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=12,
)
EVENTS = st.builds(
    lambda kind, fields: {**fields, "type": kind},
    st.sampled_from(TYPES) | VALUES,
    st.dictionaries(FIELDS, VALUES, max_size=6),
)


def framed(body):
    """An event as bytes."""
    return b"data: " + json.dumps(body).encode() + b"\n\n"


@settings(max_examples=120, deadline=None)
@given(st.lists(EVENTS, max_size=8))
def test_odd_events_are_an_answer_or_one_of_our_errors(events):
    """Whatever stands where: nothing else is raised, neither at the end nor for the partial answer."""
    reader = reading(CREATED)
    try:
        for body in events:
            reader.feed(framed(body))
        reader.close(None)
    except FlashError:
        partial = reader.partial(retries=0)
        assert partial is None or partial.as_dict()
    else:
        assert reader.result(retries=0).as_dict()


@settings(max_examples=120, deadline=None)
@given(st.lists(EVENTS.filter(lambda body: body["type"] not in list(ENDS)), max_size=8))
def test_the_deltas_of_odd_events_add_up(events):
    """The text, the reasoning and the refusal of the deltas are those of the completion."""
    try:
        deltas, answer = read(CREATED, *map(framed, events), end())
    except FlashError:
        return
    choice = answer.choices[0]
    summed = ["".join(getattr(delta, name) for delta in deltas) for name in ("text", "reasoning", "refusal")]
    assert summed == [choice.text, choice.reasoning, choice.refusal or ""]


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"role": WORDS | st.sampled_from(["user", "assistant", "tool"])}), max_size=3),
    st.dictionaries(
        st.sampled_from("content name tool_calls tool_call_id function_call refusal responses_output".split()), VALUES
    ),
    st.dictionaries(
        st.sampled_from(
            "tools tool_choice response_format reasoning text include web_search_options stream_options n stop".split()
        ),
        VALUES,
    ),
)
def test_odd_requests_are_turned_or_refused(messages, fields, params):
    """A body that the checks let pass comes out as a body, with a list of typed items; or it is our error."""
    messages = [message | fields for message in messages]
    body = {"model": "m", "messages": messages, **params}
    try:
        turned = to_responses_body(body)
    except InvalidRequestError:
        return
    assert all(isinstance(item["type"], str) for item in turned["input"])
    assert turned["store"] is False


def test_an_event_without_a_type_of_its_own_has_that_of_its_line():
    """Some write the type into the ``event`` line alone, and the JSON over several lines (S14)."""
    delta = b'event: response.output_text.delta\ndata: {"delta":\ndata: "a"}\n\n'
    assert read(CREATED, delta, event("completed"))[1].text == "a"
