"""A server on loopback whose every byte the test decides, and which sees when the other side lets go.

A test gives a function that serves one connection; it gets a :class:`Line` and runs in a thread of its own.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

from replay import WHOLE, chunk

STREAM = {"content-type": "text/event-stream"}
PATIENCE = 60.0
"""Seconds after which the server takes it that nothing will happen any more."""


@dataclass(frozen=True)
class Request:
    """What was received."""

    line: str
    headers: dict[str, str]
    body: Any

    @property
    def said(self) -> str:
        """The last message's content."""
        said: str = self.body["messages"][-1]["content"]
        return said


class Line:
    """One connection."""

    def __init__(self, connection: socket.socket, server: RawServer) -> None:
        self._socket = connection
        self._server = server
        self._rest = b""

    def request(self) -> Request | None:
        """Read the next request; None once the client has closed the connection."""
        while b"\r\n\r\n" not in self._rest:
            if not self._more():
                return None
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self._rest) < length:
            if not self._more():
                return None
        body, self._rest = self._rest[:length], self._rest[length:]
        request = Request(first, headers, json.loads(body) if body else None)
        self._server.note(request)
        return request

    def head(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Send an answer's head; the body follows in chunks."""
        lines = [f"{name}: {value}" for name, value in (STREAM if headers is None else headers).items()]
        head = [f"HTTP/1.1 {status} X", *lines, "transfer-encoding: chunked", "", ""]
        self._socket.sendall("\r\n".join(head).encode())

    def send(self, *segments: bytes) -> None:
        """Send pieces of the body, each a write of its own."""
        for segment in segments:
            self._socket.sendall(b"%x\r\n%s\r\n" % (len(segment), segment))

    def end(self) -> None:
        """End the body properly; the connection stays open for the next request."""
        self._socket.sendall(b"0\r\n\r\n")

    def answer(self, *segments: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """A whole answer."""
        self.head(status, headers)
        self.send(*segments)
        self.end()

    def is_left(self, timeout: float = PATIENCE) -> bool:
        """Wait until the client has let go of the connection; whether it did within so many seconds."""
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            if select.select([self._socket], [], [], left)[0] and not self._more():
                return True
        return False

    def _more(self) -> bool:
        try:
            data = self._socket.recv(65536)
        except OSError:
            return False
        self._rest += data
        return bool(data)


Serve = Callable[[Line], None]


class RawServer:
    """Listens until it is stopped."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._changed = threading.Condition()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self.connections = 0
        self.closed = 0
        self.requests: list[Request] = []
        self.live = 0
        self.peak = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def note(self, request: Request) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def lives(self, change: int) -> None:
        """Count a request that begins (1) or ends (-1) to be answered."""
        with self._changed:
            self.live += change
            self.peak = max(self.peak, self.live)
            self._changed.notify_all()

    def wait_for(self, holds: Callable[[Self], bool]) -> bool:
        """Wait until something holds of this server; whether that came about."""
        with self._changed:
            return self._changed.wait_for(lambda: holds(self), PATIENCE)

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self.connections += 1
                self._open.append(connection)
            thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _run(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self._serve(Line(connection, self))
        connection.close()
        with self._changed:
            self.closed += 1
            self._open.remove(connection)
            self._changed.notify_all()


@contextmanager
def serving(serve: Serve) -> Iterator[RawServer]:
    """A server for the length of a ``with``."""
    server = RawServer(serve)
    try:
        yield server
    finally:
        server.stop()


def echo(line: Line) -> None:
    """Answers each request by a stream that repeats its last message, on one connection after another."""
    while (request := line.request()) is not None:
        params = request.said.split(" ")
        pieces = [chunk({"content": word if at == 0 else f" {word}"}) for at, word in enumerate(params)]
        line.answer(chunk({"role": "assistant"}), *pieces, chunk({}, "stop"), b"data: [DONE]\n\n")


def whole(line: Line) -> None:
    """Answers each request with "Hello"."""
    while line.request() is not None:
        line.answer(*WHOLE.segments)
