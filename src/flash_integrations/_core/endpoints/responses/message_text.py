"""What one message item says, its text in parts and its refusal: as it came in pieces, and as a whole item has it."""

from __future__ import annotations

from typing import Any

from .streamed_text import StreamedText, joined, repeats


class TextPart(StreamedText):
    """One text part.

    Attributes:
        start: how many pieces of the answer's text there were before it, or None while it has none.
        ended: whether its whole text came.
    """

    __slots__ = ("ended", "start")

    def __init__(self) -> None:
        super().__init__()
        self.start: int | None = None
        self.ended = False


class Message:
    """What has come of one message item: its text parts by ``content_index``, and its refusal."""

    __slots__ = ("parts", "refusal")
    is_whole = settled = False

    def __init__(self) -> None:
        self.parts: dict[int, TextPart] = {}
        self.refusal = StreamedText()

    def __str__(self) -> str:
        return joined(map(str, self.parts.values()))

    def part_to_end(self, index: Any, whole: str) -> TextPart:
        """The text part that a whole text under this index belongs to: its deltas may have come under another."""
        if type(index) is int and index not in self.parts and repeats(whole, str(self)):
            index = next((known for known, part in self.parts.items() if not part.ended), index)
        return self.part_at(index)

    def fits(self, body: dict[str, Any]) -> bool:
        """Whether something has come, and the whole item repeats it."""
        text = str(self)
        return repeats(joined(texts_of(body)), text) if text else repeats(refusal_of(body), str(self.refusal))

    def part_at(self, index: Any) -> TextPart:
        """The text part of a ``content_index``; without one, the last."""
        if type(index) is not int:
            index = next(reversed(self.parts), 0)
        part = self.parts.get(index)
        if part is None:
            part = self.parts[index] = TextPart()
        return part

    def to_content(self) -> list[dict[str, Any]]:
        """What has come, as the content of an item."""
        texts = [{"type": "output_text", "text": part.to_text()} for part in self.parts.values() if part]
        return texts + ([{"type": "refusal", "refusal": self.refusal.to_text()}] if self.refusal else [])


def contents_of(body: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """The contents of a whole item that have a text in a field."""
    contents = body.get("content")
    contents = contents if isinstance(contents, list) else []
    return [content for content in contents if isinstance(content, dict) and isinstance(content.get(field), str)]


def texts_of(body: dict[str, Any]) -> list[str]:
    """The texts of a whole item, in order."""
    content = body.get("content")
    return [content] if isinstance(content, str) else [content["text"] for content in contents_of(body, "text")]


def refusal_of(body: dict[str, Any]) -> str:
    """The refusal of a whole item."""
    return joined(content["refusal"] for content in contents_of(body, "refusal"))
