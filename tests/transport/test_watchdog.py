"""A watch over a read that blocks: when it rings, and that it never rings twice or too soon."""

from __future__ import annotations

import threading
import time

from raw_server import PATIENCE

from flash_integrations._transport.watchdog import Watch

LONG = 60.0


def test_a_watch_expires_when_its_time_is_over():
    """Once, and it says so."""
    rung = threading.Semaphore(0)
    watch = Watch(rung.release)
    watch.arm(time.monotonic() + 0.02)
    assert rung.acquire(timeout=PATIENCE)
    assert watch.expired


def test_an_earlier_deadline_counts():
    """A deadline that is moved forward wakes the thread before the time it was booked for."""
    rung = threading.Event()
    watch = Watch(rung.set)
    watch.arm(time.monotonic() + LONG)
    watch.arm(time.monotonic() + 0.02)
    assert rung.wait(PATIENCE)


def test_a_deadline_can_be_moved_and_taken_back():
    """A later deadline, none, and an ended watch: the booked time passes without a sound."""
    rung = []
    watches = [Watch(lambda name=name: rung.append(name)) for name in ("later", "none", "ended")]
    soon = time.monotonic() + 0.05
    for watch in watches:
        watch.arm(soon)
    watches[0].arm(soon + LONG)
    watches[1].arm(None)
    watches[2].disarm()
    last = threading.Event()
    Watch(last.set).arm(soon + 0.05)
    assert last.wait(PATIENCE)
    assert rung == []
    assert [watch.expired for watch in watches] == [False] * 3
    watches[0].disarm()


def test_a_deadline_counts_again_after_it_was_taken_back():
    """A watch between two reads is armed anew, whatever the thread has made of its last booking."""
    rung, looked = threading.Event(), threading.Event()
    watch = Watch(rung.set)
    watch.arm(time.monotonic() + 0.01)
    watch.arm(None)
    Watch(looked.set).arm(time.monotonic() + 0.03)
    assert looked.wait(PATIENCE)  # by now the thread has let go of the other one, too
    assert not rung.is_set()
    watch.arm(time.monotonic() + 0.01)
    assert rung.wait(PATIENCE)


def test_many_watches_expire_each_at_its_time():
    """In the order of their deadlines, whatever the order they were set in."""
    order, last = [], threading.Event()
    now = time.monotonic()
    for number in (3, 1, 4, 2, 5):
        Watch(lambda number=number: (order.append(number), number == 5 and last.set())).arm(now + 0.02 * number)
    assert last.wait(PATIENCE)
    assert order == [1, 2, 3, 4, 5]


def test_a_time_that_was_booked_before_an_earlier_one_rings_no_second_time():
    """A deadline that was moved forward leaves its old booking behind, which says nothing once its turn comes."""
    rung = []
    watch, now = Watch(lambda: rung.append("rung")), time.monotonic()
    watch.arm(now + 2 * LONG)
    watch.arm(now + LONG)
    watch.check(now + LONG, now + LONG)
    watch.check(now + 2 * LONG, now + 2 * LONG)
    watch.disarm()
    assert rung == ["rung"]
