"""The only place of the library that touches httpx: shared transports, and the two ports that carry commands out.

Transports are shared by the process, one per gateway and TLS/proxy settings; asynchronous ones belong to their event
loop besides, and are closed when ``asyncio.run`` shuts the loop down. Who brings an httpx client of his own keeps it.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import socket
import ssl
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from ._core.flow import Head, Read, Send, Sleep
from ._watchdog import Watch
from .endpoint import Endpoint
from .errors import APIConnectionError, APITimeoutError, ConfigurationError, FlashError

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0)
_ENVIRONMENT = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")

_Settings = tuple[str | None, ...]
_lock = threading.Lock()
_contexts: dict[_Settings, ssl.SSLContext] = {}
_clients: dict[tuple[str, _Settings], httpx.Client] = {}
_async_clients: WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[tuple[str, _Settings], tuple[httpx.AsyncClient, AsyncGenerator[None, None]]]
] = WeakKeyDictionary()


def _settings() -> _Settings:
    return tuple(os.environ.get(name) or os.environ.get(name.lower()) for name in _ENVIRONMENT)


def _verify(base_url: str, settings: _Settings) -> ssl.SSLContext | bool:
    """The TLS context for a gateway; reading the certificates takes 20 ms, so it is kept."""
    if base_url.startswith("http:") and not any(settings):
        return False
    with _lock:
        if settings not in _contexts:
            _contexts[settings] = httpx.create_ssl_context()
        return _contexts[settings]


def shared_client(base_url: str) -> httpx.Client:
    """The process's blocking transport for a gateway."""
    place = (base_url, _settings())
    client = _clients.get(place)
    if client is None:
        fresh = httpx.Client(verify=_verify(*place), limits=_LIMITS)
        with _lock:
            client = _clients.setdefault(place, fresh)
    return client


async def shared_async_client(base_url: str) -> httpx.AsyncClient:
    """The running loop's transport for a gateway."""
    place = (base_url, _settings())
    loop = asyncio.get_running_loop()
    with _lock:
        here = _async_clients.setdefault(loop, {})
    if place not in here:
        client = httpx.AsyncClient(verify=_verify(*place), limits=_LIMITS)
        keeper = _close_with_loop(client)
        here[place] = client, keeper  # before the first await: tasks of this loop share it
        await anext(keeper)
    return here[place][0]


