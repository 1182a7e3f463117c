"""Bytes replayed on loopback: a server that answers every request with the answer it was given.

Each piece is a write of its own, in chunked transfer encoding, so that a client meets the cuts a gateway makes.
"""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One HTTP answer as bytes.

    ``end`` is "close" (the body ends properly), "drop" (the connection closes inside the body) or "reset".
    """

    segments: Sequence[bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    end: str = "close"


def chunk(delta: dict[str, Any], finish: str | None = None, **top: Any) -> bytes:
    """One ``data:`` event of a stream of one choice."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **top}
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
USAGE_EVENT = b"data: " + json.dumps({"id": "c1", "model": "m", "choices": [], "usage": USAGE}).encode() + b"\n\n"
DONE = b"data: [DONE]\n\n"
WHOLE = Answer(
    [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({}, "stop"),
        USAGE_EVENT,
        DONE,
    ]
)
"""A stream that says "Hello" as documented."""


def plain(text: str = "Hello", **message: Any) -> Answer:
    """A plain answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}
    return Answer([json.dumps(body).encode()], headers={"content-type": "application/json"})


def refuse(status: int, message: str = "no", **error: Any) -> Answer:
    """A refusal in OpenAI's form."""
    body = json.dumps({"error": {"message": message, "type": None, "code": None, **error}}).encode()
    return Answer([body], status, {"content-type": "application/json"})


class ReplayServer:
    """Answers its requests with ``answers`` in turn, the last one again and again; keeps the bodies it was sent."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.bodies: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            length = int(lengths[0].split(b":")[1]) if lengths else 0
            while len(body) < length:
                body += connection.recv(65536)
            self.heads.append(head.decode())
            self.bodies.append(json.loads(body) if body else {})
            self._answer(connection, self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    @staticmethod
    def _answer(connection: socket.socket, answer: Answer) -> None:
        lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in answer.headers.items())]
        head = "\r\n".join([*lines, "transfer-encoding: chunked", "connection: close", "", ""])
        connection.sendall(head.encode())
        for segment in answer.segments:
            if segment:
                connection.sendall(b"%x\r\n%s\r\n" % (len(segment), segment))
        if answer.end == "close":
            connection.sendall(b"0\r\n\r\n")
        elif answer.end == "reset":
            # An RST at once would take unread bytes with it; the client has them all once it has closed or waits.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def replay(*answers: Answer) -> Iterator[ReplayServer]:
    """A server for the length of a ``with``."""
    server = ReplayServer(*answers)
    try:
        yield server
    finally:
        server.stop()


@dataclass(frozen=True)
class Case:
    """One row of a file of wire cases; ``also`` is what else must hold, ``partial`` what a broken answer left."""

    id: str
    why: str
    model: str
    answer: Answer
    expect: dict[str, Any] | None
    error: str | None
    also: dict[str, Any]
    partial: str = "你"

    def __str__(self) -> str:
        return self.id


_PROPER_ENDS = ("cut-mid-stream", "cut-usage-done")


def load_cases(*paths: Path) -> list[Case]:
    """The rows of files of wire cases."""
    cases = []
    for row in (row for path in paths for row in json.loads(path.read_text(encoding="utf-8"))):
        end = row["end"]
        is_chat = row.get("call") != "responses"  # there the word alone decides
        if is_chat and end == "close" and row["error"] == "interrupted" and row["id"] not in _PROPER_ENDS:
            end = "drop"
        segments = [base64.b64decode(segment) for segment in row["segments_b64"]]
        answer = Answer(segments, row["status"], row["headers"], end)
        also, partial = row.get("also", {}), row.get("partial", "你")
        cases.append(Case(row["id"], row["why"], row["model"], answer, row["expect"], row["error"], also, partial))
    return cases
