"""uvicorn in a thread: bound before it runs, stopped without waiting for open streams."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ...errors import ConfigurationError

__all__ = ["ServerThread"]

_STOP_SECONDS = 5.0


class _Connection(H11Protocol):
    """One connection; its transport is in ``scope["state"]``, for answers that end by closing or resetting it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """A server that sleeps until told to leave (uvicorn's own asks ten times a second) and then leaves at once."""

    def __init__(
        self, config: uvicorn.Config, *, ready: threading.Event, closing: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._closing = closing
        self._leave = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._ready.set()
        await self._leave.wait()

    def leave(self) -> None:
        """Have the server leave. To be called on its loop."""
        self._leave.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's name
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        # The middleware ends the answers whose connections are gone.
        if tasks := list(self.server_state.tasks):
            _, stuck = await asyncio.wait(tasks, timeout=_STOP_SECONDS / 2)
            for task in stuck:
                task.cancel()
        await self._closing()


class ServerThread:
    """An ASGI app served on 127.0.0.1 by a daemon thread.

    The socket listens before the thread starts, so the port is known and a caller may connect at once.

    Args:
        app: what to serve.
        port: where; 0 takes a free port.
        closing: awaited on the loop after the last request is gone.

    Raises:
        ConfigurationError: the port cannot be bound.
    """

    def __init__(self, app: ASGIApp, *, port: int, closing: Callable[[], Awaitable[None]]) -> None:
        # With the protocol left at 0, asyncio would leave Nagle's algorithm on, which holds tokens back.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            self._socket.close()
            raise ConfigurationError(f"the local gateway cannot listen on 127.0.0.1:{port}: {error}") from error
        self._socket.listen(2048)
        self.port: int = self._socket.getsockname()[1]
        ready = threading.Event()
        config = uvicorn.Config(
            app,
            http=_Connection,
            loop="asyncio",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            date_header=False,
            server_header=False,
            timeout_keep_alive=75,
        )
        self._server = _Server(config, ready=ready, closing=closing)
        self._thread = threading.Thread(target=self._serve, name=f"local-gateway-{self.port}", daemon=True)
        self._thread.start()
        if not ready.wait(_STOP_SECONDS):
            raise ConfigurationError(f"the local gateway did not start on 127.0.0.1:{self.port}")

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def call(self, act: Callable[..., Any], *arguments: Any) -> None:
        """Have something done on the server's loop; nothing once it has stopped."""
        loop = self._server.loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(act, *arguments)

    def stop(self) -> None:
        """End every open answer, close the port, and wait for the thread."""
        self.call(self._server.leave)
        self._thread.join(_STOP_SECONDS)
        self._socket.close()
