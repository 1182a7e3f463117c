"""When an answer of ``/responses`` is one, and the errors it may be."""

from __future__ import annotations

import json

import pytest
from response_stream import CREATED, completion, end, event, message, reading, response

from flash_integrations._core.policy.backoff import is_passing
from flash_integrations.errors import (
    APIConnectionError,
    APITimeoutError,
    BadRequestError,
    ContentFilterError,
    ContextLengthError,
    FlashError,
    MalformedResponseError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)

DELTA = event("output_text.delta", item_id="m", delta="a")
ITEM = event("output_item.done", item=message("a", id="m"))
DONE = b"data: [DONE]\n\n"
LOST = APIConnectionError("lost")


def closed(*segments, lost=None, **params):
    """(the error that a body ends in, the partial answer)."""
    reader = reading(**params)
    try:
        for segment in segments:
            reader.feed(segment)
        reader.close(lost)
    except FlashError as error:
        return error, reader.partial(retries=0)
    pytest.fail("an answer, not an error")


@pytest.mark.parametrize("lost", [None, LOST])
@pytest.mark.parametrize("body", [[DELTA], [DELTA, ITEM], [DELTA, ITEM, DONE], [CREATED, DELTA]])
def test_without_a_terminal_event_an_answer_was_cut(body, lost):
    """Neither items that are done nor ``[DONE]`` nor a proper end of the body stand for it (S18)."""
    error, partial = closed(*body, lost=lost)
    assert isinstance(error, StreamInterruptedError)
    assert "before response.completed came" in str(error)
    assert partial.text == "a"


@pytest.mark.parametrize("lost", [None, LOST])
def test_a_handshake_alone_is_a_cut_answer_with_nothing_in_it(lost):
    """It may be sent again."""
    error, partial = closed(CREATED, event("in_progress", response={}), lost=lost)
    assert (type(error), partial, is_passing(error)) == (StreamInterruptedError, None, True)


def test_a_timeout_stays_one():
    """As on the chat wire."""
    error, partial = closed(CREATED, DELTA, lost=APITimeoutError("slow"))
    assert (type(error), partial.text) == (APITimeoutError, "a")


@pytest.mark.parametrize("body", [[DELTA, DONE], [DELTA, ITEM]])
def test_a_user_may_take_less_for_an_end(body):
    """``[DONE]``, or all items done, where no finish reason is required."""
    assert completion(*body, accepts_done=True).text == "a"
    assert isinstance(closed(DELTA, accepts_done=True)[0], StreamInterruptedError)
    assert isinstance(closed(DELTA, ITEM, accepts_done=True, lost=LOST)[0], StreamInterruptedError)


def test_nothing_is_read_behind_the_end():
    """Neither text nor errors nor pages; and a reset there takes nothing away (S17)."""
    reader = reading(DELTA, end(None), DELTA, b'data: {"error": {"message": "late"}}\n\n', DONE)
    assert reader.done
    reader.close(LOST)
    assert reader.result(retries=0).text == "a"


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(response([message("a")])),
        json.dumps(response([message("a")]), indent=1),
        json.dumps({"code": 0, "msg": "", "data": response([message("a")])}),
        json.dumps({"type": "response.completed", "response": response([message("a")])}),
        f"data: {json.dumps(response([message('a')]))}\n\n",
        json.dumps({"output": [message("a")]}),
    ],
)
def test_a_whole_response_object_is_the_answer(body):
    """Plain, in an envelope, or as the only event (S20)."""
    assert completion(body.encode()).text == "a"


def test_a_response_object_that_is_not_done_is_no_answer():
    """The user asked for it to be made in the background."""
    body = json.dumps({**response([]), "status": "queued"}).encode()
    assert isinstance(closed(body)[0], MalformedResponseError)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "nothing"),
        (b": ping\n\n: ping\n\n", "nothing"),
        (DONE, "only [DONE]"),
        (b"<html>no</html>", "an HTML page"),
        (event("output_item.added", item=None)[:30], "nothing"),
    ],
)
def test_where_nothing_began_there_is_no_answer(body, what):
    """The error says what came in its place."""
    error, partial = closed(body)
    assert isinstance(error, MalformedResponseError)
    assert what in str(error)
    assert partial is None


