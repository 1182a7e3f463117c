"""What was used of a limit within the last seconds."""

from __future__ import annotations

from collections import deque

GRANTED = 0.0
"""The wait of a request that may go."""


class Use:
    """An amount, and when it was used."""

    __slots__ = ("amount", "since")

    def __init__(self, since: float, amount: int) -> None:
        self.since = since
        self.amount = amount


class SlidingWindow:
    """The uses of the last ``span`` seconds, oldest first.

    No total is kept beside them: the garbage collector may end a forgotten stream, and so change the window, in the
    middle of any method of the same thread. Each change is a single act on the deque.
    """

    __slots__ = ("_all_ones", "_span", "_uses")

    def __init__(self, span: float) -> None:
        self._span = span
        self._uses: deque[Use] = deque()
        self._all_ones = True  # then their number is their sum: windows of requests are long

    def add_use(self, amount: int, now: float) -> Use:
        """Count an amount from now on; gives the use, for :meth:`correct`."""
        # Threads read the clock before they get the lock: the uses are kept in order, never earlier than true.
        use = Use(max(now, self._uses[-1].since) if self._uses else now, amount)
        self._uses.append(use)
        self._all_ones = self._all_ones and amount == 1
        self._forget(now)
        return use

    def correct(self, use: Use, amount: int) -> None:
        """Change the amount of an earlier use."""
        self._all_ones = False
        use.amount = amount

    def is_empty(self, now: float) -> bool:
        """Whether nothing of it counts any more."""
        return not self._uses or self._uses[-1].since <= now - self._span

    def wait(self, limit: int, *, live: int, wanted: int, now: float) -> float | None:
        """Seconds until there is room, or ``GRANTED``.

        Args:
            limit: the most within the span. What is wanted beyond it waits for an empty window.
            live: what will stand in the window and does not yet.
            wanted: the amount that is to go.
            now: the clock.

        Returns:
            None where no waiting helps: only what is live makes room.
        """
        self._forget(now)
        used = len(self._uses) if self._all_ones else sum(use.amount for use in self._uses)
        over = used + live + min(wanted, limit) - limit
        if over <= 0:
            return GRANTED
        for use in self._uses:
            over -= use.amount
            if over <= 0:
                return use.since + self._span - now
        return None

    def _forget(self, now: float) -> None:
        gone = now - self._span
        while self._uses and self._uses[0].since <= gone:
            self._uses.popleft()
