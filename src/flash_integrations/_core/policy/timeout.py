"""How long a call may wait, and the checks of numbers that policy takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ConfigurationError


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
        raise ConfigurationError(f"{name} must be {'an int' if whole else 'a number'} of at least 0, not {value!r}")
