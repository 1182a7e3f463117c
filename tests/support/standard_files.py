"""The files that langchain-tests fetch from the web, small and of our own making, given at their addresses."""

from __future__ import annotations

import base64
import struct
import zlib

import httpx


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png() -> bytes:
    """A PNG of one blue pixel."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\x00\x00\x00\xff")
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixel) + _chunk(b"IEND", b"")


# The smallest JPEG header that says what it is; nobody here looks inside.
_JPEG = base64.b64decode("/9j/4AAQSkZJRgABAQEAYABgAAD/2Q==")
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n"
_SILENCE = b"\x00\x00" * 80
_WAV = (
    b"RIFF"
    + struct.pack("<I", 36 + len(_SILENCE))
    + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    + b"data"
    + struct.pack("<I", len(_SILENCE))
    + _SILENCE
)
_FILES = {"png": _png(), "jpg": _JPEG, "jpeg": _JPEG, "pdf": _PDF, "wav": _WAV}


def given(url: str, **_words: object) -> httpx.Response:
    """What ``httpx.get`` answers in a standard suite."""
    ending = url.rpartition(".")[2].lower()
    if ending not in _FILES:
        raise AssertionError(f"the standard suite asks for {url}, for which there is no file here")
    return httpx.Response(200, content=_FILES[ending], request=httpx.Request("GET", url))
