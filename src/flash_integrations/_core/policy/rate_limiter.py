"""Requests held back until the limits allow them: sliding windows and slots, first come first served.

One :class:`RateLimiter` is the record of use of one gateway and key, for all threads, event loops and objects of the
process. Each call brings the limits it wants kept. A request is *live* from its admission to the first byte of its
answer; from then on it stands in the windows; its slot is held until the answer ends. The gateway counts a request at
some moment between the two, so a window kept this way is never more generous than the gateway's.

Tokens are counted so too: an estimate while the request is live, corrected by its answer's usage; what the answer took
counts from the answer's end. A request that is larger than the whole window goes when the window is empty.

Nothing here waits. :meth:`RateLimiter.acquire` says "granted", "in so many seconds", or "when you are woken"; and the
head of the queue has the limit that blocks it in its reservation.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from .rate_limit import RateLimit
from .sliding_window import GRANTED, SlidingWindow, Use

MINUTE, HOUR = 60.0, 3600.0

USUAL_ANSWER = 500
"""Tokens set aside for an answer of unknown length, until answers have shown how long they are."""


class Reservation:
    """One request's place in the queue, then at the gateway.

    ``blocked_by`` is the limit that holds the head of the queue, such as "concurrent=10"; None for all others.
    """

    __slots__ = ("_wake", "blocked_by", "granted_at", "label", "queued_at", "rate_limit", "spent", "tokens", "woken")

    def __init__(self, rate_limit: RateLimit | None, label: str, now: float, tokens: int = 0) -> None:
        self.rate_limit = rate_limit
        self.tokens = tokens
        self.spent: Use | None = None
        self.label = label
        self.queued_at = now
        self.granted_at: float | None = None
        self.blocked_by: str | None = None
        self.woken = False
        self._wake: Callable[[], None] | None = None

    def on_wake(self, wake: Callable[[], None]) -> None:
        """Call ``wake``, from any thread, when it is worth asking again; at once if that has come already."""
        self._wake = wake
        if self.woken:
            wake()

    def wake(self) -> None:
        """Say that it is worth asking again."""
        self.woken = True
        if self._wake is not None:
            self._wake()


class RateLimiter:
    """The record of use of one gateway and key."""

    def __init__(self) -> None:
        # Reentrant: the garbage collector may end a forgotten stream, and so release its reservation, anywhere, also
        # while this thread holds the lock. Each change below is therefore a single act on a set or deque.
        self._lock = threading.RLock()
        self._queue: deque[Reservation] = deque()
        self._holders: set[Reservation] = set()
        self._live: set[Reservation] = set()  # holders that have no first byte yet
        self._minute, self._hour = SlidingWindow(MINUTE), SlidingWindow(HOUR)  # requests that were answered
        self._tokens = SlidingWindow(MINUTE)
        self._answer = USUAL_ANSWER
        self._logged = ("", 0.0)  # the limit that was last logged, and until when the line stands

    def enqueue(
        self, rate_limit: RateLimit | None, *, label: str, now: float, tokens: int = 0, answer: int | None = 0
    ) -> Reservation:
        """Join the queue. ``rate_limit=None`` keeps no limits but is counted all the same.

        Args:
            rate_limit: the limits to keep.
            label: who it is, for log lines.
            now: the clock.
            tokens: what the request takes of a limit on tokens, estimated.
            answer: what its answer may take besides; None: not known, as much as answers took lately.
        """
        reservation = Reservation(rate_limit, label, now, tokens + (self._answer if answer is None else answer))
        with self._lock:
            if rate_limit is not None:
                self._queue.append(reservation)
        return reservation

    def acquire(self, reservation: Reservation, now: float) -> float | None:
        """Ask to go.

        Returns:
            ``GRANTED``, from then on always; or the seconds after which to ask again; or None: ask again when woken.
            A reservation that gets seconds may be woken before they are over.
        """
        with self._lock:
            reservation.woken = False
            reservation.blocked_by = None
            if reservation.granted_at is not None:
                return GRANTED
            if reservation.rate_limit is not None:
                if not self._queue or self._queue[0] is not reservation:
                    return None
                wait, limit = self._wait(reservation, reservation.rate_limit, now)
                if wait != GRANTED:
                    reservation.blocked_by = limit
                    return wait
                self._queue.popleft()
            reservation.granted_at = now
            self._holders.add(reservation)
            self._live.add(reservation)
        self._wake_head()
        return GRANTED

    def answered(self, reservation: Reservation, now: float) -> None:
        """The first byte came: the request moves into the windows, and keeps its slot."""
        with self._lock:
            self._stamp(reservation, now)
        self._wake_head()

    def record_usage(self, reservation: Reservation, now: float, *, asked: int, answered: int) -> None:
        """Record an answer's usage, in tokens: for the request from its first byte, for the answer from now."""
        with self._lock:
            if reservation.spent is not None:
                self._tokens.correct(reservation.spent, asked)
            elif asked:
                reservation.spent = self._tokens.add_use(asked, now)
            if answered:
                self._tokens.add_use(answered, now)
                self._answer = max(answered, self._answer * 9 // 10)
        self._wake_head()

    def release(self, reservation: Reservation, now: float, *, counted: bool = True) -> None:
        """The answer ended, or the reservation is given up; safe to call again.

        Args:
            reservation: the request.
            now: the clock.
            counted: False when the request never reached the gateway and stands in no window.
        """
        with self._lock:
            if reservation in self._holders:
                if counted:
                    self._stamp(reservation, now)
                self._live.discard(reservation)
                self._holders.discard(reservation)
            elif reservation in self._queue:
                self._queue.remove(reservation)
        self._wake_head()

    def is_idle(self, now: float) -> bool:
        """Whether nothing stands in it that could hold a request back."""
        with self._lock:
            return not (self._holders or self._queue) and self._hour.is_empty(now) and self._tokens.is_empty(now)

    def holders(self, now: float) -> list[str]:
        """Who holds the slots and for how many seconds, longest first, as text for a log line."""
        with self._lock:
            held = sorted((reservation.granted_at or now, reservation.label) for reservation in self._holders)
        return [f"{label} for {now - since:.0f} s" for since, label in held]

    def waiting(self) -> int:
        """How many requests wait in the queue."""
        with self._lock:
            return len(self._queue)

    def claim_log_line(self, limit: str, now: float, *, until: float) -> float:
        """Ask to tell of a wait for ``limit``, so that one line does for all who wait.

        Returns:
            ``GRANTED``, and the line stands ``until`` then; or the seconds for which the last one about it stands.
        """
        with self._lock:
            logged, stands = self._logged
            if logged == limit and stands > now:
                return stands - now
            self._logged = (limit, until)
        return GRANTED

    def _wake_head(self) -> None:
        # The callback runs without the lock: it may be anyone's.
        with self._lock:
            head = self._queue[0] if self._queue else None
        if head is not None:
            head.wake()

    def _stamp(self, reservation: Reservation, now: float) -> None:
        if reservation in self._live:
            self._minute.add_use(1, now)
            self._hour.add_use(1, now)
            if reservation.tokens:
                reservation.spent = self._tokens.add_use(reservation.tokens, now)
            self._live.discard(reservation)

    def _wait(self, reservation: Reservation, rate_limit: RateLimit, now: float) -> tuple[float | None, str]:
        """What holds a request back longest: seconds until there is room, and the limit.

        GRANTED when nothing does; None when only an answer's end or beginning makes room.
        """
        if rate_limit.concurrent is not None and len(self._holders) >= rate_limit.concurrent:
            return None, f"concurrent={rate_limit.concurrent}"
        tokens = sum(live.tokens for live in self._live) if rate_limit.tokens_per_minute is not None else 0
        longest, blocked_by = GRANTED, ""
        for name, limit, window, live, wanted in (
            ("requests_per_minute", rate_limit.requests_per_minute, self._minute, len(self._live), 1),
            ("requests_per_hour", rate_limit.requests_per_hour, self._hour, len(self._live), 1),
            ("tokens_per_minute", rate_limit.tokens_per_minute, self._tokens, tokens, reservation.tokens),
        ):
            if limit is not None:
                wait = window.wait(limit, live=live, wanted=wanted, now=now)
                if wait is None:
                    return None, f"{name}={limit}"
                if wait > longest:
                    longest, blocked_by = wait, f"{name}={limit}"
        return longest, blocked_by
