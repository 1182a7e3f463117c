"""When an answer is one: the items of a body read up to a completion, or to the error they are.

The rule of the end: a stream is whole when every choice that began has its finish reason. ``[DONE]`` says nothing:
common gateway software sends it after its upstream has died. Where nothing began there is no answer
(:class:`MalformedResponseError`); where something began, a role alone counting, it was cut
(:class:`StreamInterruptedError`). A connection lost after the last finish reason takes nothing from the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from ....errors import APIConnectionError, APITimeoutError, FlashError, MalformedResponseError, StreamInterruptedError
from ...completion.accumulator import Accumulator
from ...completion.completion import ChatDelta, Completion
from ...failures import error_body
from ...failures.error_mapping import BASE_URL_HINT, find_request_id, refusal
from ...framing.body import DONE, BodyDecoder, Item, Unread
from ...policy.call_policy import Surroundings
from .chunks import read_chunk


class Reading(Protocol):
    """How the body of a 200 answer is read; :class:`ChatReading` and :class:`JSONReading` are its forms."""

    @property
    def done(self) -> bool:
        """Whether ``[DONE]`` came."""

    @property
    def events(self) -> int:
        """How many real events came."""

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream."""

    def feed(self, data: bytes) -> list[ChatDelta]:
        """Take bytes; give what a caller of a stream gets of them. Raises the error the answer turns out to be."""

    def close(self, lost: APIConnectionError | None, *, lenient: bool) -> list[ChatDelta]:
        """End the body; ``lost`` is what broke it, if anything did. Raises unless the answer is whole."""

    def result(self, *, resends: int) -> Any:
        """The answer."""

    def partial(self, *, resends: int) -> Completion | None:
        """What had come of an answer that broke; None where nothing had."""


