"""A body's content coding taken off: gzip, deflate, zstd, brotli.

Only identity is asked for, and some gateways compress all the same (metapi#335, NextChat#3215); others decompress and
leave the header. So the first bytes decide where they can, the ``content-encoding`` header only where they cannot.
zstd and brotli need their packages (``zstandard``, ``brotli``); without them the error names the coding.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias

from ...errors import MalformedResponseError
from .sse import MAX_EVENT_BYTES

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_TEXT_STARTS = b'{["<:deir \t\r\n\xef'
"""First bytes of what answers are when nothing compressed them: JSON, a page, server-sent events, blanks, a BOM."""
_SLICE = 4096  # compressed bytes unpacked at a time where a package sets no bound to what comes out


Unpack: TypeAlias = Callable[[bytes], bytes]


class ContentDecoder:
    """Unpacks a body as it comes; one that is not compressed passes through.

    Args:
        content_encoding: the header of that name, "" where there is none.
    """

    __slots__ = ("_coding", "_error", "_header", "_start", "_unpack")

    def __init__(self, content_encoding: str = "") -> None:
        self._header = content_encoding.lower()
        self._start: bytes | None = b""  # bytes held until they say what the body is
        self._coding = ""
        self._unpack: Unpack | None = None
        self._error: type[Exception] = zlib.error

    def decode(self, data: bytes) -> bytes:
        """Take bytes; give what they unpack to.

        Raises:
            MalformedResponseError: broken, larger than 64 MB a piece, or of a coding whose package is missing.
        """
        if self._start is not None:
            data = self._start + data
            if len(data) < len(_ZSTD):
                self._start = data
                return b""
            self._choose(data)
        return self._unpacked(data)

    def flush(self) -> bytes:
        """End the body; give what was held back of one that is shorter than a coding's first bytes."""
        held = self._start
        if not held:
            return b""
        self._choose(held)
        return self._unpacked(held)

    def _choose(self, start: bytes) -> None:
        self._start = None
        self._coding = _coding_of(start, self._header)
        if self._coding:
            self._unpack, self._error = _UNPACKERS[self._coding]()

    def _unpacked(self, data: bytes) -> bytes:
        if self._unpack is None:
            return data
        try:
            return self._unpack(data)
        except self._error as error:
            raise MalformedResponseError(f"the answer's {self._coding} stream is broken: {error}") from error


def _coding_of(data: bytes, header: str) -> str:
    if data.startswith(_GZIP):
        return "gzip"
    if data.startswith(_ZSTD):
        return "zstd"
    if data[:1] in _TEXT_STARTS:
        return ""
    if data[0] & 15 == 8 and data[0] < 0x80 and int.from_bytes(data[:2]) % 31 == 0 and (header or data[1] >= 0x80):
        return "deflate"  # its zlib form (RFC 1950)
    if "br" in header:
        return "br"
    return "raw deflate" if "deflate" in header else ""


def _zlib_unpacker(window_bits: int) -> tuple[Unpack, type[Exception]]:
    unpacker = zlib.decompressobj(window_bits)

    def unpack(data: bytes) -> bytes:
        unpacked: bytes = unpacker.decompress(data, MAX_EVENT_BYTES)
        if len(unpacked) >= MAX_EVENT_BYTES:
            raise _too_large()
        return unpacked

    return unpack, zlib.error


def _zstd_unpacker() -> tuple[Unpack, type[Exception]]:
    package = _package("zstd", "zstandard")
    return partial(_in_slices, package.ZstdDecompressor().decompressobj().decompress), package.ZstdError


def _brotli_unpacker() -> tuple[Unpack, type[Exception]]:
    package = _package("br", "brotli")
    return partial(_in_slices, package.Decompressor().process), package.error


def _package(coding: str, name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MalformedResponseError(
            f"the answer is compressed with {coding!r} though none was asked for; to read it: pip install {name}"
        ) from error


def _in_slices(step: Unpack, data: bytes) -> bytes:
    pieces, size = [], 0
    for start in range(0, len(data), _SLICE):
        pieces.append(step(data[start : start + _SLICE]))
        size += len(pieces[-1])
        if size > MAX_EVENT_BYTES:
            raise _too_large()
    return b"".join(pieces)


def _too_large() -> MalformedResponseError:
    return MalformedResponseError(f"the answer unpacks to more than {MAX_EVENT_BYTES} bytes")


_UNPACKERS: dict[str, Callable[[], tuple[Unpack, type[Exception]]]] = {
    "gzip": partial(_zlib_unpacker, zlib.MAX_WBITS | 16),
    "deflate": partial(_zlib_unpacker, zlib.MAX_WBITS),
    "raw deflate": partial(_zlib_unpacker, -zlib.MAX_WBITS),
    "zstd": _zstd_unpacker,
    "br": _brotli_unpacker,
}
