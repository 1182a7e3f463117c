"""Chunks added up to a completion.

A plain answer and a stream go the same way: each is a sequence of chunks (of one chunk, for a plain answer) added up.
So what comes of a stream equals what the plain endpoint would have answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import json
from .chunks import Chunk, Part
from .completion import ChatDelta, Choice, Completion, Usage
from .tool_calls import ToolCallAssembler, ToolCallDelta


class _Text:
    """Text in pieces. Half a character (a lone high surrogate at a piece's end) waits for its other half."""

    __slots__ = ("_held", "_parts")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._held = ""

    def add(self, piece: str) -> str:
        """Take a piece; give what is whole of it."""
        if not piece:
            return ""
        if self._held:
            piece, self._held = self._held + piece, ""
        if "\ud800" <= piece[-1] <= "\udbff":
            piece, self._held = piece[:-1], piece[-1]
        piece = json.rejoin(piece)
        if piece:
            self._parts.append(piece)
        return piece

    def end(self) -> str:
        """Give what still waits, as U+FFFD."""
        if not self._held:
            return ""
        self._held = ""
        self._parts.append("\ufffd")
        return "\ufffd"

    def __str__(self) -> str:
        return "".join(self._parts)

    def rest_of(self, whole: str) -> str:
        """What a text that is told whole adds to these pieces, if it repeats them."""
        said = str(self)
        return whole[len(said) :] if said and whole.startswith(said) else whole


class _ChoiceState:
    """One choice being put together."""

    __slots__ = ("call", "calls", "fields", "finish", "logprobs", "message", "raw_finish", "reasoning", "refusal", "text")

    def __init__(self, new_id: Callable[[], str]) -> None:
        self.text, self.reasoning, self.refusal = _Text(), _Text(), _Text()
        self.calls, self.call = ToolCallAssembler(new_id), ToolCallAssembler(new_id)
        self.logprobs: dict[str, Any] = {}
        self.finish: str | None = None
        self.raw_finish: str | None = None
        self.message: dict[str, Any] = {}  # audio, annotations, extra, reasoning_field
        self.fields: dict[str, Any] = {}

    def add(self, part: Part, raw: dict[str, Any]) -> ChatDelta | None:
        """Take one chunk's part; give what it adds, or None where that is nothing a caller waits for."""
        if part.whole:
            part.text = self.text.rest_of(part.text)
            part.reasoning = self.reasoning.rest_of(part.reasoning)
        pieces: list[ToolCallDelta] = []
        for entry in part.tool_calls:
            pieces += self.calls.add(entry)
        if part.function_call is not None:
            self.call.add({"index": 0, "function": part.function_call})
        if part.audio is not None:
            self.message["audio"] = merge(self.message.get("audio", {}), part.audio)
        if part.annotations:
            self.message["annotations"] = [*self.message.get("annotations", ()), *part.annotations]
        if part.message_extra:
            self.message["extra"] = merge(self.message.get("extra", {}), part.message_extra)
        if part.reasoning_field:
            self.message.setdefault("reasoning_field", part.reasoning_field)
        for key, tokens in (part.logprobs or {}).items():
            if isinstance(tokens, list):
                self.logprobs.setdefault(key, []).extend(tokens)
            elif tokens is not None:
                self.logprobs[key] = tokens
        self.fields |= part.choice_extra
        if part.finish_reason:
            self.finish, self.raw_finish = part.finish_reason, part.raw_finish_reason
        text, reasoning = self.text.add(part.text), self.reasoning.add(part.reasoning)
        refusal = self.refusal.add(part.refusal)
        if not (text or reasoning or refusal or pieces or part.logprobs or part.audio):
            return None
        return ChatDelta(
            part.index, text, reasoning, refusal, tuple(pieces), part.logprobs, part.audio, raw=raw
        )

    def end(self, index: int) -> ChatDelta:
        """End the choice: what was held back, and the finish reason."""
        pieces = self.calls.end()
        self.call.end()
        return ChatDelta(
            index,
            self.text.end(),
            self.reasoning.end(),
            self.refusal.end(),
            tuple(pieces),
            finish_reason=self.finish_reason(),
        )

    def finish_reason(self) -> str | None:
        return "tool_calls" if self.calls and self.finish == "stop" else self.finish

    def result(self, index: int) -> Choice:
        call = self.call.calls()
        message = self.message
        return Choice(
            index=index,
            text=str(self.text),
            reasoning=str(self.reasoning),
            refusal=str(self.refusal) or None,
            tool_calls=self.calls.calls(),
            function_call={"name": call[0].name, "arguments": call[0].arguments} if call else None,
            audio=message.get("audio"),
            annotations=tuple(message.get("annotations", ())),
            logprobs={key: list(v) if isinstance(v, list) else v for key, v in self.logprobs.items()} or None,
            finish_reason=self.finish_reason(),
            raw_finish_reason=self.raw_finish,
            message_extra=message.get("extra", {}),
            extra=dict(self.fields),
            reasoning_field=message.get("reasoning_field", "reasoning_content"),
        )


def merge(old: Any, new: Any) -> Any:
    """Add a later piece to an earlier one: texts and lists go on, objects merge by key, other values replace.

    A text that only repeats the earlier one is not doubled; ids and times replace.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        merged = dict(old)
        for key, value in new.items():
            if value is None or (key in ("id", "type", "expires_at", "format") and value == ""):
                continue
            grows = key in old and key not in ("id", "type", "expires_at", "format")
            merged[key] = merge(old[key], value) if grows else value
        return merged
    if isinstance(old, list) and isinstance(new, list):
        return old + new
    if isinstance(old, str) and isinstance(new, str) and old != new:
        return old + new
    return new


class Accumulator:
    """Adds up chunks to a :class:`Completion`.

    :meth:`add` gives the deltas a caller of a stream gets at once; :meth:`end` gives the last ones, which carry each
    choice's finish reason and, on the very last, the usage. The sum of all deltas is the completion.

    Args:
        new_id: gives an id to a tool call that came without one.
    """

    __slots__ = ("_choices", "_extra", "_first", "_new_id", "_usage")

    def __init__(self, *, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._choices: dict[int, _ChoiceState] = {}
        self._first: dict[str, Any] = {}
        self._extra: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}

    @property
    def began(self) -> bool:
        """Whether any choice has begun; a role alone counts."""
        return bool(self._choices)

    @property
    def finished(self) -> bool:
        """Whether every choice that began has its finish reason."""
        return self.began and all(state.finish is not None for state in self._choices.values())

    def add(self, chunk: Chunk, raw: dict[str, Any] | None = None) -> list[ChatDelta]:
        """Take a chunk; give what it adds that a caller waits for."""
        for name in ("id", "model", "created", "system_fingerprint", "service_tier"):
            value = getattr(chunk, name)
            if value is not None:
                # The first id and model count; fingerprint and tier may come late and change.
                if name in ("system_fingerprint", "service_tier"):
                    self._first[name] = value
                else:
                    self._first.setdefault(name, value)
        self.add_usage(chunk)
        if chunk.extra:
            self._extra |= chunk.extra
        deltas = []
        for part in chunk.parts:
            state = self._choices.get(part.index)
            if state is None:
                state = self._choices[part.index] = _ChoiceState(self._new_id)
            delta = state.add(part, raw if raw is not None else {})
            if delta is not None:
                deltas.append(delta)
        return deltas

    def add_usage(self, chunk: Chunk) -> None:
        """Take only a chunk's usage. Counts may come again and again and grow: the largest of each stands."""
        for key, value in (chunk.usage or {}).items():
            old = self._usage.get(key)
            self._usage[key] = _larger(old, value)

    def end(self) -> list[ChatDelta]:
        """End the answer; give each choice's last delta, the usage on the very last."""
        deltas = [state.end(index) for index, state in sorted(self._choices.items())]
        if deltas and self._usage:
            last = deltas.pop()
            deltas.append(
                ChatDelta(
                    last.index,
                    last.text,
                    last.reasoning,
                    last.refusal,
                    last.tool_calls,
                    finish_reason=last.finish_reason,
                    usage=Usage(self._usage),
                )
            )
        return deltas

    def result(self, *, request_id: str | None = None, streamed: bool = False, resends: int = 0) -> Completion:
        """The completion as it stands."""
        first = self._first
        return Completion(
            id=first.get("id", ""),
            model=first.get("model", ""),
            created=first.get("created"),
            choices=tuple(state.result(index) for index, state in sorted(self._choices.items())),
            usage=Usage(self._usage) if self._usage else None,
            system_fingerprint=first.get("system_fingerprint"),
            service_tier=first.get("service_tier"),
            extra=dict(self._extra),
            request_id=request_id,
            streamed=streamed,
            resends=resends,
        )


def _larger(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {key: _larger(old.get(key), new.get(key)) for key in old | new}
    if isinstance(old, int | float) and isinstance(new, int | float):
        return max(old, new)
    return old if new is None else new
