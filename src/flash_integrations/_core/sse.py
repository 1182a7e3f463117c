"""Bytes in, server-sent events out: a push parser that never blocks, decodes or guesses.

Follows the SSE chapter of the HTML standard for line ends (LF, CR, CRLF, also cut between two reads), the leading
byte order mark, comments, fields and multi-line data. It differs where gateways do:

* lines that belong to no known field are kept beside the data (``stray``): new-api writes newlines raw into its
  JSON, and writes whole error bodies without ``data:`` once a ping has gone out;
* a ``data:`` line that opens a new JSON value after one that is complete starts a new event: some gateways put
  no blank line between events;
* an event that the end of the body leaves without its blank line is given out by :meth:`SSEDecoder.close`.

Lines are cut as bytes on CR and LF only. U+2028 and its like may stand raw inside JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import MalformedResponseError
from . import json

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""Largest event accepted. Images travel as data URLs in one line; new-api's own bound is the same 64 MB."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        name: the ``event`` field, "" if none was given.
        data: the ``data`` lines joined with LF.
        stray: data and unknown lines together, in order, joined with LF; equal to ``data`` when all were known.
        ended: whether a blank line closed it (False: the body ended inside it).
    """

    name: str
    data: bytes
    stray: bytes
    ended: bool = True


class SSEDecoder:
    """A push parser: :meth:`feed` bytes as they come, :meth:`close` at the end.

    Work is linear in the bytes fed, however they are cut.
    """

    __slots__ = ("_after_cr", "_data", "_head", "_held", "_lines", "_max", "_name", "_size", "_tail")

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._head: bytes | None = b""  # bytes that may still be a byte order mark; None once that is settled
        self._tail: list[bytes] = []  # pieces of the line that has not ended yet
        self._held = 0  # bytes in _tail
        self._after_cr = False  # the last read ended in CR: an LF that opens the next belongs to it
        self._name = ""
        self._data: list[bytes] = []
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes; give the events they complete.

        Raises:
            MalformedResponseError: an event grew past ``max_event_bytes``.
        """
        if self._head is not None:
            data = self._head + data
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._head = data
                return []
            self._head = None
            data = data.removeprefix(_BOM)
        if self._after_cr and data:
            self._after_cr = False
            if data[:1] == b"\n":
                data = data[1:]
        if not data:
            return []
        lines = data.splitlines(keepends=True)
        last = lines[-1]
        if last[-1] in b"\r\n":
            self._after_cr = last[-1:] == b"\r"
            rest = b""
        else:
            rest = lines.pop()
        events: list[Event] = []
        if lines and self._tail:
            lines[0] = b"".join([*self._tail, lines[0]])
            self._tail, self._held = [], 0
        for line in lines:
            self._take(line.rstrip(b"\r\n"), events)
        if rest:
            self._tail.append(rest)
            self._held += len(rest)
        if self._size + self._held > self._max:
            raise MalformedResponseError(f"an event of the stream is larger than {self._max} bytes")
        return events

    def close(self) -> list[Event]:
        """End the body; give what stood in it without a closing blank line, marked as not ``ended``."""
        events: list[Event] = []
        if self._head:
            self._tail.append(self._head)
        if self._tail:
            self._take(b"".join(self._tail), events)
            self._tail, self._held = [], 0
        self._dispatch(events, ended=False)
        return events

    def _take(self, line: bytes, events: list[Event]) -> None:
        if not line:
            self._dispatch(events)
        elif line.startswith(b"data:"):
            value = line[6:] if line[5:6] == b" " else line[5:]
            if self._data and value[:1] in (b"{", b"[") and self._is_whole():
                self._dispatch(events)
            self._data.append(value)
            self._keep(value)
        elif line[:1] == b":" or line in (b"data", b"event", b"id", b"retry") or line.startswith((b"id:", b"retry:")):
            return
        elif line.startswith(b"event:"):
            self._name = line[6:].strip().decode("utf-8", "replace")
        else:
            self._keep(line)

    def _keep(self, line: bytes) -> None:
        self._lines.append(line)
        self._size += len(line) + 1

    def _is_whole(self) -> bool:
        """Whether the data so far is a JSON value (or ``[DONE]``) of its own."""
        data = b"\n".join(self._data).strip()
        if data[-1:] not in (b"}", b"]"):
            return False
        try:
            json.loads(data)
        except ValueError:
            return data.upper() == b"[DONE]"
        return True

    def _dispatch(self, events: list[Event], *, ended: bool = True) -> None:
        if self._lines:
            data = b"\n".join(self._data)
            stray = data if len(self._data) == len(self._lines) else b"\n".join(self._lines)
            events.append(Event(self._name, data, stray, ended))
            self._data, self._lines, self._size = [], [], 0
        self._name = ""