def failed(**error):
    """A ``response.failed`` event."""
    return event("failed", response={"id": "resp_1", "status": "failed", "error": error, "output": []})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (failed(code="context_length_exceeded", message="x"), ContextLengthError),
        (failed(message="Your input exceeds the context window of this model."), ContextLengthError),
        (failed(code="insufficient_quota", message="x"), QuotaExceededError),
        (failed(code="usage_not_included", message="x"), QuotaExceededError),
        (failed(code="server_error", message="x"), ServerError),
        (failed(code="vector_store_timeout", message="x"), ServerError),
        (failed(code="invalid_prompt", message="x"), BadRequestError),
        (failed(code="image_parse_error", message="x"), BadRequestError),
        (failed(code="image_content_policy_violation", message="x"), ContentFilterError),
        (failed(code="invalid_encrypted_content", message="x"), BadRequestError),
        (failed(message="The encrypted content gA could not be verified."), BadRequestError),
        (event("failed", response={"status": "failed", "error": None}), ServerError),
        (event("failed", response=None, error={"code": "bio_policy", "message": "x"}), BadRequestError),
        (event("failed"), ServerError),
        (event("error", error={"code": "invalid_prompt", "message": "x"}), BadRequestError),
        (event("completed", response={"status": "failed", "error": {"code": "invalid_prompt"}}), BadRequestError),
        (event("cancelled", response={"status": "cancelled"}), ServerError),
        (b'event: error\ndata: {"code": "invalid_prompt", "message": "x"}\n\n', BadRequestError),
        (b'data: {"type": "error", "error": {"code": "invalid_prompt", "message": "x"}}\n\n', BadRequestError),
        (b'data: {"type": "error", "status": 400, "message": "x"}\n\n', BadRequestError),
        (b'data: {"error": {"message": "x", "code": "rate_limit_exceeded"}}\n\n', RateLimitError),
        (b'{"error": {"message": "x", "code": "invalid_prompt"}}', BadRequestError),
        (
            json.dumps({**response([]), "status": "failed", "error": {"code": "invalid_prompt"}}).encode(),
            BadRequestError,
        ),
    ],
)
@pytest.mark.parametrize("before", [[], [CREATED, DELTA]], ids=["at once", "later"])
def test_an_error_inside_an_answer_is_told_by_its_code(body, kind, before):
    """In any of its forms; what had come is the partial answer."""
    if body[:1] == b"{" and before:
        body = b"data: " + body + b"\n\n"
    error, partial = closed(*before, body)
    assert type(error) is kind
    assert partial is None if not before else partial.text == "a"


def test_an_error_without_words_says_the_status():
    """And an error in an envelope is found."""
    assert "'cancelled'" in str(closed(event("cancelled", response={"status": "cancelled"}))[0])
    body = {"code": 0, "data": {**response([]), "status": "failed", "error": {"code": "bio_policy", "message": "no"}}}
    assert isinstance(closed(json.dumps(body).encode())[0], BadRequestError)


def test_a_limit_inside_an_answer_says_how_long():
    """In its words."""
    error, _ = closed(CREATED, failed(code="rate_limit_exceeded", message="Please try again in 1.2s."))
    assert (type(error), error.retry_after) == (RateLimitError, 1.2)


def test_an_overload_behind_the_handshake_is_like_a_503():
    """It may be sent again, and nothing had begun (S19)."""
    overload = b'data: {"type": "error", "code": "server_is_overloaded", "message": "x", "param": null}\n\n'
    error, partial = closed(CREATED, overload)
    assert (type(error), partial, is_passing(error)) == (ServerError, None, True)


def test_what_was_held_back_is_in_the_partial_answer():
    """A call's arguments that do not begin with a brace wait for their whole text."""
    item = {"type": "function_call", "id": "c", "call_id": "c1", "name": "f", "arguments": ""}
    body = [event("output_item.added", item=item), event("function_call_arguments.delta", item_id="c", delta="[1")]
    (held,) = closed(*body)[1].tool_calls
    assert (held.id, held.name, held.arguments) == ("c1", "f", "[1")


def test_signs_of_life_are_no_events():
    """The handshake and pings are heartbeats; progress of any kind is an event."""
    reader = reading(CREATED, b'data: {"type": "keepalive"}\n\n', b'data: {"type": "codex.rate_limits"}\n\n')
    assert (reader.events, reader.heartbeats) == (0, 3)
    reader.feed(event("web_search_call.searching", item_id="w") + DELTA)
    assert (reader.events, reader.heartbeats) == (2, 3)


def test_words_where_an_event_should_be_are_an_error():
    """A relay writes into the stream what went wrong."""
    assert isinstance(closed(DELTA, b"data: upstream connection lost\n\n")[0], ServerError)
