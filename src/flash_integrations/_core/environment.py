"""What the core may not reach for itself: the clocks, chance, and what knows the key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Environment:
    """Time and chance, given to a flow from outside.

    Attributes:
        clock: seconds that only go on (``time.monotonic``).
        unix_time: seconds since 1970 (``time.time``).
        random: a number from 0 to 1, another one at each call.
        new_id: an id for a tool call that came without one.
        redact: a text without the key and other secrets.
    """

    clock: Callable[[], float]
    unix_time: Callable[[], float]
    random: Callable[[], float]
    new_id: Callable[[], str]
    redact: Callable[[str], str] = str
