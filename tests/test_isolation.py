"""The tests' own walls: nothing outside this machine is reached, nothing of the shell is seen."""

from __future__ import annotations

import os
import socket
import threading

import pytest


def test_a_look_up_of_another_host_is_stopped():
    """No test resolves a name other than this machine's."""
    with pytest.raises(RuntimeError, match="loopback only"):
        socket.getaddrinfo("example.com", 443)


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80, 0, 0)])
def test_a_connection_to_another_host_is_stopped(address):
    """No test connects to another machine."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as line, pytest.raises(RuntimeError, match="loopback only"):
        line.connect(address)


def test_threads_stand_behind_the_same_wall():
    """The wall holds in threads that a test starts."""
    seen = []

    def look_up():
        try:
            socket.getaddrinfo("example.com", 443)
        except RuntimeError as error:
            seen.append(error)

    thread = threading.Thread(target=look_up)
    thread.start()
    thread.join()
    assert len(seen) == 1


def test_loopback_is_open():
    """A test may serve and call on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_keys_and_proxies_of_the_shell_are_hidden():
    """A key, a gateway or a proxy in the shell changes no test."""
    hidden = ("FLASH_API_KEY", "FLASH_PROVIDER", "OPENAI_API_KEY", "HTTPS_PROXY", "all_proxy", "LANGSMITH_TRACING")
    assert [name for name in hidden if name in os.environ] == []
