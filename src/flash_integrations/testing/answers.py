"""An answer before it has a wire form: what it says, cut into pieces, with the request's limits applied.

Whole answers and streams are both made from the same pieces, which is why they carry the same content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import takewhile
from typing import Any, Literal

from ._scripted_model.text import tokens

__all__ = ["Answer", "Choice", "Piece", "choices_of", "prompt_tokens", "usage_of"]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to give, as a test scripts it. ``max_tokens`` and ``stop`` of the request apply to it.

    Attributes:
        text: the content.
        tool_calls: (name, arguments) pairs; arguments as a mapping, or as text that goes out as it is, JSON or not.
        reasoning: what goes out as ``reasoning_content`` before the content.
        refusal: what goes out as ``refusal``.
        finish_reason: by default "tool_calls" with tool calls, else "stop". A given one stays whatever was cut off.
        usage: the usage to report instead of the counted one.
        pieces: the content as it is to be cut in a stream; ``text`` may then be left out.
        choices: one answer for each of ``n`` choices, the last one for those beyond; the other fields are then unused.
    """

    text: str | None = None
    tool_calls: Sequence[tuple[str, Mapping[str, Any] | str]] = ()
    reasoning: str | None = None
    refusal: str | None = None
    finish_reason: str | None = None
    usage: Mapping[str, Any] | None = None
    pieces: Sequence[str] | None = None
    choices: Sequence[Answer] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of an answer. The opening of a tool call is one too, with its ``id`` and its name as text."""

    kind: Literal["reasoning", "content", "refusal", "call", "arguments"]
    text: str
    call: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of an answer, ready to be written."""

    pieces: Sequence[Piece]
    finish_reason: str


def choices_of(answer: Answer, body: Mapping[str, Any]) -> list[Choice]:
    """The ``n`` choices that answer a chat request, cut where its ``stop`` and its token limit say."""
    answers = list(answer.choices) or [answer]
    return [_choice(answers[min(at, len(answers) - 1)], body, at) for at in range(body.get("n") or 1)]


def _choice(answer: Answer, body: Mapping[str, Any], index: int) -> Choice:
    pieces = list(_pieces(answer, body, index))
    finish = "tool_calls" if answer.tool_calls else "stop"
    stops = body.get("stop") or []
    stopped = _until_stop(pieces, [stops] if isinstance(stops, str) else stops)
    if stopped is not None:
        pieces, finish = stopped, "stop"
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    if most is not None and len(pieces) > most:
        pieces, finish = pieces[:most], "length"
    return Choice(pieces, answer.finish_reason or finish)


def _pieces(answer: Answer, body: Mapping[str, Any], index: int) -> list[Piece]:
    found = [Piece("reasoning", text) for text in tokens(answer.reasoning or "")]
    content = tokens(answer.text or "") if answer.pieces is None else answer.pieces
    found += [Piece("content", text) for text in content]
    found += [Piece("refusal", text) for text in tokens(answer.refusal or "")]
    for number, (name, given) in enumerate(answer.tool_calls):
        arguments = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        # The id follows from the request, so that a streamed and a plain answer to one body agree in it too.
        seed = f"{len(body['messages'])} {index} {number} {name} {arguments}".encode("utf-8", "replace")
        found.append(Piece("call", name, number, f"call_{blake2b(seed, digest_size=12).hexdigest()}"))
        found += [Piece("arguments", text, number) for text in tokens(arguments)]
    return found


def _until_stop(pieces: Sequence[Piece], stops: Sequence[str]) -> list[Piece] | None:
    """The pieces before the first stop sequence in the content; None when there is none."""
    content = "".join(piece.text for piece in pieces if piece.kind == "content")
    room = min((at for stop in stops if stop and (at := content.find(stop)) >= 0), default=None)
    if room is None:
        return None
    kept = list(takewhile(lambda piece: piece.kind == "reasoning", pieces))
    for piece in pieces[len(kept) :]:
        if piece.kind != "content" or room <= 0:
            break
        kept.append(Piece("content", piece.text[:room]))
        room -= len(piece.text)
    return kept


def prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """How many tokens the messages count: those of their texts and tool calls, and four for each message's frame."""
    return sum(4 + len(tokens(_counted(message))) for message in messages)


def _counted(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    parts = [content] if isinstance(content, str) else [str(part.get("text", "")) for part in content]
    for call in message.get("tool_calls") or []:
        parts += [str(call["function"].get("name", "")), str(call["function"].get("arguments", ""))]
    return "\n".join(parts)


def usage_of(answer: Answer, body: Mapping[str, Any], choices: Sequence[Choice]) -> dict[str, Any]:
    """The usage to report: every piece of every choice is one token."""
    if answer.usage is not None:
        return dict(answer.usage)
    asked = prompt_tokens(body["messages"])
    pieces = [piece for choice in choices for piece in choice.pieces]
    return {
        "prompt_tokens": asked,
        "completion_tokens": len(pieces),
        "total_tokens": asked + len(pieces),
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": sum(piece.kind == "reasoning" for piece in pieces)},
    }
