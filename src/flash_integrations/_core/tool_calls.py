"""Tool calls put together from their pieces: one small state machine.

Gateways repeat ids and names on each piece, leave out indexes and ids, put parallel calls under one index, send the
arguments as objects, as ``null``, as ``{}`` before the real ones, or all over again with each piece. Two decisions
are taken here, each in one method: to which call a piece belongs (:meth:`ToolCallAssembler._route`), and what it adds
to that call's arguments (:meth:`_Call.extend`).

What is handed out while the stream runs is only what can no longer change: the id and the whole name once, then
arguments, held back while they could still turn out to be ``{}``, ``null`` or a repetition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from json import JSONDecodeError, JSONDecoder
from typing import Any

from . import json

_decode_first = JSONDecoder(strict=False).raw_decode


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One whole tool call.

    Attributes:
        id: the call's id; made up where the gateway sent none.
        name: the function's name.
        arguments: the arguments as JSON text, as the model wrote them: under finish reason ``length`` it may not parse.
        type: "function".
        extra: what else the gateway sent with it.
    """

    id: str
    name: str
    arguments: str = "{}"
    type: str = "function"
    extra: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The call as the plain endpoint writes it."""
        function = {"name": self.name, "arguments": self.arguments}
        return {"id": self.id, "type": self.type, "function": function, **self.extra}


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """What a stream adds to one tool call.

    Attributes:
        index: the call's position among the answer's calls, from 0.
        id: the call's id, on its first piece only.
        name: the whole name, on its first piece only.
        arguments: the next piece of the arguments' JSON text.
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(slots=True)
class _Call:
    """A call being put together."""

    index: int | None
    id: str | None = None
    name: str = ""
    type: str = "function"
    extra: dict[str, Any] = field(default_factory=dict)
    text: str = ""  # the arguments so far
    held: str = ""  # a piece that repeats `text` and goes on: a repetition, or by chance the next piece
    cumulative: bool = False  # each piece repeats all before it
    announced: bool = False  # id and name are handed out
    sent: int = 0  # characters of `text` handed out

    def extend(self, piece: str) -> None:
        """Add a piece of arguments: append it, or take it in place of what it repeats."""
        if self.held:
            if piece.startswith(self.held):
                self.text, self.cumulative = self.held, True
            else:
                self.text += self.held
            self.held = ""
        if self.text.strip() in ("{}", "null"):
            self.text = ""  # a placeholder; nothing of it was handed out
        if self.text and piece.startswith(self.text):
            if self.cumulative or _is_json(piece):
                self.text, self.cumulative = piece, True
            else:
                self.held = piece
        else:
            self.text += piece

    def rename(self, piece: str) -> None:
        """Add a piece of the name: a repetition is none, a longer form takes its place, the rest is appended."""
        if piece == self.name:
            return
        self.name = piece if piece.startswith(self.name) else self.name + piece

    def is_complete(self) -> bool:
        return self.text.strip() not in ("", "{}", "null") and _is_json(self.text)

    def close(self) -> None:
        """Settle what was still open, and make the arguments JSON text where nothing came."""
        if self.held:
            joined = self.text + self.held
            self.text = self.held if _is_json(self.held) and not _is_json(joined) else joined
            self.held = ""
        if self.text.strip() in ("", "null"):
            self.text = "{}"
        elif not _is_json(self.text):
            self.text = _without_repetition(self.text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _without_repetition(text: str) -> str:
    """``{"a":1}{"a":1}`` is one value sent twice; anything else stays as it is."""
    try:
        first, end = _decode_first(text)
        rest, start = text[end:].strip(), end
        while rest:
            again, end = _decode_first(rest)
            if again != first:
                return text
            rest = rest[end:].strip()
    except (JSONDecodeError, RecursionError):
        return text
    return text[:start]


class ToolCallAssembler:
    """Takes the ``tool_calls`` entries of one choice in their order; gives deltas, and in the end the calls.

    Args:
        new_id: gives an id for a call that came without one.
    """

    __slots__ = ("_by_index", "_calls", "_new_id")

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}  # the most recent call under each index

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, entry: dict[str, Any]) -> list[ToolCallDelta]:
        """Take one entry of a delta's ``tool_calls``; give what can be handed out now."""
        function = entry.get("function")
        function = function if isinstance(function, dict) else {}
        call_id = _text(entry.get("id"))
        name = _text(function.get("name"))
        arguments = function.get("arguments")
        if isinstance(arguments, dict | list):
            arguments = json.dumps(arguments).decode()
        arguments = arguments if isinstance(arguments, str) else ""
        if not (call_id or name or arguments):
            return []
        index = entry.get("index")
        call = self._route(index if isinstance(index, int) else None, call_id, name, arguments)
        if call.id is None and all(each.id != call_id for each in self._calls):
            call.id = call_id
        if name:
            call.rename(name)
        call.type = _text(entry.get("type")) or call.type
        call.extra |= {
            key: value
            for key, value in entry.items()
            if key not in ("index", "id", "type", "function") and value is not None
        }
        if arguments:
            call.extend(arguments)
        return [delta for position, each in enumerate(self._calls) if (delta := self._next(position, each, call))]

    def _route(self, index: int | None, call_id: str | None, name: str | None, arguments: str) -> _Call:
        """The call a piece belongs to: by its id; else by its index; else the last one."""
        if call_id:
            for call in reversed(self._calls):
                # One id under two indexes, each with a name, is two calls.
                if call.id == call_id and not (name and None not in (index, call.index) and index != call.index):
                    return call
        call_there = self._by_index.get(index) if index is not None else self._calls[-1] if self._calls else None
        if call_there is None or (call_id and call_there.id) or self._starts_anew(call_there, index, name, arguments):
            call_there = _Call(index)
            self._calls.append(call_there)
            if index is not None:
                self._by_index[index] = call_there
        return call_there

    @staticmethod
    def _starts_anew(call: _Call, index: int | None, name: str | None, arguments: str) -> bool:
        """Whether a piece with a name and no id opens another call rather than going on with this one."""
        if not name or not call.name:
            return False
        if name == call.name:
            return call.is_complete() and arguments[:1] == "{" and not arguments.startswith(call.text)
        # Without an index a new name is a new call; under one it may be the rest of a name.
        return index is None or call.is_complete()

    def _next(self, position: int, call: _Call, current: _Call | None, *, last: bool = False) -> ToolCallDelta | None:
        """What can be handed out of a call: once its arguments begin, or another call is being written."""
        if not last and call is current and not call.text:
            return None
        settled = last or not any(word.startswith(call.text.strip()) for word in ("{}", "null"))
        text = call.text[call.sent :] if settled else ""
        if call.announced and not text:
            return None
        call_id = name = None
        if not call.announced:
            call.id = call.id or self._new_id()
            call_id, name, call.announced = call.id, call.name, True
        call.sent += len(text)
        return ToolCallDelta(position, call_id, name, text)

    def end(self) -> list[ToolCallDelta]:
        """End the calls; give what was held back of them."""
        for call in self._calls:
            call.close()
        return [
            delta for position, call in enumerate(self._calls) if (delta := self._next(position, call, None, last=True))
        ]

    def calls(self) -> tuple[ToolCall, ...]:
        """The calls as they stand."""
        for call in self._calls:
            call.id = call.id or self._new_id()
        return tuple(ToolCall(call.id or "", call.name, call.text, call.type, call.extra) for call in self._calls)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in ("", "null") else None
