"""What all clients of a process share: the record of use behind the limits, and what gateways taught."""

from __future__ import annotations

import os
import threading
import time

from .._core.policy.learned import LearnedQuirks
from .._core.policy.rate_limiter import RateLimiter

_MANY = 256
"""So many records of use, and those that tell nothing any more are let go."""


class Process:
    """What all clients of a process share."""

    def __init__(self) -> None:
        self.quirks = LearnedQuirks()
        self._limiters: dict[tuple[str, str], RateLimiter] = {}
        self._lock = threading.Lock()

    def limiter(self, base_url: str, owner: str) -> RateLimiter:
        """The record of use of one gateway and key."""
        place = (base_url, owner)
        with self._lock:
            limiter = self._limiters.get(place)
            if limiter is None:
                if len(self._limiters) >= _MANY:
                    now = time.monotonic()
                    self._limiters = {at: used for at, used in self._limiters.items() if not used.is_idle(now)}
                limiter = self._limiters[place] = RateLimiter()
            return limiter

    def renew(self) -> None:
        """In a forked child: locks may be held by threads that are not there, slots by requests that are not ours."""
        self._lock = threading.Lock()
        self._limiters = {}
        self.quirks.renew_lock()


process = Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=process.renew)
