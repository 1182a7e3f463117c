"""The model server itself, without anything of ours before it."""

from __future__ import annotations

import os
import sys

import httpx
import pytest

from .model_packages import NotAvailable
from .model_server import Server

DIES_AT_WORK = """
import http.server, os, signal

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        os.kill(os.getpid(), signal.SIGILL)

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""
"""A server like one that was built for another processor: healthy until its model has to work."""


class Program(Server):
    """A Python program in a model server's place."""

    def __init__(self, log, source):
        super().__init__(log=log, environment=dict(os.environ))
        self.source = source

    def command(self):
        return [sys.executable, "-c", self.source]

    def first_request(self):
        return "/v1/chat/completions", {}


def test_the_real_model_answers(model_server):
    """The server answers a plain request under the model's name, with text and usage."""
    body = {"model": model_server.model, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 20}
    headers = {"Authorization": f"Bearer {model_server.api_key}"}
    answer = httpx.post(f"{model_server.base_url}/chat/completions", json=body, headers=headers, timeout=60).json()
    assert answer["choices"][0]["message"]["content"].strip()
    assert answer["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize(
    ("source", "how"),
    [
        (DIES_AT_WORK, "was ended by SIGILL"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "was ended by SIGILL"),
        ("import sys; print('no such library'); sys.exit(3)", "(?s)ended with exit code 3.*no such library"),
    ],
    ids=["at its first request", "at its start", "without a signal"],
)
def test_a_server_that_dies_is_named_as_such(tmp_path, source, how):
    """Entering says how the server ended, and the end of its log, before any test has asked it."""
    with pytest.raises(NotAvailable, match=f"the server {how}" if how[0] != "(" else how):
        Program(tmp_path / "log", source).__enter__()


def test_a_server_that_dies_later_tells_how(tmp_path):
    """What the tests are ended with: nothing while it lives, the signal once it is dead."""
    server = Program(tmp_path / "log", DIES_AT_WORK)
    server.first_request = lambda: None
    with server as endpoint:
        assert server.death() is None
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{endpoint.base_url}/chat/completions", timeout=60)
        server._process.wait(60)
        assert "was ended by SIGILL" in server.death()
