"""Answers as content blocks: what ``message.content_blocks`` shows, and what content is in output version v1.

langchain-core asks a translator by the name in ``response_metadata["model_provider"]``. Without one it knows text,
reasoning and calls; ours adds citations, refusals, audio and images, which chat completions send beside the content.
Blocks of pieces have an index by their kind, so that pieces of one kind are added up and no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.block_translators import get_translator, register_translator
from langchain_core.messages.content import ContentBlock

from .._adapters.citations import read_citation
from .._core.wire import SIGNED_REASONING
from ..catalogue import list_providers
from ._refusals import refusal_block
from ._to_wire import CALL_EXTRA

REASONING, TEXT, REFUSAL, AUDIO, IMAGE, CALL = "lc_rs_0", "lc_txt_0", "lc_rf_0", "lc_au_0", "lc_img_{}", "lc_tc_{}"
"""Indexes of blocks; langchain-core adds up blocks of one index where it is a number or begins with ``lc_``."""

_AUDIO_TYPES = {
    "UklGR": "audio/wav",
    "SUQz": "audio/mpeg",
    "//v": "audio/mpeg",
    "//t": "audio/mpeg",
    "//N": "audio/mpeg",
    "//E": "audio/aac",
    "//k": "audio/aac",
    "ZkxhQ": "audio/flac",
    "T2dnU": "audio/ogg",
}
"""How audio data begins, in base64. What begins otherwise is bare samples, the only format that streams."""


def to_blocks(message: AIMessage) -> list[ContentBlock]:
    """The blocks of a whole answer, or of a sum of chunks that has ended; calls that did not parse are none.

    Raises:
        NotImplementedError: the content is a list, which our answers have in output version v1 alone.
    """
    blocks = [{key: value for key, value in block.items() if key != "index"} for block in _said(message)]
    extras = message.additional_kwargs.get(CALL_EXTRA, {})
    for call in message.tool_calls:
        extra = {"extras": extras[call["id"]]} if call["id"] in extras else {}
        blocks.append({"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"], **extra})
    blocks += [{key: value for key, value in block.items() if key != "index"} for block in _made(message)]
    return cast("list[ContentBlock]", blocks)


def to_indexed_blocks(message: AIMessageChunk) -> list[ContentBlock]:
    """The blocks of a piece of an answer, each with its index.

    Raises:
        NotImplementedError: the content is a list.
    """
    blocks = list(_said(message))
    for piece in message.tool_call_chunks:
        named = {"type": "tool_call_chunk", "id": piece["id"], "name": piece["name"], "args": piece["args"]}
        blocks.append({**named, "index": CALL.format(piece["index"])})
    return cast("list[ContentBlock]", [*blocks, *_made(message)])


def _said(message: AIMessage) -> Iterator[dict[str, Any]]:
    """Text and audio as blocks, with indexes."""
    if not isinstance(message.content, str):
        raise NotImplementedError  # which tells langchain-core to read the content itself
    kwargs = message.additional_kwargs
    reasoning, signed = kwargs.get("reasoning_content"), {key: kwargs[key] for key in SIGNED_REASONING if key in kwargs}
    if reasoning or signed:
        extras = {"extras": signed} if signed else {}
        yield {"type": "reasoning", "reasoning": reasoning or "", **extras, "index": REASONING}
    annotations = [_to_annotation(item) for item in _objects(kwargs.get("annotations"))]
    if message.content or annotations:
        cited = {"annotations": annotations} if annotations else {}
        yield {"type": "text", "text": message.content, **cited, "index": TEXT}
    if refusal := kwargs.get("refusal"):
        yield {**refusal_block(refusal), "index": REFUSAL}
    if isinstance(audio := kwargs.get("audio"), Mapping):
        yield {**_to_audio(audio), "index": AUDIO}


def _made(message: AIMessage) -> Iterator[dict[str, Any]]:
    """What only comes at the end: images, and parts of the content that are no text."""
    kwargs = message.additional_kwargs
    for position, part in enumerate(_objects(kwargs.get("images")) + _objects(kwargs.get("content_parts"))):
        yield {**_to_image(part), "index": IMAGE.format(position)}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _to_annotation(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """A citation as langchain-core has it; other annotations as they came."""
    citation = read_citation(annotation)
    if citation is None:
        return {"type": "non_standard_annotation", "value": dict(annotation)}
    named = {name: getattr(citation, name) for name in ("url", "title", "start_index", "end_index", "cited_text")}
    extras = {"extras": citation.extra} if citation.extra else {}
    return {"type": "citation", **{name: value for name, value in named.items() if value is not None}, **extras}


def _to_audio(audio: Mapping[str, Any]) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "audio"}
    if audio.get("id"):
        block["id"] = audio["id"]
    data = audio.get("data")
    if data and isinstance(data, str):
        block["base64"] = data
    if "base64" in block and "id" in block:  # not of a piece: types would be added up
        block["mime_type"] = audio_type(block["base64"])
    if extras := {name: value for name, value in audio.items() if name not in ("id", "data")}:
        block["extras"] = extras
    return block


def audio_type(data: str) -> str:
    """The MIME type of audio in base64, by how it begins: the wire does not say."""
    return next((kind for start, kind in _AUDIO_TYPES.items() if data.startswith(start)), "audio/pcm")


def _to_image(part: Mapping[str, Any]) -> dict[str, Any]:
    """An image the model made; parts of other kinds as they came."""
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, Mapping) else image
    if not isinstance(url, str):
        return {"type": "non_standard", "value": dict(part)}
    head, comma, data = url.partition(";base64,")
    if comma and head.startswith("data:"):
        return {"type": "image", "base64": data, "mime_type": head.removeprefix("data:")}
    return {"type": "image", "url": url}


def _to_chunk_blocks(message: AIMessageChunk) -> list[ContentBlock]:
    return to_blocks(message) if message.chunk_position == "last" else to_indexed_blocks(message)


def make_known(provider: str) -> None:
    """Have langchain-core ask us about a provider's answers, unless it knows the name already, as it does "openai"."""
    if get_translator(provider) is None:
        register_translator(provider, to_blocks, _to_chunk_blocks)


for _provider in list_providers():
    make_known(_provider.name)
