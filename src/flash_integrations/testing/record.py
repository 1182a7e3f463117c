"""What the gateway received and how many requests it is answering, shared between its thread and the tests'."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ReceivedRequest", "Record"]


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as it arrived.

    Attributes:
        method: "GET", "POST", ...
        path: the path with its query, such as "/v1/chat/completions".
        headers: the headers by lower-case name; those that carry a key have the value "***".
        body: the parsed JSON body, or None when there was none or it was no JSON.
        status: the status it was answered with; None while it is not answered, or when the caller left before.
        at: when it arrived, in seconds of the gateway's clock.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    status: int | None
    at: float

    @property
    def stream(self) -> bool:
        """Whether a stream was asked for."""
        return isinstance(self.body, dict) and self.body.get("stream") is True

    @property
    def model(self) -> str | None:
        """The model asked for, or None."""
        return self.body.get("model") if isinstance(self.body, dict) else None


class Record:
    """The requests in order of arrival, and those being answered now. Safe from any thread.

    ``on_answer`` is called with each request whose answer begins, or whose caller left before.
    """

    def __init__(self, *, on_answer: Callable[[ReceivedRequest], None] | None = None) -> None:
        self._on_answer = on_answer
        self._changed = threading.Condition()
        self._requests: dict[int, ReceivedRequest] = {}
        self._number = 0
        self._live = 0
        self._peak = 0
        self._held = 0

    def arrived(self, request: ReceivedRequest) -> int:
        """Enter a request, which is live from now on; gives its number."""
        with self._changed:
            self._number += 1
            self._requests[self._number] = request
            self._live += 1
            self._peak = max(self._peak, self._live)
            self._changed.notify_all()
            return self._number

    def answered(self, number: int, request: ReceivedRequest) -> None:
        """Note the status of an answer that begins; None when none ever will."""
        with self._changed:
            if number in self._requests:
                self._requests[number] = request
                self._changed.notify_all()
        # Without the lock: it may be anyone's.
        if self._on_answer is not None:
            self._on_answer(request)

    def ended(self) -> None:
        """One request is live no more."""
        with self._changed:
            self._live -= 1
            self._changed.notify_all()

    def holding(self, change: int) -> None:
        """One more (1) or one less (-1) answer stands at a held gate."""
        with self._changed:
            self._held += change
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget the requests so far; the peak starts anew from what is live."""
        with self._changed:
            self._requests.clear()
            self._peak = self._live

    @property
    def requests(self) -> list[ReceivedRequest]:
        """What was received, in order of arrival."""
        with self._changed:
            return list(self._requests.values())

    @property
    def live(self) -> int:
        """How many requests are being answered."""
        return self._live

    @property
    def peak(self) -> int:
        """The most that were live at once."""
        return self._peak

    @property
    def held(self) -> int:
        """How many answers stand at a held gate."""
        return self._held

    def wait_for(self, holds: Callable[[], bool], timeout: float) -> bool:
        """Wait until ``holds()`` or ``timeout`` seconds are over; whether it held. Asked again at every change."""
        with self._changed:
            return self._changed.wait_for(holds, timeout)
