"""Many texts in requests of the size a gateway takes: what to send next, and what a refusal means for the rest.

Nothing here waits or sends. A driver takes pieces, sends several at once, and reports what each came to:

* refused for its size: the batches are made as small as the refusal says, else half as large; the figure is kept for
  later calls once a batch of it was taken;
* refused because one text is too long: the piece is searched by halves, so that the error names the text's position.
  Half of what is left is sent at a time, ``log2`` of the piece's size in all; nothing else is sent meanwhile. If no
  single text is refused it was their sum, and batches are made smaller;
* anything else is the end of the whole call.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from ....errors import ContextLengthError, FlashError, MalformedResponseError
from .base64_floats import PLAIN_NUMBERS
from .batch_size import smaller_batch
from .result import Embeddings, joined

log = logging.getLogger("flash_integrations")

_NAMED_TEXT = re.compile(r"\b(?:inputs?|texts?|contents?)(?:\[(\d{1,6})\]|\.(\d{1,6})\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """The texts from ``start`` up to, not including, ``stop``."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


class _Search:
    """Which text of a refused piece is too long, by halves."""

    __slots__ = ("_high", "_low", "in_flight", "piece")

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.in_flight: Piece | None = None
        self._low, self._high = piece.start, piece.stop

    def probe(self) -> Piece:
        """What to send: the first half of where the text can be; at the end the text itself."""
        size = self._high - self._low
        self.in_flight = Piece(self._low, self._low + max(1, size // 2))
        return self.in_flight

    def narrow(self, *, accepted: bool) -> int | None:
        """Take what the probe came to; gives the text's position once it was sent alone and refused."""
        probe, self.in_flight = self.in_flight, None
        if probe is None:
            return None
        if accepted:
            self._low = probe.stop
        elif len(probe) == 1:
            return probe.start
        else:
            self._high = probe.stop
        return None

    @property
    def is_over(self) -> bool:
        """Whether every text was taken after all."""
        return self._low >= self._high


class Batches:
    """The texts of one call on their way.

    Args:
        count: how many texts there are.
        size: how many go into a request at first.
        model: the model asked for, for an answer that names none.
        dimensions: how long the vectors were asked to be, or None.
        learn: keeps a smaller size that the gateway took.
    """

    def __init__(
        self, count: int, size: int, *, model: str, dimensions: int | None, learn: Callable[[int], None]
    ) -> None:
        self._left = [Piece(0, count)] if count else []  # to be sent, the next one last
        self._size = size
        self._model = model
        self._dimensions = dimensions
        self._learn = learn
        self._unproved = False
        self._search: _Search | None = None
        self._parts: dict[int, Embeddings] = {}

    def waiting(self) -> int:
        """How many pieces could be taken now."""
        if self._search is not None:
            return int(self._search.in_flight is None)
        return sum(-(-len(piece) // self._size) for piece in self._left)

    def next_piece(self) -> Piece | None:
        """The next piece to send; None where there is none now."""
        if self._search is not None:
            return None if self._search.in_flight is not None else self._search.probe()
        if not self._left:
            return None
        piece = self._left.pop()
        if len(piece) > self._size:
            self._left.append(Piece(piece.start + self._size, piece.stop))
            piece = Piece(piece.start, piece.start + self._size)
        return piece

    def accept(self, piece: Piece, answer: Embeddings) -> bool:
        """A piece was answered; whether its vectors are kept (those of a search are not).

        Raises:
            MalformedResponseError: the vectors are not of the length that was asked for, or that others have.
        """
        search = self._search
        if search is not None and piece is search.in_flight:
            search.narrow(accepted=True)
            if search.is_over:
                log.info("%s: every text is taken alone: %d together are too long", self._model, len(search.piece))
                self._search = None
                self._make_smaller(search.piece, (len(search.piece) + 1) // 2)
            return False
        self._check_length(answer.dimensions)
        if self._unproved and len(piece) <= self._size:
            self._unproved = False
            self._learn(self._size)
        self._parts[piece.start] = answer
        return True

    def fail(self, piece: Piece, error: FlashError) -> None:
        """A piece came to an error; raises it if that is the end.

        Raises:
            FlashError: ``error``, with the text's position where one text is too long.
        """
        search = self._search
        if isinstance(error, ContextLengthError):
            position = self._position(piece, error)
            if position is not None:
                raise _placed(error, position)
            if search is None:
                log.info("%s: one of %d texts is too long, searching which: %s", self._model, len(piece), error)
                self._search = _Search(piece)
            elif piece is search.in_flight:
                position = search.narrow(accepted=False)
                if position is not None:
                    raise _placed(error, position)
            else:
                self._left.append(piece)
            return
        size = smaller_batch(error, len(piece))
        if size is None or (search is not None and piece is search.in_flight):
            raise error
        log.info("%s: %d texts are too many for one request, sending %d: %s", self._model, len(piece), size, error)
        self._make_smaller(piece, size)

    def result(self) -> Embeddings:
        """All vectors, in the order of the texts."""
        return joined([self._parts[start] for start in sorted(self._parts)], model=self._model)

    def _make_smaller(self, piece: Piece, size: int) -> None:
        if size < self._size:
            self._size = size
            self._unproved = True
        self._left.append(piece)

    def _check_length(self, length: int) -> None:
        wanted, whose = self._dimensions, "were asked for"
        if wanted is None and self._parts:
            wanted, whose = next(iter(self._parts.values())).dimensions, "came in another batch"
        if wanted is None or length == wanted:
            return
        message = f"the vectors have {length} dimensions where {wanted} {whose}"
        if self._dimensions is not None:
            message += ": this model or gateway ignores dimensions, leave it out"
        if 2 * length == wanted or length == 2 * wanted:
            message += f"; perhaps floats of another width than 32 bits were packed: {PLAIN_NUMBERS}"
        raise MalformedResponseError(message)

    @staticmethod
    def _position(piece: Piece, error: ContextLengthError) -> int | None:
        """Where the text is that is too long, if there is but one or the refusal says which."""
        if len(piece) == 1:
            return piece.start
        named = _NAMED_TEXT.search(f"{error.param or ''} {error.message}")
        offset = int(named[1] or named[2]) if named else len(piece)
        return piece.start + offset if offset < len(piece) else None


def _placed(error: ContextLengthError, position: int) -> ContextLengthError:
    error.message = f"texts[{position}] is too long for the model: {error.message}"
    error.args = (error.message,)
    return error
