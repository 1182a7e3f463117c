"""The events of ``stream_events(version="v3")``, made of the core's deltas.

langchain-core would make chunks of deltas and events of chunks. Made at once they cost a fraction of it, and they end
in what the whole answer has: calls that do not parse are invalid however they came, and blocks keep what only comes
at the end, such as citations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage

from .._adapters.tool_calls import calls_of
from .._core.completion.completion import ChatDelta, Completion
from ._content_blocks import AUDIO, CALL, REASONING, REFUSAL, TEXT, audio_type, to_blocks
from ._finish import finish_fields
from ._from_wire import MessageOptions, from_call, to_message
from ._refusals import event_block, is_refusal_block
from ._usage import to_usage

Event: TypeAlias = dict[str, Any]

_EMPTY: dict[str, Event] = {
    REASONING: {"type": "reasoning", "reasoning": ""},
    TEXT: {"type": "text", "text": ""},
    AUDIO: {"type": "audio"},
}
_KEYS = {"reasoning": REASONING, "text": TEXT, "audio": AUDIO}


class Events:
    """The events of one answer.

    Args:
        options: how the answer is shown; its content is blocks in any case.
        message_id: the message's id, LangChain's for the run.
        model: the model asked.
    """

    def __init__(self, options: MessageOptions, *, message_id: str, model: str) -> None:
        self._options = options
        self._id = message_id
        self._model = model
        self._began = False
        self._places: dict[str, int] = {}  # the place of each block, by its key, in the order they began

    def items(self, part: ChatDelta | Completion, _: object) -> Iterator[Event]:
        """The events of a delta, or those at the end of the answer; before the first of them the one that begins it."""
        if not self._began:
            self._began = True
            yield self._start()
        yield from self._end(part) if isinstance(part, Completion) else self._add(part)

    def _start(self) -> Event:
        metadata = {"provider": self._options.provider, "model": self._model}
        return {"event": "message-start", "role": "ai", "id": self._id, "metadata": metadata}

    def _add(self, delta: ChatDelta) -> Iterator[Event]:
        """What a delta comes to."""
        if delta.reasoning:
            yield from self._piece(REASONING, {"type": "reasoning-delta", "reasoning": delta.reasoning})
        if delta.text:
            yield from self._piece(TEXT, {"type": "text-delta", "text": delta.text})
        if delta.refusal and REFUSAL not in self._places:
            yield self._begin(REFUSAL, event_block("", alone=not self._places))
        if delta.audio and isinstance(data := delta.audio.get("data"), str) and data:
            yield from self._piece(AUDIO, {"type": "data-delta", "data": data, "encoding": "base64"})
        for piece in delta.tool_calls:
            key = CALL.format(piece.index)
            if key not in self._places:
                named = {"id": piece.id, "name": piece.name, "args": "", "index": piece.index}
                yield self._begin(key, {"type": "tool_call_chunk", **named})
            if piece.arguments:
                yield from self._piece(key, {"type": "tool-call-delta", "args": piece.arguments})

    def _end(self, completion: Completion) -> Iterator[Event]:
        """The end of every block, and of the message."""
        choice = completion.choices[0]
        message = to_message(completion, choice, replace(self._options, blocks=False))
        final = self._final(completion, message)
        for key, block in final.items():
            if key not in self._places:
                yield self._begin(key, _outline(block))
        for key, place in self._places.items():
            block = final.get(key) or _EMPTY.get(key, {"type": "text", "text": ""})
            # A copy: langchain-core writes into it.
            yield {"event": "content-block-finish", "index": place, "content": dict(block)}
        metadata = message.response_metadata
        finish: Event = {"event": "message-finish", "metadata": metadata, **finish_fields(metadata)}
        if usage := to_usage(completion.usage, completion.service_tier):
            finish["usage"] = usage
        if message.additional_kwargs:
            finish["additional_kwargs"] = message.additional_kwargs
        yield finish

    def _piece(self, key: str, delta: Event) -> Iterator[Event]:
        if key not in self._places:
            yield self._begin(key, _EMPTY[key])
        yield {"event": "content-block-delta", "index": self._places[key], "delta": delta}

    def _begin(self, key: str, block: Event) -> Event:
        place = self._places[key] = len(self._places)
        return {"event": "content-block-start", "index": place, "content": dict(block)}

    @staticmethod
    def _final(completion: Completion, message: AIMessage) -> dict[str, Event]:
        """The blocks of the whole answer by their keys."""
        final: dict[str, Event] = {}
        extras = {}
        for position, block in enumerate(to_blocks(message)):
            if block["type"] == "tool_call":
                extras[block["id"]] = block.get("extras")
                continue
            final[REFUSAL if is_refusal_block(block) else _KEYS.get(block["type"], f"other {position}")] = {**block}
        for position, call in enumerate(calls_of(completion, completion.choices[0])):
            made = {**from_call(call)}
            final[CALL.format(position)] = made | ({"extras": extras[call.id]} if extras.get(call.id) else {})
        if REFUSAL in final:
            final[REFUSAL] = event_block(message.additional_kwargs["refusal"], alone=len(final) == 1)
        if AUDIO in final:
            final[AUDIO].setdefault("mime_type", audio_type(final[AUDIO].get("base64", "")))
        return final


_WITHIN: dict[str, Event] = {
    "tool_call": {"args": {}},
    "text": {"text": ""},
    "reasoning": {"reasoning": ""},
    "non_standard": {"value": {}},
}


def _outline(block: Event) -> Event:
    """A block that comes whole, before its content."""
    named: Event = {name: block[name] for name in ("type", "id", "name", "mime_type") if name in block}
    return {**named, **_WITHIN.get(str(block["type"]), {})}
