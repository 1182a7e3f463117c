"""A text that came in pieces, and what a later whole text adds to it."""

from __future__ import annotations

from collections.abc import Iterable

from ...framing import json_codec


class StreamedText:
    """The pieces of one text, as they were handed out: halves of characters may stand at their ends."""

    __slots__ = ("pieces",)

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def __bool__(self) -> bool:
        """Whether anything was handed out."""
        return bool(self.pieces)

    def __str__(self) -> str:
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""

    def to_text(self) -> str:
        """The text with its characters whole."""
        return json_codec.rejoin(str(self))


def tail_of(whole: str, streamed: str) -> str:
    """What a whole text adds to what was streamed of it: its tail, or "" where it does not begin with that.

    The deltas are believed, and a later whole text only where it repeats them: gateways send empty ones (CliRelay#325),
    and snapshots from the middle (OmniRoute#13693). Half a character at the end of what was streamed gets its other
    half.
    """
    return _rest(whole, streamed) or ""


def repeats(whole: str, streamed: str) -> bool:
    """Whether something was streamed, and a whole text begins with it."""
    return bool(streamed) and _rest(whole, streamed) is not None


def _rest(whole: str, streamed: str) -> str | None:
    half = streamed[-1:] if "\ud800" <= streamed[-1:] <= "\udbff" else ""
    streamed, whole = json_codec.rejoin(streamed[: len(streamed) - len(half)]), json_codec.rejoin(whole)
    if not whole.startswith(streamed):
        return None
    rest = whole[len(streamed) :]
    if not half or not rest:
        return rest
    if rest[0] > "\uffff":
        code = ord(rest[0]) - 0x10000
        return chr(0xDC00 + (code & 0x3FF)) + rest[1:] if chr(0xD800 + (code >> 10)) == half else None
    return rest[1:] if rest[0] == "\ufffd" else None  # the half is alone in the whole text, too


def joined(texts: Iterable[str], separator: str = "") -> str:
    """The texts that are not empty, joined."""
    return separator.join(text for text in texts if text)
