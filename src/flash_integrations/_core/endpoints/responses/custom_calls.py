"""Calls of custom tools: their input is any text, and the chat wire has a form of its own for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...completion.chunk import Part
from .calls import Call, CallIds, Entry, name_of
from .item_kind import DeltaNumbers, ItemKind
from .output_items import OutputItem
from .streamed_text import tail_of


class _CustomCall(Call):
    """What has come of one call, whose input may go on behind any text."""

    __slots__ = ()

    @property
    def is_whole(self) -> bool:
        """Never by its text."""
        return False


class CustomCalls(ItemKind[Call]):
    """Calls of custom tools, whose input is any text: handed on when it is whole.

    Args:
        next_place: gives the place of a new item among all.
        numbers: finds deltas that come twice.
        ids: places and ids among all calls.
    """

    def __init__(self, next_place: Callable[[], int], numbers: DeltaNumbers, ids: CallIds) -> None:
        super().__init__(_CustomCall, next_place)
        self._delta_of = numbers.delta_of
        self._ids = ids
        self.readers = {
            "response.custom_tool_call_input.delta": self._read_delta,
            "response.custom_tool_call_input.done": self._end_input,
        }

    def announce(self, item: OutputItem[Call], body: dict[str, Any]) -> Part | None:
        """Take the name."""
        self._ids.place(item.content)
        item.content.name = name_of(body) or item.content.name
        return None

    def end_item(self, item: OutputItem[Call], body: dict[str, Any]) -> Part:
        """The call, in the chat wire's form."""
        self.announce(item, body)
        item.content.whole = _text(body.get("input")) or item.content.whole
        return Part(tool_calls=self._hand_on(item))

    def finish(self) -> list[Entry]:
        """End all calls: what they have is all of it."""
        return [entry for item in self.items for entry in self._hand_on(item)]

    def to_body(self, item: OutputItem[Call]) -> dict[str, Any] | None:
        """The call with the id and the input that were handed on."""
        call = item.content
        whole = {"type": "custom_tool_call", "call_id": call.id, "name": call.name, "input": call.given.to_text()}
        return {**(item.body or {}), **whole} if call.is_open else None

    def _read_delta(self, event: dict[str, Any]) -> Part | None:
        delta = self._delta_of(event)
        if delta:
            self.items.find_by_event(event).content.streamed.pieces.append(delta)
        return None

    def _end_input(self, event: dict[str, Any]) -> Part | None:
        call = self.items.find_by_event(event).content
        call.whole = _text(event.get("input")) or call.whole
        return None

    def _hand_on(self, item: OutputItem[Call]) -> list[Entry]:
        call, streamed = item.content, str(item.content.streamed)
        if call.is_open or not call.name:
            return []
        call.given.pieces += [streamed, tail_of(call.whole, streamed)]
        text = call.given.to_text()
        return [{**self._ids.open_entry(item), "type": "custom", "custom": {"name": call.name, "input": text}}]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
