"""Deadlines for blocking reads: one thread that shuts a socket down when its time is over.

httpx's read timeout starts anew with every byte, so a gateway that pings for ever is never given up. A deadline that
only events move can be kept from outside alone. The thread starts with the first deadline, sleeps until the nearest
one, and ends when there is none left.
"""

from __future__ import annotations

import heapq
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

_order = itertools.count()


class Watch:
    """One deadline, to be moved as often as one likes; calls ``expire`` once if it is passed.

    Reader and thread meet at :meth:`arm` and :meth:`check`. Each holds the lock, so that no deadline is set while the
    thread lets go, and none expires that was taken back. The lock is reentrant, for the garbage collector may end a
    forgotten stream anywhere.
    """

    __slots__ = ("_armed_at", "_deadline", "_expire", "_lock", "expired")

    def __init__(self, expire: Callable[[], None]) -> None:
        self._lock = threading.RLock()
        self._expire: Callable[[], None] | None = expire
        self._armed_at: float | None = None
        self._deadline: float | None = None
        self.expired = False

    def arm(self, deadline: float | None) -> None:
        """Move the deadline (by ``time.monotonic``; None: no deadline). Moving it later wakes nobody."""
        with self._lock:
            self._deadline = deadline
            if deadline is not None and (self._armed_at is None or deadline < self._armed_at):
                self._armed_at = deadline
                _watchdog.schedule(deadline, self)

    def end(self) -> None:
        """Take the deadline back for good."""
        with self._lock:
            self._deadline = self._expire = None

    def shut(self) -> None:
        """Let the deadline pass now."""
        with self._lock:
            if self._expire is not None:
                self.expired = True
                self._expire()

    def check(self, now: float, booked: float) -> None:
        """Called by the thread at the time it was booked for: expire, book again, or let go."""
        with self._lock:
            if booked != self._armed_at:
                return  # an earlier time was booked after this one
            if self._deadline is None or self._expire is None:
                self._armed_at = None
            elif self._deadline > now:
                self._armed_at = self._deadline
                _watchdog.schedule(self._deadline, self)
            else:
                self.expired = True
                self._expire()


def watch(extensions: Mapping[str, Any]) -> Watch | None:
    """A watch over an answer's socket, from httpx's ``response.extensions``; a read that blocks on it is woken.

    None where there is no socket (a transport of the user's), or where other answers share it (HTTP/2): there httpx's
    own read timeout must do, which every ping resets.
    """
    stream = extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    if not isinstance(connection, socket.socket) or extensions.get("http_version") == b"HTTP/2":
        return None

    def shut() -> None:
        try:
            # Not SSLSocket.shutdown, which would let the reader go on in clear.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already: nobody reads from it

    return Watch(shut)


class _Watchdog:
    """The thread, and the times it is booked for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Watch]] = []
        self._running = False

    def schedule(self, when: float, watch: Watch) -> None:
        with self._changed:
            heapq.heappush(self._heap, (when, next(_order), watch))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="flash-integrations-deadlines", daemon=True).start()
            elif self._heap[0][2] is watch:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._heap and (left := self._heap[0][0] - time.monotonic()) > 0:
                    self._changed.wait(left)
                if not self._heap:
                    self._running = False
                    return
                booked, _, watch = heapq.heappop(self._heap)
            watch.check(time.monotonic(), booked)


_watchdog = _Watchdog()


def _renew() -> None:
    global _watchdog  # noqa: PLW0603 - the thread and its lock stay behind in the parent
    _watchdog = _Watchdog()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
