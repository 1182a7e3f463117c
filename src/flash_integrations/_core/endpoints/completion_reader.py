"""What the readers of both chat wires do alike: bytes to objects, errors among them, and when there is an answer.

Where nothing began there is no answer (:class:`MalformedResponseError`); where something began it must end as its wire
ends answers, else it was cut (:class:`StreamInterruptedError`). A connection lost after that end takes nothing from it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from ...errors import APIConnectionError, APITimeoutError, FlashError, MalformedResponseError, StreamInterruptedError
from ..completion.accumulator import Accumulator
from ..completion.completion import ChatDelta, Completion
from ..failures import error_body
from ..failures.error_mapping import BASE_URL_HINT, find_request_id, refusal
from ..framing.body import DONE, BodyDecoder, Item, NonJSON
from .reader import AnswerContext, Reader


class CompletionReader(Reader[Completion]):
    """Reads a chat answer, streamed or plain.

    Args:
        answer: its head.
        choices: how many choices were asked for.
    """

    _content = "choices"  # the field that an object of an answer has on this wire
    _end = "a finish reason"  # what ends an answer on this wire

    def __init__(self, answer: AnswerContext, *, choices: int = 1, split_think_tags: bool = False) -> None:
        self._headers = answer.headers
        self._streamed = answer.streamed
        self._accepts_done = answer.accepts_done
        self._env = answer.env
        self._decoder = BodyDecoder(answer.headers.get("content-encoding", ""))
        self._answer = Accumulator(
            new_id=answer.env.new_id,
            choices=choices,
            split_think_tags=split_think_tags,
            deltas=answer.wants_deltas,
        )
        self._unread: NonJSON | None = None
        self._done_mark = False  # whether [DONE] came
        self.done = False
        """Whether nothing more is waited for but the body's own end."""
        self.events = 0
        """How many real events came: chunks that say something, usage, errors, ``[DONE]``; no pings."""
        self.heartbeats = 0
        """How many chunks came that say nothing."""

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

    @property
    def is_hollow(self) -> bool:
        """Whether the answer has no content although its tokens were counted (CLIProxyAPI, ModelScope)."""
        return self.result(retries=0).is_hollow

    def close(self, lost: APIConnectionError | None) -> list[ChatDelta]:
        """End the body; give the last deltas.

        Args:
            lost: the error that ended it, or None where it ended properly.

        Raises:
            MalformedResponseError: nothing began.
            StreamInterruptedError: something began, and did not end.
            APIConnectionError: ``lost``, where nothing began.
            APIStatusError: an error inside the answer.
        """
        deltas = self._take(self._decoder.close()) + self._release()
        if not self._began:
            raise lost or self._malformed()
        if not self._is_whole(lost):
            if isinstance(lost, APITimeoutError):
                raise lost
            why = f"the connection was lost ({lost.message})" if lost else "the stream ended"
            end = " (with [DONE])" if self._done_mark else ""
            raise StreamInterruptedError(f"the answer was cut: {why}{end} before {self._end} came") from lost
        return deltas + self._answer.finish()

    def result(self, *, retries: int) -> Completion:
        """The completion."""
        return self._answer.result(
            request_id=find_request_id(self._headers),
            streamed=self.is_stream,
            retries=retries,
            headers={name: self._env.redact(text) for name, text in self._headers.items()},
        )

    def partial(self, *, retries: int) -> Completion | None:
        """What had come so far, or None."""
        return self.result(retries=retries) if self._answer.began else None

    def _release(self) -> list[ChatDelta]:
        """What was held back and can wait no longer, for the body has ended."""
        return []

    @property
    def _began(self) -> bool:
        """Whether an answer began."""
        return self._answer.began

    @abstractmethod
    def _is_whole(self, lost: APIConnectionError | None) -> bool:
        """Whether the answer ended as its wire ends answers."""

    @abstractmethod
    def _read_object(self, item: dict[str, Any]) -> list[ChatDelta]:
        """Read one object of the body; count it as an event or a heartbeat."""

    def _take(self, items: list[Item]) -> list[ChatDelta]:
        if len(items) == 1 and isinstance(items[0], dict):  # nearly always
            return self._read_object(items[0])
        deltas: list[ChatDelta] = []
        for item in items:
            if isinstance(item, dict):
                deltas += self._read_object(item)
            elif item is DONE:
                self.done = self._done_mark = True
                self.events += 1
            else:
                self._take_unread(item)
        return deltas

    def _take_unread(self, item: NonJSON) -> None:
        """Text where JSON should be: in a stream a message of what went wrong, unless the body just ended inside it."""
        if item.named_error or (self.is_stream and not item.cut and not self.done):
            raise self._refusal(item.text)
        self._unread = self._unread or item

    def _refusal(self, body: Any) -> FlashError:
        return refusal(200, self._headers, body, now=self._env.unix_time())

    def _malformed(self) -> MalformedResponseError:
        """The error for a body in which no answer began."""
        asked = "a stream" if self._streamed else "an answer"
        if self._unread is not None:
            facts = error_body.read(self._unread.text)
            what = "an HTML page" if facts.is_page else "broken JSON" if self._unread.text[:1] in ("{", "[") else "text"
            hint = f". {BASE_URL_HINT}" if facts.is_page else ""
            return MalformedResponseError(f"the gateway sent {what} in place of {asked}: {facts.message[:200]!r}{hint}")
        other = f"an object without {self._content}" if self.events else "nothing"
        return MalformedResponseError(
            f"the gateway sent {'only [DONE]' if self._done_mark else other} in place of {asked}", empty=True
        )
