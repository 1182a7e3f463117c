"""Rows of docs/wire-quirks.md as bytes over a socket: errors inside answers (E), plain answers (N), reasoning (R).

Each row is an answer and what a whole-answer call must come to. Rows about framing, shapes, usage, tool calls, error
bodies and refused parameters are tested where they are solved, in ``tests/core``; the page says where.
"""

from __future__ import annotations

import gzip
import json
from functools import reduce
from operator import add

import pytest
from replay import DONE, USAGE, USAGE_EVENT, WHOLE, Answer, chunk, plain, refuse, replay

from flash_integrations import FlashClient, Provider, errors
from flash_integrations.langchain import ChatFlash
from flash_integrations.llama_index import FlashLLM

ROLE = chunk({"role": "assistant", "content": ""})
TEXT = chunk({"content": "Hello"})
STOP = chunk({}, "stop")
JSON = {"content-type": "application/json"}
MESSAGES = [{"role": "user", "content": "hi"}]


def sse(*events, end="close"):
    return Answer(events, end=end)


def body(value, **headers):
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Answer([content], headers=headers or JSON)


def data(value, event=""):
    name = f"event: {event}\n" if event else ""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{name}data: {text}\n\n".encode()


def error(message="boom", **more):
    return {"error": {"message": message, **more}}


INTERRUPTED, MALFORMED = errors.StreamInterruptedError, errors.MalformedResponseError

ENDS = [
    ("E1 cut, looks complete", sse(ROLE, TEXT, DONE), INTERRUPTED),
    ("E1 the same with usage", sse(ROLE, TEXT, USAGE_EVENT, DONE), INTERRUPTED),
    ("E2 clean end", sse(ROLE, TEXT), INTERRUPTED),
    ("E3 dropped inside the body", sse(ROLE, TEXT, end="drop"), INTERRUPTED),
    ("E4 dropped after the finish reason", sse(ROLE, TEXT, STOP, end="drop"), "Hello"),
    ("E4 reset after the finish reason", sse(ROLE, TEXT, STOP, end="reset"), "Hello"),
    ("E5 zero bytes", sse(), MALFORMED),
    ("E5 only [DONE]", sse(DONE), MALFORMED),
    ("E5 only pings", sse(b": PING\n\n", b": PING\n\n"), MALFORMED),
    ("E6 only usage", sse(USAGE_EVENT, DONE), MALFORMED),
    ("E7 finished without text", sse(ROLE, STOP, DONE), ""),
    ("E8 JSON error under 200", body(error()), errors.ServerError),
    ("E9 bare JSON after pings", sse(b": PING\n\n", json.dumps(error()).encode()), errors.ServerError),
    ("E10 event: error", sse(data(error(type="upstream_error"), "error")), errors.ServerError),
    ("E11 data error first", sse(data(error(code="429"))), errors.RateLimitError),
    ("E11 data error in the middle", sse(ROLE, TEXT, data(error(code="429"))), errors.RateLimitError),
    ("E12 string error", sse(data({"error": "boom"})), errors.ServerError),
    ("E13 error beside choices", sse(ROLE, TEXT, data({**error(), "choices": []})), errors.ServerError),
    ("E13 finish reason error", sse(ROLE, chunk({"content": "x"}, "error"), DONE), errors.ServerError),
    ("E14 plain text", sse(ROLE, data("unexpected EOF")), errors.ServerError),
    ("E15 broken JSON", sse(data('{"error": {"message": "bad "quote""}}', "error")), errors.ServerError),
    ("E16 event: error, plain", sse(data("boom", "error")), errors.ServerError),
    ("E17 Responses style", sse(data({"type": "error", "code": "x", "message": "boom"})), errors.ServerError),
    (
        "E18 Anthropic style",
        sse(data({"type": "error", **error(type="overloaded_error")}, "error")),
        errors.ServerError,
    ),
    (
        "E19 MiniMax's envelope",
        sse(data({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}})),
        errors.QuotaExceededError,
    ),
    ("E20 flat, with a code", body({"code": 401, "msg": "boom", "success": False}), errors.AuthenticationError),
    ("E20 flat, success false", body({"success": False, "message": "boom"}), errors.ServerError),
    ("E21 code and details", sse(data({"code": 400, "details": "boom"}, "error")), errors.BadRequestError),
    ("E21 object: error", sse(data({"object": "error", "message": "boom"})), errors.ServerError),
    ("E23 a page", body(b"<!doctype html><title>new-api</title>", **{"content-type": "text/html"}), MALFORMED),
    (
        "E24 data null, data array",
        sse(data("null"), ROLE, data(json.dumps([json.loads(TEXT[6:])])), STOP, DONE),
        "Hello",
    ),
    ("E25 an error late in a 200", sse(b": keep-alive\n\n" * 3, data(error(code=503))), errors.ServerError),
    ("E26 cut inside JSON", sse(ROLE, TEXT, b'data: {"choices":[{"del'), INTERRUPTED),
    ("N1 leading blank lines", body(b"\n\n\n" + plain().segments[0]), "Hello"),
    ("N2 a stream for a plain request", WHOLE, "Hello"),
    ("N2 the same, called JSON", Answer(WHOLE.segments, headers=JSON), "Hello"),
    ("N3 empty", body(b""), MALFORMED),
    ("N4 null", body(b"null"), MALFORMED),
    ("N5 error in 200", body(error("no such key", code="invalid_api_key")), errors.AuthenticationError),
    ("N5 string error in 200", body({"error": "boom"}), errors.ServerError),
    ("N6 choices null", body({"id": "c", "choices": None}), MALFORMED),
    ("N7 choices empty", body({"id": "c", "choices": []}), MALFORMED),
    ("N8 message null", body({"choices": [{"message": None, "finish_reason": "content_filter"}]}), ""),
    ("N9 content as a list", plain([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]), "Hello"),
    ("N10 minimal", body({"choices": [{"message": {"content": "Hello"}}]}), "Hello"),
    ("N12 BOM", body(b"\xef\xbb\xbf" + plain().segments[0]), "Hello"),
    ("N12 called a stream", Answer(plain().segments), "Hello"),
    ("N12 gzip", body(gzip.compress(plain().segments[0]), **{"content-encoding": "gzip"}), "Hello"),
    ("N13 cut", Answer([plain().segments[0][:60]], headers=JSON, end="drop"), errors.FlashError),
]
"""(row, answer, what it comes to: a text or a kind of error)"""


