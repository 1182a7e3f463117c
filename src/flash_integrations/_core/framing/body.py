"""An answer's bytes in, its JSON objects out, whatever the headers say the body is.

A stream may come where JSON was asked for and the reverse, and the content type is wrong as often as not: the first
bytes that are not blank tell server-sent events from JSON, and what follows the first line tells JSON lines from one
value. What comes out is a list of :data:`Item`: JSON objects, :data:`DONE` for the end mark, and :class:`NonJSON` for
text that is neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from ...errors import MalformedResponseError
from . import json_codec
from .content_coding import ContentDecoder
from .sse import MAX_EVENT_BYTES, Event, SSEDecoder, is_whole


class _Done(Enum):
    DONE = "[DONE]"


DONE: Final = _Done.DONE
"""The stream's own end mark. It says nothing about the answer being whole."""


@dataclass(frozen=True, slots=True)
class NonJSON:
    """Text that stood where JSON should.

    Attributes:
        text: what stood there.
        cut: it is no message of its own: the body ended inside it, or it stood outside of all ``data``.
        named_error: it came under ``event: error``.
    """

    text: str
    cut: bool = False
    named_error: bool = False


Item: TypeAlias = dict[str, Any] | NonJSON | _Done

_STARTS = (b"data:", b"event:", b":", b"id:", b"retry:", b"error:")
_LINE_STARTS = (b"{", b"[DONE]", b"data:")
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_PINGS = ("ping", "heartbeat", "keepalive", "keep-alive")
_MAX_DEPTH = 8
_TYPED = "response."
"""How the names of the Responses wire's events begin, which some gateways write into the ``event`` line alone."""


class BodyDecoder:
    """Tells streams and plain JSON apart by their first bytes and decodes either; feed it bytes, then close it.

    Args:
        content_encoding: the header of that name.
    """

    __slots__ = ("_content", "_head", "_lines", "_may_be_lines", "_newline_came", "_plain", "_size", "_sse")

    def __init__(self, content_encoding: str = "") -> None:
        self._content = ContentDecoder(content_encoding)
        self._head = b""
        self._sse: SSEDecoder | None = None
        self._plain: list[bytes] | None = None
        self._size = 0
        self._may_be_lines = True  # whether the plain body may still turn out to be JSON lines
        self._newline_came = False
        self._lines: list[bytes] | None = None  # JSON lines: the pieces of the line that has not ended yet

    @property
    def is_stream(self) -> bool:
        """Whether the body has shown itself to be server-sent events or JSON lines."""
        return self._sse is not None or self._lines is not None

    def feed(self, data: bytes) -> list[Item]:
        """Take bytes; give the items they complete. Plain JSON comes out of :meth:`close` alone.

        Raises:
            MalformedResponseError: the body or one event is larger than 64 MB, or its compression is broken.
        """
        return self._feed(self._content.decode(data))

    def _feed(self, data: bytes) -> list[Item]:
        if self._sse is not None:
            return _items(self._sse.feed(data))
        if self._lines is not None:
            return self._read_lines(data)
        if self._plain is None:
            # Blank lines may come for minutes while a gateway waits: they are dropped, not gathered.
            data = bare(self._head + data)
            if data.startswith(_STARTS):
                self._sse, self._head = SSEDecoder(), b""
                return _items(self._sse.feed(data))
            if any(mark.startswith(data) for mark in (*_STARTS, _BOM)):
                self._head = data
                return []
            self._plain, self._head = [], b""
        self._plain.append(data)
        self._size += len(data)
        if self._size > MAX_EVENT_BYTES:
            raise MalformedResponseError(f"the answer is larger than {MAX_EVENT_BYTES} bytes")
        if not self._may_be_lines or (b"\n" not in data and not self._newline_came):
            return []
        self._newline_came = True
        return self._look_for_lines()

    def _look_for_lines(self) -> list[Item]:
        """See whether the first line is a value by itself and more of the kind follows (application/x-ndjson)."""
        body = b"".join(self._plain or [])
        first, _, rest = body.partition(b"\n")
        rest = rest.lstrip(_BLANK)
        self._may_be_lines = is_whole(first) and any(mark.startswith(rest[: len(mark)]) for mark in _LINE_STARTS)
        if not self._may_be_lines or not rest.startswith(_LINE_STARTS):
            return []
        self._plain, self._lines, self._size = None, [], 0
        return self._read_lines(body)

    def _read_lines(self, data: bytes) -> list[Item]:
        """Decode the lines that are complete."""
        pieces = self._lines or []
        *lines, rest = data.split(b"\n")
        if lines and pieces:
            lines[0] = b"".join([*pieces, lines[0]])
            pieces, self._size = [], 0
        self._lines = [*pieces, rest] if rest else pieces
        self._size += len(rest)
        if self._size > MAX_EVENT_BYTES:
            raise MalformedResponseError(f"a line of the answer is larger than {MAX_EVENT_BYTES} bytes")
        return [item for line in lines if line.strip() for item in _read_event(Event("", line, line))]

    def close(self) -> list[Item]:
        """End the body; give what is left in it."""
        items = self._feed(held) if (held := self._content.flush()) else []
        if self._sse is not None:
            return items + _items(self._sse.close())
        if self._lines is not None:
            line = b"".join(self._lines).strip()
            return items + (_read_event(Event("", line, line, ended=False)) if line else [])
        text = (b"".join(self._plain or []) or self._head).strip(_BLANK)
        if not text:
            return []
        try:
            values, rest = json_codec.loads_many(text), b""
        except json_codec.TrailingTextError as error:
            values, rest = error.values, text
        if len(values) > 1:
            self._lines = []  # a stream whose line ends were lost; it must end as one
        items += _objects(values)
        if rest or not items:
            # `{...` that does not parse was cut; anything else is a page or a message.
            items.append(NonJSON(text.decode("utf-8", "replace"), cut=bool(rest) and text[:1] in b"{["))
        return items


