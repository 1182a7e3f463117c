"""Events of a Responses stream in, the chat wire's chunks out.

Whom to believe, where events contradict each other, is decided below: ``output_items`` says whose an event is,
``messages``, ``reasoning`` and ``calls`` what it adds, ``answer`` how the answer ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from ...completion.chunk import Chunk, Part
from ...failures import error_body
from .answer import ENDS, error_of, read_counts, read_finish, read_head, read_status, whole_response
from .calls import CallIds, FunctionCalls
from .custom_calls import CustomCalls
from .item_kind import DeltaNumbers, EventReader, ItemKind, ProviderItems
from .kept_items import KEPT, to_kept
from .messages import Messages
from .output_items import OutputItem
from .reasoning import Reasonings

_HANDSHAKE = frozenset({"response.queued", "response.created", "response.in_progress"})
_NO_NEWS = ("response.", "codex.", "ping", "keepalive")


class ResponseEvents:
    """Reads the events of one answer, in their order.

    Args:
        model: the model that was asked, for which the answer's items are kept.
    """

    def __init__(self, *, model: str) -> None:
        self.started = False
        """Whether any event of an answer came, the handshake included."""
        self.finished = False
        """Whether the terminal event came."""
        self._model = model
        self._next_place = count().__next__
        self._numbers, ids = DeltaNumbers(), CallIds()
        self._kinds: dict[str, ItemKind[Any]] = {
            "message": Messages(self._next_place, self._numbers),
            "reasoning": Reasonings(self._next_place, self._numbers),
            "function_call": FunctionCalls(self._next_place, self._numbers, ids),
            "custom_tool_call": CustomCalls(self._next_place, self._numbers, ids),
        }
        self._readers: dict[str, EventReader] = {
            "response.output_item.added": self._announce_item,
            "response.output_item.done": self._end_item,
        }
        for kind in self._kinds.values():
            self._readers |= kind.readers

    @property
    def items_done(self) -> bool:
        """Whether there are items, and each of them came whole."""
        items = [item for _, item in self._items()]
        return bool(items) and all(item.body is not None for item in items)

    def is_progress(self, event: dict[str, Any]) -> bool:
        """Whether an event that adds nothing shows the answer to be going on; no handshake and no ping does."""
        kind = event.get("type")
        return isinstance(kind, str) and kind.startswith("response.") and kind not in _HANDSHAKE

    def read_event(self, event: dict[str, Any]) -> Chunk | None:
        """Read one event; never raises.

        Returns:
            What it adds; None for nothing. A chunk without parts is of the handshake. A part with an ``error`` ends
            the answer: that is the error's body.
        """
        kind = event.get("type")
        kind = kind if isinstance(kind, str) else ""
        read = self._readers.get(kind)
        if read is not None:
            self.started = True
            part = read(event)
            return None if part is None else Chunk((part,))
        self._numbers.see(event)
        if kind in _HANDSHAKE:
            self.started = True
            response = event.get("response")
            return read_head(response) if isinstance(response, dict) else None
        if kind in ENDS:
            response = event.get("response")
            return self._end(event, response if isinstance(response, dict) else {}, kind)
        if kind.startswith(_NO_NEWS):
            return None
        response = whole_response(event)
        if response is not None:
            return self._end(event, response, kind)
        return Chunk((Part(error=event),)) if error_body.is_error(event) else None

    def release(self) -> Chunk | None:
        """What was held back of calls, where nothing more comes."""
        entries = self._finish_items()
        return Chunk((Part(tool_calls=entries),)) if entries else None

    def _items(self) -> Iterator[tuple[ItemKind[Any], OutputItem[Any]]]:
        return ((kind, item) for kind in self._kinds.values() for item in kind.items)

    def _kind_of(self, body: dict[str, Any]) -> ItemKind[Any]:
        name = body.get("type")
        name = name if isinstance(name, str) else ""
        if name not in self._kinds:
            self._kinds[name] = ProviderItems(self._next_place)
        return self._kinds[name]

    def _announce_item(self, event: dict[str, Any]) -> Part | None:
        body, index = event.get("item"), event.get("output_index")
        self._numbers.see(event)
        if not isinstance(body, dict):
            return None
        kind = self._kind_of(body)
        return kind.announce(kind.items.find_announced(body, index if type(index) is int else None), body)

    def _end_item(self, event: dict[str, Any]) -> Part | None:
        body, index = event.get("item"), event.get("output_index")
        if not isinstance(body, dict):
            return None
        kind = self._kind_of(body)
        part = kind.end_item(kind.items.find_done(body, index if type(index) is int else None), body)
        return None if part.is_empty else part

    def _finish_items(self) -> list[dict[str, Any]]:
        return [entry for kind in self._kinds.values() for entry in kind.finish()]

    def _end(self, event: dict[str, Any], response: dict[str, Any], event_type: str) -> Chunk:
        """Read a terminal event."""
        status = read_status(response, event_type)
        error = error_of(event, response, status)
        if error is not None:
            return Chunk((Part(error=error),))
        self.started = self.finished = True
        listed = response.get("output")
        bodies = [body for body in listed if isinstance(body, dict)] if isinstance(listed, list) else []
        parts = self._read_output(bodies)
        end = Part(tool_calls=self._finish_items())
        end.finish_reason, end.raw_finish_reason = read_finish(response, status)
        kept = to_kept(self._output(bodies), model=self._model)
        end.message_extra = None if kept is None else {KEPT: kept}
        chunk = read_head(response)
        chunk.parts, chunk.usage = [*parts, end], read_counts(response, event)
        return chunk

    def _read_output(self, bodies: list[dict[str, Any]]) -> list[Part]:
        """What the final list of items adds, in its order."""
        matched: dict[int, OutputItem[Any]] = {}
        kinds = [self._kind_of(body) for body in bodies]
        for kind in dict.fromkeys(kinds):
            numbers = [number for number, other in enumerate(kinds) if other is kind]
            matched |= zip(numbers, kind.items.match([bodies[number] for number in numbers]), strict=True)
        parts = [kind.end_item(matched[number], bodies[number]) for number, kind in enumerate(kinds)]
        return [part for part in parts if not part.is_empty]

    def _output(self, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The output's items, whole, in the final list's order if that has all of them, else as they appeared."""
        items = sorted(self._items(), key=lambda pair: pair[1].place)
        if len(bodies) == len(items):
            order = {id(body): number for number, body in enumerate(bodies)}
            items.sort(key=lambda pair: order.get(id(pair[1].body), pair[1].place))
        return [body for kind, item in items if (body := kind.to_body(item)) is not None]
