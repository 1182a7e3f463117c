"""Proxies of the environment: which requests go through one, and whose failure a failure is said to be."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys

import pytest
from raw_server import serving, whole

from flash_integrations import AsyncFlashClient, FlashClient, errors
from flash_integrations._transport.proxies import environment_proxy

GATEWAY = "https://gateway.test/v1"
ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
PASSWORD = "proxy-made-up-password"


@pytest.fixture
def dead_port():
    """A port on which nobody answers: bound, and never listened to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def ask(mode, **params):
    """One chat call, in sync and async."""
    if mode == "sync":
        return FlashClient(api_key="k", max_retries=0, **params).chat(**ASK)
    return asyncio.run(AsyncFlashClient(api_key="k", max_retries=0, **params).chat(**ASK))


in_both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        (GATEWAY, {}, None),
        (GATEWAY, {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        (GATEWAY, {"https_proxy": "p:1"}, "http://p:1"),
        (GATEWAY, {"HTTP_PROXY": "http://p:1"}, None),
        (GATEWAY, {"HTTPS_PROXY": "http://p:1", "ALL_PROXY": "socks5://p:2"}, "http://p:1"),
        (GATEWAY, {"ALL_PROXY": "socks://p:2"}, "socks5://p:2"),
        (GATEWAY, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "gateway.test"}, None),
        (GATEWAY, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other.test, .test"}, None),
        (GATEWAY, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*.test"}, None),
        (GATEWAY, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        (GATEWAY, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "ateway.test"}, "http://p:1"),
        ("https://10.1.2.3:8000/v1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, None),
        ("https://10.1.2.3:8000/v1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.*"}, None),
        ("https://11.1.2.3/v1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8,10.*"}, "http://p:1"),
        ("http://127.0.0.1:8000/v1", {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "http://p:1"}, None),
        ("http://127.8.8.8:8000/v1", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://[::1]:8000/v1", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://localhost:8000/v1", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://new-api:3000/v1", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://0x08080808/v1", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
    ],
)
def test_which_proxy_a_request_goes_through(monkeypatch, url, environment, expected):
    """The one of its scheme, else of all; none to this machine, to names without a dot, and to what NO_PROXY names."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    proxy = environment_proxy(url)
    assert (proxy and proxy.url) == expected


@in_both_modes
def test_loopback_is_reached_past_every_proxy(monkeypatch, dead_port, mode):
    """A gateway on this machine answers in a shell whose proxies could not find it."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{dead_port}")
    monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{dead_port}")  # which httpx could not even load
    with serving(whole) as server:
        assert ask(mode, base_url=server.base_url).text == "Hello"


@in_both_modes
def test_a_proxy_that_is_not_there_is_named(monkeypatch, dead_port, mode):
    """Its address, its variable and what to do, without its password; the gateway is not said to be at fault."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{dead_port}")
    with pytest.raises(errors.APIConnectionError) as caught:
        ask(mode, base_url=GATEWAY)
    said = str(caught.value)
    assert said.startswith(f"cannot connect to the proxy http://127.0.0.1:{dead_port} (HTTPS_PROXY) on the way to ")
    assert GATEWAY in said
    assert "NO_PROXY" in said
    assert PASSWORD not in said


@in_both_modes
@pytest.mark.parametrize("answer", [b"407 Proxy Authentication Required", b"502 Bad Gateway"])
def test_what_a_proxy_refuses_is_said_to_be_its_doing(monkeypatch, mode, answer):
    """A tunnel that is not opened is the proxy's failure, told with its own words."""

    def refuse(line):
        line.request()
        line._socket.sendall(b"HTTP/1.1 " + answer + b"\r\ncontent-length: 0\r\n\r\n")

    with serving(refuse) as proxy:
        address = proxy.base_url.removeprefix("http://").removesuffix("/v1")
        monkeypatch.setenv("https_proxy", f"http://user:{PASSWORD}@{address}")
        with pytest.raises(errors.APIConnectionError) as caught:
            ask(mode, base_url=GATEWAY)
    said = str(caught.value)
    assert said.startswith(f"the proxy http://{address} (https_proxy) on the way to {GATEWAY} failed: ")
    assert answer.decode() in said
    assert PASSWORD not in said


@in_both_modes
def test_a_proxy_that_wants_a_password_is_told_on_plain_http_too(monkeypatch, mode):
    """407 is the proxy's status, never the gateway's refusal of the request."""
    with serving(lambda line: (line.request(), line.answer(b"", status=407))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url.removesuffix("/v1"))
        with pytest.raises(errors.APIConnectionError, match="it needs a user and a password"):
            ask(mode, base_url="http://gateway.test/v1", allow_http=True)


@in_both_modes
def test_a_tunnel_that_breaks_names_the_proxy(monkeypatch, mode):
    """Where the connection is lost behind an open tunnel, both ends are named."""

    def break_off(line):
        line.request()
        line._socket.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        line._socket.recv(1)

    with serving(break_off) as proxy:
        address = proxy.base_url.removesuffix("/v1")
        monkeypatch.setenv("HTTPS_PROXY", address)
        with pytest.raises(errors.APIConnectionError, match=f"{GATEWAY} through the proxy {address}"):
            ask(mode, base_url=GATEWAY)


@pytest.mark.parametrize("value", [f"ftp://u:{PASSWORD}@p:1", f"http://u:{PASSWORD}@p:none", "http://"])
def test_a_variable_that_names_no_proxy_is_refused(monkeypatch, value):
    """The error names the variable and shows no password."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(errors.ConfigurationError, match="HTTPS_PROXY") as caught:
        ask("sync", base_url=GATEWAY)
    assert PASSWORD not in str(caught.value)


def test_a_proxy_shows_its_password_nowhere(monkeypatch):
    """Neither its repr nor its text."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://u:{PASSWORD}@p:1")
    assert PASSWORD not in f"{environment_proxy(GATEWAY)} {environment_proxy(GATEWAY)!r}"


def test_the_demo_runs_in_a_shell_with_a_proxy(dead_port):
    """The local gateway is found in a new process with a proxy in every variable."""
    environment = dict(os.environ)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        environment[name] = f"http://127.0.0.1:{dead_port}"
    command = [sys.executable, "-m", "flash_integrations.cli", "demo"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 of 10 requests" in " ".join(done.stdout.split()), done.stdout
