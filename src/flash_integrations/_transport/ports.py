"""The ports, sync and async, that carry out a flow's commands with httpx.

They send with the user's ``http_client`` or ``http_async_client``, which they never close; by default with a client
that the process shares (``pools``).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx

from .._config.endpoint import Endpoint
from .._config.redaction import safe_response_headers
from .._core.commands import Head, Read, Send, Sleep
from ..errors import APIConnectionError, APITimeoutError, ConfigurationError, FlashError
from .pools import close_at_exit, shared_async_client, shared_client
from .proxies import EnvironmentProxy, environment_proxy, is_unreachable
from .waiting import Waiter, wait
from .watchdog import Watch, watch

_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)


def translate(error: Exception, url: str, proxy: EnvironmentProxy | None = None) -> FlashError:
    """Convert an error of httpx into one of ours.

    Args:
        error: httpx's error.
        url: the gateway's base URL.
        proxy: the proxy the request went through, where that is known.
    """
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
            # httpx's own message quotes the header, and with it perhaps the key.
            return ConfigurationError(f"the request to {url} is not valid HTTP: look for stray characters in headers")
        case httpx.UnsupportedProtocol():
            return ConfigurationError(f"{url} is not a URL to send to: {reason}")
        case _:
            return APIConnectionError(f"the connection to {url} broke: {reason}")


class _Port:
    """What both ports share: they build the httpx request, and read the head of the response."""

    def __init__(
        self, endpoint: Endpoint, headers: Mapping[str, str], query: Mapping[str, Any], *, is_shared: bool
    ) -> None:
        self._endpoint = endpoint
        self._is_shared = is_shared  # whether requests go through the process's client, not one of the user's
        self._headers = headers
        self._query = query

    def _request(
        self, client: httpx.Client | httpx.AsyncClient, command: Send, **timeout: float | None
    ) -> httpx.Request:
        if client.is_closed:
            raise ConfigurationError(
                "the httpx client given as http_client or http_async_client is closed: give an open one"
            )
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
        # Raised outside the except block, without httpx's error as context: the locals of its frames hold the headers.
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
            raise ValueError("not a header")  # _request raises it as a ConfigurationError
        return headers

    def _translated(self, error: httpx.HTTPError) -> FlashError:
        return translate(error, self._endpoint.base_url, self._proxy())

    def _proxy(self) -> EnvironmentProxy | None:
        """The environment's proxy for this gateway; None also for a client of the user's, whose proxy is unknown."""
        return environment_proxy(self._endpoint.base_url) if self._is_shared else None

    def _head(self, response: httpx.Response) -> Head:
        if response.status_code == 407 and (proxy := self._proxy()) is not None:  # only proxies send 407
            raise APIConnectionError(
                proxy.failed(self._endpoint.base_url, "407, it needs a user and a password in its URL")
            )
        return Head(response.status_code, safe_response_headers(response.headers))

    @staticmethod
    def _is_open(response: httpx.Response) -> bool:
        """Whether the body is still to be read; a mock's or a cassette's was read before."""
        return not response.is_stream_consumed

    def _timed_out(self) -> APITimeoutError:
        return APITimeoutError(f"{self._endpoint.base_url} sent nothing of use within the time allowed")


class SyncPort(_Port):
    """Carries out commands in the calling thread, blocking; another thread may :meth:`abandon` it."""

    def __init__(
        self, endpoint: Endpoint, headers: Mapping[str, str], query: Mapping[str, Any], client: httpx.Client | None
    ) -> None:
        super().__init__(endpoint, headers, query, is_shared=client is None)
        self._users_client = client
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._watch: Watch | None = None
        self._waiter = Waiter()

    def abandon(self) -> None:
        """Cancel this call from another thread. A sleep or read ends at once, a send when the headers come."""
        self._waiter.abandon()
        if (watch_ := self._watch) is not None:
            watch_.expire_now()

    def send(self, command: Send) -> Head:
        """Send the request; return status and headers once they have come."""
        self._waiter.check()
        client = self._users_client or shared_client(self._endpoint.base_url)
        left = None if command.deadline is None else max(0.001, command.deadline - time.monotonic())
        connect = min((seconds for seconds in (command.connect, left) if seconds is not None), default=None)
        request = self._request(client, command, connect=connect, read=left, write=left, pool=left)
        if "authorization" not in request.headers:
            _authorize(request, self._endpoint.credential.bearer())
        try:
            self._response = client.send(request, stream=True, follow_redirects=False)
        except httpx.LocalProtocolError as error:
            raise self._translated(error) from None  # the locals of its frames hold the headers
        except httpx.HTTPError as error:
            raise self._translated(error) from error
        close_at_exit(self._response)
        self._chunks = self._response.iter_raw() if self._is_open(self._response) else iter([self._response.content])
        self._watch = watch(self._response.extensions)
        if self._watch is not None:
            # From here on the watchdog keeps the deadline: httpx's timeout would end a silence that `progress` allows.
            request.extensions["timeout"]["read"] = None
        self._waiter.check()
        return self._head(self._response)

    def read(self, command: Read) -> bytes:
        """Return the next bytes of the body, b"" at its end."""
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
            self._watch.arm(None)  # the caller may take any time over what came
        if self._watch.expired:
            raise self._timed_out()
        return data

    def _next(self) -> bytes:
        try:
            return next(self._chunks, b"")
        except httpx.HTTPError as error:
            raise self._translated(error) from error

    def sleep(self, command: Sleep) -> None:
        """Wait for ``command.seconds``, or until the reservation is woken."""
        self._waiter.wait(command)

    def close(self) -> None:
        """Close the response; the connection is reused if the body was read to its end."""
        if self._watch is not None:
            self._watch.disarm()
            self._watch = None
        response, self._response = self._response, None
        if response is not None:
            response.close()


class AsyncPort(_Port):
    """Carries out commands on the running event loop."""

    def __init__(
        self, endpoint: Endpoint, headers: Mapping[str, str], query: Mapping[str, Any], client: httpx.AsyncClient | None
    ) -> None:
        super().__init__(endpoint, headers, query, is_shared=client is None)
        self._users_client = client
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def send(self, command: Send) -> Head:
        """Send the request; return status and headers once they have come."""
        client = self._users_client or await shared_async_client(self._endpoint.base_url)
        # asyncio.timeout keeps the deadlines of reading; httpx only that of the connection.
        request = self._request(client, command, connect=command.connect, read=None, write=None, pool=None)
        try:
            async with asyncio.timeout(_seconds_left(command.deadline)):
                if "authorization" not in request.headers:
                    _authorize(request, await self._endpoint.credential.abearer())
                self._response = await client.send(request, stream=True, follow_redirects=False)
        except httpx.LocalProtocolError as error:
            raise self._translated(error) from None  # the locals of its frames hold the headers
        except httpx.HTTPError as error:
            raise self._translated(error) from error
        except TimeoutError as error:
            raise self._timed_out() from error
        self._chunks = self._response.aiter_raw() if self._is_open(self._response) else _once(self._response.content)
        return self._head(self._response)

    async def read(self, command: Read) -> bytes:
        """Return the next bytes of the body, b"" at its end."""
        if self._chunks is None:
            return b""
        try:
            async with asyncio.timeout(_seconds_left(command.deadline)):
                return await anext(self._chunks, b"")
        except httpx.HTTPError as error:
            raise self._translated(error) from error
        except TimeoutError as error:
            raise self._timed_out() from error

    async def sleep(self, command: Sleep) -> None:
        """Wait for ``command.seconds``, or until the reservation is woken."""
        await wait(command)

    async def close(self) -> None:
        """Close the response; the connection is reused if the body was read to its end."""
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _authorize(request: httpx.Request, bearer: str | None) -> None:
    if bearer is not None:
        request.headers["authorization"] = bearer


def _seconds_left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
