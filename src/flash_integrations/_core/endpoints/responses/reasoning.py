"""The reasoning of an answer: summaries, or the reasoning itself.

Parts and items are parted by a blank line; of summary and raw text the first kind that is seen in an item counts.
vLLM counts ``content_index`` up with each delta (vllm#35184): a part of raw reasoning ends where an event ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ...completion.chunk import Part
from .item_kind import DeltaNumbers, ItemKind
from .output_items import OutputItem
from .streamed_text import StreamedText, joined, repeats, tail_of

SUMMARY, RAW = "summary", "content"
"""The two kinds, by the field that a whole item has them in."""

_INDEX = {SUMMARY: "summary_index", RAW: "content_index"}
_BETWEEN = "\n\n"


class Reasoning:
    """What has come of one reasoning item."""

    __slots__ = ("by_index", "ended", "kind", "last", "parts")
    is_whole = settled = False

    def __init__(self) -> None:
        self.kind: str | None = None
        self.parts: list[StreamedText] = []
        self.by_index: dict[int, StreamedText] = {}
        self.last: StreamedText | None = None
        self.ended = False  # whether the last part has ended

    def __str__(self) -> str:
        return joined(map(str, self.parts), _BETWEEN)

    def fits(self, body: dict[str, Any]) -> bool:
        """Whether something has come, and the whole item repeats it."""
        return self.kind is not None and repeats(_whole(body, self.kind), str(self))

    def part_at(self, index: Any) -> StreamedText:
        """The part that a text under this index belongs to."""
        index = index if type(index) is int else None
        part = self.by_index.get(index) if index is not None else None
        if part is None:
            begins = self.ended if index is None or self.kind == RAW else True
            part = StreamedText() if self.last is None or begins else self.last
            if part is not self.last:
                self.parts.append(part)
            if index is not None:
                self.by_index[index] = part
        if part is not self.last:
            self.last, self.ended = part, False
        return part


class Reasonings(ItemKind[Reasoning]):
    """The reasoning of an answer, whatever items and parts it comes in.

    Args:
        next_place: gives the place of a new item among all.
        numbers: finds deltas that come twice.
    """

    def __init__(self, next_place: Callable[[], int], numbers: DeltaNumbers) -> None:
        super().__init__(Reasoning, next_place)
        self._delta_of = numbers.delta_of
        self._last: StreamedText | None = None  # the part last written to
        self.readers = {
            "response.reasoning_summary_text.delta": partial(self._read_delta, SUMMARY),
            "response.reasoning_summary_text.done": partial(self._end_part, SUMMARY),
            "response.reasoning_summary_part.done": partial(self._end_part, SUMMARY),
            "response.reasoning_text.delta": partial(self._read_delta, RAW),
            "response.reasoning_text.done": partial(self._end_part, RAW),
            "response.reasoning_part.done": partial(self._end_part, RAW),
        }

    def end_item(self, item: OutputItem[Reasoning], body: dict[str, Any]) -> Part:
        """What a whole item adds."""
        reasoning = item.content
        kind = reasoning.kind or (RAW if _whole(body, RAW) else SUMMARY)
        whole, so_far = _whole(body, kind), str(reasoning)
        tail = tail_of(whole, so_far)
        if not tail or (so_far and reasoning.last is not self._last):
            return Part()
        reasoning.kind = kind
        if so_far and reasoning.last is not None:
            reasoning.last.pieces.append(tail)
            return Part(reasoning=tail)
        return Part(reasoning=self._write(reasoning.part_at(0), tail))

    def _read_delta(self, kind: str, event: dict[str, Any]) -> Part | None:
        delta = self._delta_of(event)
        if not delta:
            return None
        reasoning = self.items.find_by_event(event).content
        reasoning.kind = reasoning.kind or kind
        if reasoning.kind != kind:
            return None
        return Part(reasoning=self._write(reasoning.part_at(event.get(_INDEX[kind])), delta))

    def _end_part(self, kind: str, event: dict[str, Any]) -> Part | None:
        part = event.get("part")
        whole = part.get("text") if isinstance(part, dict) else event.get("text")
        reasoning = self.items.find_by_event(event).content
        if reasoning.kind not in (None, kind):
            return None
        text = ""
        if isinstance(whole, str) and whole:
            reasoning.kind = kind
            text = self._add_tail(reasoning, event.get(_INDEX[kind]), whole)
        reasoning.ended = True
        return Part(reasoning=text) if text else None

    def _add_tail(self, reasoning: Reasoning, index: Any, whole: str) -> str:
        if type(index) is not int and reasoning.ended and whole == str(reasoning.last):
            return ""  # the same part, ended by a second event
        part = reasoning.part_at(index)
        tail = tail_of(whole, str(part)) if not part or part is self._last else ""
        return self._write(part, tail) if tail else ""

    def _write(self, part: StreamedText, piece: str) -> str:
        """Write a piece to a part; gives it with the blank line that parts it from what was before."""
        begins = not part and self._last is not None
        part.pieces.append(piece)
        self._last = part
        return _BETWEEN + piece if begins else piece


def _whole(body: dict[str, Any], kind: str) -> str:
    """The text of an item's parts, whatever type they have: each gateway names them otherwise (LocalAI#9658)."""
    parts = body.get(kind)
    parts = parts if isinstance(parts, list) else [parts]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return joined((text for text in texts if isinstance(text, str)), _BETWEEN)
