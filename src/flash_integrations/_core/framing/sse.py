"""Bytes in, server-sent events out: a push parser that never blocks, decodes or guesses.

Follows the SSE chapter of the HTML standard for line ends (LF, CR, CRLF, also cut between two reads), the leading
byte order mark, comments, fields and multi-line data. It differs where gateways do:

* lines that belong to no known field are kept beside the data (``stray``): new-api writes newlines raw into its
  JSON, and writes whole error bodies without ``data:`` once a ping has gone out;
* a ``data:`` line that opens a new JSON value after a line that was one by itself starts a new event: some gateways
  put no blank line between events;
* an event that the end of the body leaves without its blank line is given out by :meth:`SSEDecoder.close`.

Lines are cut as bytes on CR and LF only. U+2028 and its like may stand raw inside JSON.
"""

from __future__ import annotations

from typing import NamedTuple

from ...errors import MalformedResponseError
from . import json_codec

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""Largest event accepted. Images travel as data URLs in one line; new-api's own bound is the same 64 MB."""

_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event (a tuple: one is made for every token).

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

    __slots__ = ("_after_cr", "_data", "_former", "_head", "_held", "_lines", "_max", "_name", "_size", "_tail")

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._head: bytes | None = b""  # bytes that may still be a byte order mark; None once that is settled
        self._tail: list[bytes] = []  # pieces of the line that has not ended yet
        self._held = 0  # bytes in _tail
        self._after_cr = False  # the last read ended in CR: an LF that opens the next belongs to it
        self._name = ""
        self._former: str | None = None  # the name before an `event` line that came after data
        self._data: list[bytes] = []
        self._lines: list[bytes] | None = None  # data and stray lines, once there is a stray one
        self._size = 0  # bytes in _data or _lines

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
            data = data.removeprefix(b"\n")
        if not data:
            return []
        lines = data.splitlines()
        rest = b""
        if data.endswith(b"\n"):
            pass
        elif data.endswith(b"\r"):
            self._after_cr = True
        else:
            rest = lines.pop()
        if self._tail and lines:
            lines[0] = b"".join([*self._tail, lines[0]])
            self._tail, self._held = [], 0
        events: list[Event] = []
        for line in lines:
            self._read_line(line, events)
        if rest:
            self._tail.append(rest)
            self._held += len(rest)
        if self._size + self._held > self._max:
            self._overflow()
        return events

    def close(self) -> list[Event]:
        """End the body; give what stood in it without a closing blank line, marked as not ``ended``."""
        events: list[Event] = []
        if self._head:
            self._tail.append(self._head)
        if self._tail:
            self._read_line(b"".join(self._tail), events)
        self._head, self._tail, self._held = None, [], 0
        self._dispatch(events, ended=False)
        return events

    def _read_line(self, line: bytes, events: list[Event]) -> None:
        if line.startswith(b"data:"):
            value = line[6:] if line.startswith(b"data: ") else line[5:]
            if len(self._data) == 1 and value[:1] in (b"{", b"[") and is_whole(self._data[0]):
                self._split(events)
            self._keep(value, self._data)
        elif not line:
            self._dispatch(events)
        elif line.startswith(b"event:"):
            if self._data and self._former is None:
                self._former = self._name
            self._name = line[6:].strip().decode("utf-8", "replace")
        elif line == b"data":
            self._keep(b"", self._data)
        elif line.startswith(b"error:"):
            # llama.cpp builds of 2025 name the field so (llama.cpp#16109, coddy-agent#106).
            self._dispatch(events)
            self._name = "error"
            self._keep(line[6:].lstrip(), self._data)
        elif not (line.startswith((b":", b"id:", b"retry:")) or line in (b"event", b"id", b"retry")):
            if self._lines is None:
                self._lines = list(self._data)
            self._keep(line, None)

    def _keep(self, line: bytes, data: list[bytes] | None) -> None:
        """Keep a line of the event, as one of ``data`` or as a stray one."""
        if data is not None:
            data.append(line)
        if self._lines is not None:
            self._lines.append(line)
        self._size += len(line) + 1
        if self._size > self._max:
            self._overflow()

    def _split(self, events: list[Event]) -> None:
        """End an event for which no blank line came; an ``event`` line after its data names the next one."""
        name, former = self._name, self._former
        if former is not None:
            self._name = former
        self._dispatch(events)
        if former is not None:
            self._name = name

    def _dispatch(self, events: list[Event], *, ended: bool = True) -> None:
        lines = self._lines
        if self._data or lines:
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            events.append(Event(self._name, data, data if lines is None else b"\n".join(lines), ended))
            self._data, self._lines, self._size = [], None, 0
        self._name, self._former = "", None

    def _overflow(self) -> None:
        raise MalformedResponseError(f"an event of the stream is larger than {self._max} bytes")


def is_whole(line: bytes) -> bool:
    """Whether a line of data is a JSON value, or ``[DONE]``, by itself."""
    line = line.strip()
    if line[-1:] not in (b"}", b"]"):
        return False
    try:
        json_codec.loads(line)
    except ValueError:
        return line.upper() == b"[DONE]"
    return True
