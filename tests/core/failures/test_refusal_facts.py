"""What a refusal tells beside its kind: message, ids, waits and hints (docs/wire-quirks.md, H1-H24)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.failures.error_mapping import BASE_URL_HINT, find_request_id, refusal
from flash_integrations.errors import APIStatusError


def refused(status, body=b"", **headers):
    """The error for an answer; header names with underscores, the body as bytes or as what JSON it holds."""
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False).encode()
    return refusal(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, now=0.0)


def nested(message, **error):
    """OpenAI's form of an error."""
    return {"error": {"message": message, **error}}


FULL = nested("boom (request id: abc)", type="t", code="c", param="p")


def test_an_error_carries_what_the_answer_told():
    """Message, status, code, type, parameter and request id are where callers look for them."""
    error = refused(400, FULL, x_request_id="r1")
    assert (error.message, error.status_code, error.code, error.type, error.param) == ("boom", 400, "c", "t", "p")
    assert (error.request_id, error.hint) == ("r1", None)
    assert str(error) == "boom (status 400, code c, request id r1)"


IDS = [
    "x-request-id",
    "x-oneapi-request-id",
    "x-litellm-call-id",
    "x-cpa-trace-id",
    "x-generation-id",
    "request-id",
    "cf-ray",
]


@pytest.mark.parametrize("name", IDS)
def test_the_request_id_is_found_in_any_gateways_header(name):
    """H20: each gateway names its id differently."""
    assert find_request_id({name: "r1"}) == "r1"
    assert refusal(500, {name: "r1"}, b"", now=0).request_id == "r1"


def test_the_first_known_header_has_the_id():
    """H20: the gateway's own id stands before the proxy's; an empty one does not count."""
    assert find_request_id({"cf-ray": "a", "x-request-id": "b"}) == "b"
    assert find_request_id({"cf-ray": "a", "x-request-id": ""}) == "a"
    assert find_request_id({}) is None


def test_the_request_id_is_found_in_the_text():
    """H20: where no header has it the message's own counts, and leaves the message."""
    error = refused(400, FULL)
    assert (error.request_id, error.message) == ("abc", "boom")


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (429, b"", "the gateway answered 429 Too Many Requests with no message"),
        (599, b"{}", "the gateway answered 599 with no message"),
        (200, nested(""), "the answer broke off with an error that has no message"),
        (502, b"<html><title>502 Bad Gateway</title></html>", "502 Bad Gateway"),
        (400, {"detail": "Stream must be set to true"}, "Stream must be set to true"),
    ],
)
def test_there_is_always_a_message(status, body, message):
    """H1, H10-H13: the gateway's words where it had any, else the status."""
    assert refused(status, body).message == message


def test_messages_are_short():
    """A page or a traceback is cut."""
    assert len(refused(500, nested("x" * 5000)).message) == 400


@pytest.mark.parametrize(
    ("status", "body", "named"),
    [
        (200, nested("x", code="502"), 502),
        (200, nested("x"), 200),
        (500, nested("x", code=429), 500),
        (200, nested("x", code=1008), 200),
    ],
)
def test_the_status_is_the_wires_or_the_one_an_answer_names(status, body, named):
    """E11, H16: an error inside a 200 answer has the status that its code names; a refusal has its own."""
    assert refused(status, body).status_code == named


@pytest.mark.parametrize(
    ("status", "body", "headers", "seconds"),
    [
        pytest.param(429, b"", {}, None, id="H2 nothing said"),
        pytest.param(429, b"", {"retry_after": "7"}, 7, id="H3 seconds"),
        pytest.param(429, b"", {"retry_after_ms": "1500"}, 1.5, id="H3 milliseconds"),
        pytest.param(429, b"", {"retry_after": "Thu, 01 Jan 1970 00:01:00 GMT"}, 60, id="H3 date"),
        pytest.param(429, b"", {"x_ratelimit_reset_requests": "1s"}, 1, id="H3 reset"),
        pytest.param(429, nested("x", code="model_cooldown", reset_seconds=60), {}, 60, id="H3 body"),
        pytest.param(429, nested("Please try again in 20s"), {}, 20, id="H3 text"),
        pytest.param(429, nested("Please retry after 86400 seconds."), {}, 86400, id="H3 Azure"),
        pytest.param(429, nested("Please retry in 26.5s."), {}, 26.5, id="H3 Gemini"),
        pytest.param(429, nested("Please wait 5s. Try again in 20s, at the latest."), {}, 5, id="H3 the first of two"),
        pytest.param(429, nested("请在 2 分钟后重试"), {}, 120, id="H3 Chinese"),
        pytest.param(503, b"", {"retry_after": "7"}, 7, id="a server's"),
        pytest.param(500, b"", {"x_ratelimit_reset_requests": "6m0s"}, None, id="a server's, of another thing"),
    ],
)
def test_how_long_to_wait_is_told_with_the_error(status, body, headers, seconds):
    """H3: retry_after is what the answer asks for, wherever it says so."""
    assert refused(status, body, **headers).retry_after == seconds


@pytest.mark.parametrize(
    ("status", "body", "headers", "hint"),
    [
        pytest.param(301, b"", {"location": "https://x.example/v1"}, "redirects to https://x.example/v1", id="H19"),
        pytest.param(307, b"", {}, "redirects to elsewhere", id="H19 nowhere"),
        pytest.param(403, b"<html>x</html>", {}, "default_headers", id="H21 page"),
        pytest.param(403, b"error code: 1010", {}, "default_headers", id="H21 code"),
        pytest.param(403, nested("Your request was blocked."), {}, "default_headers", id="H21 text"),
        pytest.param(402, b"", {}, "no credit left", id="quota"),
        pytest.param(404, nested("Invalid URL (POST /x)"), {}, BASE_URL_HINT, id="a path that is none"),
        pytest.param(404, b"<html>x</html>", {}, BASE_URL_HINT, id="a page"),
        pytest.param(524, b"error code: 524", {}, "force_stream=True", id="H11"),
        pytest.param(404, nested("The model `x` does not exist"), {}, None, id="no such model"),
        pytest.param(403, nested("no"), {}, None, id="plainly forbidden"),
        pytest.param(500, b"", {}, None, id="nothing to advise"),
    ],
)
def test_hints_say_what_to_do(status, body, headers, hint):
    """Where the cause is known, the error says what to change."""
    found = refused(status, body, **headers).hint
    assert found is None if hint is None else hint in found
    assert hint is None or str(refused(status, body, **headers)).endswith(found)


HEADERS = st.dictionaries(st.sampled_from(["retry-after", "x-request-id", "location", "retry-after-ms"]), st.text())


@given(st.integers(100, 999), HEADERS, st.binary() | st.from_regex(rb'\{"(error|message|code)":.{0,20}\}?'))
def test_any_answer_makes_an_error(status, headers, body):
    """No status, header or body raises anything of its own; the message is never empty and never long."""
    error = refusal(status, headers, body, now=0.0)
    assert isinstance(error, APIStatusError)
    assert 0 < len(error.message) <= 400
