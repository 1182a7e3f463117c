"""Limits as values: who may go when, and that no window ever holds more than its limit."""

from __future__ import annotations

import gc
import threading
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flash_integrations._core.policy.rate_limit import RateLimit
from flash_integrations._core.policy.rate_limiter import GRANTED, HOUR, MINUTE, RateLimiter

ONE_SLOT = RateLimit(concurrent=1)
TWO_A_MINUTE = RateLimit(requests_per_minute=2)


def enter(limiter, rate_limit, now=0.0, label=""):
    """A ticket that has asked once, and what it was told."""
    reservation = limiter.enqueue(rate_limit, label=label, now=now)
    return reservation, limiter.acquire(reservation, now)


def serve(limiter, rate_limit, now, *, took=0.0):
    """A request that goes at once and is answered."""
    reservation, told = enter(limiter, rate_limit, now)
    assert told == GRANTED
    limiter.answered(reservation, now + took)
    limiter.release(reservation, now + took)


def woken(reservation):
    """A list that grows by one with each waking."""
    calls = []
    reservation.on_wake(lambda: calls.append(1))
    return calls


# --- windows --------------------------------------------------------------------------------------------------------


def test_a_window_slides():
    """A request leaves the window a minute after its answer began, not at the turn of a minute."""
    limiter = RateLimiter()
    serve(limiter, TWO_A_MINUTE, 10.0)
    serve(limiter, TWO_A_MINUTE, 40.0)
    reservation, told = enter(limiter, TWO_A_MINUTE, 50.0)
    assert told == 20.0
    assert limiter.acquire(reservation, 69.0) == 1.0
    assert limiter.acquire(reservation, 70.0) == GRANTED


def test_the_hour_has_a_window_of_its_own():
    """Both windows are kept; the longer wait counts."""
    limiter, rate_limit = RateLimiter(), RateLimit(requests_per_minute=1, requests_per_hour=2)
    serve(limiter, rate_limit, 0.0)
    serve(limiter, rate_limit, MINUTE)
    reservation, told = enter(limiter, rate_limit, 2 * MINUTE)
    assert told == HOUR - 2 * MINUTE
    assert limiter.acquire(reservation, HOUR) == GRANTED


def test_the_longer_wait_counts_whichever_window_asks_for_it():
    """The hour may have room sooner than the minute."""
    limiter, rate_limit = RateLimiter(), RateLimit(requests_per_minute=1, requests_per_hour=2)
    serve(limiter, rate_limit, 0.0)
    serve(limiter, rate_limit, HOUR - 5)
    assert enter(limiter, rate_limit, HOUR - 4)[1] == MINUTE - 1


def test_a_request_is_live_until_its_first_byte():
    """The window counts from the answer's beginning, however long it took: the gateway may have counted then."""
    limiter = RateLimiter()
    serve(limiter, RateLimit(requests_per_minute=1), 0.0, took=50.0)
    assert enter(limiter, RateLimit(requests_per_minute=1), 60.0)[1] == 50.0


def test_live_requests_fill_a_window_too():
    """Requests under way count before they are answered; the next one waits to be woken."""
    limiter = RateLimiter()
    first, _ = enter(limiter, TWO_A_MINUTE)
    enter(limiter, TWO_A_MINUTE)
    third, told = enter(limiter, TWO_A_MINUTE, 100.0)
    assert told is None
    calls = woken(third)
    limiter.answered(first, 100.0)
    assert calls == [1]
    assert limiter.acquire(third, 100.0) == 60.0


def test_live_requests_and_answered_ones_count_together():
    """So many answered requests must leave the window that all live ones fit into it."""
    limiter, rate_limit = RateLimiter(), RateLimit(requests_per_minute=3)
    serve(limiter, rate_limit, 0.0)
    serve(limiter, rate_limit, 10.0)
    enter(limiter, rate_limit, 20.0)
    assert enter(limiter, rate_limit, 20.0)[1] == 40.0


def test_several_answered_requests_may_have_to_leave():
    """Beside more generous objects, a strict one waits until the window is empty enough for its own figures."""
    limiter = RateLimiter()
    serve(limiter, RateLimit(requests_per_minute=4), 0.0)
    serve(limiter, RateLimit(requests_per_minute=4), 10.0)
    enter(limiter, RateLimit(requests_per_minute=4), 20.0)
    assert enter(limiter, TWO_A_MINUTE, 20.0)[1] == 50.0


def test_what_never_left_is_not_counted():
    """A request that did not reach the gateway leaves no trace in the window."""
    limiter, rate_limit = RateLimiter(), RateLimit(requests_per_minute=1)
    reservation, _ = enter(limiter, rate_limit)
    limiter.release(reservation, 0.0, counted=False)
    assert enter(limiter, rate_limit)[1] == GRANTED