async def _close_with_loop(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    """Closes the transport when the loop shuts down its asynchronous generators, as ``asyncio.run`` does at its end."""
    try:
        yield
    finally:
        await client.aclose()


def _forget_connections() -> None:
    """In a forked child: the parent's connections, locks and loops are not ours to use or to close."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _clients.clear()
    _async_clients.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_connections)


@atexit.register
def _close_shared() -> None:
    for client in _clients.values():
        client.close()


def translate(error: Exception, url: str) -> FlashError:
    """Our error for one of httpx's."""
    said = str(error) or type(error).__name__
    match error:
        case httpx.PoolTimeout() | httpx.ConnectTimeout():
            return APITimeoutError(f"no connection to {url} within the time allowed", reached=False)
        case httpx.TimeoutException():
            return APITimeoutError(f"{url} did not answer within the time allowed")
        case httpx.ConnectError():
            return APIConnectionError(f"cannot connect to {url}: {said}", reached=False)
        case httpx.ProxyError():
            return APIConnectionError(f"the proxy before {url} failed: {said}", reached=False)
        case httpx.LocalProtocolError():
            # httpx's own words would show the header, and with it perhaps the key.
            return ConfigurationError(f"the request to {url} is not valid HTTP: look for stray characters in headers")
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return ConfigurationError(f"{url} is not a URL to send to: {said}")
        case _:
            return APIConnectionError(f"the connection to {url} broke: {said}")


class _Port:
    """What both ports share: how a request is made, and what an answer's head is."""

    def __init__(self, endpoint: Endpoint, headers: Mapping[str, str], query: Mapping[str, Any]) -> None:
        self._endpoint = endpoint
        self._headers = headers
        self._query = query
        self.result: Any = None
        """What the flow returned."""

    def _request(self, client: httpx.Client | httpx.AsyncClient, command: Send) -> httpx.Request:
        left = None if command.deadline is None else max(0.001, command.deadline - time.monotonic())
        connect = command.connect if left is None or command.connect is None else min(command.connect, left)
        headers = {
            "accept": "text/event-stream" if command.streamed else "application/json",
            # Compressed streams are held back by proxies until they end.
            "accept-encoding": "identity" if command.streamed else "gzip",
            "user-agent": "flash-integrations",
        }
        if command.content is not None:
            headers["content-type"] = "application/json"
        headers |= {name.lower(): value for name, value in {**self._headers, **command.headers}.items()}
        return client.build_request(
            "GET" if command.content is None else "POST",
            self._endpoint.base_url + command.path,
            content=command.content,
            headers=headers,
            params={**self._query, **command.query} or None,
            timeout=httpx.Timeout(connect=connect, read=left, write=left, pool=None),
        )

    @staticmethod
    def _head(response: httpx.Response) -> Head:
        return Head(response.status_code, {name.lower(): value for name, value in response.headers.items()})

    def _timed_out(self) -> APITimeoutError:
        return APITimeoutError(f"{self._endpoint.base_url} sent nothing of use within the time allowed")


class SyncPort(_Port):
    """Carries commands out, blocking."""

    def __init__(
        self, endpoint: Endpoint, headers: Mapping[str, str], query: Mapping[str, Any], client: httpx.Client | None
    ) -> None:
        super().__init__(endpoint, headers, query)
        self._own = client
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._watch: Watch | None = None

    def send(self, command: Send) -> Head:
        """Send a request; give its head."""
        client = self._own or shared_client(self._endpoint.base_url)
        request = self._request(client, command)
        bearer = self._endpoint.credential.bearer
        if "authorization" not in request.headers and bearer() is not None:
            request.headers["authorization"] = bearer() or ""
        try:
            self._response = client.send(request, stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            raise translate(error, self._endpoint.base_url) from error
        self._chunks = self._response.iter_raw()
        self._watch = Watch(_shutter(self._response))
        return self._head(self._response)

    def read(self, command: Read) -> bytes:
        """Read on; b"" at the end."""
        watch = self._watch
        if watch is not None:
            watch.arm(command.deadline)
        try:
            data = next(self._chunks, b"")
        except httpx.HTTPError as error:
            if watch is not None and watch.expired:
                raise self._timed_out() from error
            raise translate(error, self._endpoint.base_url) from error
        if not data and watch is not None and watch.expired:
            raise self._timed_out()
        return data

    def sleep(self, command: Sleep) -> None:
        """Wait for the time or the ticket."""
        if command.ticket is None:
            time.sleep(command.seconds or 0)
            return
        woken = threading.Event()
        command.ticket.on_wake(woken.set)
        woken.wait(command.seconds)

    def close(self) -> None:
        """Let go of the answer."""
        if self._watch is not None:
            self._watch.arm(None)
        if self._response is not None:
            self._response.close()
            self._response = None


def _shutter(response: httpx.Response) -> Callable[[], None]:
    """What wakes a read that blocks on this answer: the socket shut down from another thread."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None

    def shut() -> None:
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is closed already: nobody reads from it

    return shut


class AsyncPort(_Port):
    """Carries commands out on the running event loop."""

    def __init__(
        self, endpoint: Endpoint, headers: Mapping[str, str], query: Mapping[str, Any], client: httpx.AsyncClient | None
    ) -> None:
        super().__init__(endpoint, headers, query)
        self._own = client
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def send(self, command: Send) -> Head:
        """Send a request; give its head."""
        client = self._own or await shared_async_client(self._endpoint.base_url)
        request = self._request(client, command)
        if "authorization" not in request.headers:
            _authorize(request, await self._endpoint.credential.abearer())
        try:
            async with asyncio.timeout(_left(command.deadline)):
                self._response = await client.send(request, stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            raise translate(error, self._endpoint.base_url) from error
        except TimeoutError as error:
            raise self._timed_out() from error
        self._chunks = self._response.aiter_raw()
        return self._head(self._response)

    async def read(self, command: Read) -> bytes:
        """Read on; b"" at the end."""
        if self._chunks is None:
            return b""
        try:
            async with asyncio.timeout(_left(command.deadline)):
                return await anext(self._chunks, b"")
        except httpx.HTTPError as error:
            raise translate(error, self._endpoint.base_url) from error
        except TimeoutError as error:
            raise self._timed_out() from error

    async def sleep(self, command: Sleep) -> None:
        """Wait for the time or the ticket."""
        if command.ticket is None:
            await asyncio.sleep(command.seconds or 0)
            return
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

        command.ticket.on_wake(wake)
        try:
            async with asyncio.timeout(command.seconds):
                await woken.wait()
        except TimeoutError:
            return

    async def close(self) -> None:
        """Let go of the answer."""
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()


def _authorize(request: httpx.Request, bearer: str | None) -> None:
    if bearer is not None:
        request.headers["authorization"] = bearer


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
