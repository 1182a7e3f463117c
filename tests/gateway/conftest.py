"""A caller that speaks plain HTTP to a gateway, so that our own client is not its judge's witness."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager

import httpx
import pytest

from flash_integrations.testing import LocalGateway

PLAIN = "claude-sonnet-4-6"
STREAM_ONLY = "gpt-5.2"


class Caller:
    """Requests to one gateway."""

    def __init__(self, gateway, *, key=None):
        headers = {"authorization": f"Bearer {key or gateway.api_key}"}
        self.http = httpx.Client(base_url=gateway.base_url, headers=headers, timeout=60, trust_env=False)

    def post(self, path, body):
        return self.http.post(path, json=body)

    def chat(self, text="Hello", *, model=PLAIN, **body):
        """The response to a chat request."""
        return self.post("/chat/completions", chat_body(text, model=model, **body))

    def message(self, text="Hello", **body):
        """The message of a whole answer."""
        return self.chat(text, **body).json()["choices"][0]["message"]

    @contextmanager
    def streaming(self, text="Hello", *, model=STREAM_ONLY, **body):
        """The open response of a stream."""
        asked = chat_body(text, model=model, stream=True, **body)
        with self.http.stream("POST", "/chat/completions", json=asked) as response:
            yield response

    def events(self, text="Hello", **body):
        """What the events of a whole stream carry, ``[DONE]`` included."""
        with self.streaming(text, **body) as response:
            return [data for line in response.iter_lines() if (data := line.removeprefix("data: "))]

    def chunks(self, text="Hello", **body):
        """The chunks of a whole stream, parsed."""
        return [json.loads(data) for data in self.events(text, **body) if data != "[DONE]"]

    def content(self, text="Hello", **body):
        """The content of choice 0 of a stream."""
        return "".join(delta.get("content") or "" for delta in deltas(self.chunks(text, **body)))


def chat_body(text, *, model=PLAIN, messages=None, **body):
    """A chat request with one user message, or with those given."""
    return {"model": model, "messages": messages or [{"role": "user", "content": text}], **body}


def deltas(chunks, index=0):
    """The deltas of one choice."""
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"] if choice["index"] == index]


@contextmanager
def hang_up(gateway):
    """A streaming request on a bare socket, which is closed on leaving, whatever has come."""
    body = json.dumps(chat_body("x", model=STREAM_ONLY, stream=True)).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {gateway.api_key}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", httpx.URL(gateway.base_url).port)) as line:
        line.sendall(head.encode() + body)
        yield


@pytest.fixture
def hanging_up():
    """A caller that leaves in the middle."""
    return hang_up


@pytest.fixture
def gateway():
    """A gateway with its defaults."""
    with LocalGateway() as gateway:
        yield gateway


@pytest.fixture
def call(gateway):
    """A caller of it."""
    caller = Caller(gateway)
    with caller.http:
        yield caller


@pytest.fixture
def caller_of():
    """Makes callers of other gateways, and closes them."""
    callers = []

    def make(gateway, **params):
        callers.append(Caller(gateway, **params))
        return callers[-1]

    yield make
    for caller in callers:
        caller.http.close()
