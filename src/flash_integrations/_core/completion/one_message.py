"""Choices nobody asked for, made one message: each field is that of the first choice that says it.

Copilot puts the text and the tool calls of one answer into two choices (gptel#1284, mini-swe-agent#804); others send a
second answer (litellm#35444), which is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .chunk import Part

_FIELDS = ("text", "reasoning", "refusal", "tool_calls", "function_call", "audio")


class OneMessage:
    """Decides what of each choice's parts belongs to the message.

    Args:
        index: the choice that came first.
        filled_fields: the fields that hold something so far.
        finished: whether it has its finish reason.
    """

    def __init__(self, index: int, *, filled_fields: Iterable[str], finished: bool) -> None:
        self._first = index
        self._owners = dict.fromkeys(filled_fields, index)
        self._finished = {index} if finished else set[int]()

    @property
    def is_finished(self) -> bool:
        """Whether every choice that holds a part of the message has its finish reason."""
        return ({*self._owners.values()} or {self._first}) <= self._finished

    def own(self, part: Part) -> Part | None:
        """What of a choice's part belongs to the message, or None."""
        index = part.index
        foreign: dict[str, Any] = {}
        for name in _FIELDS:
            value = getattr(part, name)
            if value and self._owners.setdefault(name, index) != index:
                foreign[name] = None if isinstance(value, dict) else type(value)()
        if part.finish_reason:
            self._finished.add(index)
        if index != self._first and index not in self._owners.values():
            return None
        return replace(part, **foreign)
