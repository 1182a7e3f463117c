"""The arguments of one tool call, put together from their pieces.

Gateways send them in pieces, as ``{}`` or ``null`` before the real ones, all over again with each piece, twice, or
encoded twice (an object's JSON text as a JSON string).
What is handed out is only what can no longer change, and the pieces handed out are the final text: nothing is ever
taken back.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder

from ..framing import json_codec

_decode_first = JSONDecoder(strict=False).raw_decode

_PLACEHOLDER = re.compile(r"\s*(?:\{\s*\}|null)\s*")
_MAYBE_PLACEHOLDER = re.compile(r"\s*(?:\{\s*(?:\}\s*)?|n(?:u(?:l(?:l\s*)?)?)?)?")
_LONGEST_PLACEHOLDER = 256
"""Characters after which a text of blanks is no placeholder any more."""

_MARK = re.compile(r'["\\{}\[\]]')
_NEXT = re.compile(r"\s*")


class Arguments:
    """JSON text in pieces: :meth:`add_piece`, :meth:`take_settled`, :meth:`finish`."""

    __slots__ = (
        "_beyond",
        "_depth",
        "_encoded",
        "_escaped",
        "_fresh",
        "_length",
        "_open",
        "_parts",
        "_quoted",
        "_seam",
        "is_whole",
    )

    def __init__(self) -> None:
        self.is_whole = False
        """Whether the first JSON object is complete."""
        self._seam = json_codec.SurrogateJoiner()
        self._open = ""  # what may still be a placeholder, and is not in _parts
        self._encoded: list[str] = []  # pieces of a JSON string, held until it shows what it holds
        self._parts: list[str] = []  # the text, settled
        self._fresh: list[str] = []  # what of it is not handed out
        self._length = 0  # of _parts
        self._beyond: list[str] = []  # what came after the first JSON object
        self._depth, self._quoted, self._escaped = 0, False, False  # where in the JSON the settled text ends

    def __bool__(self) -> bool:
        """Whether anything has come."""
        return bool(self._length or self._open or self._encoded)

    @property
    def text(self) -> str:
        """The text as it stands."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else self._open or "".join(self._encoded)

    def add_piece(self, piece: str) -> None:
        """Add a piece: append it, or take it in place of what it repeats."""
        piece = self._seam.join_piece(piece)
        if self.is_whole:
            self._beyond.append(piece)
        elif self._encoded:
            self._add_encoded(piece)
        elif self._length:
            self._append(self._news(piece))
        elif piece:
            self._begin(self._open + self._news(piece))

    def take_settled(self) -> str:
        """What can be handed out now and was not yet."""
        fresh, self._fresh = self._fresh, []
        return "".join(fresh)

    def finish(self, *, cut: bool = False) -> None:
        """Settle what was open. No arguments are ``{}``, unless the answer was ``cut`` before they came."""
        half = self._seam.flush()
        if self._encoded:
            self._append("".join(self._encoded) + half)
            self._encoded = []
        elif self._length:
            self._append(half + "".join(self._beyond) if self._adds() else half)
        elif self._open.strip() in ("", "null"):
            self._append("" if cut and not self._open.strip() else "{}")
        else:
            self._append(self._open + half)
        self._open, self._beyond = "", []

    def _news(self, piece: str) -> str:
        """What of a piece is new. One that says again all there was from its opening brace on only adds to it.

        (No JSON object goes on with its own beginning. What is no object has to parse.)
        """
        text = self.text if len(piece) >= (self._length or len(self._open)) else ""
        if text and piece.startswith(text) and (text.lstrip().startswith("{") or (text.strip() and _is_json(piece))):
            return piece[len(text) :]
        return piece

    def _begin(self, text: str) -> None:
        placeholder = _PLACEHOLDER.match(text)
        while placeholder and placeholder.end() < len(text):
            text = text[placeholder.end() :]
            placeholder = _PLACEHOLDER.match(text)
        if text.lstrip().startswith('"'):
            self._open = ""
            self._add_encoded(text)
            return
        self._open = text
        if len(text) > _LONGEST_PLACEHOLDER or not _MAYBE_PLACEHOLDER.fullmatch(text):
            self._open = ""
            self._append(text)

    def _add_encoded(self, piece: str) -> None:
        """Add to a JSON string; once it is whole, what it holds takes its place if that is an object (vllm#54964)."""
        self._encoded.append(piece)
        if not piece.rstrip().endswith('"') or piece.endswith('\\"'):
            return
        try:
            inner = json_codec.loads("".join(self._encoded))
            held = json_codec.loads(inner) if isinstance(inner, str) else None
        except ValueError:
            return
        if isinstance(held, dict):
            self._encoded = []
            self._append(inner)

    def _append(self, piece: str) -> None:
        end = len(piece) if self.is_whole else self._scan(piece)
        if end < len(piece):
            self._beyond.append(piece[end:])
            piece = piece[:end]
        if piece:
            self._parts.append(piece)
            self._fresh.append(piece)
            self._length += len(piece)

    def _scan(self, piece: str) -> int:
        """Follow braces and quotes; give where in the piece the first object ends, else its length."""
        position = 1 if self._escaped else 0
        self._escaped = False
        while mark := _MARK.search(piece, position):
            position = mark.end()
            match mark.group():
                case "\\":
                    self._escaped = position == len(piece)
                    position += 1
                case '"':
                    self._quoted = not self._quoted
                case _ if self._quoted:
                    pass
                case "{" | "[":
                    self._depth += 1
                case _:
                    self._depth -= 1
                    if self._depth == 0:
                        self.is_whole = True
                        return position
        return len(piece)

    def _adds(self) -> bool:
        """Whether what came after the first object is more than the same object again."""
        rest = "".join(self._beyond)
        if not rest.strip():
            return True
        try:
            first, _ = _decode_first(self.text.lstrip())
            position = _skip(rest, 0)
            while position < len(rest):
                again, position = _decode_first(rest, position)
                if again != first:
                    return True
                position = _skip(rest, position)
        except (JSONDecodeError, RecursionError):
            return True
        return False


def _skip(text: str, position: int) -> int:
    """Where the next character stands that is not blank."""
    blank = _NEXT.match(text, position)
    return blank.end() if blank else position


def _is_json(text: str) -> bool:
    try:
        json_codec.loads(text)
    except ValueError:
        return False
    return True
