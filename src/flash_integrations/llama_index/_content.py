"""Content blocks as the parts of a message's content, as the chat completions endpoint takes them.

What has no form there is refused before anything is sent; what travels beside the content (tool calls, reasoning), or
means nothing to a gateway (cache points), makes no part.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from ..errors import InvalidRequestError

log = logging.getLogger("flash_integrations")

_TEXT_ONLY = frozenset({"function"})
"""Roles whose content is text alone. A tool's is so at OpenAI; Claude and Gemini behind gateways take its pictures."""


def to_content(
    blocks: Iterable[ContentBlock], *, role: str = "user", where: str = "messages[0]"
) -> str | list[dict[str, Any]]:
    """Blocks as a message's content: one text where all of it is text, for many upstreams take no lists.

    Args:
        blocks: LlamaIndex's blocks.
        role: the message's role on the wire.
        where: the message's place, for errors.

    Raises:
        InvalidRequestError: a block that the endpoint has no form for, or none under this role, or that holds nothing.
        OSError: a block's file or URL cannot be read.
    """
    parts = [part for block in blocks for part in _to_parts(block, where)]
    others = sorted({part["type"] for part in parts} - {"text"})
    if not others:
        return "".join(part["text"] for part in parts)
    if role in _TEXT_ONLY:
        raise InvalidRequestError(
            f"{where}: {role} messages take text alone, not {', '.join(others)}; "
            "let the tool answer in text and give the rest in a user message"
        )
    return parts


def reads_files(messages: Iterable[ChatMessage]) -> bool:
    """Whether :func:`to_content` will read a file or fetch a URL, which takes its time."""
    return any(_is_slow(block) for message in messages for block in message.blocks)


def _is_slow(block: ContentBlock) -> bool:
    if isinstance(block, CitableBlock):
        return any(map(_is_slow, block.content))
    return bool(getattr(block, "path", None) or (isinstance(block, AudioBlock | DocumentBlock) and block.url))


def _to_parts(block: ContentBlock, where: str) -> list[dict[str, Any]]:
    match block:
        case TextBlock():
            return [{"type": "text", "text": block.text}]
        case ImageBlock():
            return [_to_image(block, where)]
        case AudioBlock():
            if not block.format:
                raise InvalidRequestError(f'{where}: the audio\'s format is not known: give AudioBlock(format="wav")')
            sound = b64encode(_read(block, where)).decode()
            return [{"type": "input_audio", "input_audio": {"data": sound, "format": block.format}}]
        case DocumentBlock():
            return [_to_file(block, where)]
        case CitableBlock():
            source = {"type": "text", "text": f"{block.title} ({block.source}):\n"}
            return [source, *(part for inner in block.content for part in _to_parts(inner, where))]
        case CachePoint():
            log.debug("%s: a cache point is left out: gateways of this format cache by themselves", where)
            return []
        case CitationBlock() | ThinkingBlock() | ToolCallBlock():
            # A citation's words stand in the answer's text; the other two travel beside the content.
            return []
        case VideoBlock():
            raise InvalidRequestError(f"{where}: video cannot be sent to /chat/completions; send frames as images")
        case _:
            raise InvalidRequestError(f"{where}: blocks of type {type(block).__name__} cannot be sent")


def _read(block: ImageBlock | AudioBlock | DocumentBlock, where: str) -> bytes:
    """A block's bytes, wherever it has them from."""
    try:
        match block:
            case ImageBlock():
                data = block.resolve_image().read()
            case AudioBlock():
                data = block.resolve_audio().read()
            case _:
                data = block.resolve_document().read()
    except OSError:
        raise
    except ValueError as error:
        raise InvalidRequestError(f"{where}: the {type(block).__name__} holds nothing to send: {error}") from error
    return bytes(data)


def _to_image(block: ImageBlock, where: str) -> dict[str, Any]:
    if block.url:
        url = str(block.url)
    else:
        data = _read(block, where)
        kind = block.image_mimetype or ImageBlock(image=data).image_mimetype or "image/jpeg"
        # Other integrations keep a whole data URL where the bytes should be.
        url = data.decode() if data.startswith(b"data:image/") else f"data:{kind};base64,{b64encode(data).decode()}"
    detail = {"detail": block.detail} if block.detail else {}
    return {"type": "image_url", "image_url": {"url": url, **detail}}


def _to_file(block: DocumentBlock, where: str) -> dict[str, Any]:
    data = _read(block, where)
    kind = block.document_mimetype or DocumentBlock(data=data).document_mimetype or "application/octet-stream"
    untitled = block.title in {None, "", "input_document"}
    name = Path(str(block.path)).name if block.path and untitled else block.title
    return {"type": "file", "file": {"filename": name, "file_data": f"data:{kind};base64,{b64encode(data).decode()}"}}
