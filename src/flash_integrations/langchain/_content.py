"""Content blocks as the parts of a message the chat completions endpoint takes.

Known are the blocks of langchain-core 1.x and 0.x, and those of OpenAI (chat completions and responses), Anthropic and
Google, which stand in conversations that began elsewhere. What is in no table passes unchanged: gateways have parts of
their own.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from mimetypes import guess_extension
from typing import Any

from langchain_core.messages import is_data_content_block
from langchain_core.messages.block_translators.openai import convert_to_openai_data_block

from ..errors import InvalidRequestError

TEXTS = frozenset({"text", "input_text", "output_text"})
_MARKS = ("cache_control", "prompt_cache_breakpoint")
"""What may stand beside a text. Ids, indexes and annotations of earlier answers are refused by strict upstreams."""

_NOT_CONTENT = frozenset(
    {
        "tool_use",
        "tool_call",
        "tool_call_chunk",
        "invalid_tool_call",
        "function_call",
        "reasoning",
        "reasoning_content",
        "thinking",
        "redacted_thinking",
        "refusal",
    }
)
"""Blocks of earlier answers that travel beside the content, or not at all; ``_to_wire`` sees to them."""

_FORMATS = {"mpeg": "mp3", "x-mp3": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "x-flac": "flac"}
"""Audio formats where the second half of the MIME type is not OpenAI's word."""


def to_parts(content: str | list[str | dict[str, Any]]) -> str | list[Any]:
    """A message's content in the wire's form; text alone may stay a list, which the core joins.

    Raises:
        InvalidRequestError: a block that the endpoint has no form for.
    """
    if isinstance(content, str):
        return content
    return [part for block in content if (part := to_part(block)) is not None] or ""


def to_part(block: str | dict[str, Any]) -> dict[str, Any] | None:
    """One content block in the wire's form; None where it is not content.

    Raises:
        InvalidRequestError: the endpoint has no form for it; says what to send instead.
    """
    if isinstance(block, str):
        return {"type": "text", "text": block} if block else None
    block = to_standard(block)
    kind = block.get("type")
    if kind in TEXTS or (kind is None and "text" in block):
        return _text(block)
    if kind in _NOT_CONTENT:
        return None
    if kind == "text-plain":
        return _plain_text(block)
    if kind == "image_url" and isinstance(block.get("image_url"), str):
        return {"type": "image_url", "image_url": {"url": block["image_url"]}}
    if kind == "video" and (url := _url(block)):
        return {"type": "video_url", "video_url": {"url": url}}
    return _data(block) if is_data_content_block(block) else block


def to_standard(block: dict[str, Any]) -> dict[str, Any]:
    """A block of another vendor's under LangChain's names, where it has them; else the block itself."""
    kind, source = block.get("type"), block.get("source")
    if kind == "non_standard" and isinstance(block.get("value"), dict):
        return to_standard(block["value"])
    if kind in ("image", "document") and isinstance(source, Mapping):
        return _of_anthropic("image" if kind == "image" else "file", source, block)
    if kind == "input_image" and block.get("image_url"):
        detail = {"detail": block["detail"]} if block.get("detail") else {}
        return {"type": "image_url", "image_url": {"url": block["image_url"], **detail}}
    if kind == "input_image":
        return {"type": "image", "file_id": block.get("file_id")}
    if kind == "input_file":
        if block.get("file_url"):
            return {"type": "file", "url": block["file_url"]}
        return {
            "type": "file",
            "file": {name: block[name] for name in ("file_id", "file_data", "filename") if name in block},
        }
    if kind == "media":
        mime = str(block.get("mime_type", ""))
        family = mime.partition("/")[0]
        where = {"url": block["file_uri"]} if "file_uri" in block else {"base64": block.get("data")}
        return {"type": family if family in ("image", "audio", "video") else "file", "mime_type": mime, **where}
    if kind == "file" and block.get("source_type") == "text":
        return {"type": "text-plain", "text": block.get("text", "")}
    return block


