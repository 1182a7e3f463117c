"""What a flow wants done, as values: send, read on, wait, let go.

A flow yields them; a :class:`Port` carries them out, one for sync and one for async code. What came of a command is
sent back into the flow, or thrown in if it is one of our errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from .policy.rate_limiter import Reservation


class Port(Protocol):
    """What carries commands out; the async one gives awaitables."""

    def send(self, command: Send) -> Any:
        """Send a request; gives its :class:`Head`."""

    def read(self, command: Read) -> Any:
        """Read on; gives bytes, b"" at the end of the body."""

    def sleep(self, command: Sleep) -> Any:
        """Wait."""

    def close(self) -> Any:
        """Let go of the answer, if there is one."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request and wait for the answer's head.

    Attributes:
        path: below the base URL.
        content: the JSON body, None for a GET.
        streamed: whether a stream is asked for.
        headers, query: of this call alone.
        connect: seconds for the connection.
        deadline: when, by the clock, the head must be there; None for ever.
    """

    path: str
    content: bytes | None
    streamed: bool
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # keys may be among them
    query: Mapping[str, Any] = field(default_factory=dict, repr=False)
    connect: float | None = None
    deadline: float | None = None

    def run(self, port: Port) -> Any:
        """Carry it out."""
        return port.send(self)


@dataclass(frozen=True, slots=True)
class Read:
    """Read the next bytes of the answer; ``deadline`` as in :class:`Send`."""

    deadline: float | None = None

    def run(self, port: Port) -> Any:
        """Carry it out."""
        return port.read(self)


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait ``seconds`` (None: for ever), or less if ``reservation`` is woken."""

    seconds: float | None
    reservation: Reservation | None = None

    def run(self, port: Port) -> Any:
        """Carry it out."""
        return port.sleep(self)


@dataclass(frozen=True, slots=True)
class Close:
    """Let go of the answer."""

    def run(self, port: Port) -> Any:
        """Carry it out."""
        return port.close()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer: status, and headers with names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)


Command: TypeAlias = Send | Read | Sleep | Close
