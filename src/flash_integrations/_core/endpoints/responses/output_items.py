"""Which output item an event is about.

An item is known by its id, then by its ``call_id``, then by its ``output_index``, then by its order among its kind,
since none of them can be relied on: ids differ from event to event at translators and behind Copilot (Floway PR 248),
indexes shift between the announcement and the deltas (sub2api#5186, vLLM PR 31761), vLLM gives reasoning the ids of
messages (PR 24788), and llama.cpp sends no indexes at all. So only items of one kind are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar


class Content(Protocol):
    """What has come of an item."""

    @property
    def is_whole(self) -> bool:
        """Whether no delta more can belong to it."""

    @property
    def settled(self) -> bool:
        """Whether nothing more can belong to it at all."""

    def fits(self, body: dict[str, Any]) -> bool:
        """Whether something has come, and the whole item repeats it."""


C = TypeVar("C", bound=Content)


@dataclass(slots=True, eq=False)
class OutputItem(Generic[C]):
    """One item.

    Attributes:
        content: what has come of it.
        place: its place among all items, in the order they appeared.
        call_id: the id of the call it is, or None.
        index: its last ``output_index``, or None.
        ids: the ids it went by.
        announced: whether an ``output_item.added`` came.
        in_turn: whether it was announced when another was being written.
        written: whether a delta came.
        body: the item as it came whole, or None.
    """

    content: C
    place: int
    call_id: str | None = None
    index: int | None = None
    ids: set[str] = field(default_factory=set)
    announced: bool = False
    in_turn: bool = False
    written: bool = False
    body: dict[str, Any] | None = None


class OutputItems(Generic[C]):
    """The items of one kind.

    Args:
        new: makes the content of a new item.
        next_place: gives the place of a new item among all.
    """

    def __init__(self, new: Callable[[], C], next_place: Callable[[], int]) -> None:
        self._new = new
        self._next_place = next_place
        self._items: list[OutputItem[C]] = []
        self._by_id: dict[str, OutputItem[C]] = {}

    def __iter__(self) -> Iterator[OutputItem[C]]:
        return iter(self._items)

    def find_by_event(self, event: dict[str, Any], *, ends: bool = False) -> OutputItem[C]:
        """The item that a delta belongs to, or the event that ``ends`` deltas."""
        item_id, index = _text(event.get("item_id")), _number(event.get("output_index"))
        item = self._by_id.get(item_id) if item_id else None
        if item is None:
            item = self._at(index) or self._next_open(item_id, index, ends=ends)
        if item is None:
            item = self._add(index)
        item.written = True
        self._name(item, item_id)
        return item

    def find_announced(self, body: dict[str, Any], index: int | None) -> OutputItem[C]:
        """The item that ``output_item.added`` announces."""
        item_id, call_id = _text(body.get("id")), _text(body.get("call_id"))
        item = self._known(item_id, call_id, index)
        if item is None:
            item = self._at(index, call_id)
        if item is None:  # its deltas may have come before it
            fresh = (known for known in self._open(call_id) if not known.announced and not (known.ids and item_id))
            item = next(fresh, None)
        if item is None:
            in_turn = any(known.written for known in self._open())
            item = self._add(index)
            item.in_turn = in_turn
        item.announced = True
        item.index = item.index if index is None else index
        return self._name(item, item_id, call_id)

    def find_done(self, body: dict[str, Any], index: int | None) -> OutputItem[C]:
        """The item that ``output_item.done`` sends whole."""
        item_id, call_id = _text(body.get("id")), _text(body.get("call_id"))
        item = self._known(item_id, call_id, index) or self._at(index, call_id)
        if item is None:
            again = (known for known in self._items if known.body == body and index in (None, known.index))
            item = next(again, None)
        if item is None:
            open_items = self._open(call_id)
            fitting = (known for known in open_items if known.content.fits(body))
            item = next(fitting, open_items[0] if open_items else None) or self._add(index)
        item.body = body
        return self._name(item, item_id, call_id)

    def match(self, bodies: list[dict[str, Any]]) -> list[OutputItem[C]]:
        """The items that the final response lists, in its order: one for each of the bodies.

        Their place in the list is not their index: lists leave items out.
        """
        found: dict[int, OutputItem[C]] = {}
        ids = [(_text(body.get("id")), _text(body.get("call_id"))) for body in bodies]
        for number, (item_id, _) in enumerate(ids):
            if item_id in self._by_id:
                found[number] = self._by_id[item_id]

        def pair(is_it: Callable[[int, OutputItem[C]], bool]) -> None:
            for number in range(len(bodies)):
                if number not in found:
                    taken = [*found.values()]
                    free = (item for item in self._items if item not in taken and is_it(number, item))
                    if (item := next(free, None)) is not None:
                        found[number] = item

        pair(lambda number, item: ids[number][1] is not None and ids[number][1] == item.call_id)
        pair(lambda number, item: _may_be(item, ids[number][1]) and item.content.fits(bodies[number]))
        pair(lambda number, item: _may_be(item, ids[number][1]))
        matched = []
        for number, body in enumerate(bodies):
            item = found.get(number) or self._add(None)
            item.body = body
            matched.append(self._name(item, *ids[number]))
        return matched

    def _known(self, item_id: str | None, call_id: str | None, index: int | None) -> OutputItem[C] | None:
        item = self._by_id.get(item_id) if item_id else None
        if item is not None or call_id is None:
            return item
        for known in self._items:
            if known.call_id == call_id:
                other_id = bool(item_id and known.ids)
                other_index = index is not None and known.index is not None and index != known.index
                if not (other_id and other_index):  # else one call_id was given to two calls
                    return known
        return None

    def _at(self, index: int | None, call_id: str | None = None) -> OutputItem[C] | None:
        if index is None:
            return None
        at_index = (item for item in reversed(self._items) if item.index == index and item.body is None)
        return next((item for item in at_index if _may_be(item, call_id)), None)

    def _open(self, call_id: str | None = None) -> list[OutputItem[C]]:
        return [item for item in self._items if item.body is None and _may_be(item, call_id)]

    def _next_open(self, item_id: str | None, index: int | None, *, ends: bool) -> OutputItem[C] | None:
        """By order: an unknown id, or an unknown index, is that of the first item that has had no deltas yet."""
        items = self._open()
        open_items = [item for item in items if not (item.content.settled if ends else item.content.is_whole)]
        if item_id or index is not None:
            unwritten = [item for item in open_items if not item.written]
            if unwritten or index is not None:
                unindexed = [item for item in open_items if item.index is None]
                return next(iter(unwritten), unindexed[-1] if unindexed else None)
            return open_items[-1] if open_items else None
        # Items are written one after the other, or announced together and then written in that order.
        in_turn = [item for item in open_items if item.in_turn]
        return in_turn[-1] if in_turn else next(iter(open_items), None)

    def _add(self, index: int | None) -> OutputItem[C]:
        item = OutputItem(self._new(), self._next_place(), index=index)
        self._items.append(item)
        return item

    def _name(self, item: OutputItem[C], item_id: str | None, call_id: str | None = None) -> OutputItem[C]:
        if item_id:
            item.ids.add(item_id)
            self._by_id.setdefault(item_id, item)
        item.call_id = item.call_id or call_id
        return item


def _may_be(item: OutputItem[Any], call_id: str | None) -> bool:
    """Whether no call_id says that it is another item."""
    return call_id is None or item.call_id in (None, call_id)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    return value if type(value) is int else None
