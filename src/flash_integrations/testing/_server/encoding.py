"""From choices to bytes: one JSON body, or server-sent events with one token each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from zlib import crc32

from ..._core.wire import ChoiceBody, CompletionBody, MessageBody, ToolCallBody
from ..answers import Choice, Piece

__all__ = ["DONE", "Frame", "Head", "as_json", "event", "frames", "whole"]

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes to be sent at once.

    Attributes:
        data: the bytes.
        tokens: how many tokens they carry.
        opening: whether they come before any token can (the role).
        last: whether they end the body.
    """

    data: bytes
    tokens: int = 0
    opening: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What every chunk of an answer repeats; ``top_logprobs`` is None where no logprobs were asked for."""

    id: str
    created: int
    model: str
    top_logprobs: int | None = None

    def body(self, kind: str) -> CompletionBody:
        """The fields before the choices."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": "fp_local_gateway",
        }


def as_json(body: Any) -> bytes:
    """A JSON body; what UTF-8 cannot carry (half a surrogate pair) becomes a question mark."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def event(body: Any) -> bytes:
    """One server-sent event with a JSON body."""
    return b"data: " + as_json(body) + b"\n\n"


def whole(head: Head, choices: Sequence[Choice], usage: Mapping[str, Any]) -> bytes:
    """The plain answer."""
    body = head.body("chat.completion")
    body["choices"] = [
        {
            "index": index,
            "message": _message(choice.pieces),
            "logprobs": _logprobs(choice.pieces, head.top_logprobs),
            "finish_reason": choice.finish_reason,
        }
        for index, choice in enumerate(choices)
    ]
    return as_json({**body, "usage": usage})


def _message(pieces: Sequence[Piece]) -> MessageBody:
    def text_of(kind: str, call: int = 0) -> str:
        return "".join(piece.text for piece in pieces if piece.kind == kind and piece.call == call)

    kinds = {piece.kind for piece in pieces}
    message: MessageBody = {"role": "assistant", "content": _first_content(kinds)}
    if "content" in kinds:
        message["content"] = text_of("content")
    if "reasoning" in kinds:
        message["reasoning_content"] = text_of("reasoning")
    if "refusal" in kinds:
        message["refusal"] = text_of("refusal")
    if "call" in kinds:
        message["tool_calls"] = [
            {
                "id": piece.id,
                "type": "function",
                "function": {"name": piece.text, "arguments": text_of("arguments", piece.call)},
            }
            for piece in pieces
            if piece.kind == "call"
        ]
    return message


def _first_content(kinds: set[Any]) -> str | None:
    return "" if "content" in kinds or not kinds & {"call", "refusal"} else None


def frames(head: Head, choices: Sequence[Choice], usage: Mapping[str, Any], *, include_usage: bool) -> Iterator[Frame]:
    """The streamed answer: roles, tokens (the choices taking turns), finish reasons, usage if asked for, ``[DONE]``."""
    chunk = head.body("chat.completion.chunk")
    unused = {"usage": None} if include_usage else {}

    def write(index: int, delta: MessageBody, finish: str | None = None, pieces: Sequence[Piece] = ()) -> Frame:
        choice: ChoiceBody = {"index": index, "delta": delta, "finish_reason": finish}
        choice["logprobs"] = _logprobs(pieces, head.top_logprobs)
        opening = "role" in delta
        return Frame(event({**chunk, "choices": [choice], **unused}), tokens=len(pieces), opening=opening)

    for index, choice in enumerate(choices):
        content = _first_content({piece.kind for piece in choice.pieces})
        yield write(index, {"role": "assistant", "content": content})
    for pieces_at_once in zip_longest(*(choice.pieces for choice in choices)):
        for index, piece in enumerate(pieces_at_once):
            if piece is not None:
                yield write(index, _delta(piece), pieces=[piece])
    for index, choice in enumerate(choices):
        yield write(index, {}, choice.finish_reason)
    if include_usage:
        yield Frame(event({**chunk, "choices": [], "usage": usage}))
    yield Frame(DONE, last=True)


def _delta(piece: Piece) -> MessageBody:
    match piece.kind:
        case "content":
            return {"content": piece.text}
        case "reasoning":
            return {"reasoning_content": piece.text}
        case "refusal":
            return {"refusal": piece.text}
        case "call":
            opening: ToolCallBody = {"index": piece.call, "id": piece.id, "type": "function"}
            opening["function"] = {"name": piece.text, "arguments": ""}
            return {"tool_calls": [opening]}
        case "arguments":
            return {"tool_calls": [{"index": piece.call, "function": {"arguments": piece.text}}]}


def _logprobs(pieces: Sequence[Piece], top: int | None) -> dict[str, Any] | None:
    """Made-up but fixed figures: the token decides them. None when not asked for, or when no content is there."""
    if top is None:
        return None
    texts = [piece.text for piece in pieces if piece.kind == "content"]
    return {"content": [_logprob(text, top) for text in texts], "refusal": None} if texts else None


def _logprob(text: str, top: int) -> dict[str, Any]:
    own = -(crc32(text.encode("utf-8", "replace")) % 900 + 1) / 1000
    rows = [_row(text, own), *(_row(f"{text}~{rank}", own - rank) for rank in range(1, top))]
    return {**rows[0], "top_logprobs": rows[:top]}


def _row(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": round(logprob, 3), "bytes": list(text.encode("utf-8", "replace"))}
