"""Sentences of refusals as rows: what a text means, by a pattern, with its source and a whole example."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

log = logging.getLogger("flash_integrations")

FROM_MEMORY: Final = "from memory"
"""The source of a row that nobody can trace. Its hits are logged at DEBUG, so that users can tell where it is sent."""


class TextRow(NamedTuple):
    """One row.

    Attributes:
        pattern: a regular expression; case does not count. One sentence's: alternatives are rows of their own.
        source: who sends it, and where that was seen, or :data:`FROM_MEMORY`.
        example: the whole message as seen.
        means: what it means, in the table's own terms.
    """

    pattern: str
    source: str
    example: str
    means: Any = None


class TextTable:
    """Rows that are tried in order; the first whose pattern is found decides.

    The patterns are compiled when the first refusal comes: most processes see none.

    Args:
        rows: the rows.
    """

    def __init__(self, rows: Iterable[TextRow]) -> None:
        self.rows = tuple(rows)
        self._patterns: list[re.Pattern[str]] = []
        self._hits: Counter[str] = Counter()

    @classmethod
    def of(cls, *rows: tuple[str, str, str]) -> TextTable:
        """A table whose rows all mean one thing: (pattern, source, example) each."""
        return cls(TextRow(*row) for row in rows)

    def find(self, text: str) -> TextRow | None:
        """The first row whose pattern a text holds, or None."""
        return next((row for row, _ in self.matches(text)), None)

    def matches(self, text: str) -> Iterator[tuple[TextRow, re.Match[str]]]:
        """Each row whose pattern a text holds, in the table's order, and every place where it does."""
        if len(self._patterns) != len(self.rows):
            self._patterns = [re.compile(row.pattern, re.IGNORECASE | re.DOTALL) for row in self.rows]
        for row, pattern in zip(self.rows, self._patterns, strict=True):
            for match in pattern.finditer(text):
                if row.source == FROM_MEMORY:
                    self._hits[row.pattern] += 1
                    count = self._hits[row.pattern]
                    log.debug("the row %r, which has no source yet, matched (%d so far): %s", row.pattern, count, text)
                yield row, match
