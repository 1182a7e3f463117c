"""Deadlines for blocking reads: one thread that shuts a socket down when its deadline has passed.

httpx's read timeout starts anew with every byte, so that it never ends a stream of nothing but pings. A deadline that
only events extend needs another thread. That thread starts with the first deadline, sleeps until the nearest one, and
ends when there is none left.
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
    """A deadline that can be moved; calls ``expire`` when it passes.

    The lock is held by :meth:`arm` and :meth:`check`, so that no deadline is lost while the thread drops this watch,
    and none expires that was disarmed. It is reentrant: the garbage collector may close a forgotten stream anywhere.
    """

    __slots__ = ("_armed_at", "_deadline", "_expire", "_lock", "expired")

    def __init__(self, expire: Callable[[], None]) -> None:
        self._lock = threading.RLock()
        self._expire: Callable[[], None] | None = expire
        self._armed_at: float | None = None
        self._deadline: float | None = None
        self.expired = False

    def arm(self, deadline: float | None) -> None:
        """Set the deadline (by ``time.monotonic``; None for none). Setting a later one does not wake the thread."""
        with self._lock:
            self._deadline = deadline
            if deadline is not None and (self._armed_at is None or deadline < self._armed_at):
                self._armed_at = deadline
                _watchdog.schedule(deadline, self)

    def disarm(self) -> None:
        """Remove the deadline for good."""
        with self._lock:
            self._deadline = self._expire = None

    def expire_now(self) -> None:
        """Expire before the deadline."""
        with self._lock:
            if self._expire is not None:
                self.expired = True
                self._expire()

    def check(self, now: float, booked: float) -> None:
        """Called by the thread at the time scheduled: expire, schedule a moved deadline, or do nothing more.

        Args:
            now: the time, by ``time.monotonic``.
            booked: the time for which this check was scheduled.
        """
        with self._lock:
            if booked != self._armed_at:
                return  # an earlier check was scheduled after this one
            if self._deadline is None or self._expire is None:
                self._armed_at = None
            elif self._deadline > now:
                self._armed_at = self._deadline
                _watchdog.schedule(self._deadline, self)
            else:
                self.expired = True
                self._expire()


def watch(extensions: Mapping[str, Any]) -> Watch | None:
    """Return a watch that shuts down a response's socket, which ends a read that blocks on it.

    Args:
        extensions: httpx's ``response.extensions``.

    Returns:
        None if there is no socket (a mock, a user's own transport), or other responses share it (HTTP/2): only httpx's
        read timeout works there, which every ping resets.
    """
    stream = extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    if not isinstance(connection, socket.socket) or extensions.get("http_version") == b"HTTP/2":
        return None

    def shut() -> None:
        try:
            # Not SSLSocket.shutdown: it unwraps TLS, and the reader would go on in plain text.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already

    return Watch(shut)


class _Watchdog:
    """The thread, and the checks scheduled in it."""

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
