"""Faults to order: what goes wrong, where in the answer, and for how many requests.

A fault either replaces the answer (``status``, ``body``) or disturbs the right one (``delay``, ``hold``, ``cut``,
``error`` ...). In a stream a place is counted in tokens; a whole answer has one token.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..errors import ConfigurationError
from .record import ReceivedRequest

__all__ = ["Fault", "Faults", "open_gates"]

End = Literal["close", "done", "drop", "reset"]
Hold = Literal["before_first_byte"] | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        status: answer with this status and, unless ``body`` is given, an OpenAI-shaped error.
        code, type, message, param: of that error; by default those that fit the status.
        retry_after: the value of its ``Retry-After``: seconds, or a text such as an HTTP date.
        headers: headers to add, or to put in the place of the usual ones.
        body: what to send instead of the answer, as it is: bytes, text, several pieces (each sent on its own), or a
            mapping that goes out as JSON.
        delay: seconds before the first byte.
        token_delay: seconds before each token.
        hold: where to stand until the test calls ``gateway.release()``: "before_first_byte", or after so many tokens
            (0: after the role).
        cut: break the answer off after so many tokens.
        cut_bytes: break it off after so many bytes of the body.
        error: at the cut, send ``data: {"error": ...}``: a message, or the inside of ``error``.
        end: how a cut answer, or one with ``body``, ends. "close": the body ends properly; "done": it says ``[DONE]``
            first; "drop": the connection is closed inside the body; "reset": it is reset.
        times: how many requests it meets; None: all from now on.
        when: which requests it meets; all by default.
    """

    status: int | None = None
    code: str | int | None = None
    type: str | None = None
    message: str | None = None
    param: str | None = None
    retry_after: float | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | str | Sequence[bytes | str] | Mapping[str, Any] | None = None
    delay: float = 0.0
    token_delay: float = 0.0
    hold: Hold | None = None
    cut: int | None = None
    cut_bytes: int | None = None
    error: str | Mapping[str, Any] | None = None
    end: End = "close"
    times: int | None = 1
    when: Callable[[ReceivedRequest], bool] | None = None

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ConfigurationError(f"fault: times must be at least 1, or None for ever, not {self.times!r}")
        if self.end not in ("close", "done", "drop", "reset"):
            raise ConfigurationError(f'fault: end must be "close", "done", "drop" or "reset", not {self.end!r}')
        if isinstance(self.hold, str) and self.hold != "before_first_byte":
            raise ConfigurationError(f'fault: hold must be "before_first_byte" or a count of tokens, not {self.hold!r}')
        if self.replaces and (self.cut is not None or self.error is not None):
            raise ConfigurationError("fault: status and body replace the answer; cut and error disturb the right one")
        disturbed = self.replaces or self.cut is not None or self.cut_bytes is not None or self.error is not None
        if self.end != "close" and not disturbed:
            raise ConfigurationError("fault: end says how a cut answer ends; give cut, cut_bytes, error or body too")

    @property
    def replaces(self) -> bool:
        """Whether nothing of the right answer is sent."""
        return self.status is not None or self.body is not None


class Faults:
    """Faults in order. A request meets the first that is meant for it. Ordered in any thread, met in the gateway's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Fault, asyncio.Event]] = []
        self._gates: list[asyncio.Event] = []

    def add_fault(self, fault: Fault) -> None:
        """Put a fault at the end of the queue."""
        gate = asyncio.Event()
        with self._lock:
            self._waiting.append((fault, gate))
            if fault.hold is not None:
                self._gates.append(gate)

    def clear(self) -> None:
        """Drop what has met nobody yet; answers already held stay held."""
        with self._lock:
            self._waiting.clear()

    def take_fault(self, request: ReceivedRequest, *, replaces: bool) -> tuple[Fault, asyncio.Event] | None:
        """The fault for a request and the gate to hold it at, or None.

        Asked twice: early, for a fault that replaces the answer (``replaces=True``), and once the request has proved
        sound, for one that disturbs it. So a disturbance is not used up by a request that is refused anyway.
        """
        with self._lock:
            for at, (fault, gate) in enumerate(self._waiting):
                if fault.when is not None and not fault.when(request):
                    continue
                if fault.replaces != replaces:
                    return None
                if fault.times is not None:
                    left = fault.times - 1
                    self._waiting[at : at + 1] = [(replace(fault, times=left), gate)] if left else []
                return fault, gate
        return None

    def take_gates(self) -> list[asyncio.Event]:
        """The gates of all faults ordered so far, to be set on the gateway's loop; each is given once."""
        with self._lock:
            gates, self._gates = self._gates, []
        return gates


def open_gates(gates: Iterable[asyncio.Event]) -> None:
    """Let go on whoever stands at these gates, now or later."""
    for gate in gates:
        gate.set()
