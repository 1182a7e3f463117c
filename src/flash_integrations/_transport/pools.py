"""The httpx clients that a process shares: one per gateway and the environment's TLS and proxy settings.

Async clients are kept per event loop as well, and closed when ``asyncio.run`` shuts that loop down.
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
_Key: TypeAlias = tuple[str, _Settings]
_LoopClients: TypeAlias = dict[_Key, tuple[httpx.AsyncClient, AsyncGenerator[None, None]]]
_lock = threading.Lock()
_contexts: dict[_Settings, ssl.SSLContext] = {}
_clients: dict[_Key, httpx.Client] = {}
_async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopClients] = WeakKeyDictionary()
_parents_clients: list[object] = []
_open_responses: WeakSet[httpx.Response] = WeakSet()


def _settings() -> _Settings:
    return tuple(map(os.environ.get, _VARIABLES))


def _new_client(kind: type[_Client], base_url: str, settings: _Settings) -> _Client:
    """Create a client to share.

    TLS contexts are cached, since reading the certificates takes 20 ms. Cookies are refused: they would be sent with
    the calls of other keys.

    Raises:
        ConfigurationError: the environment's certificates or proxy cannot be used.
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
        raise ConfigurationError(
            f"the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be used: {error}; "
            "correct or unset the variable"
        ) from error
    try:
        # The proxy was chosen above: httpx's own choice sends loopback through it, and stops at any it cannot use.
        url = None if proxy is None else proxy.url
        return kind(verify=verify, limits=_LIMITS, cookies=cookies, trust_env=False, proxy=url)
    except ImportError:
        raise ConfigurationError(
            f"the proxy {proxy} is a SOCKS proxy, which needs a package: pip install 'httpx[socks]'"
        ) from None
    except (ValueError, httpx.InvalidURL):  # whose text may hold the proxy's password
        raise ConfigurationError(f"the proxy {proxy} cannot be used: look for stray characters in its URL") from None


def shared_client(base_url: str) -> httpx.Client:
    """Return the process's client for a gateway, created at the first call."""
    key = (base_url, _settings())
    client = _clients.get(key)
    if client is None:
        new = _new_client(httpx.Client, *key)
        with _lock:
            client = _clients.setdefault(key, new)
    return client


async def shared_async_client(base_url: str) -> httpx.AsyncClient:
    """Return the running event loop's client for a gateway, created at the first call."""
    key = (base_url, _settings())
    loop = asyncio.get_running_loop()
    with _lock:
        if loop not in _async_clients:
            # Clients refer to their loop, which would keep a loop alive that was closed without a shut-down.
            for closed_loop in [known for known in _async_clients if known.is_closed()]:
                del _async_clients[closed_loop]
        clients = _async_clients.setdefault(loop, {})
    if key not in clients:
        client = _new_client(httpx.AsyncClient, *key)
        closer = _close_with_loop(clients, key)
        clients[key] = client, closer  # before the first await: the tasks of this loop share it
        await anext(closer)
    return clients[key][0]


async def _close_with_loop(clients: _LoopClients, key: _Key) -> AsyncGenerator[None, None]:
    """Close a client when its loop shuts down its asynchronous generators, as ``asyncio.run`` does at its end."""
    try:
        yield
    finally:
        client, _ = clients.pop(key)
        await client.aclose()


def _forget_connections() -> None:
    """In a forked child, start without clients: using or closing the parent's connections would break its calls."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _parents_clients.extend((dict(_clients), dict(_async_clients)))  # garbage collection would close them
    _clients.clear()
    _async_clients.clear()
    _open_responses.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_connections)


def close_at_exit(response: httpx.Response) -> None:
    """Close a response that is still open when the program ends, before the interpreter shuts down.

    A stream that was left early may be in a global variable until then; closed later, it crashes Python 3.13.0.
    """
    _open_responses.add(response)


@atexit.register
def _close_shared() -> None:
    for response in list(_open_responses):
        response.close()
    for client in _clients.values():
        client.close()
