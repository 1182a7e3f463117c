"""Deadlines over real sockets, alike sync and async: pings are no progress, silence has an end, and nobody waits long.

Where something should happen, the server waits for it far longer than the client may; a hang would end in its patience.
"""

from __future__ import annotations

import threading
import time

import pytest
from raw_server import PATIENCE, serving
from replay import DONE, WHOLE, chunk, plain

from flash_integrations import FlashClient, errors
from flash_integrations._transport.watchdog import Watch

ROLE, HELLO, STOP = chunk({"role": "assistant"}), chunk({"content": "Hello"}), chunk({}, "stop")
PING = b": PING\n\n"
SOON = 0.15
LONG = 60.0


class Gateway:
    """Sends what it is told to, then the same bytes again and again, or nothing, until the client has gone."""

    def __init__(self, *first, again=None, headless=False):
        self._first, self._again, self._headless = first, again, headless
        self.left = threading.Event()

    def __call__(self, line):
        line.request()
        if not self._headless:
            line.head()
            line.send(*self._first)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                if line.is_left(0.01 if self._again else PATIENCE):
                    break
                line.send(self._again)
            except OSError:
                break
        else:
            return
        self.left.set()


CASES = {
    "no head": (Gateway(headless=True), {"timeout": {"first_byte": SOON}}, None),
    "no event": (Gateway(), {"timeout": {"first_byte": SOON}}, None),
    "pings before the first event": (Gateway(again=PING), {"timeout": {"first_byte": SOON}}, None),
    "a stall": (Gateway(ROLE, HELLO), {"timeout": {"progress": SOON}}, "Hello"),
    "pings after an event": (Gateway(ROLE, HELLO, again=PING), {"timeout": {"progress": SOON}}, "Hello"),
    "blank lines after an event": (Gateway(ROLE, HELLO, again=b"\n"), {"timeout": {"progress": SOON}}, "Hello"),
    "no end": (Gateway(ROLE, HELLO, again=chunk({"content": ""})), {"total_timeout": SOON}, "Hello"),
    "no head, in all": (Gateway(headless=True), {"total_timeout": SOON}, None),
    "a stall, in all": (Gateway(ROLE, HELLO), {"total_timeout": SOON}, "Hello"),
    "a plain answer that never comes": (
        Gateway(again=b"\n"),
        {"timeout": {"first_byte": SOON}, "force_stream": False},
        None,
    ),
    "a number for all": (Gateway(ROLE, HELLO, again=PING), {"timeout": SOON}, "Hello"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_gateway_that_goes_nowhere_is_given_up(calls, case):
    """The call ends in a time-out with what had come, and the connection is closed."""
    gateway, params, partial = CASES[case]
    gateway.left.clear()
    with serving(gateway) as server:
        client = FlashClient(base_url=server.base_url, max_retries=0, **params)
        with pytest.raises(errors.APITimeoutError) as caught:
            calls.chat(client)
        assert gateway.left.wait(PATIENCE)
    assert (caught.value.partial.text if caught.value.partial else None) == partial


def test_a_timeout_can_be_given_for_one_call(calls):
    """The call's word counts over the client's."""
    gateway = Gateway(ROLE, again=PING)
    with serving(gateway) as server:
        client = FlashClient(base_url=server.base_url, max_retries=0, timeout=LONG)
        with pytest.raises(errors.APITimeoutError):
            calls.chat(client, timeout={"progress": SOON})
        assert gateway.left.wait(PATIENCE)


def test_a_silence_that_progress_allows_is_no_fault(calls):
    """The time to the first byte says nothing about the time between two events."""

    def serve(line):
        line.request()
        line.head()
        line.send(ROLE, HELLO)
        line.is_left(2 * SOON)
        line.send(STOP, DONE)
        line.end()

    with serving(serve) as server:
        client = FlashClient(base_url=server.base_url, max_retries=0, timeout={"first_byte": SOON, "progress": LONG})
        assert calls.chat(client).text == "Hello"


def test_a_caller_may_take_his_time():
    """Between two pieces of a stream the clock is the caller's: no watch runs while nobody reads."""
    with serving(lambda line: line.request() and line.answer(*WHOLE.segments)) as server:
        client = FlashClient(base_url=server.base_url, max_retries=0, timeout={"progress": SOON})
        texts = []
        for delta in client.stream_chat(model="m", messages=[{"role": "user", "content": "Hi"}]):
            texts.append(delta.text)
            threading.Event().wait(1.5 * SOON)
    assert "".join(texts) == "Hello"


def test_done_is_the_end_where_the_connection_lingers(calls):
    """A gateway that keeps the connection open after [DONE] is not waited for; the connection is closed."""
    gateway = Gateway(*WHOLE.segments)
    with serving(gateway) as server:
        assert calls.chat(FlashClient(base_url=server.base_url, timeout=LONG)).text == "Hello"
        assert gateway.left.wait(PATIENCE)


def test_pings_after_done_are_not_waited_for(calls):
    """Nor is one that pings."""
    gateway = Gateway(*WHOLE.segments, again=PING)
    with serving(gateway) as server:
        assert calls.chat(FlashClient(base_url=server.base_url, timeout=LONG)).text == "Hello"
        assert gateway.left.wait(PATIENCE)


def test_a_body_that_ends_shortly_after_done_keeps_its_connection():
    """The end of the body is waited for a moment, so that the connection can be used again."""

    def serve(line):
        while line.request() is not None:
            line.head()
            line.send(*WHOLE.segments)
            line.is_left(0.02)
            line.end()

    with serving(serve) as server:
        for _ in range(3):
            FlashClient(base_url=server.base_url).chat(model="m", messages=[{"role": "user", "content": "Hi"}])
        assert server.connections == 1


def test_a_slow_plain_answer_is_read_to_its_end(calls):
    """Each piece of a plain body is progress."""
    body = plain().segments[0]

    def serve(line):
        line.request()
        line.head(headers={"content-type": "application/json"})
        for at in range(0, len(body), 100):
            line.send(body[at : at + 100])
            line.is_left(SOON / 2)
        line.end()

    with serving(serve) as server:
        client = FlashClient(base_url=server.base_url, max_retries=0, force_stream=False, timeout=SOON)
        assert calls.chat(client).text == "Hello"


# --- the watch ------------------------------------------------------------------------------------------------------


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