def _of_anthropic(kind: str, source: Mapping[str, Any], block: Mapping[str, Any]) -> dict[str, Any]:
    title = {"title": block["title"]} if block.get("title") else {}
    match source.get("type"):
        case "base64":
            mime = source.get("media_type", "image/png" if kind == "image" else "application/pdf")
            name = {"filename": block["title"]} if title and kind == "file" else {}
            return {"type": kind, "base64": source.get("data"), "mime_type": mime, **name}
        case "text":
            return {"type": "text-plain", "text": source.get("data", ""), **title}
        case "content":
            inner = source.get("content") or ""
            texts = [inner] if isinstance(inner, str) else [part.get("text", "") for part in inner]
            return {"type": "text-plain", "text": "\n".join(texts), **title}
        case "file":
            return {"type": kind, "file_id": source.get("file_id")}
        case _:
            return {"type": kind, "url": source.get("url")}


def _text(block: Mapping[str, Any]) -> dict[str, Any] | None:
    text = block.get("text")
    if not isinstance(text, str):
        raise InvalidRequestError(f"a content block of type 'text' needs a str, not {type(text).__name__}")
    beside = {**_extras(block), **block}
    # An empty text is refused by Anthropic's models.
    return {"type": "text", "text": text, **{mark: beside[mark] for mark in _MARKS if mark in beside}} if text else None


def _plain_text(block: Mapping[str, Any]) -> dict[str, Any]:
    """A text file: the endpoint knows none, so its text goes as text, under its title and context."""
    text = block.get("text")
    if text is None and block.get("base64"):
        text = base64.b64decode(block["base64"]).decode("utf-8", "replace")
    if text is None and block.get("file_id"):
        return {"type": "file", "file": {"file_id": block["file_id"]}}
    if text is None:
        raise InvalidRequestError("a content block of type 'text-plain' cannot be sent by URL: pass its text=")
    return {
        "type": "text",
        "text": "\n".join(text_part for text_part in (block.get("title"), block.get("context"), text) if text_part),
    }


def _data(block: dict[str, Any]) -> dict[str, Any]:
    """An image, audio or file."""
    kind = block["type"]
    if kind == "file" and "url" in block and not (block.get("base64") or block.get("file_id")):
        raise InvalidRequestError(
            "a content block of type 'file' cannot be sent by URL: chat completions take a file's base64= with its "
            "mime_type=, or the file_id= of one uploaded before"
        )
    try:
        part = convert_to_openai_data_block(_with_filename(block), api="chat/completions")
    except KeyError as error:
        raise InvalidRequestError(f"a content block of type {kind!r} cannot be sent without {error}") from error
    except ValueError as error:
        raise InvalidRequestError(f"a content block of type {kind!r} cannot be sent: {error}") from error
    if kind == "image" and (detail := {**_extras(block), **block}.get("detail")):
        part["image_url"]["detail"] = detail
    if kind == "audio":
        named = part["input_audio"]["format"].partition(";")[0]
        part["input_audio"]["format"] = _FORMATS.get(named, named)
    return part


def _with_filename(block: dict[str, Any]) -> dict[str, Any]:
    """A file's block with a name, which OpenAI asks for beside a file's data."""
    inside = [block, *(block[key] for key in ("extras", "metadata") if isinstance(block.get(key), Mapping))]
    has_name = any(place.get("filename") for place in inside)
    if block.get("type") != "file" or has_name or not (block.get("base64") or block.get("data")):
        return block
    return {**block, "filename": f"file{guess_extension(str(block.get('mime_type'))) or ''}"}


def _url(block: Mapping[str, Any]) -> str | None:
    data = block.get("base64")
    return f"data:{block.get('mime_type', 'video/mp4')};base64,{data}" if data else block.get("url")


def _extras(block: Mapping[str, Any]) -> Mapping[str, Any]:
    extras = block.get("extras")
    return extras if isinstance(extras, Mapping) else {}
