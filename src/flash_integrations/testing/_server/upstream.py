"""The relay: requests go on to a real OpenAI-format server, answers come back byte for byte, as they arrive.

Only the key and, where one is given, the model's name are changed on the way there; nothing is on the way back, so an
answer shows the upstream's own name for its model.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from ...errors import ConfigurationError
from .encoding import Frame
from .errors import Refusal
from .responses import Broken

__all__ = ["Relayed", "Upstream"]

_PASSED_ON = frozenset({"content-type", "content-encoding", "retry-after", "x-request-id", "cache-control"})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CONNECT_SECONDS = 10.0


class Relayed:
    """An answer on its way back.

    Attributes:
        status: the upstream's status.
        headers: those of its headers that are passed on.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers = {name: value for name, value in response.headers.items() if name in _PASSED_ON}

    async def frames(self) -> AsyncIterator[Frame]:
        """The body in the pieces in which it arrives; each counts as one token.

        Raises:
            Broken: the upstream broke off.
        """
        try:
            async for data in self._response.aiter_raw():
                yield Frame(data, tokens=1)
        except httpx.HTTPError as error:
            raise Broken(str(error)) from error

    async def aclose(self) -> None:
        """Let go of the upstream, which stops its answer if it has not ended."""
        await self._response.aclose()


class Upstream:
    """A server to relay to.

    Args:
        base_url: its URL up to and including ``/v1``.
        key: its key, or None.
        model: the model's name there; None passes the asked one on.

    Raises:
        ConfigurationError: no URL.
    """

    def __init__(self, base_url: str, *, key: str | None, model: str | None) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(f"upstream must be a URL like http://127.0.0.1:8080/v1, not {base_url!r}")
        self._base_url = base_url.rstrip("/")
        self._model = model
        self._headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if key is not None:
            self._headers["authorization"] = f"Bearer {key}"
        self._client: httpx.AsyncClient | None = None

    async def send(self, path: str, body: Mapping[str, Any], raw: bytes) -> Relayed:
        """Send a request on; gives the answer as soon as it begins. It must be closed.

        Args:
            path: below the base URL, such as "/chat/completions".
            body: the parsed request.
            raw: the same as it came; sent as it is where no other model's name is wanted.

        Raises:
            Refusal: 502, the upstream cannot be reached.
        """
        if self._model is not None:
            raw = json.dumps({**body, "model": self._model}).encode()
        client = self._client = self._client or self._opened()
        request = client.build_request("POST", self._base_url + path, content=raw, headers=self._headers)
        try:
            return Relayed(await client.send(request, stream=True))
        except httpx.HTTPError as error:
            raise Refusal(502, f"The upstream could not be reached: {str(error) or type(error).__name__}") from error

    def _opened(self) -> httpx.AsyncClient:
        # No time-out on reading: whether an answer takes too long is for the caller's client to decide. A proxy from
        # the environment has no business between two programs on one machine.
        return httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            # A kept connection may be closed by the server (llama.cpp's: after 5 s) just as the next request goes out.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=urlsplit(self._base_url).hostname not in _LOOPBACK,
        )

    async def aclose(self) -> None:
        """Close the connections; a later request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
