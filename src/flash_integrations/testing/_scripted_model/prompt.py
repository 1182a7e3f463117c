"""What a conversation asks: the question, the context it comes with, and the tools' results since."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .text import sentences

__all__ = ["Prompt", "read_prompt"]

_QUESTION = re.compile(r"^\W*(?:question|query|q|user question|问题|提问|查询)\s*[:：]\s*", re.IGNORECASE)
_ANSWER = re.compile(r"^\W*(?:(?:helpful |final )?answer|response|a|回答|答案|答)\W*[:：]\W*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation as the scripted model reads it.

    Attributes:
        user: the last user message.
        question: what is asked in it.
        context: the sentences before the question, from every message, in order.
        results: (tool name, its result) since the last user message.
    """

    user: str
    question: str
    context: Sequence[str]
    results: Sequence[tuple[str, str]]

    @property
    def source(self) -> str:
        """Where values may be taken from: the user's message and the tools' results."""
        return "\n".join([self.user, *(text for _, text in self.results)])


def read_prompt(messages: Sequence[Mapping[str, Any]]) -> Prompt:
    """Read a conversation."""
    last = max((at for at, message in enumerate(messages) if message["role"] == "user"), default=len(messages) - 1)
    user = _text(messages[last])
    lines = [line for line in user.splitlines() if not _ANSWER.match(line)]
    question, rest = _split(lines)
    context = [found for message in messages[:last] if message["role"] != "tool" for found in sentences(_text(message))]
    names = {call["id"]: call["function"]["name"] for message in messages for call in message.get("tool_calls") or []}
    results = [
        (names.get(message.get("tool_call_id"), message.get("name") or "tool"), _text(message))
        for message in messages[last + 1 :]
        if message["role"] in ("tool", "function")
    ]
    return Prompt(user, question, [*context, *rest], results)


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if not isinstance(content, list):
        return content or ""
    return "\n".join(str(part["text"]) if "text" in part else f"[{part.get('type')}]" for part in content)


def _split(lines: Sequence[str]) -> tuple[str, list[str]]:
    """The question and what stands beside it: a line marked as one, else the last question, else the last sentence."""
    for at in range(len(lines) - 1, -1, -1):
        if _QUESTION.match(lines[at]):
            text = _QUESTION.sub("", lines[at]).strip() or " ".join(lines[at + 1 : at + 2]).strip()
            return text, [found for line in (*lines[:at], *lines[at + 1 :]) for found in sentences(line)]
    text = "\n".join(lines).strip()
    if "\n" not in text and not text.endswith(("?", "？")):
        return text, []
    found = sentences(text)
    asking = [at for at, sentence in enumerate(found) if sentence.endswith(("?", "？"))]
    if not found:
        return "", []
    at = asking[-1] if asking else len(found) - 1
    return found[at], found[:at] + found[at + 1 :]
