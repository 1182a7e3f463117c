"""Giving an answer frame by frame, with the fault that was ordered for it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

from starlette.types import Receive, Scope, Send

from ..faults import Fault
from .encoding import DONE, Frame, as_json, event
from .errors import error_body
from .middleware import Exchange

__all__ = ["EVENT_STREAM", "JSON", "Broken", "Performance", "replacement"]

EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
JSON = {"content-type": "application/json"}
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, for zero seconds: closing sends a reset


class Broken(Exception):  # noqa: N818 - what happened, not whose fault it is
    """The source of the frames broke off; the caller's connection is dropped, since the answer has no end."""


class Performance:
    """An ASGI response of frames, each sent as soon as it is there.

    Args:
        frames: what to send; the one marked last ends the body in the same write.
        headers: of the response.
        status: of the response.
        fault: what goes wrong on the way, or None.
        gate: where the fault's ``hold`` stands.
        closing: awaited at the end, however it comes.
    """

    def __init__(
        self,
        frames: Iterable[Frame] | AsyncIterator[Frame],
        *,
        headers: Mapping[str, str],
        status: int = 200,
        fault: Fault | None = None,
        gate: asyncio.Event | None = None,
        closing: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        fault = fault or Fault()
        headers = {**headers, **{name.lower(): value for name, value in fault.headers.items()}}
        self._frames = frames
        self._headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        self._stream = headers.get("content-type", "").startswith("text/event-stream")
        self._status = status
        self._fault = fault
        self._gate = gate or asyncio.Event()
        self._closing = closing

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Give the answer."""
        try:
            await self._perform(scope, send)
        except Broken:
            await _break(scope, send, "drop")
        finally:
            if self._closing is not None:
                await self._closing()

    async def _perform(self, scope: Scope, send: Send) -> None:
        fault, exchange = self._fault, scope["state"]["exchange"]
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.hold == "before_first_byte":
            await exchange.stand(self._gate)
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        whole = await self._send_frames(exchange, send)
        if not whole or fault.replaces:
            await self._send_end(scope, send)
        elif not exchange.ended:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_frames(self, exchange: Exchange, send: Send) -> bool:
        """Send until the frames are at their end (True) or the fault's cut is reached (False)."""
        fault, done, held = self._fault, 0, False
        room = fault.cut_bytes
        cut = 0 if fault.error is not None and fault.cut is None and room is None else fault.cut
        async for frame in _each(self._frames):
            if isinstance(fault.hold, int) and not held and not frame.opening and done >= fault.hold:
                held = True
                await exchange.stand(self._gate)
            if fault.token_delay and frame.tokens:
                await asyncio.sleep(fault.token_delay * frame.tokens)
            if cut is not None and not frame.opening and done >= cut:
                return False
            if room is not None:
                if len(frame.data) >= room:
                    await _put(send, frame.data[:room])
                    return False
                room -= len(frame.data)
            done += frame.tokens
            await send({"type": "http.response.body", "body": frame.data, "more_body": not frame.last})
            # Nothing above need have waited: let the loop notice a caller that left, and serve the others.
            await asyncio.sleep(0)
        return True

    async def _send_end(self, scope: Scope, send: Send) -> None:
        """What comes after the frames, or after the cut."""
        fault, tail = self._fault, b""
        if scope["state"]["exchange"].ended:
            return
        if fault.error is not None:
            body = error_body(500, fault.error) if isinstance(fault.error, str) else {"error": fault.error}
            tail = event(body) if self._stream else as_json(body)
        if fault.end in ("close", "done"):
            tail += DONE if fault.end == "done" else b""
            await send({"type": "http.response.body", "body": tail, "more_body": False})
            return
        await _put(send, tail)
        await _break(scope, send, fault.end)


def replacement(fault: Fault, gate: asyncio.Event, *, stream: bool) -> Performance:
    """The answer that a fault puts in the place of the right one."""
    status = 200 if fault.status is None else fault.status
    body = fault.body
    if body is None:
        body = error_body(status, fault.message, type=fault.type, code=fault.code, param=fault.param)
    headers = dict(EVENT_STREAM if stream and status < 300 and not isinstance(body, Mapping) else JSON)
    if fault.retry_after is not None:
        headers["retry-after"] = str(fault.retry_after)
    if isinstance(body, Mapping):
        body = as_json(body)
    pieces = [body] if isinstance(body, bytes | str) else body
    frames = [Frame(piece.encode() if isinstance(piece, str) else piece) for piece in pieces]
    if len(frames) == 1 and fault.end == "close" and fault.cut_bytes is None:
        headers["content-length"] = str(len(frames[0].data))
        frames = [Frame(frames[0].data, last=True)]
    return Performance(frames, headers=headers, status=status, fault=fault, gate=gate)


async def _break(scope: Scope, send: Send, end: str) -> None:
    """Close the connection inside the body ("drop") or reset it ("reset")."""
    scope["state"]["exchange"].end()
    transport: asyncio.Transport = scope["state"]["transport"]
    if end == "drop":
        transport.close()
    else:
        # A reset throws away what is not yet out of the buffer, and the bytes before the cut are promised.
        # With no room allowed in the buffer, the next send waits until it is empty.
        transport.set_write_buffer_limits(high=0)
        await _put(send, b"")
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
    # The connection is gone; the middleware notices and ends this task.
    await asyncio.Event().wait()


async def _put(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _each(frames: Iterable[Frame] | AsyncIterator[Frame]) -> AsyncIterator[Frame]:
    if isinstance(frames, AsyncIterator):
        async for frame in frames:
            yield frame
    else:
        for frame in frames:
            yield frame