def test_what_broke_before_an_answer_is_counted():
    """A request that was sent and never answered may have been counted by the gateway."""
    limiter, rate_limit = RateLimiter(), RateLimit(requests_per_minute=1)
    reservation, _ = enter(limiter, rate_limit)
    limiter.release(reservation, 5.0)
    assert enter(limiter, rate_limit, 5.0)[1] == 60.0


def test_an_answered_request_is_counted_once():
    """The end of an answer adds nothing to what its beginning counted."""
    limiter = RateLimiter()
    serve(limiter, TWO_A_MINUTE, 0.0)
    assert enter(limiter, TWO_A_MINUTE, 1.0)[1] == GRANTED


def test_an_answered_request_stays_counted():
    """Once answered, a request is in the window, even if it is said not to have reached the gateway."""
    limiter, rate_limit = RateLimiter(), RateLimit(requests_per_minute=1)
    reservation, _ = enter(limiter, rate_limit)
    limiter.answered(reservation, 0.0)
    limiter.release(reservation, 1.0, counted=False)
    assert enter(limiter, rate_limit, 1.0)[1] == 59.0


# --- slots ----------------------------------------------------------------------------------------------------------


def test_a_slot_is_held_until_the_answer_ends():
    """The first byte frees no slot; the end does, and wakes who waits."""
    limiter = RateLimiter()
    first, _ = enter(limiter, ONE_SLOT)
    second, told = enter(limiter, ONE_SLOT)
    assert told is None
    limiter.answered(first, 1.0)
    assert limiter.acquire(second, 1.0) is None
    calls = woken(second)
    limiter.release(first, 2.0)
    assert calls == [1]
    assert limiter.acquire(second, 2.0) == GRANTED


def test_no_figures_wait_for_nobody():
    """A call without limits goes at once, even past a queue, but its slot counts for the others."""
    limiter = RateLimiter()
    enter(limiter, ONE_SLOT)
    waiting, _ = enter(limiter, ONE_SLOT)
    free, told = enter(limiter, None)
    assert told == GRANTED
    assert len(limiter.holders(0.0)) == 2
    limiter.release(free, 0.0)
    assert limiter.acquire(waiting, 0.0) is None


@pytest.mark.parametrize("limit", ["requests_per_minute", "requests_per_hour", "concurrent"])
def test_the_head_of_the_queue_knows_what_holds_it(limit):
    """The limit with its figure; those behind it, and who was let go, know of none."""
    limiter, rate_limit = RateLimiter(), RateLimit(**{limit: 1})
    holder, _ = enter(limiter, rate_limit)
    head, _ = enter(limiter, rate_limit)
    behind, _ = enter(limiter, rate_limit)
    assert [holder.blocked_by, head.blocked_by, behind.blocked_by] == [None, f"{limit}=1", None]
    assert limiter.waiting() == 2
    limiter.release(holder, 1.0)
    assert limiter.acquire(head, 1.0 + HOUR) == GRANTED
    assert head.blocked_by is None


def test_the_longest_wait_names_the_limit():
    """Where two windows are full, the one that is full for longer is named."""
    limiter = RateLimiter()
    serve(limiter, RateLimit(), 0.0)
    reservation, told = enter(limiter, RateLimit(requests_per_minute=1, requests_per_hour=1), 1.0)
    assert (told, reservation.blocked_by) == (HOUR - 1.0, "requests_per_hour=1")


def test_a_wait_is_told_once_at_a_time():
    """While a line stands nobody else tells of that limit; of another limit, or afterwards, it is told again."""
    limiter = RateLimiter()
    assert limiter.claim_log_line("concurrent=1", 0.0, until=30.0) == GRANTED
    assert limiter.claim_log_line("concurrent=1", 10.0, until=40.0) == 20.0
    assert limiter.claim_log_line("concurrent=1", 30.0, until=60.0) == GRANTED
    assert limiter.claim_log_line("requests_per_minute=1", 31.0, until=61.0) == GRANTED


def test_holders_are_told_longest_first():
    """Who holds the slots, and for how long, is text for a line of the log."""
    limiter = RateLimiter()
    enter(limiter, None, 10.0, "late")
    enter(limiter, None, 5.0, "early")
    assert limiter.holders(20.0) == ["early for 15 s", "late for 10 s"]


# --- the queue ------------------------------------------------------------------------------------------------------