def bare(data: bytes) -> bytes:
    """A body's beginning without blanks and byte order marks."""
    while (rest := data.lstrip(_BLANK).removeprefix(_BOM)) != data:
        data = rest
    return data


def _items(events: list[Event]) -> list[Item]:
    items: list[Item] = []
    for event in events:
        name = event.name
        if event.stray is event.data and event.data.startswith(b"{") and (not name or name.startswith(_TYPED)):
            try:  # nearly all of them
                item = json_codec.loads(event.data)
            except ValueError:
                pass
            else:
                if name and "type" not in item:
                    item["type"] = name
                items.append(item)
                continue
        read = _read_event(event)
        if name.startswith(_TYPED):
            read = [{"type": name, **item} if isinstance(item, dict) else item for item in read]
        items += read
    return items


def _read_event(event: Event) -> list[Item]:
    """Turn one event into items: all of it as JSON, else each line by itself, else its data without the stray lines."""
    data, text, is_error = event.data.strip(), event.stray.strip(), event.name == "error"
    if event.name in _PINGS or not text:
        return []
    if data.startswith(b"data:"):
        # A library framed what was framed already (shimmy#26, aprender#2015): the data is a stream itself.
        inner = SSEDecoder()
        return _items(inner.feed(data) + inner.close())
    items = _decode(text, is_error=is_error)
    if items is None:
        items = _decode_lines(text, is_error=is_error)
    if items is None and data and data != text:
        items = _decode(data, is_error=is_error)
    if items is not None:
        return items
    # Words at the body's end are a message; JSON that ends there was cut.
    cut = not data or (not event.ended and text[:1] in b"{[")
    return [NonJSON(text.decode("utf-8", "replace"), cut=cut, named_error=is_error)]


def _decode(text: bytes, *, is_error: bool = False) -> list[Item] | None:
    """JSON, one value or several in a row, or the end mark; None where it is neither."""
    if text.upper() == b"[DONE]":
        return [DONE]
    try:
        return _objects(json_codec.loads_many(text), is_error=is_error)
    except ValueError:
        return None


def _decode_lines(text: bytes, *, is_error: bool) -> list[Item] | None:
    """Lines that are JSON or the end mark, each by itself; None where one is not."""
    items: list[Item] = []
    for line in filter(None, map(bytes.strip, text.splitlines())):
        decoded = _decode(line, is_error=is_error)
        if decoded is None:
            return None
        items += decoded
    return items


def _objects(value: Any, *, is_error: bool = False, depth: int = 0) -> list[Item]:
    """The objects of a JSON value: itself, or the elements of a list; null is nothing, the rest is text."""
    if isinstance(value, dict):
        if is_error and not value.get("error"):
            return [{"error": value} if value else NonJSON("", named_error=True)]
        return [value]
    if isinstance(value, list) and depth < _MAX_DEPTH:
        return [item for element in value for item in _objects(element, is_error=is_error, depth=depth + 1)]
    if value is None or isinstance(value, list):
        return []
    return [NonJSON(str(value), named_error=is_error)]
