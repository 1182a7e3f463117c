"""Error bodies, in every form gateways write them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.failures.error_body import MAX_MESSAGE, ErrorFacts, is_error, read, shorten

NESTED = {"error": {"message": "boom", "type": "t", "param": "p", "code": "c"}}
FACTS = ErrorFacts("boom", "c", "t", "p")

BODIES = {
    "nested": (NESTED, FACTS),
    "flat": ({"message": "boom", "type": "t", "param": "p", "code": "c"}, FACTS),
    "H12 detail": ({"detail": "boom"}, ErrorFacts("boom")),
    "H12 detail of FastAPI": (
        {"detail": [{"loc": ["body", "n"], "msg": "boom", "type": "t"}]},
        ErrorFacts("body.n: boom", type="t"),
    ),
    "H13 error is a text": ({"error": "boom"}, ErrorFacts("boom")),
    "error is a text, the message longer": ({"error": "Bad", "message": "boom"}, ErrorFacts("boom")),
    "error is a text, the message shorter": ({"error": "boom", "message": "no"}, ErrorFacts("boom")),
    "H14 flat, in capitals": ({"code": "INVALID_API_KEY", "message": "boom"}, ErrorFacts("boom", "INVALID_API_KEY")),
    "H15 list": (
        [{"error": {"code": 400, "message": "boom", "status": "INVALID_ARGUMENT"}}],
        ErrorFacts("boom", "INVALID_ARGUMENT", status=400),
    ),
    "errors as a list": ({"errors": [{}, {"message": "boom"}]}, ErrorFacts("boom")),
    "errors as texts": ({"errors": ["boom"]}, ErrorFacts("boom")),
    "H16 code empty": ({"error": {"message": "boom", "code": ""}}, ErrorFacts("boom")),
    "H16 code null": ({"error": {"message": "boom", "code": None}}, ErrorFacts("boom")),
    "H16 code a number": ({"error": {"message": "boom", "code": 1234}}, ErrorFacts("boom", "1234")),
    "H16 code a status": ({"error": {"message": "boom", "code": 429}}, ErrorFacts("boom", status=429)),
    "H16 code a status as text": ({"error": {"message": "boom", "code": "429"}}, ErrorFacts("boom", status=429)),
    "H16 only a status": ({"error": {"code": 429}}, ErrorFacts(status=429)),
    "code zero": ({"code": 0, "message": "boom"}, ErrorFacts("boom")),
    "H17 type 'None'": ({"error": {"message": "boom", "type": "None"}}, ErrorFacts("boom")),
    "E17 Responses": ({"type": "error", "code": "c", "message": "boom"}, ErrorFacts("boom", "c", "error")),
    "E17 Responses, failed": (
        {"type": "response.failed", "response": {"status": "failed", "error": {"code": "c", "message": "boom"}}},
        ErrorFacts("boom", "c", "response.failed"),
    ),
    "E18 Anthropic": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "boom"}},
        ErrorFacts("boom", type="overloaded_error"),
    ),
    "E19 MiniMax": (
        {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "boom"}},
        ErrorFacts("boom", "1008"),
    ),
    "E20 msg": ({"code": 401, "msg": "boom", "success": False}, ErrorFacts("boom", status=401)),
    "E21 details": ({"code": 400, "details": "boom"}, ErrorFacts("boom", status=400)),
    "reset_seconds": ({"error": {"message": "boom", "reset_seconds": 60}}, ErrorFacts("boom", reset_seconds=60.0)),
    "reset_seconds of 0": ({"error": {"message": "boom", "reset_seconds": 0}}, ErrorFacts("boom", reset_seconds=0.0)),
    "reset_seconds that is none": ({"error": {"message": "boom", "reset_seconds": 10**400}}, ErrorFacts("boom")),
    "JSON in the message": (
        {"error": {"message": json.dumps(NESTED), "type": "upstream_error"}},
        ErrorFacts("boom", "c", "upstream_error"),
    ),
    "OpenRouter's raw": (
        {"error": {"message": "Provider returned error", "code": 429, "metadata": {"raw": json.dumps(NESTED)}}},
        ErrorFacts("Provider returned error: boom", "c", "t", status=429),
    ),
    "a text": ("boom", ErrorFacts("boom")),
    "null": (None, ErrorFacts()),
    "a number": (7, ErrorFacts("7")),
    "empty": ({}, ErrorFacts()),
    "an empty list": ([], ErrorFacts()),
    "message of another type": ({"message": {"a": 1}, "code": "c"}, ErrorFacts(code="c")),
}


@pytest.mark.parametrize(("body", "facts"), BODIES.values(), ids=BODIES)
def test_every_form_says_what_it_says(body, facts):
    """Nested, flat, listed or wrapped: message, code, type and the rest are found."""
    assert read(body) == facts
    text = json.dumps(body)
    assert read(text.encode()) == (ErrorFacts(text) if text in ("null", "[]") else facts)


TEXTS = {
    "nothing": (b"", ErrorFacts()),
    "blanks": (b" \n ", ErrorFacts()),
    "H11 text": (b"error code: 524\n", ErrorFacts("error code: 524")),
    "H10 page": (
        b"<html>\r\n<head><title>502 Bad\nGateway</title></head><body>long</body></html>",
        ErrorFacts("502 Bad Gateway", is_page=True),
    ),
    "page without a title": (
        b"<!DOCTYPE html><style>p{}</style><p>Blocked &amp; gone</p><script>x('<p>')</script>",
        ErrorFacts("Blocked & gone", is_page=True),
    ),
    "page with an empty title": (b"<title></title><p>x</p>", ErrorFacts("x", is_page=True)),
    "page of an open script": (b"<p>x</p><script>secret", ErrorFacts("x", is_page=True)),
    "byte order mark": (b'\xef\xbb\xbf{"error":"boom"}', ErrorFacts("boom")),
    "blank lines first": (b'\n\n\n{"error":"boom"}', ErrorFacts("boom")),
    "a stream": (b': PING\n\nevent: error\ndata: {"error":{"message":"boom","code":"c"}}\n\n', ErrorFacts("boom", "c")),
    "text in a stream": (b"data: unexpected EOF\n\n", ErrorFacts("unexpected EOF")),
    "cut JSON": (b'{"error":{"message":"bo', ErrorFacts('{"error":{"message":"bo')),
    "E15 JSON broken by a quote": (
        b'{"error": {"type": "rate_limit_error", "message": "bad "quote" here"}}',
        ErrorFacts('bad "quote" here', type="rate_limit_error"),
    ),
    "E15 message first": (
        b'{"error": {"message": "a "b" c", "code": "429", "type": "t"}}',
        ErrorFacts('a "b" c', type="t"),
    ),
    "control characters": (b"a\x00\x1b[31mb\x7f", ErrorFacts("a [31mb")),
    "invalid UTF-8": (b"\xe4\xbd", ErrorFacts("\ufffd")),
    "half a character": (b'{"error":"\\ud83d"}', ErrorFacts("\ufffd")),
    "broken gzip": (b"\x1f\x8b" + b"x" * 30, None),
    "H20 id in the text": (b'{"error":"boom (request id: abc)"}', ErrorFacts("boom", request_id="abc")),
    "H20 id twice": (b'{"error":"boom (request id: a) (request id: b)"}', ErrorFacts("boom", request_id="a")),
}


@pytest.mark.parametrize(("body", "facts"), TEXTS.values(), ids=TEXTS)
def test_bytes_are_read_as_what_they_are(body, facts):
    """Pages lose their tags, broken JSON its frame, texts their control characters."""
    assert read(body) == facts or (facts is None and "gzip" in read(body).message)


def test_an_id_after_a_long_message_is_found():
    """H20: gateways append the id; a long message does not hide it."""
    assert read({"error": "x" * 3000 + " (request id: abc)"}).request_id == "abc"


def test_a_message_is_shown_short():
    """Long texts are cut with an ellipsis, short ones not."""
    assert [len(shorten("x" * size)) for size in (MAX_MESSAGE, MAX_MESSAGE + 1)] == [MAX_MESSAGE, MAX_MESSAGE]
    assert shorten("x" * 999).endswith("…")


DEEP = [
    b"[" * 900 + b"]" * 900,
    b'{"error":' * 900 + b"1" + b"}" * 900,
    b"[" * 100_000,
    b"<script>" * 50_000,
    b"<" * 500_000,
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "error errors message msg code type status status_code detail details loc param base_resp response "
                "metadata raw reset_seconds choices usage success object finish_reason".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("body", DEEP, ids=["lists", "objects", "open lists", "open tags", "brackets"])
def test_bodies_made_to_hurt_are_read(body):
    """Deep nesting and endless markup are read like anything else."""
    assert isinstance(read(body), ErrorFacts)


@given(JSON)
def test_any_json_is_read(body):
    """No JSON value raises, decoded, as bytes or as a text inside another."""
    for form in (body, json.dumps(body).encode(), {"error": {"message": json.dumps(body)}}):
        assert isinstance(read(form), ErrorFacts)


@given(st.binary() | st.text().map(lambda text: b"<" + text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read(body):
    """No bytes raise, and every message can be printed."""
    read(body).message.encode()


# --- an error in a 200 answer ---------------------------------------------------------------------------------------

CHUNK = {"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": None}]}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"error": {"message": "boom"}}, id="E8 nested"),
        pytest.param({"error": "boom"}, id="E12 a text"),
        pytest.param({**CHUNK, "error": {"code": 502}}, id="E13 beside choices"),
        pytest.param({"type": "error", "code": "c", "message": "boom"}, id="E17 Responses"),
        pytest.param({"type": "response.failed", "response": {}}, id="E17 Responses, failed"),
        pytest.param({"type": "error", "error": {"type": "overloaded_error"}}, id="E18 Anthropic"),
        pytest.param({"choices": None, "base_resp": {"status_code": 1008}}, id="E19 MiniMax"),
        pytest.param({**CHUNK, "base_resp": {"status_code": 1027}}, id="E19 beside choices"),
        pytest.param({"code": 401, "msg": "no", "success": False}, id="E20 flat"),
        pytest.param({"success": False}, id="E20 no success"),
        pytest.param({"code": 400, "details": "boom"}, id="E21 details"),
        pytest.param({"object": "error"}, id="E21 vLLM"),
        pytest.param({"detail": [{"msg": "boom"}]}, id="FastAPI"),
        pytest.param({"errors": ["boom"]}, id="errors"),
        pytest.param({"id": "req", "message": "boom"}, id="with an id"),
        pytest.param({"choices": None, "message": "boom"}, id="choices null"),
    ],
)
def test_errors_in_answers_are_known(body):
    """Every form of an error under 200 is told from a chunk."""
    assert is_error(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(CHUNK, id="a chunk"),
        pytest.param({**CHUNK, "error": None}, id="error null"),
        pytest.param({**CHUNK, "error": {"message": "", "code": None}}, id="error empty"),
        pytest.param({**CHUNK, "base_resp": {"status_code": 0}}, id="MiniMax, well"),
        pytest.param({**CHUNK, "message": "hi"}, id="a message beside choices"),
        pytest.param({"choices": [], "usage": {"total_tokens": 1}, "message": "hi"}, id="usage"),
        pytest.param({"choices": [], "prompt_filter_results": []}, id="Azure's first chunk"),
        pytest.param({"usage": {"total_tokens": 1}}, id="usage alone"),
        pytest.param({"type": "ping"}, id="F6 ping"),
        pytest.param({"type": "message_start", "message": {}}, id="an event of another protocol"),
        pytest.param({}, id="nothing"),
    ],
)
def test_chunks_are_no_errors(body):
    """What an answer is made of is never taken for an error."""
    assert not is_error(body)


@given(st.dictionaries(st.sampled_from(["error", "choices", "base_resp", "type", "message", "errors", "usage"]), JSON))
def test_any_object_is_an_error_or_none(body):
    """No object raises."""
    assert is_error(body) in (True, False)
