"""The key: in no log, error, traceback or repr, and asked for once a request."""

from __future__ import annotations

import json
import logging
import traceback

import pytest
from replay import DONE, WHOLE, Answer, chunk, refuse, replay

from flash_integrations import AsyncFlashClient, FlashClient, errors

KEY = "sk-made-up-0123456789"
AT_ONCE = {"content-type": "application/json", "retry-after": "0"}


def echoing(status, text="Incorrect API key provided: "):
    """A refusal that repeats the key."""
    body = json.dumps({"error": {"message": text + KEY, "code": f"bad {KEY}", "type": KEY}}).encode()
    return Answer([body], status, AT_ONCE)


ANSWERS = {
    "a good one": [WHOLE],
    "a refusal": [echoing(401)],
    "a failure, sent again": [echoing(500), WHOLE],
    "a lesson": [echoing(400, "streaming is not supported "), WHOLE],
    "an error in the stream": [Answer([chunk({"content": "a"}), b"data: " + echoing(200).segments[0] + b"\n\n", DONE])],
    "a page": [Answer([f"<html><title>{KEY}</title></html>".encode()])],
    "a broken line": [Answer([b"data: {"], end="drop")],
}


def shown(error):
    """All that an error shows of itself, its causes included."""
    return "".join([*traceback.format_exception(error), repr(error), repr(vars(error)), repr(error.args)])


@pytest.mark.parametrize("source", [KEY, lambda: KEY], ids=["text", "function"])
@pytest.mark.parametrize("answers", ANSWERS)
def test_a_key_shows_nowhere(calls, caplog, answers, source):
    """At the lowest level of every logger, httpx's and httpcore's too, and in whatever error comes of it."""
    caplog.set_level(logging.DEBUG)
    texts = []
    with replay(*ANSWERS[answers]) as server:
        client = FlashClient(base_url=server.base_url, api_key=source, max_retries=len(ANSWERS[answers]) - 1)
        for verb in (calls.chat, calls.stream):
            try:
                verb(client)
            except errors.FlashError as error:
                texts.append(shown(error))
        sent = server.heads[0]
    assert f"authorization: bearer {KEY}" in sent.lower()
    assert caplog.records
    assert KEY not in caplog.text
    assert [text for text in texts if KEY in text] == []


def test_a_key_in_an_answers_headers_does_not_reach_the_error(calls):
    """Neither by a redirect's target nor by the id of the request."""
    headers = {"location": f"https://elsewhere.test/?key={KEY}", "x-request-id": KEY}
    with replay(Answer([b""], 302, headers)) as server, pytest.raises(errors.APIStatusError) as caught:
        calls.chat(FlashClient(base_url=server.base_url, api_key=KEY))
    assert "https://elsewhere.test" in str(caught.value)
    assert KEY not in shown(caught.value)


@pytest.mark.parametrize("kind", [FlashClient, AsyncFlashClient])
def test_a_client_does_not_show_its_key(kind):
    """Its repr names row and URL; its attributes hide the key."""
    client = kind(provider="openai", api_key=KEY)
    assert repr(client) == f"{kind.__name__}(provider='openai', base_url='https://api.openai.com/v1')"
    assert KEY not in repr(vars(client))
    assert KEY not in repr(client.stream_chat(model="m", messages=[{"role": "user", "content": "Hi"}]))


def test_a_key_is_asked_for_once_a_request(calls):
    """A function that gives the key is called for each sending, re-sends included, and no more."""
    given = []

    def rotate():
        given.append(f"sk-{len(given)}-made-up")
        return given[-1]

    with replay(Answer(refuse(503).segments, 503, AT_ONCE), WHOLE) as server:
        calls.chat(FlashClient(base_url=server.base_url, api_key=rotate))
        sent = [
            line for head in server.heads for line in head.split("\r\n") if line.lower().startswith("authorization")
        ]
    assert [line.partition(": ")[2] for line in sent] == [f"Bearer {key}" for key in given]
    assert len(given) == 2


async def test_an_async_function_gives_the_key():
    """A coroutine function is awaited, within the time the call has."""

    async def ask():
        return KEY

    with replay(WHOLE) as server:
        client = AsyncFlashClient(base_url=server.base_url, api_key=ask)
        assert (await client.chat(model="m", messages=[{"role": "user", "content": "Hi"}])).text == "Hello"
        assert f"bearer {KEY}" in server.heads[0].lower()


def test_an_async_function_is_told_to_blocking_calls():
    """The error says which methods can call it; nothing is sent."""

    async def ask():
        return KEY

    with replay(WHOLE) as server:
        client = FlashClient(base_url=server.base_url, api_key=ask)
        with pytest.raises(errors.ConfigurationError, match="only the async methods can call it"):
            client.chat(model="m", messages=[{"role": "user", "content": "Hi"}])
        assert server.heads == []


def test_a_missing_key_is_told_before_anything_is_sent(calls):
    """At the first call, not in the constructor, with the variable's name and the row."""
    client = FlashClient(provider="supertoken")
    with pytest.raises(errors.ConfigurationError, match="set SUPERTOKEN_API_KEY") as caught:
        calls.chat(client)
    assert caught.value.provider == "supertoken"


@pytest.mark.parametrize("headers", [{"X": "a\nb"}, {"X": "ключ"}, {"X": 7}, {"X Y": KEY}])
def test_headers_that_http_cannot_carry_are_told(calls, headers):
    """As an error of the set-up that does not show what was in them."""
    with replay(WHOLE) as server:
        client = FlashClient(base_url=server.base_url, default_headers=headers)
        with pytest.raises(errors.ConfigurationError, match="header") as caught:
            calls.chat(client)
        assert KEY not in shown(caught.value)
        assert server.heads == []
