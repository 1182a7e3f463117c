"""How the body of an answer is read: what the flow asks of any endpoint's reader.

Bytes go in as they come; at the end the reader gives the answer, or raises the error the body turns out to be. The
defaults are those of an answer that comes whole; a streamed one says besides how far it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...errors import APIConnectionError
from ..completion.completion import ChatDelta, Completion
from ..environment import Environment

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """What is known of an answer when its head has come.

    Attributes:
        headers: names in lower case.
        streamed: whether a stream was asked for.
        accepts_done: whether ``[DONE]`` alone ends a stream, without a finish reason.
        env: gives ids and the time.
        wants_deltas: whether somebody takes what the pieces add; a whole answer is added up without.
    """

    headers: Mapping[str, str]
    streamed: bool
    accepts_done: bool
    env: Environment
    wants_deltas: bool = True


class Reader(ABC, Generic[T]):
    """Reads the body of an answer with status 200.

    Attributes:
        done: whether ``[DONE]`` came.
        events: how many events with content came; pings are none.
        heartbeats: how many events without content came that show the gateway to be alive.
        is_stream: whether the body is a stream, whatever was asked for.
        decodes_slowly: whether closing takes so long that the connection and the slot are given back before.
    """

    done: bool = False
    events: int = 0
    heartbeats: int = 0
    decodes_slowly: bool = False

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream, whatever was asked for."""
        return False

    @property
    def is_hollow(self) -> bool:
        """Whether the answer has no content although its tokens were counted."""
        return False

    @abstractmethod
    def feed(self, data: bytes) -> list[ChatDelta]:
        """Take bytes; give what a caller of a stream gets of them.

        Raises:
            FlashError: the error the answer turns out to be.
        """

    @abstractmethod
    def close(self, lost: APIConnectionError | None) -> list[ChatDelta]:
        """End the body; give the last deltas.

        Args:
            lost: the error that ended it, or None where it ended properly.

        Raises:
            FlashError: the answer is not whole, or an error.
        """

    @abstractmethod
    def result(self, *, retries: int) -> T:
        """The answer, once it is closed."""

    def partial(self, *, retries: int) -> Completion | None:  # noqa: ARG002 - of a chat answer alone
        """What had come of an answer that broke; None where nothing had, or half of one is none."""
        return None
