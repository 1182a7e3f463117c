"""An answer's bytes in, its JSON objects out, whatever the headers say the body is.

A stream may come where JSON was asked for and the reverse, and the content type is wrong as often as not: the first
bytes that are not blank decide. Whether it is compressed, its first two bytes say: proxies decompress bodies
and leave the header. What comes out is a list of :data:`Item`: JSON objects, :data:`DONE` for the end mark,
and :class:`NonJSON` for text that is neither.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from ...errors import MalformedResponseError
from . import json_codec
from .sse import MAX_EVENT_BYTES, Event, SSEDecoder


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

_STARTS = (b"data:", b"event:", b":", b"id:", b"retry:")
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_PINGS = ("ping", "heartbeat", "keepalive", "keep-alive")
_MAX_DEPTH = 8


class Inflater:
    """Unpacks a gzip body, known by its magic number; lets any other pass."""

    __slots__ = ("_head", "_unpack")

    def __init__(self) -> None:
        self._head: bytes | None = b""
        self._unpack: Any = None

    def feed(self, data: bytes) -> bytes:
        """Take bytes; give what they decode_base64_floats to.

        Raises:
            MalformedResponseError: the gzip stream is broken, or a piece of it unpacks to more than 64 MB.
        """
        if self._head is not None:
            data = self._head + data
            if len(data) < len(_GZIP) and _GZIP.startswith(data):
                self._head = data
                return b""
            self._head = None
            if data.startswith(_GZIP):
                self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
        if self._unpack is None:
            return data
        try:
            unpacked: bytes = self._unpack.decompress(data, MAX_EVENT_BYTES)
        except zlib.error as error:
            raise MalformedResponseError(f"the answer's gzip stream is broken: {error}") from error
        if self._unpack.unconsumed_tail:
            raise MalformedResponseError(f"the answer unpacks to more than {MAX_EVENT_BYTES} bytes")
        return unpacked


class BodyDecoder:
    """Tells a stream from plain JSON by its first bytes and decodes either; feed it bytes, then close it."""

    __slots__ = ("_head", "_inflater", "_plain", "_size", "_sse")

    def __init__(self) -> None:
        self._inflater = Inflater()
        self._head = b""
        self._sse: SSEDecoder | None = None
        self._plain: list[bytes] | None = None
        self._size = 0

    @property
    def is_stream(self) -> bool:
        """Whether the body has shown itself to be server-sent events."""
        return self._sse is not None

    def feed(self, data: bytes) -> list[Item]:
        """Take bytes; give the items they complete. Plain JSON comes out of :meth:`close` alone.

        Raises:
            MalformedResponseError: the body or one event is larger than 64 MB, or its gzip stream is broken.
        """
        data = self._inflater.feed(data)
        if self._sse is not None:
            return _items(self._sse.feed(data))
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
        return []

    def close(self) -> list[Item]:
        """End the body; give what is left in it."""
        if self._sse is not None:
            return _items(self._sse.close())
        text = (b"".join(self._plain or []) or self._head).strip(_BLANK)
        if not text:
            return []
        try:
            value = json_codec.loads(text)
        except ValueError:
            # `{...` that does not parse was cut; anything else is a page or a message.
            return [NonJSON(text.decode("utf-8", "replace"), cut=text[:1] in b"{[")]
        return _objects(value) or [NonJSON(text.decode("utf-8", "replace"))]


def bare(data: bytes) -> bytes:
    """A body's beginning without blanks and byte order marks."""
    while (rest := data.lstrip(_BLANK).removeprefix(_BOM)) != data:
        data = rest
    return data


def _items(events: list[Event]) -> list[Item]:
    items: list[Item] = []
    for event in events:
        if not event.name and event.data.startswith(b"{"):  # nearly all of them
            try:
                items.append(json_codec.loads(event.data))
                continue
            except ValueError:
                pass
        items += _read(event)
    return items


def _read(event: Event) -> list[Item]:
    """Turn one event into items: its data, or its data with the stray lines, or each line by itself."""
    data = event.data.strip()
    if data.upper() == b"[DONE]":
        return [DONE]
    if event.name in _PINGS:
        return []
    is_error = event.name == "error"
    for text in (data, event.stray) if event.stray != event.data else (data,):
        if text:
            try:
                return _objects(json_codec.loads(text), is_error=is_error)
            except ValueError:
                continue
    items: list[Item] = []
    text = event.stray.strip()
    for line in filter(None, map(bytes.strip, text.splitlines())):
        if line.upper() == b"[DONE]":
            items.append(DONE)
            continue
        try:
            items += _objects(json_codec.loads(line), is_error=is_error)
        except ValueError:
            # Not one by one either. Words at the body's end are a message; JSON that ends there was cut.
            cut = not data or (not event.ended and text[:1] in b"{[")
            return [NonJSON(text.decode("utf-8", "replace"), cut=cut, named_error=is_error)]
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
