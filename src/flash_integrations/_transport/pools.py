"""Transports that the process shares: one per gateway and TLS or proxy settings.

Asynchronous ones belong to their event loop besides, and are closed when ``asyncio.run`` shuts the loop down.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import ssl
import threading
from collections.abc import AsyncGenerator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeAlias, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import httpx

from ..errors import ConfigurationError
from .proxies import environment_proxy

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0)
_ENVIRONMENT = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
_VARIABLES = (*_ENVIRONMENT, *map(str.lower, _ENVIRONMENT))

_Client = TypeVar("_Client", httpx.Client, httpx.AsyncClient)
_Settings: TypeAlias = tuple[str | None, ...]
_Place: TypeAlias = tuple[str, _Settings]
_Here: TypeAlias = dict[_Place, tuple[httpx.AsyncClient, AsyncGenerator[None, None]]]
_lock = threading.Lock()
_contexts: dict[_Settings, ssl.SSLContext] = {}
_clients: dict[_Place, httpx.Client] = {}
_async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _Here] = WeakKeyDictionary()
_left_behind: list[object] = []
_answers: WeakSet[httpx.Response] = WeakSet()


def _settings() -> _Settings:
    return tuple(map(os.environ.get, _VARIABLES))


def _make(kind: type[_Client], base_url: str, settings: _Settings) -> _Client:
    """A transport to share.

    Reading the certificates takes 20 ms, so TLS contexts are kept. Cookies are not: they would go from one key's calls
    to another's.
    """
    verify: ssl.SSLContext | bool = False
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    proxy = environment_proxy(base_url)
    try:
        if not base_url.startswith("http:") or proxy is not None:
            with _lock:
                if settings not in _contexts:
                    _contexts[settings] = httpx.create_ssl_context()
                verify = _contexts[settings]
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the environment's certificate settings cannot be used: {error}") from error
    try:
        # The proxy was chosen above: httpx's own choice sends loopback through it, and stops at any it cannot use.
        url = None if proxy is None else proxy.url
        return kind(verify=verify, limits=_LIMITS, cookies=cookies, trust_env=False, proxy=url)
    except ImportError:
        raise ConfigurationError(
            f"the proxy {proxy} speaks SOCKS, which wants a package: install httpx[socks]"
        ) from None
    except (ValueError, httpx.InvalidURL):  # whose text may hold the proxy's password
        raise ConfigurationError(f"the proxy {proxy} cannot be used: look for stray characters in its URL") from None


def shared_client(base_url: str) -> httpx.Client:
    """The process's blocking transport for a gateway."""
    place = (base_url, _settings())
    client = _clients.get(place)
    if client is None:
        fresh = _make(httpx.Client, *place)
        with _lock:
            client = _clients.setdefault(place, fresh)
    return client


async def shared_async_client(base_url: str) -> httpx.AsyncClient:
    """The running loop's transport for a gateway."""
    place = (base_url, _settings())
    loop = asyncio.get_running_loop()
    with _lock:
        if loop not in _async_clients:
            # Transports refer to their loop, so that it would stay for ever once it was closed without a shut-down.
            for old in [client for client in _async_clients if client.is_closed()]:
                del _async_clients[old]
        here = _async_clients.setdefault(loop, {})
    if place not in here:
        client = _make(httpx.AsyncClient, *place)
        keeper = _close_with_loop(here, place)
        here[place] = client, keeper  # before the first await: the tasks of this loop share it
        await anext(keeper)
    return here[place][0]


async def _close_with_loop(here: _Here, place: _Place) -> AsyncGenerator[None, None]:
    """Closes a transport when its loop shuts down its asynchronous generators, as ``asyncio.run`` does at its end."""
    try:
        yield
    finally:
        client, _ = here.pop(place)
        await client.aclose()


def _forget_connections() -> None:
    """In a forked child: the parent's connections, locks and loops are not ours to use or to close."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _left_behind.extend((dict(_clients), dict(_async_clients)))  # so that nobody collects, and thereby closes, them
    _clients.clear()
    _async_clients.clear()
    _answers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_connections)


def close_at_exit(answer: httpx.Response) -> None:
    """Have an answer that is still open when the program ends closed before the interpreter is taken down.

    A stream that was left early may lie in a variable until then, and httpx's closing of it crashes Python 3.13.0.
    """
    _answers.add(answer)


@atexit.register
def _close_shared() -> None:
    for answer in list(_answers):
        answer.close()
    for client in _clients.values():
        client.close()