def test_first_come_first_served():
    """Nobody overtakes, be his own figures as generous as they may."""
    limiter = RateLimiter()
    first, _ = enter(limiter, ONE_SLOT)
    second, _ = enter(limiter, ONE_SLOT)
    third, told = enter(limiter, RateLimit(concurrent=100))
    assert told is None
    limiter.release(first, 0.0)
    assert limiter.acquire(third, 0.0) is None
    assert limiter.acquire(second, 0.0) == GRANTED
    assert limiter.acquire(third, 0.0) == GRANTED


def test_who_goes_wakes_the_next():
    """A grant wakes the new head of the queue, for which there may be room as well."""
    limiter = RateLimiter()
    first, _ = enter(limiter, RateLimit(concurrent=1))
    second, _ = enter(limiter, RateLimit(concurrent=1))
    third, _ = enter(limiter, RateLimit(concurrent=2))
    calls = woken(third)
    limiter.release(first, 0.0)
    assert limiter.acquire(second, 0.0) == GRANTED
    assert calls == [1]


def test_a_head_that_gives_up_wakes_the_next():
    """A ticket that is cancelled in the queue does not take the others' wake-up with it."""
    limiter = RateLimiter()
    serve(limiter, TWO_A_MINUTE, 0.0)
    head, _ = enter(limiter, RateLimit(requests_per_minute=1), 1.0)
    second, told = enter(limiter, TWO_A_MINUTE, 1.0)
    assert told is None
    calls = woken(second)
    limiter.release(head, 2.0)
    assert calls == [1]
    assert limiter.acquire(second, 2.0) == GRANTED


def test_one_who_gives_up_further_back_leaves_the_queue():
    """A cancelled ticket in the middle is passed over."""
    limiter = RateLimiter()
    first, _ = enter(limiter, ONE_SLOT)
    second, third = (limiter.enqueue(ONE_SLOT, label="", now=0.0) for _ in range(2))
    limiter.release(second, 0.0)
    limiter.release(first, 0.0)
    assert limiter.acquire(third, 0.0) == GRANTED


def test_a_wake_up_before_the_wait_is_not_lost():
    """Who is woken between asking and waiting is woken as soon as he says how."""
    limiter = RateLimiter()
    first, _ = enter(limiter, ONE_SLOT)
    second, told = enter(limiter, ONE_SLOT)
    assert told is None
    limiter.release(first, 0.0)
    assert woken(second) == [1]


def test_a_head_that_was_given_seconds_is_woken_early():
    """A window's room may come sooner than foretold, when a live request proves not to have left."""
    limiter, rate_limit = RateLimiter(), RateLimit(requests_per_minute=2)
    serve(limiter, rate_limit, 0.0)
    other, _ = enter(limiter, rate_limit, 0.0)
    head, told = enter(limiter, rate_limit, 10.0)
    assert told == 50.0
    calls = woken(head)
    limiter.release(other, 20.0, counted=False)
    assert calls == [1]
    assert limiter.acquire(head, 20.0) == GRANTED


def test_asking_again_after_a_grant_changes_nothing():
    """A granted ticket stays granted and takes one slot."""
    limiter = RateLimiter()
    reservation, _ = enter(limiter, ONE_SLOT)
    assert limiter.acquire(reservation, 5.0) == GRANTED
    limiter.release(reservation, 6.0)
    assert limiter.holders(6.0) == []


def test_releasing_twice_changes_nothing():
    """A ticket that is released again frees nobody else's slot and counts nothing more."""
    limiter, rate_limit = RateLimiter(), RateLimit(requests_per_minute=3, concurrent=1)
    first, _ = enter(limiter, rate_limit)
    limiter.release(first, 0.0)
    second, _ = enter(limiter, rate_limit)
    limiter.release(first, 0.0)
    assert len(limiter.holders(0.0)) == 1
    limiter.release(second, 0.0)
    assert enter(limiter, rate_limit)[1] == GRANTED


