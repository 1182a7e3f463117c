"""Tool calls put together from their pieces.

Gateways repeat ids and names on each piece, leave out indexes and ids, and put parallel calls under one index. To
which call a piece belongs is decided in one place (:meth:`ToolCallAssembler._route`); what it adds to that call's
arguments is ``arguments``' business.

What is handed out while the stream runs is only what can no longer change: the id and the whole name once, with the
beginning of the arguments, then the arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..framing import json_codec
from .tool_arguments import Arguments

_ENTRY = frozenset({"index", "id", "type", "function"})


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
    wire_id: str | None = None  # as the gateway sent it; two calls may share one
    id: str | None = None  # as handed out
    name: str = ""
    type: str = "function"
    extra: dict[str, Any] = field(default_factory=dict)
    arguments: Arguments = field(default_factory=Arguments)
    position: int | None = None  # among the calls handed out

    def rename(self, piece: str) -> None:
        """Add a piece of the name: a repetition is none, a longer form takes its place, the rest is appended."""
        if piece != self.name and self.position is None:
            self.name = piece if piece.startswith(self.name) else self.name + piece

    def is_hollow(self) -> bool:
        """Whether there is an id and nothing else."""
        return not (self.name or self.extra or self.arguments.text.strip())


class ToolCallAssembler:
    """Takes the ``tool_calls`` entries of one choice in their order; gives deltas, and in the end the calls.

    Args:
        new_id: gives an id for a call that came without one.
    """

    __slots__ = ("_by_index", "_calls", "_given", "_last", "_new_id")

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}  # the call last written under each index
        self._last: _Call | None = None  # the call last written
        self._given = 0  # calls handed out

    def __bool__(self) -> bool:
        return any(not call.is_hollow() for call in self._calls)

    def add_entry(self, entry: dict[str, Any]) -> list[ToolCallDelta]:
        """Take one entry of a delta's ``tool_calls``; give what can be handed out now."""
        function = entry.get("function")
        function = function if isinstance(function, dict) else {}
        call_id = _text(entry.get("id"))
        name = _text(function.get("name"))
        arguments = function.get("arguments")
        if isinstance(arguments, dict | list):
            arguments = json_codec.dumps(arguments).decode()
        arguments = arguments if isinstance(arguments, str) else ""
        if not (call_id or name or arguments):
            return []
        index = entry.get("index")
        call = self._route(index if type(index) is int else None, call_id, name, arguments)
        if call_id and call.wire_id is None:
            if call.id is None and all(known.id != call_id for known in self._calls):
                call.id = call_id
            call.wire_id = call_id
        if name:
            call.rename(name)
        if not entry.keys() <= _ENTRY:
            call.extra |= {key: value for key, value in entry.items() if key not in _ENTRY and value is not None}
        call.type = _text(entry.get("type")) or call.type
        if arguments:
            call.arguments.add_piece(arguments)
        # Where one call begins, those before it are named.
        return [delta for known in self._calls if (delta := self._next(known, due=known is not call))]

    def _route(self, index: int | None, call_id: str | None, name: str | None, arguments: str) -> _Call:
        """The call a piece belongs to: by its id; else by its index; else the last one."""
        call = self._find(index, call_id, name, arguments) if call_id else None
        if call is None:
            call = self._last if index is None else self._by_index.get(index)
            if call is None and not (call_id or name):
                call = self._last  # arguments alone under a fresh index go on with the open call (agno#8880)
            if call is None or _is_another(call, index, call_id, name, arguments):
                namesakes = (known.name for known in reversed(self._calls) if call_id and known.wire_id == call_id)
                call = _Call(index, name="" if name else next(namesakes, ""))
                self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        self._last = call
        return call

    def _find(self, index: int | None, call_id: str, name: str | None, arguments: str) -> _Call | None:
        """The call with this id. One id under two indexes, each with a name, or over two whole objects is two calls."""
        calls = [call for call in reversed(self._calls) if call.wire_id == call_id]
        for call in calls:
            if index is None or call.index in (None, index):
                return None if call.arguments.is_whole and _opens_another(call, name, arguments) else call
        return calls[0] if calls and not name else None

    def _next(self, call: _Call, *, due: bool) -> ToolCallDelta | None:
        """What can be handed out of a call: once its arguments begin, or it is ``due``."""
        call_id = name = None
        if call.position is None:
            if not (call.name and (due or call.arguments)):
                return None
            call_id, name = self._announce(call)
        text = call.arguments.take_settled()
        if not (text or name is not None):
            return None
        return ToolCallDelta(call.position or 0, call_id, name, text)

    def _announce(self, call: _Call) -> tuple[str, str]:
        call.id = call.id or self._new_id()
        call.position = self._given
        self._given += 1
        return call.id, call.name

    def finish(self, *, cut: bool = False) -> list[ToolCallDelta]:
        """End the calls; give what was held back of them. ``cut``: the answer hit its length."""
        deltas = []
        for call in self._calls:
            if not call.is_hollow():
                call.arguments.finish(cut=cut)
                call_id, name = (None, None) if call.position is not None else self._announce(call)
                text = call.arguments.take_settled()
                if text or call_id:
                    deltas.append(ToolCallDelta(call.position or 0, call_id, name, text))
        return deltas

    def calls(self) -> tuple[ToolCall, ...]:
        """The calls as they stand."""
        calls = [call for call in self._calls if not call.is_hollow()]
        calls.sort(key=lambda call: self._given if call.position is None else call.position)
        for call in calls:
            call.id = call.id or self._new_id()
        return tuple(ToolCall(call.id or "", call.name, call.arguments.text, call.type, call.extra) for call in calls)


def _is_another(call: _Call, index: int | None, call_id: str | None, name: str | None, arguments: str) -> bool:
    """Whether a piece that stands where ``call`` was written opens another call."""
    if call_id and call.wire_id:
        return True  # it differs, or it would have been found
    if not name or not call.name:
        return False
    if name == call.name:
        return call.arguments.is_whole and _opens_another(call, name, arguments)
    # A name is whole once its arguments begin. Without an index a new name is a new call; under one, the rest of it.
    return index is None or bool(call.arguments)


def _opens_another(call: _Call, name: str | None, arguments: str) -> bool:
    """Whether a piece after a call's whole arguments is another call, and not the same once more."""
    if name and call.name and name != call.name:
        return True
    again = arguments.strip()
    return again.startswith("{") and again.endswith("}") and not _is_same_json(again, call.arguments.text)


def _is_same_json(one: str, other: str) -> bool:
    try:
        return bool(json_codec.loads_exact(one) == json_codec.loads_exact(other))
    except ValueError:
        return True  # what does not parse is no object of its own


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in ("", "null") else None
