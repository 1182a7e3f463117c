"""Events of message items: text, refusal and annotations.

A tail is handed out only while nothing else has been written behind it: text in the middle cannot be mended.
Messages and text parts follow each other without a separator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...completion.chunk import Part
from ...framing import json_codec
from .citations import Citations
from .item_kind import DeltaNumbers, ItemKind
from .message_text import Message, TextPart, contents_of, refusal_of, texts_of
from .output_items import OutputItem
from .streamed_text import joined, tail_of


class Messages(ItemKind[Message]):
    """The text of an answer, whatever messages and parts it comes in.

    Args:
        next_place: gives the place of a new item among all.
        numbers: finds deltas that come twice.
    """

    def __init__(self, next_place: Callable[[], int], numbers: DeltaNumbers) -> None:
        super().__init__(Message, next_place)
        self._delta_of = numbers.delta_of
        self._citations = Citations()
        self._pieces: list[str] = []  # of the whole answer
        self._last: TextPart | None = None  # the part last written to
        self._key: tuple[Any, Any, Any] | None = None  # what the last text delta was written under
        self.readers = {
            "response.output_text.delta": self._read_delta,
            "response.output_text.done": self._end_text,
            "response.output_text.annotation.added": self._read_annotation,
            "response.content_part.added": self._begin_part,
            "response.content_part.done": self._end_part,
            "response.refusal.delta": self._read_refusal,
            "response.refusal.done": self._end_refusal,
        }

    def end_item(self, item: OutputItem[Message], body: dict[str, Any]) -> Part:
        """What a whole item adds: text, refusal, annotations."""
        message, self._key = item.content, None
        so_far, whole = str(message), texts_of(body)
        if so_far:
            tail = tail_of(joined(whole), so_far) if self._last in message.parts.values() else ""
            text = self._write(next(reversed(message.parts.values())), tail) if tail else ""
        else:
            text = joined(self._write(message.part_at(index), piece) for index, piece in enumerate(whole) if piece)
        part = Part(text=text, refusal=self._add_refusal(message, refusal_of(body)))
        parts = [message.parts[index] for index in sorted(message.parts)]
        for number, content in enumerate(contents_of(body, "text")):
            place = parts[number] if number < len(parts) else TextPart()
            part.annotations = [*part.annotations, *self._cite(place, content.get("annotations"))]
        return part

    def to_body(self, item: OutputItem[Message]) -> dict[str, Any] | None:
        """The message with the text that was handed out."""
        content = item.content.to_content()
        return {**(item.body or {}), "type": "message", "role": "assistant", "content": content} if content else None

    def _read_delta(self, event: dict[str, Any]) -> Part | None:
        delta = self._delta_of(event)
        if not delta:
            return None
        key = (event.get("item_id"), event.get("output_index"), event.get("content_index"))
        if key != self._key or self._last is None:
            self._write(self.items.find_by_event(event).content.part_at(key[2]), delta)
            self._key = key
        else:
            self._last.pieces.append(delta)
            self._pieces.append(delta)
        logprobs = event.get("logprobs")
        return Part(text=delta, logprobs={"content": logprobs} if logprobs and isinstance(logprobs, list) else None)

    def _end_text(self, event: dict[str, Any]) -> Part | None:
        message, self._key = self.items.find_by_event(event).content, None
        index, whole, logprobs = event.get("content_index"), event.get("text"), event.get("logprobs")
        if not isinstance(whole, str):
            return None
        part = message.part_to_end(index, whole)
        part.ended = True
        if part and part is not self._last:
            return None
        tail, silent = tail_of(whole, str(part)), not part
        if not tail:
            return None
        kept = silent and isinstance(logprobs, list) and logprobs
        return Part(text=self._write(part, tail), logprobs={"content": logprobs} if kept else None)

    def _begin_part(self, event: dict[str, Any]) -> Part | None:
        """A new part has its place; a text that it may hold comes again."""
        part, index = event.get("part"), event.get("content_index")
        if isinstance(part, dict) and part.get("type") == "output_text":
            message, self._key = self.items.find_by_event(event).content, None
            message.part_at(index)
        return None

    def _end_part(self, event: dict[str, Any]) -> Part | None:
        part = event.get("part")
        if not isinstance(part, dict):
            return None
        if part.get("type") == "refusal":
            return self._end_refusal({**event, "refusal": part.get("refusal")})
        if part.get("type") != "output_text":
            return None
        read = self._end_text({**event, "text": part.get("text"), "logprobs": part.get("logprobs")}) or Part()
        place = self.items.find_by_event(event).content.part_at(event.get("content_index"))
        read.annotations = self._cite(place, part.get("annotations"))
        return None if read.is_empty else read

    def _read_annotation(self, event: dict[str, Any]) -> Part | None:
        place = self.items.find_by_event(event).content.part_at(event.get("content_index"))
        annotations = self._cite(place, [event.get("annotation")])
        return Part(annotations=annotations) if annotations else None

    def _read_refusal(self, event: dict[str, Any]) -> Part | None:
        delta = self._delta_of(event)
        if not delta:
            return None
        self.items.find_by_event(event).content.refusal.pieces.append(delta)
        return Part(refusal=delta)

    def _end_refusal(self, event: dict[str, Any]) -> Part | None:
        refusal = self._add_refusal(self.items.find_by_event(event).content, event.get("refusal"))
        return Part(refusal=refusal) if refusal else None

    def _add_refusal(self, message: Message, whole: Any) -> str:
        """What a whole refusal adds."""
        tail = tail_of(whole, str(message.refusal)) if isinstance(whole, str) else ""
        if tail:
            message.refusal.pieces.append(tail)
        return tail

    def _cite(self, place: TextPart, annotations: Any) -> list[dict[str, Any]]:
        """Annotations of a part that are not known yet, with their places in the answer's text."""
        if not isinstance(annotations, list) or not annotations:
            return []
        before = self._pieces if place.start is None else self._pieces[: place.start]
        offset = len(json_codec.rejoin("".join(before)))
        return [cited for annotation in annotations for cited in self._citations.add(annotation, offset=offset)]

    def _write(self, part: TextPart, piece: str) -> str:
        """Write a piece to a part; gives it back."""
        self._last = part
        if part.start is None:
            part.start = len(self._pieces)
        part.pieces.append(piece)
        self._pieces.append(piece)
        return piece
