"""The two ports that carry out what a flow wants done: one blocks, the other runs on the event loop.

They send with the httpx client that the user gave, and do not close it; else with one the process shares (``pools``).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx

from .._config.endpoint import Endpoint
from .._config.redaction import without_secret_answers
from .._core.commands import Head, Read, Send, Sleep
from ..errors import APIConnectionError, APITimeoutError, ConfigurationError, FlashError
from .pools import close_at_exit, shared_async_client, shared_client
from .proxies import EnvironmentProxy, environment_proxy, is_unreachable
from .waiting import Waiter, wait
from .watchdog import Watch, watch

_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)


def translate(error: Exception, url: str, proxy: EnvironmentProxy | None = None) -> FlashError:
    """Our error for one of httpx's; ``proxy`` is the one that the request went through, where that is known."""
    reason = str(error) or type(error).__name__
    by = "" if proxy is None else f" through the proxy {proxy}"
    match error:
        case httpx.PoolTimeout() | httpx.ConnectTimeout():
            return APITimeoutError(f"no connection to {url}{by} within the time allowed", reached=False)
        case httpx.TimeoutException():
            return APITimeoutError(f"{url} did not answer within the time allowed")
        case httpx.ConnectError() if proxy is not None and is_unreachable(error):
            return APIConnectionError(proxy.unreachable(url, reason), reached=False)
        case httpx.ConnectError():
            return APIConnectionError(f"cannot connect to {url}{by}: {reason}", reached=False)
        case httpx.ProxyError():
            failed = f"the proxy before {url} failed: {reason}" if proxy is None else proxy.failed(url, reason)
            return APIConnectionError(failed, reached=False)
        case httpx.LocalProtocolError():
            # httpx's own words would show the header, and with it perhaps the key.
            return ConfigurationError(f"the request to {url} is not valid HTTP: look for stray characters in headers")
        case httpx.UnsupportedProtocol():
            return ConfigurationError(f"{url} is not a URL to send to: {reason}")
        case _:
            return APIConnectionError(f"the connection to {url} broke: {reason}")


class _Port:
    """What both ports share: how a request is made, and what an answer's head is."""

    def __init__(
        self, endpoint: Endpoint, headers: Mapping[str, str], query: Mapping[str, Any], *, is_shared: bool
    ) -> None:
        self._endpoint = endpoint
        self._is_shared = is_shared  # whether it runs on a transport of the process, not on a client of the user's
        self._headers = headers
        self._query = query
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
            message = f"{self._endpoint.base_url} is not a URL to send to: {error}"
        except (TypeError, ValueError, AttributeError):
            message = "headers must be a dict of ASCII str, and query parameters plain values"
        # Not from httpx's error: its frames hold the headers, and tracebacks may show locals.
        raise ConfigurationError(message)

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

    def _translated(self, error: httpx.HTTPError) -> FlashError:
        return translate(error, self._endpoint.base_url, self._proxy())

    def _proxy(self) -> EnvironmentProxy | None:
        """The environment's proxy before the gateway; that of a client which the user gave is not known."""
        return environment_proxy(self._endpoint.base_url) if self._is_shared else None

    def _head(self, response: httpx.Response) -> Head:
        if response.status_code == 407 and (proxy := self._proxy()) is not None:  # no gateway answers so
            raise APIConnectionError(proxy.failed(self._endpoint.base_url, "407, it wants a user and a password"))
        return Head(response.status_code, without_secret_answers(response.headers))

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
        super().__init__(endpoint, headers, query, is_shared=client is None)
        self._own = client
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._watch: Watch | None = None
        self._waiter = Waiter()

    def abandon(self) -> None:
        """From another thread: end what is going on here. A wait or a read ends at once, a sending with its head."""
        self._waiter.abandon()
        if (watched := self._watch) is not None:
            watched.shut()

    def send(self, command: Send) -> Head:
        """Send a request; give its head."""
        self._waiter.check()
        client = self._own or shared_client(self._endpoint.base_url)
        left = None if command.deadline is None else max(0.001, command.deadline - time.monotonic())
        connect = min((seconds for seconds in (command.connect, left) if seconds is not None), default=None)
        request = self._request(client, command, connect=connect, read=left, write=left, pool=left)
        if "authorization" not in request.headers:
            _authorize(request, self._endpoint.credential.bearer())
        try:
            self._response = client.send(request, stream=True, follow_redirects=False)
        except httpx.LocalProtocolError as error:
            raise self._translated(error) from None  # its frames hold the headers
        except httpx.HTTPError as error:
            raise self._translated(error) from error
        close_at_exit(self._response)
        self._chunks = self._response.iter_raw() if self._is_open(self._response) else iter([self._response.content])
        self._watch = watch(self._response.extensions)
        if self._watch is not None:
            # From here on the watch keeps the time; httpx's would give up on a silence that `progress` allows.
            request.extensions["timeout"]["read"] = None
        self._waiter.check()
        return self._head(self._response)

    def read(self, command: Read) -> bytes:
        """Read on; b"" at the end."""
        self._waiter.check()
        if self._watch is None:
            return self._next()
        self._watch.arm(command.deadline)
        try:
            data = self._next()
        except APIConnectionError as error:
            self._waiter.check()
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
            raise self._translated(error) from error

    def sleep(self, command: Sleep) -> None:
        """Wait until the time is over or the reservation is woken."""
        self._waiter.wait(command)

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
        super().__init__(endpoint, headers, query, is_shared=client is None)
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
            raise self._translated(error) from None  # its frames hold the headers
        except httpx.HTTPError as error:
            raise self._translated(error) from error
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
            raise self._translated(error) from error
        except TimeoutError as error:
            raise self._timed_out() from error

    async def sleep(self, command: Sleep) -> None:
        """Wait until the time is over or the reservation is woken."""
        await wait(command)

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
