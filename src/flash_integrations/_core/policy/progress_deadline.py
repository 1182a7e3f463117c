"""Until when the next event of an answer must be there."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from .timeout import Timeout

DRAIN_SECONDS = 0.2
"""How long to wait after ``[DONE]`` for the body's own end, so that the connection can be used again."""


@dataclass(frozen=True, slots=True)
class ProgressDeadline:
    """The rule; all moments are by the clock, in seconds.

    Comments, pings and blank lines change nothing. Empty deltas are heartbeats: some gateways send them while a model
    thinks or writes a tool call that they hold back (so they count), others from an upstream that is dead (so they
    count no longer than the wait for a first byte).

    Attributes:
        timeout: what the user set.
        give_up: the end of ``total_timeout``.
    """

    timeout: Timeout
    give_up: float

    def first(self, sent: float) -> float:
        """For the first event of a stream, or the beginning of a plain answer."""
        return min(self.give_up, sent + (self.timeout.first_byte or inf))

    def after_event(self, now: float, *, streamed: bool) -> float:
        """The deadline for the event after one with content."""
        return min(self.give_up, now + ((self.timeout.progress if streamed else self.timeout.first_byte) or inf))

    def after_heartbeat(self, now: float, *, last_event: float, deadline: float) -> float:
        """For an event after an empty one; ``deadline`` is the one it came within."""
        bound = last_event + (self.timeout.first_byte or inf)
        return min(self.give_up, max(deadline, min(bound, now + (self.timeout.progress or inf))))

    def after_done(self, now: float, *, deadline: float) -> float:
        """For the body's end after ``[DONE]``."""
        return min(deadline, now + DRAIN_SECONDS)
