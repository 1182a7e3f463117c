"""The gateway's ASGI middleware: every request passes it, is recorded, and is let go of when its caller leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..record import ReceivedRequest, Record

__all__ = ["Exchange", "Middleware"]

_SECRET = frozenset({"authorization", "api-key", "x-api-key", "proxy-authorization", "cookie"})


class Exchange:
    """One request under way, found at ``scope["state"]["exchange"]``.

    Attributes:
        request: what was received, without the key.
        key: the bearer key it came with, or None.
        raw: the request's body as it came.
    """

    def __init__(self, request: ReceivedRequest, *, key: str | None, raw: bytes, record: Record) -> None:
        self.request = request
        self.key = key
        self.raw = raw
        self._record = record
        self._number = record.arrived(request)
        self._end_callbacks: list[Callable[[], None]] = []
        self._begun = False
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the answer is through."""
        return self._ended

    def at_end(self, end_callback: Callable[[], None]) -> None:
        """Have something done when the request ends, however it ends."""
        self._end_callbacks.append(end_callback)

    def begin(self, status: int) -> None:
        """The answer begins."""
        self._begun = True
        self._record.answered(self._number, replace(self.request, status=status))

    def end(self) -> None:
        """The answer is through: the request is live no more, and its slot is free. Further calls do nothing."""
        if self._ended:
            return
        self._ended = True
        for end_callback in self._end_callbacks:
            end_callback()
        self._record.ended()
        if not self._begun:
            self._record.answered(self._number, self.request)

    async def stand(self, gate: asyncio.Event) -> None:
        """Stand at a gate until it opens, visibly for the test."""
        if gate.is_set():
            return
        self._record.holding(1)
        try:
            await gate.wait()
        finally:
            self._record.holding(-1)


class Middleware:
    """ASGI middleware around the routes.

    It counts a request as ended just before the last bytes of its answer go out, so that a client which has read them
    never finds it live; and it stops the answer when the client's connection closes.
    """

    def __init__(self, app: ASGIApp, *, record: Record, clock: Callable[[], float]) -> None:
        self._app = app
        self._record = record
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in and see it to its end."""
        raw = await _read(receive)
        if raw is None:
            return
        request, key = _received(scope, raw, self._clock())
        exchange = Exchange(request, key=key, raw=raw, record=self._record)
        scope["state"]["exchange"] = exchange

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.begin(message["status"])
            elif not message.get("more_body"):
                exchange.end()
            await send(message)

        answering = asyncio.ensure_future(self._app(scope, receive, tell))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            # "Left" also comes once the answer is through; then there is nothing left to stop.
            if exchange.ended and not scope["state"]["transport"].is_closing():
                await answering
        finally:
            answering.cancel()
            leaving.cancel()
            try:
                await asyncio.wait({answering, leaving})
            finally:
                # Only now has whatever was going on for this caller stopped, an upstream's answer included.
                exchange.end()
        if not answering.cancelled():
            answering.result()


async def _read(receive: Receive) -> bytes | None:
    """The request's body; None when the client left before it was complete."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _received(scope: Scope, raw: bytes, now: float) -> tuple[ReceivedRequest, str | None]:
    """The request as it may be shown, and the key it came with."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    scheme, _, key = headers.get("authorization", "").partition(" ")
    query = scope["query_string"].decode("latin-1")
    request = ReceivedRequest(
        method=scope["method"],
        path=scope["path"] + (f"?{query}" if query else ""),
        headers={name: "***" if name in _SECRET else value for name, value in headers.items()},
        body=_parsed(raw),
        status=None,
        at=now,
    )
    return request, key.strip() if scheme.lower() == "bearer" else None


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
