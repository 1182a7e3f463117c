"""On which terms a call is made: time, re-sends, the stream rule.

And the surroundings a flow may not reach for itself: the clock and chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ConfigurationError
from .rate_limiter import Figures


@dataclass(frozen=True, slots=True)
class Timeout:
    """How long to wait, in seconds; None is for ever.

    Attributes:
        connect: for a connection.
        first_byte: from sending to the first event of a stream, or to the beginning of a plain answer. Reasoning
            models may be silent for minutes.
        progress: between two events of a stream; comments, pings and blank lines are no events.
    """

    connect: float | None = 10.0
    first_byte: float | None = 300.0
    progress: float | None = 60.0

    def __post_init__(self) -> None:
        for name in ("connect", "first_byte", "progress"):
            check_seconds(f"timeout.{name}", getattr(self, name))

    @classmethod
    def of(cls, value: Timeout | float | Mapping[str, float | None] | None) -> Timeout:
        """A Timeout from what users give: one, a number, a dict of its fields, or None for the defaults.

        A number sets all three, connect to at most 10.

        Raises:
            ConfigurationError: not a positive number, or an unknown key.
        """
        if value is None:
            return cls()
        if isinstance(value, Timeout):
            return value
        if isinstance(value, Mapping):
            if unknown := value.keys() - {"connect", "first_byte", "progress"}:
                raise ConfigurationError(f"timeout takes connect, first_byte and progress, not {sorted(unknown)}")
            return cls(**value)
        if hasattr(value, "connect") and hasattr(value, "read"):  # an httpx.Timeout, as the peers take it
            return cls(value.connect, value.read, value.read)
        check_seconds("timeout", value)
        return cls(min(10.0, value), value, value)


def check_seconds(name: str, value: Any) -> None:
    """Refuse what is no number of seconds.

    Raises:
        ConfigurationError: not a positive number, nor None.
    """
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not value > 0):
        raise ConfigurationError(f"{name} must be a number of seconds above 0, or None, not {value!r}")


def check_at_least_0(name: str, value: Any, *, whole: bool = False) -> None:
    """Refuse what is below 0 or no number.

    Raises:
        ConfigurationError: names the word and what it must be.
    """
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not value >= 0:
        raise ConfigurationError(f"{name} must be a {'whole ' * whole}number of at least 0, not {value!r}")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one call.

    Attributes:
        base_url: the gateway; with the model the place where learned facts belong.
        provider: the row's name, for errors and log lines.
        stream_whole: whether the row wants whole answers of this model streamed.
        force_stream: the user's word over the row's; None leaves it to the row and to what was learned.
        timeout: see :class:`Timeout`.
        total_timeout: seconds for the whole call: waiting for limits, re-sends and learning included.
        max_retries: how many times to send again.
        max_retry_after: the longest wait a gateway may ask for, in seconds.
        figures: the limits to keep, or None.
        require_finish_reason: False takes a stream for whole that ends with ``[DONE]`` alone.
        drop_refused: whether parameters that the gateway refuses are left out and the call sent again.
    """

    base_url: str
    provider: str = "custom"
    stream_whole: bool = True
    force_stream: bool | None = None
    timeout: Timeout = Timeout()
    total_timeout: float | None = None
    max_retries: int = 2
    max_retry_after: float = 60.0
    figures: Figures | None = None
    require_finish_reason: bool = True
    drop_refused: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time and chance, given to a flow from outside.

    Attributes:
        clock: seconds that only go on (``time.monotonic``).
        wall: Unix time in seconds.
        chance: a random number from 0 to 1.
        new_id: an id for a tool call that came without one.
        redact: takes the key out of a text.
    """

    clock: Callable[[], float]
    wall: Callable[[], float]
    chance: Callable[[], float]
    new_id: Callable[[], str]
    redact: Callable[[str], str] = str
