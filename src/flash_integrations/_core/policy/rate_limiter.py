"""Requests held back until the limits allow them: sliding windows and slots, first come first served.

One :class:`RateLimiter` is the record of use of one gateway and key, for all threads, event loops and objects of the
process. Each call brings the limits it wants kept. A request is *live* from its admission to the first byte of its
answer; from then on it stands in the windows; its slot is held until the answer ends. The gateway counts a request at
some moment between the two, so a window kept this way is never more generous than the gateway's.

Tokens are counted so too: an estimate while the request is live, corrected when its answer tells; what the answer took
counts from the answer's end. A request that is larger than the whole window goes when the window is empty.

Nothing here waits. :meth:`RateLimiter.acquire` says "granted", "in so many seconds", or "when you are woken"; and the
head of the queue is told which limit holds it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from .rate_limit import RateLimit

MINUTE, HOUR = 60.0, 3600.0
GRANTED = 0.0
"""What :meth:`RateLimiter.acquire` returns when the request may go."""


USUAL_ANSWER = 500
"""Tokens set aside for an answer of unknown length, until answers have shown how long they are."""


class _Spent:
    """Tokens in the window since a moment."""

    __slots__ = ("since", "tokens")

    def __init__(self, since: float, tokens: int) -> None:
        self.since = since
        self.tokens = tokens


class Reservation:
    """One request's place in the queue, then at the gateway.

    ``blocked_by`` is the limit that holds the head of the queue, such as "concurrent=10"; None for all others.
    """

    __slots__ = ("_wake", "blocked_by", "granted_at", "label", "queued_at", "rate_limit", "spent", "tokens", "woken")

    def __init__(self, rate_limit: RateLimit | None, label: str, now: float, tokens: int = 0) -> None:
        self.rate_limit = rate_limit
        self.tokens = tokens
        self.spent: _Spent | None = None
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
        self._stamps: deque[float] = deque()  # when first bytes came, in the last hour
        self._spent: deque[_Spent] = deque()  # tokens of those that were answered, in the last minute
        self._answer = USUAL_ANSWER
        self._logged = ("", 0.0)  # the limit of which a line was last told, and until when the line stands

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
        """The answer told what was counted, in tokens: for the request from its first byte, for the answer from now."""
        with self._lock:
            if reservation.spent is not None:
                reservation.spent.tokens = asked
            elif asked:
                reservation.spent = self._spend(asked, now)
            if answered:
                self._spend(answered, now)
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
            quiet = not self._spent or self._spent[-1].since <= now - MINUTE
            return quiet and not (self._holders or self._queue or (self._stamps and self._stamps[-1] > now - HOUR))

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
            # Threads read the clock before they get the lock: the stamps are kept in order, never earlier than true.
            self._stamps.append(max(now, self._stamps[-1]) if self._stamps else now)
            if reservation.tokens:
                reservation.spent = self._spend(reservation.tokens, now)
            self._live.discard(reservation)
            while self._stamps[0] <= now - HOUR:
                self._stamps.popleft()

    def _wait(self, reservation: Reservation, rate_limit: RateLimit, now: float) -> tuple[float | None, str]:
        """What holds a request back longest: seconds until there is room, and the limit.

        GRANTED when nothing does; None when only an answer's end or beginning makes room.
        """
        if rate_limit.concurrent is not None and len(self._holders) >= rate_limit.concurrent:
            return None, f"concurrent={rate_limit.concurrent}"
        longest, blocked_by = GRANTED, ""
        for name, limit, span in (
            ("requests_per_minute", rate_limit.requests_per_minute, MINUTE),
            ("requests_per_hour", rate_limit.requests_per_hour, HOUR),
        ):
            if limit is None:
                continue
            inside = self._count_after(now - span)
            if inside + len(self._live) < limit:
                continue
            # Live requests will stand in the window too; so many stamps must leave before there is room.
            leaving = inside + len(self._live) - limit
            if leaving >= inside:
                # Live requests alone fill the window: wait for one of them to be answered.
                return None, f"{name}={limit}"
            leaves_at = self._stamps[len(self._stamps) - inside + leaving] + span
            if leaves_at - now > longest:
                longest, blocked_by = leaves_at - now, f"{name}={limit}"
        tokens = rate_limit.tokens_per_minute
        if tokens is None:
            return longest, blocked_by
        wait = self._wait_for_tokens(tokens, reservation.tokens, now)
        return (wait, f"tokens_per_minute={tokens}") if wait is None or wait > longest else (longest, blocked_by)

    def _spend(self, tokens: int, now: float) -> _Spent:
        spent = _Spent(max(now, self._spent[-1].since) if self._spent else now, tokens)
        self._spent.append(spent)
        while self._spent[0].since <= now - MINUTE:
            self._spent.popleft()
        return spent

    def _wait_for_tokens(self, limit: int, wanted: int, now: float) -> float | None:
        """The seconds of :meth:`_wait`, for the tokens of a minute."""
        live = sum(reservation.tokens for reservation in self._live)
        inside = [spent for spent in self._spent if spent.since > now - MINUTE]
        over = sum(spent.tokens for spent in inside) + live + min(wanted, limit) - limit
        wait = GRANTED
        for spent in inside:
            if over <= 0:
                break
            over -= spent.tokens
            wait = spent.since + MINUTE - now
        return wait if over <= 0 else None  # None: only the answers of live requests make room

    def _count_after(self, since: float) -> int:
        """How many stamps are later than ``since``."""
        low, high = 0, len(self._stamps)
        while low < high:
            middle = (low + high) // 2
            if self._stamps[middle] <= since:
                low = middle + 1
            else:
                high = middle
        return len(self._stamps) - low
