"""Tool calls: items of the output as entries of the chat wire's ``tool_calls``.

Of the arguments the deltas are believed if they are an object; else a whole text from a later event; else those of the
announcement, which one-hub repeats as the first delta. What begins with a brace is handed on as it comes; all else
waits for the whole text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...completion.chunk import Part
from ...framing import json_codec
from .item_kind import DeltaNumbers, ItemKind
from .output_items import OutputItem
from .streamed_text import StreamedText, repeats, tail_of

Entry = dict[str, Any]


class Call:
    """What has come of one call."""

    __slots__ = ("announced", "given", "id", "is_open", "name", "place", "settled", "streamed", "waiting", "whole")

    def __init__(self) -> None:
        self.place: int | None = None  # among the calls
        self.id: str | None = None  # as it was handed on
        self.name = ""
        self.announced = ""  # the arguments of ``output_item.added``
        self.streamed = StreamedText()  # the deltas
        self.whole = ""  # the last whole text
        self.waiting: list[str] = []  # settled, and not handed on yet, for the call has no name
        self.given = StreamedText()  # handed on
        self.is_open = False  # whether its beginning was handed on
        self.settled = False  # whether its arguments are all there

    def fits(self, body: dict[str, Any]) -> bool:
        """Whether something has come, and the whole item repeats it."""
        return repeats(as_text(body.get("arguments") or body.get("input")), str(self.streamed))

    @property
    def is_whole(self) -> bool:
        """Whether no delta more can belong to it: its arguments are an object already."""
        return self.settled or is_object(str(self.streamed))

    @property
    def streams(self) -> bool:
        """Whether the deltas are handed on as they come."""
        return bool(self.streamed) and self.streamed.pieces[0].lstrip()[:1] == "{"


class CallIds:
    """Places and ids among all calls of an answer."""

    def __init__(self) -> None:
        self._count = 0
        self._ids: set[str] = set()

    def place(self, call: Call) -> int:
        """The place of a call, in the order they appeared."""
        if call.place is None:
            call.place = self._count
            self._count += 1
        return call.place

    def open_entry(self, item: OutputItem[Call]) -> Entry:
        """The beginning of a call's entries.

        Its id is its ``call_id``, else the item's id, if no other call has it. One without either gets one of ours
        where the calls are put together.
        """
        call = item.content
        call.is_open = True
        ids = (known for known in (item.call_id, *sorted(item.ids)) if known and known not in self._ids)
        call.id = next(ids, None)
        entry: Entry = {"index": self.place(call)}
        if call.id is None:
            return entry
        self._ids.add(call.id)
        return {**entry, "id": call.id}


class FunctionCalls(ItemKind[Call]):
    """Calls of functions.

    Args:
        next_place: gives the place of a new item among all.
        numbers: finds deltas that come twice.
        ids: places and ids among all calls.
    """

    def __init__(self, next_place: Callable[[], int], numbers: DeltaNumbers, ids: CallIds) -> None:
        super().__init__(Call, next_place)
        self._delta_of = numbers.delta_of
        self._ids = ids
        self.readers = {
            "response.function_call_arguments.delta": self._read_delta,
            "response.function_call_arguments.done": self._end_arguments,
        }

    def announce(self, item: OutputItem[Call], body: dict[str, Any]) -> Part | None:
        """Take the name; the arguments there are a last resort."""
        item.content.announced = item.content.announced or as_text(body.get("arguments"))
        self._describe(item.content, body)
        return _part(self._hand_on(item))

    def end_item(self, item: OutputItem[Call], body: dict[str, Any]) -> Part:
        """What a whole item, or the event that ends its arguments, adds."""
        call, whole = item.content, as_text(body.get("arguments"))
        self._describe(call, body)
        streamed = str(call.streamed)
        if call.settled:
            pass
        elif is_object(streamed):
            call.settled = True
            call.waiting += [] if call.streams else [streamed]
        elif call.streams:
            if tail := tail_of(whole, streamed):
                call.streamed.pieces.append(tail)
                call.waiting.append(tail)
                call.settled = is_object(streamed + tail)
        elif is_object(whole):
            call.settled = True
            call.waiting.append(whole)
        else:
            call.whole = whole or call.whole
        return Part(tool_calls=self._hand_on(item))

    def finish(self) -> list[Entry]:
        """End all calls: what they have is all of it."""
        entries = []
        for item in self.items:
            call, streamed = item.content, str(item.content.streamed)
            if not (call.settled or call.streams):
                texts = [streamed if is_object(streamed) else "", call.whole, call.announced, streamed]
                call.waiting += [text for text in texts if text.strip()][:1]
            call.settled = True
            entries += self._hand_on(item, last=True)
        return entries

    def to_body(self, item: OutputItem[Call]) -> dict[str, Any] | None:
        """The call with the id, the name and the arguments that were handed on."""
        call, arguments = item.content, item.content.given.to_text() or "{}"
        whole = {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments}
        return {**(item.body or {}), **whole} if call.is_open else None

    def _read_delta(self, event: dict[str, Any]) -> Part | None:
        delta = self._delta_of(event)
        if not delta:
            return None
        item = self.items.find_by_event(event)
        call = item.content
        if call.settled or not (call.streamed or delta.strip()):
            return None  # blanks before the beginning say nothing
        call.streamed.pieces.append(delta)
        if call.streams:
            call.waiting.append(delta)
        return _part(self._hand_on(item))

    def _end_arguments(self, event: dict[str, Any]) -> Part | None:
        return _part(self.end_item(self.items.find_by_event(event, ends=True), event).tool_calls)

    def _describe(self, call: Call, body: dict[str, Any]) -> None:
        self._ids.place(call)
        if not call.is_open:
            call.name = name_of(body) or call.name

    def _hand_on(self, item: OutputItem[Call], *, last: bool = False) -> list[Entry]:
        """What of a call can be handed on: nothing before its name and its id are known, but at the end."""
        call, arguments = item.content, "".join(item.content.waiting)
        if not call.is_open:
            known = call.name and item.call_id
            if not known and not (last and (call.name or arguments)):
                return []
            entry = {**self._ids.open_entry(item), "type": "function"}
            function = {"name": call.name, "arguments": arguments}
        elif arguments:
            entry, function = {"index": call.place}, {"arguments": arguments}
        else:
            return []
        call.waiting = []
        call.given.pieces += [arguments] if arguments else []
        return [{**entry, "function": function}]


def name_of(body: dict[str, Any]) -> str:
    """The name in an item or event, "" where there is none."""
    name = body.get("name")
    return name if isinstance(name, str) else ""


def as_text(value: Any) -> str:
    """Arguments as text: an object is sent as one by some; null, bare or quoted, is nothing."""
    if isinstance(value, dict | list):
        return json_codec.dumps(value).decode()
    return value if isinstance(value, str) and value != "null" else ""


def is_object(text: str) -> bool:
    """Whether a text is a JSON object, or a JSON string that holds one."""
    if text.lstrip()[:1] not in ("{", '"') or text.rstrip()[-1:] not in ("}", '"'):
        return False
    try:
        value = json_codec.loads(text)
        return isinstance(json_codec.loads(value) if isinstance(value, str) else value, dict)
    except ValueError:
        return False


def _part(entries: Any) -> Part | None:
    return Part(tool_calls=entries) if entries else None
