"""The only place of the library that touches httpx: shared transports, and the two ports that carry commands out.

Transports are shared by the process, one per gateway and TLS/proxy settings; asynchronous ones belong to their event
loop besides, and are closed when ``asyncio.run`` shuts the loop down. Who brings an httpx client of his own keeps it.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import re
import ssl
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import httpx

from ._core.commands import Head, Read, Send, Sleep
from ._naps import Napper, nap
from ._watchdog import Watch, watch
from .endpoint import Endpoint
from .errors import APIConnectionError, APITimeoutError, ConfigurationError, FlashError

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0)
_ENVIRONMENT = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")

_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)

_Client = TypeVar("_Client", httpx.Client, httpx.AsyncClient)
_Settings: TypeAlias = tuple[str | None, ...]
_Place: TypeAlias = tuple[str, _Settings]
_Here: TypeAlias = dict[_Place, tuple[httpx.AsyncClient, AsyncGenerator[None, None]]]
_lock = threading.Lock()
_contexts: dict[_Settings, ssl.SSLContext] = {}
_clients: dict[_Place, httpx.Client] = {}
_async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _Here] = WeakKeyDictionary()
_left_behind: list[object] = []


def _settings() -> _Settings:
    return tuple(os.environ.get(name) or os.environ.get(name.lower()) for name in _ENVIRONMENT)


def _make(kind: type[_Client], base_url: str, settings: _Settings) -> _Client:
    """A transport to share.

    Reading the certificates takes 20 ms, so TLS contexts are kept. Cookies are not: they would go from one key's calls
    to another's.
    """
    verify: ssl.SSLContext | bool = False
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    try:
        if not base_url.startswith("http:") or any(settings):
            with _lock:
                if settings not in _contexts:
                    _contexts[settings] = httpx.create_ssl_context()
                verify = _contexts[settings]
        return kind(verify=verify, limits=_LIMITS, cookies=cookies)
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        said = f"the environment's proxy or certificate settings cannot be used: {error}"
        raise ConfigurationError(said) from error


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
            for old in [each for each in _async_clients if each.is_closed()]:
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
        case httpx.UnsupportedProtocol():
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

    def _request(
        self, client: httpx.Client | httpx.AsyncClient, command: Send, **timeout: float | None
    ) -> httpx.Request:
        if client.is_closed:
            raise ConfigurationError("the httpx client given for these calls was closed")
        try:
            return client.build_request(
                "GET" if command.content is None else "POST",
                self._endpoint.base_url + command.path,
                content=command.content,
                headers=self._all_headers(command),
                params={**self._query, **command.query} or None,
                timeout=httpx.Timeout(**timeout),
            )
        except httpx.InvalidURL as error:
            said = f"{self._endpoint.base_url} is not a URL to send to: {error}"
        except (TypeError, ValueError, AttributeError):
            said = "headers must be a dict of ASCII texts, and query parameters plain values"
        # Not from httpx's error: its frames hold the headers, and tracebacks may show locals.
        raise ConfigurationError(said)

    def _all_headers(self, command: Send) -> dict[str, str]:
        headers = {
            "accept": "text/event-stream" if command.streamed else "application/json",
            # Compressed streams are held back by proxies until they end.
            "accept-encoding": "identity" if command.streamed else "gzip",
            "user-agent": "flash-integrations",
        }
        if command.content is not None:
            headers["content-type"] = "application/json"
        headers |= {name.lower(): value for name, value in {**self._headers, **command.headers}.items()}
        if not all(_NAME.fullmatch(name) and value.isprintable() for name, value in headers.items()):
            raise ValueError("no header")
        return headers

    @staticmethod
    def _head(response: httpx.Response) -> Head:
        return Head(response.status_code, {name.lower(): value for name, value in response.headers.items()})

    @staticmethod
    def _is_open(response: httpx.Response) -> bool:
        """Whether the body is still to be read; a mock's or a cassette's is there at once."""
        return not response.is_stream_consumed

    def _timed_out(self) -> APITimeoutError:
        return APITimeoutError(f"{self._endpoint.base_url} sent nothing of use within the time allowed")


class SyncPort(_Port):
    """Carries commands out, blocking. Another thread may abandon it."""

    def __init__(
        self, endpoint: Endpoint, headers: Mapping[str, str], query: Mapping[str, Any], client: httpx.Client | None
    ) -> None:
        super().__init__(endpoint, headers, query)
        self._own = client
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._watch: Watch | None = None
        self._napper = Napper()

    def abandon(self) -> None:
        """From another thread: end what is going on here. A wait or a read ends at once, a sending with its head."""
        self._napper.abandon()
        if (watched := self._watch) is not None:
            watched.shut()

    def send(self, command: Send) -> Head:
        """Send a request; give its head."""
        self._napper.check()
        client = self._own or shared_client(self._endpoint.base_url)
        left = None if command.deadline is None else max(0.001, command.deadline - time.monotonic())
        connect = min((each for each in (command.connect, left) if each is not None), default=None)
        request = self._request(client, command, connect=connect, read=left, write=left, pool=left)
        if "authorization" not in request.headers:
            _authorize(request, self._endpoint.credential.bearer())
        try:
            self._response = client.send(request, stream=True, follow_redirects=False)
        except httpx.LocalProtocolError as error:
            raise translate(error, self._endpoint.base_url) from None  # its frames hold the headers
        except httpx.HTTPError as error:
            raise translate(error, self._endpoint.base_url) from error
        self._chunks = self._response.iter_raw() if self._is_open(self._response) else iter([self._response.content])
        self._watch = watch(self._response.extensions)
        if self._watch is not None:
            # From here on the watch keeps the time; httpx's would give up on a silence that `progress` allows.
            request.extensions["timeout"]["read"] = None
        self._napper.check()
        return self._head(self._response)

    def read(self, command: Read) -> bytes:
        """Read on; b"" at the end."""
        self._napper.check()
        if self._watch is None:
            return self._next()
        self._watch.arm(command.deadline)
        try:
            data = self._next()
        except APIConnectionError as error:
            self._napper.check()
            if self._watch.expired:
                raise self._timed_out() from error
            raise
        finally:
            self._watch.arm(None)  # whoever asked may take his time with what came
        if self._watch.expired:
            raise self._timed_out()
        return data

    def _next(self) -> bytes:
        try:
            return next(self._chunks, b"")
        except httpx.HTTPError as error:
            raise translate(error, self._endpoint.base_url) from error

    def sleep(self, command: Sleep) -> None:
        """Wait for the time or the ticket."""
        self._napper.nap(command)

    def close(self) -> None:
        """Let go of the answer."""
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        response, self._response = self._response, None
        if response is not None:
            response.close()


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
        # The loop keeps all deadlines but that of the connection.
        request = self._request(client, command, connect=command.connect, read=None, write=None, pool=None)
        try:
            async with asyncio.timeout(_left(command.deadline)):
                if "authorization" not in request.headers:
                    _authorize(request, await self._endpoint.credential.abearer())
                self._response = await client.send(request, stream=True, follow_redirects=False)
        except httpx.LocalProtocolError as error:
            raise translate(error, self._endpoint.base_url) from None  # its frames hold the headers
        except httpx.HTTPError as error:
            raise translate(error, self._endpoint.base_url) from error
        except TimeoutError as error:
            raise self._timed_out() from error
        self._chunks = self._response.aiter_raw() if self._is_open(self._response) else _once(self._response.content)
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
        await nap(command)

    async def close(self) -> None:
        """Let go of the answer."""
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _authorize(request: httpx.Request, bearer: str | None) -> None:
    if bearer is not None:
        request.headers["authorization"] = bearer


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