def test_a_release_from_the_garbage_collector_does_not_lock_up():
    """A forgotten stream may be collected, and its ticket released, while this thread is inside the limiter."""
    limiter = RateLimiter()
    reservation, _ = enter(limiter, ONE_SLOT)

    class Forgotten:
        def __del__(self):
            limiter.release(reservation, 0.0)

    def inside():
        with limiter._lock:
            forgotten = Forgotten()
            forgotten.itself = forgotten
            del forgotten
            gc.collect()

    thread = threading.Thread(target=inside, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert limiter.holders(0.0) == []


def test_threads_never_exceed_the_slots():
    """Threads that race for slots hold no more of them than there are, and each gets its turn."""
    limiter, rate_limit = RateLimiter(), RateLimit(concurrent=3)
    lock, inside, peak, served = threading.Lock(), [0], [0], [0]

    def note(change):
        with lock:
            inside[0] += change
            peak[0] = max(peak[0], inside[0])
            served[0] += change < 0

    def work():
        for _ in range(20):
            reservation = limiter.enqueue(rate_limit, label="", now=0.0)
            while limiter.acquire(reservation, 0.0) != GRANTED:
                ready = threading.Event()
                reservation.on_wake(ready.set)
                assert ready.wait(60)
            note(+1)
            note(-1)
            limiter.release(reservation, 0.0)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served[0] == 200
    assert peak[0] <= 3


# --- a judge --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One request of a random schedule; times in sixteenths of a second, which floats tell exactly."""

    after: int
    first_byte: int
    body: int
    reaches: bool
    counted_at: float


TICK = 1 / 16
REQUESTS = st.lists(
    st.builds(
        Request,
        after=st.integers(0, 40 * 16),
        first_byte=st.integers(0, 90 * 16),
        body=st.integers(0, 90 * 16),
        reaches=st.booleans() | st.just(value=True),
        counted_at=st.floats(0, 1),
    ),
    min_size=1,
    max_size=30,
)


def play(requests, rate_limit):
    """Run a schedule; gives for each request when it was admitted, when its first byte came and when it ended.

    A waiting request asks again when its seconds are over or when it is woken, and at no other time.
    """
    limiter, order, agenda = RateLimiter(), count(), []
    reservations, times = {}, {}

    def plan(at, act, number):
        heappush(agenda, (at, next(order), act, number))

    def arrive(now, number):
        reservations[number] = limiter.enqueue(rate_limit, label="", now=now)
        ask(now, number)

    def ask(now, number):
        if number in times:
            return  # woken twice
        wait = limiter.acquire(reservations[number], now)
        if wait == GRANTED:
            begins = now + requests[number].first_byte * TICK
            times[number] = (now, begins, begins + requests[number].body * TICK)
            plan(begins, begin, number)
            return
        reservations[number].on_wake(lambda: plan(clock[0], ask, number))
        if wait is not None:
            plan(now + wait, ask, number)

    def begin(now, number):
        if requests[number].reaches:
            limiter.answered(reservations[number], now)
            plan(times[number][2], end, number)
        else:
            limiter.release(reservations[number], now, counted=False)

    def end(now, number):
        limiter.release(reservations[number], now)

    clock, at = [0.0], 0
    for number, request in enumerate(requests):
        at += request.after
        plan(at * TICK, arrive, number)
    while agenda:
        clock[0], _, act, number = heappop(agenda)
        act(clock[0], number)
    return times


@settings(max_examples=150, deadline=None)
@given(
    REQUESTS,
    st.integers(1, 5),
    st.none() | st.integers(1, 8),
    st.none() | st.integers(1, 3),
)
def test_no_window_ever_holds_more_than_its_limit(requests, per_minute, per_hour, slots):
    """Whenever between admission and first byte the gateway counts, in no window does it count more than the limit."""
    rate_limit = RateLimit(per_minute, per_hour, concurrent=slots)
    times = play(requests, rate_limit)
    assert len(times) == len(requests), "somebody waits for ever"
    reached = [(request, *times[number]) for number, request in enumerate(requests) if request.reaches]
    counted = [admitted + (begins - admitted) * request.counted_at for request, admitted, begins, _ in reached]
    for limit, span in ((per_minute, MINUTE), (per_hour, HOUR)):
        assert limit is None or most_in_a_window(counted, span) <= limit
    if slots is not None:
        assert all(sum(one <= at < ended for _, one, _, ended in reached) <= slots for _, at, _, _ in reached)
    admitted = [times[number][0] for number in range(len(requests))]
    assert admitted == sorted(admitted)


def most_in_a_window(moments, span):
    """The most moments that any window of so many seconds holds."""
    return max((sum(0 <= late - early < span - 1e-6 for late in moments) for early in moments), default=0)


def test_the_judge_sees_a_full_window():
    """The check above can fail: it sees a window that holds more, wherever it begins."""
    assert most_in_a_window([0.0, 59.0, 60.0, 119.0], MINUTE) == 2
    assert most_in_a_window([0.0, 50.0, 59.0, 60.0, 109.0], MINUTE) == 4


@pytest.mark.parametrize("limit", [1, 5, 60])
def test_a_batch_runs_as_fast_as_the_limits_allow(limit):
    """A batch fills the window at once, and goes on the moment it has room."""
    limiter, rate_limit, now = RateLimiter(), RateLimit(requests_per_minute=limit), 0.0
    for number in range(3 * limit):
        reservation = limiter.enqueue(rate_limit, label="", now=now)
        while (wait := limiter.acquire(reservation, now)) != GRANTED:
            now += wait
        limiter.answered(reservation, now)
        limiter.release(reservation, now)
        assert now == MINUTE * (number // limit)