@pytest.mark.parametrize("row", ["plain", "all"])
@pytest.mark.parametrize(("name", "answer", "outcome"), ENDS, ids=[name for name, *_ in ENDS])
def test_an_answer_or_the_error_it_is(name, answer, outcome, row):
    """The text, or the kind of error with the gateway's own words, whether a stream was asked for or not."""
    stream = {"plain": "none", "all": "all"}[row]
    with replay(answer) as server:
        client = FlashClient(provider=Provider(row, stream=stream), base_url=server.base_url, max_retries=0)
        client.forget()
        if isinstance(outcome, str):
            assert client.chat(model="m", messages=MESSAGES).text == outcome
            return
        with pytest.raises(outcome) as caught:
            client.chat(model="m", messages=MESSAGES)
    if "boom" in repr(answer.segments):
        assert "boom" in str(caught.value)
    if TEXT in answer.segments:
        assert caught.value.partial.text == "Hello"


def langchain(url):
    return ChatFlash(model="m", base_url=url, max_retries=0).invoke("hi").text


def langchain_streamed(url):
    return reduce(add, ChatFlash(model="m", base_url=url, max_retries=0).stream("hi")).text


def llama_index(url):
    return FlashLLM(model="m", base_url=url, max_retries=0).complete("hi").text


def llama_index_streamed(url):
    return list(FlashLLM(model="m", base_url=url, max_retries=0).stream_complete("hi"))[-1].text


@pytest.mark.parametrize(
    "call", [langchain, langchain_streamed, llama_index, llama_index_streamed], ids=lambda call: call.__name__
)
@pytest.mark.parametrize(("name", "answer", "outcome"), ENDS, ids=[name for name, *_ in ENDS])
def test_the_adapters_come_to_the_same(name, answer, outcome, call):
    """Whole and streamed, both adapters give the text or raise the kind of error that the core does."""
    with replay(answer) as server:
        FlashClient(base_url=server.base_url).forget()
        if isinstance(outcome, str):
            assert call(server.base_url) == outcome
            return
        with pytest.raises(outcome):
            call(server.base_url)


def test_a_hollow_plain_answer_is_asked_for_again_as_a_stream():
    """N11: content null though tokens were counted is no answer; the stream is, and that is remembered."""
    hollow = plain(None)
    with replay(hollow, WHOLE) as server:
        client = FlashClient(provider=Provider("plain", stream="none"), base_url=server.base_url)
        client.forget()
        assert client.chat(model="m", messages=MESSAGES).text == "Hello"
        assert [sent.get("stream", False) for sent in server.bodies] == [False, True]
        assert client.learned() == {"m": {"stream": True}}


def test_refused_stream_options_are_left_out():
    """U12: asked again without them, once, and remembered."""
    with replay(refuse(400, "unknown field `stream_options`"), WHOLE) as server:
        client = FlashClient(base_url=server.base_url)
        client.forget()
        assert client.chat(model="m", messages=MESSAGES).usage == USAGE
        assert ["stream_options" in sent for sent in server.bodies] == [True, False]


@pytest.mark.parametrize("text", ["<think>\nhm\n</think>\nHello", "hm</think>Hello"])
def test_think_tags_are_left_in_the_text(text):
    """R4, R5: what the gateway calls content is content; nothing is guessed."""
    with replay(sse(ROLE, chunk({"content": text}), STOP, DONE)) as server:
        answer = FlashClient(base_url=server.base_url).chat(model="m", messages=MESSAGES)
    assert (answer.text, answer.reasoning) == (text, "")


def test_only_what_was_set_is_sent():
    """Q10, Q12: no nulls, no empty lists, and never another endpoint."""
    with replay(WHOLE) as server:
        FlashClient(base_url=server.base_url).chat(model="gpt-5.1-codex", messages=MESSAGES, stop=None, tools=[])
    options = {"stream": True, "stream_options": {"include_usage": True}}
    assert server.bodies == [{"model": "gpt-5.1-codex", "messages": MESSAGES, **options}]
    assert server.heads[0].startswith("POST /v1/chat/completions ")
