"""What all clients of a process share: the rate limiters, and the quirks learned of gateways."""

from __future__ import annotations

import os
import threading
import time

from .._core.policy.learned import LearnedQuirks
from .._core.policy.rate_limiter import RateLimiter

_MAX_LIMITERS = 256
"""At so many rate limiters the idle ones are dropped before another is made."""


class Process:
    """The rate limiters and learned quirks of a process. Safe to use from several threads."""

    def __init__(self) -> None:
        self.quirks = LearnedQuirks()
        self._limiters: dict[tuple[str, str], RateLimiter] = {}
        self._lock = threading.Lock()

    def limiter(self, base_url: str, owner: str) -> RateLimiter:
        """Return the rate limiter of a gateway and key, created at the first call.

        Args:
            base_url: the gateway's URL.
            owner: a digest of the key, see :meth:`Credential.owner`.
        """
        key = (base_url, owner)
        with self._lock:
            limiter = self._limiters.get(key)
            if limiter is None:
                if len(self._limiters) >= _MAX_LIMITERS:
                    now = time.monotonic()
                    self._limiters = {key: known for key, known in self._limiters.items() if not known.is_idle(now)}
                limiter = self._limiters[key] = RateLimiter()
            return limiter

    def renew(self) -> None:
        """In a forked child, start anew: the parent's threads may hold the locks, its requests the slots."""
        self._lock = threading.Lock()
        self._limiters = {}
        self.quirks.renew_lock()


process = Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=process.renew)
