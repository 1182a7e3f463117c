"""The chat service over a real socket: events as they come, errors as events, and no request left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import httpx_sse
import pytest
import uvicorn
from chat_service import make_app

from flash_integrations import AsyncFlashClient

SCRIPT = Path(__file__).parents[2] / "examples" / "chat_service.py"
ASKED = {"messages": [{"role": "user", "content": "Hello"}]}


class Service:
    """The service in a thread, on a free port of this machine."""

    def __init__(self, app):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join()
        self.socket.close()


@pytest.fixture
def client(flash_gateway):
    params = {"provider": flash_gateway.provider, "api_key": flash_gateway.api_key, "max_retries": 0}
    return AsyncFlashClient(**params, rate_limit={"concurrent": 1})


@pytest.fixture
def url(client):
    with Service(make_app(client, model="gpt-5.2")) as service:
        yield f"{service.url}/chat"


def events(response):
    return [(each.event, json.loads(each.data)) for each in httpx_sse.EventSource(response).iter_sse()]


def test_tokens_come_as_events(url, flash_gateway):
    """Each piece of text is an event, and the last one tells the tokens used."""
    flash_gateway.script("你好，世界 one two")
    with httpx.stream("POST", url, json=ASKED) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        *tokens, last = events(response)
    assert {name for name, _ in tokens} == {"token"}
    assert len(tokens) > 5
    assert "".join(data["text"] for _, data in tokens) == "你好，世界 one two"
    assert last[0] == "done"
    assert last[1]["tokens"] > 0


def test_a_token_goes_on_before_the_next_is_there(url, flash_gateway):
    """What the gateway has sent reaches the caller while the rest of the answer is still held back."""
    flash_gateway.script("one two three")
    flash_gateway.fault(hold=1)
    with httpx.stream("POST", url, json=ASKED) as response:
        source = httpx_sse.EventSource(response).iter_sse()
        assert next(source).json() == {"text": "one"}
        assert flash_gateway.held == 1
        flash_gateway.release()
        assert [each.event for each in source] == ["token", "token", "done"]


def test_a_caller_that_leaves_ends_the_request(url, flash_gateway):
    """When the caller goes, the gateway's answer is cut off too, and its slot is free for the next caller."""
    flash_gateway.fault(hold=1)
    with httpx.stream("POST", url, json=ASKED) as response:
        next(httpx_sse.EventSource(response).iter_sse())
    assert flash_gateway.wait_idle()
    with httpx.stream("POST", url, json=ASKED) as response:
        assert events(response)[-1][0] == "done"


def test_an_error_is_an_event(url, flash_gateway):
    """A refusal is told with its kind and message; so is a stream that breaks, after its tokens."""
    flash_gateway.fault(401, message="Incorrect API key provided")
    flash_gateway.fault(cut=2, end="drop")
    with httpx.stream("POST", url, json=ASKED) as response:
        [(name, data)] = events(response)
    assert (name, data["kind"]) == ("error", "AuthenticationError")
    assert "Incorrect API key provided" in data["message"]
    with httpx.stream("POST", url, json=ASKED) as response:
        got = events(response)
    assert [name for name, _ in got] == ["token", "token", "error"]
    assert got[-1][1]["kind"] == "StreamInterruptedError"


@pytest.mark.parametrize("content", ["", "[]", "{}", "hello", '"text"'])
def test_what_is_no_question_is_told_so(url, content):
    """A body of another form is a 400 that shows the right one."""
    response = httpx.post(url, content=content)
    assert response.status_code == 400
    assert '{"messages": [' in response.json()["error"]


def test_callers_share_the_clients_limits(url, flash_gateway):
    """Two callers at once are one after the other at a gateway that allows one at a time."""
    flash_gateway.fault(hold="before_first_byte")
    threads = [threading.Thread(target=httpx.post, args=(url,), kwargs={"json": ASKED}) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert flash_gateway.wait_held()
    flash_gateway.release()
    for thread in threads:
        thread.join()
    assert len(flash_gateway.requests) == 2
    assert flash_gateway.peak == 1


@contextmanager
def script(**environment):
    """The script in a process of its own, what it told on starting, and its URL."""
    params, env = [sys.executable, str(SCRIPT), "--port", "0"], {**os.environ, **environment}
    with subprocess.Popen(params, stderr=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", env=env) as process:
        try:
            told = []
            while not (found := re.search(r"running on (http://127\.0\.0\.1:\d+)", told[-1] if told else "")):
                told.append(process.stderr.readline())
                assert told[-1], told
            yield process, told, f"{found[1]}/chat"
        finally:
            process.kill()


def test_the_script_serves_until_it_is_ended():
    """As a user starts it, without a key: it says whose answers these are, and gives them."""
    with script() as (process, told, url):
        response = httpx.post(url, json=ASKED)
        process.terminate()
        process.communicate(timeout=120)
    assert told[0].startswith("No FLASH_API_KEY is set")
    assert events(response)[-1][0] == "done"


def test_an_open_stream_does_not_keep_the_script_from_ending(flash_gateway):
    """On Ctrl-C an answer that does not end is broken off, without a traceback, and its request to the gateway too."""
    flash_gateway.fault(hold=1)
    with script(FLASH_BASE_URL=flash_gateway.base_url, FLASH_API_KEY=flash_gateway.api_key) as (process, _, url):
        with httpx.stream("POST", url, json=ASKED, timeout=120) as response:
            coming = response.iter_bytes()  # letting go of it would close the line
            assert b"token" in next(coming)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=120)
        assert "Traceback" not in errors
        assert flash_gateway.wait_idle()