class ChatReading:
    """Reads a chat answer, streamed or plain.

    Args:
        headers: the answer's headers, names in lower case.
        streamed: whether a stream was asked for.
        world: gives ids and the time.
    """

    def __init__(self, headers: Mapping[str, str], *, streamed: bool, world: Surroundings) -> None:
        self._headers = headers
        self._streamed = streamed
        self._world = world
        self._decoder = BodyDecoder()
        self._answer = Accumulator(new_id=world.new_id)
        self._unread: Unread | None = None
        self.done = False
        """Whether ``[DONE]`` came."""
        self.events = 0
        """How many real events came: chunks with a choice or usage, errors, ``[DONE]``; no pings."""

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream, whatever was asked for."""
        return self._decoder.is_stream

    def feed(self, data: bytes) -> list[ChatDelta]:
        """Take bytes; give the deltas they complete.

        Raises:
            APIStatusError: an error inside the answer.
            MalformedResponseError: an event past all bounds.
        """
        return self._take(self._decoder.feed(data))

    def close(self, lost: APIConnectionError | None, *, lenient: bool) -> list[ChatDelta]:
        """End the body; give the last deltas.

        Args:
            lost: the error that ended it, or None where it ended properly.
            lenient: whether ``[DONE]`` stands for a finish reason.

        Raises:
            MalformedResponseError: nothing began.
            StreamInterruptedError: something began, and did not end.
            APIConnectionError: ``lost``, where nothing began.
            APIStatusError: an error inside the answer.
        """
        deltas = self._take(self._decoder.close())
        if not self._answer.began:
            raise lost or self._malformed()
        if not (self._answer.finished or (lenient and self.done) or (not self.is_stream and lost is None)):
            if isinstance(lost, APITimeoutError):
                raise lost
            why = f"the connection was lost ({lost.message})" if lost else "the stream ended"
            end = " (with [DONE])" if self.done else ""
            raise StreamInterruptedError(f"the answer was cut: {why}{end} before a finish reason came") from lost
        return deltas + self._answer.end()

    def result(self, *, resends: int) -> Completion:
        """The completion."""
        return self._answer.result(
            request_id=find_request_id(self._headers),
            streamed=self.is_stream,
            resends=resends,
            headers={name: self._world.redact(text) for name, text in self._headers.items()},
        )

    def partial(self, *, resends: int) -> Completion | None:
        """What had come so far, or None."""
        return self.result(resends=resends) if self._answer.began else None

    def _take(self, items: list[Item]) -> list[ChatDelta]:
        deltas: list[ChatDelta] = []
        for item in items:
            if item is DONE:
                self.done = True
            elif isinstance(item, Unread):
                self._take_unread(item)
                continue
            elif self.done:
                # After [DONE] only usage is of interest; text there is none of the answer's.
                self._answer.add_usage(read_chunk(item))
            elif error_body.is_error(item):
                raise self._refusal(item)
            else:
                chunk = read_chunk(item)
                if not (chunk.parts or chunk.usage or chunk.extra):
                    continue
                deltas += self._answer.add(chunk, item)
            self.events += 1
        return deltas

    def _take_unread(self, item: Unread) -> None:
        """Text where JSON should be: in a stream a message of what went wrong, unless the body just ended inside it."""
        if item.named_error or (self.is_stream and not item.cut and not self.done):
            raise self._refusal(item.text)
        self._unread = self._unread or item

    def _refusal(self, body: Any) -> FlashError:
        return refusal(200, self._headers, body, now=self._world.wall())

    def _malformed(self) -> MalformedResponseError:
        """The error for a body in which no answer began."""
        asked = "a stream" if self._streamed else "an answer"
        if self._unread is not None:
            facts = error_body.read(self._unread.text)
            what = "an HTML page" if facts.is_page else "broken JSON" if self._unread.text[:1] in ("{", "[") else "text"
            hint = f". {BASE_URL_HINT}" if facts.is_page else ""
            return MalformedResponseError(f"the gateway sent {what} in place of {asked}: {facts.message[:200]!r}{hint}")
        said = "only [DONE]" if self.done else "an object without choices" if self.events else "nothing"
        return MalformedResponseError(f"the gateway sent {said} in place of {asked}", empty=True)


class JSONReading:
    """Reads a plain JSON answer whole."""

    done: Final = False
    events: Final = 0
    is_stream: Final = False

    def __init__(self, headers: Mapping[str, str], *, world: Surroundings) -> None:
        self._headers = headers
        self._world = world
        self._decoder = BodyDecoder()
        self._items: list[Item] = []

    def feed(self, data: bytes) -> list[ChatDelta]:
        """Take bytes."""
        self._items += self._decoder.feed(data)
        return []

    def close(self, lost: APIConnectionError | None, *, lenient: bool) -> list[ChatDelta]:
        """End the body.

        Raises:
            MalformedResponseError: it is empty, or no JSON.
            APIConnectionError: ``lost``.
            APIStatusError: it is an error.
        """
        del lenient
        if lost is not None:
            raise lost
        self._items += self._decoder.close()
        unread = next((item for item in self._items if isinstance(item, Unread)), None)
        if unread is not None and unread.text.strip() != "[]":
            facts = error_body.read(unread.text)
            hint = f". {BASE_URL_HINT}" if facts.is_page else ""
            raise MalformedResponseError(f"the gateway sent no JSON: {facts.message[:200]!r}{hint}")
        if not self._items:
            raise MalformedResponseError("the gateway sent nothing in place of an answer", empty=True)
        for item in self._items:
            if isinstance(item, dict) and error_body.is_error(item) and item.get("data") is None:
                raise refusal(200, self._headers, item, now=self._world.wall())
        return []

    def result(self, *, resends: int) -> list[dict[str, Any]]:
        """The JSON objects of the body; a list's elements one by one."""
        del resends
        return [item for item in self._items if isinstance(item, dict)]

    def partial(self, *, resends: int) -> None:
        """Nothing: half a JSON answer is none."""
