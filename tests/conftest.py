"""What every test may rely on: no key or proxy from the shell, and no network but loopback."""

from __future__ import annotations

import ipaddress
import os
import re
import sys

import pytest
from hypothesis import HealthCheck, settings

from flash_integrations import catalogue
from flash_integrations._core.policy.learned import LearnedQuirks
from flash_integrations._transport.process import process

# Their failures show both sides, as a test's own do.
for _module in ("assembling", "llm_contract", "outcomes"):
    pytest.register_assert_rewrite(_module)

# Property-based tests: the same examples on every run, and no clock, so that a slow machine fails nothing.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")

# What the package, its peers and httpx read. The settings of the integration tests' own model server stay.
_OUTSIDE = re.compile(
    r"(?!FLASH_MODELS?_)(?:FLASH|OPENAI|SUPERTOKEN|FLOXAI|UNIAPI|AZURE_OPENAI|LANGCHAIN|LANGSMITH|LANGGRAPH)_\w+"
    r"|(?:HTTP|HTTPS|ALL|NO)_PROXY|SSL_CERT_(?:FILE|DIR)",
    re.IGNORECASE,
)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    """Hide the shell's keys, gateways, traces and proxies."""
    for name in filter(_OUTSIDE.fullmatch, list(os.environ)):
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _own_catalogue(monkeypatch):
    """What a test registers is gone after it."""
    monkeypatch.setattr(catalogue, "_providers", catalogue._providers)


@pytest.fixture(autouse=True)
def _nothing_learned(monkeypatch):
    """What gateways taught in another test is not known here: servers come and go on the same ports."""
    monkeypatch.setattr(process, "quirks", LearnedQuirks())


def _is_loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    if host in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _loopback_only(event: str, args: tuple) -> None:
    """Stop a look-up of, or a connection to, anything that is not this machine."""
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event == "socket.connect" and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    if not _is_loopback(host):
        # No OSError: a client must not take it for a broken line and try again.
        raise RuntimeError(f"tests reach loopback only, not {host!r}")


# An audit hook sees every thread and every library, and replaces nothing. It stays for the life of the process.
sys.addaudithook(_loopback_only)
