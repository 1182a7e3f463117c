"""The limits a gateway keeps: its own count, so that it can judge a client that counts too.

A window slides: a request is refused while the last 60 (or 3,600) seconds hold as many admitted ones as the limit
says; those refused for it are not counted. Tokens count with the prompt when it is read and with the answer when it
is made.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from ...catalogue import RateLimit
from .errors import Refusal

__all__ = ["Quota"]

_MINUTE, _HOUR = 60.0, 3600.0


class Quota:
    """The use of one key, measured against one limit. For one thread, the gateway's.

    Args:
        limit: what to keep.
        clock: seconds that never go back.
    """

    def __init__(self, limit: RateLimit, *, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._admitted: deque[float] = deque()
        self._spent: deque[tuple[float, int]] = deque()
        self._slots = 0

    def admit(self) -> None:
        """Count a request and take a slot, to be given back with :meth:`release`.

        Raises:
            Refusal: 429 ``rate_limit_exceeded``; for a window with ``retry-after``: whole seconds until it has room.
        """
        now, limit = self._clock(), self._limit
        while self._admitted and self._admitted[0] <= now - _HOUR:
            self._admitted.popleft()
        if limit.concurrent is not None and self._slots >= limit.concurrent:
            raise _too_many(limit.concurrent, "concurrent requests", None)
        for most, span, unit in (
            (limit.requests_per_minute, _MINUTE, "requests per minute"),
            (limit.requests_per_hour, _HOUR, "requests per hour"),
        ):
            # The request that must leave the window before one more fits is the ``most``-th from the end.
            if most is not None and len(self._admitted) >= most and self._admitted[-most] > now - span:
                raise _too_many(most, unit, self._admitted[-most] + span - now)
        self._admitted.append(now)
        self._slots += 1

    def ask(self, tokens: int) -> None:
        """Count the tokens of a prompt. One that is larger than the limit by itself is let through an empty window.

        Raises:
            Refusal: as for :meth:`admit`.
        """
        now, most = self._clock(), self._limit.tokens_per_minute
        while self._spent and self._spent[0][0] <= now - _MINUTE:
            self._spent.popleft()
        if most is not None and self._spent and sum(count for _, count in self._spent) + tokens > most:
            raise _too_many(most, "tokens per minute", self._spent[0][0] + _MINUTE - now)
        self._spent.append((now, tokens))

    def spend(self, tokens: int) -> None:
        """Count the tokens of an answer."""
        self._spent.append((self._clock(), tokens))

    def release(self) -> None:
        """Give a slot back."""
        self._slots -= 1


def _too_many(most: int, unit: str, wait: float | None) -> Refusal:
    headers = {} if wait is None else {"retry-after": str(max(1, math.ceil(wait)))}
    return Refusal(429, f"Rate limit exceeded: at most {most} {unit}.", headers=headers)
