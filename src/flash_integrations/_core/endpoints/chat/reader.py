"""When an answer is one: the items of a body read up to a completion, or to the error they are.

The rule of the end: a stream is whole when every choice that began has its finish reason. ``[DONE]`` says nothing:
common gateway software sends it after its upstream has died. Where nothing began there is no answer
(:class:`MalformedResponseError`); where something began, a role alone counting, it was cut
(:class:`StreamInterruptedError`). A connection lost after the last finish reason takes nothing from the answer.
"""

from __future__ import annotations

from typing import Any

from ....errors import APIConnectionError, APITimeoutError, FlashError, MalformedResponseError, StreamInterruptedError
from ...completion.accumulator import Accumulator
from ...completion.completion import ChatDelta, Completion
from ...failures import error_body
from ...failures.error_mapping import BASE_URL_HINT, find_request_id, refusal
from ...framing.body import DONE, BodyDecoder, Item, NonJSON
from ..reader import AnswerContext, Reader
from .chunks import read_chunk, unwrap


class ChatReader(Reader[Completion]):
    """Reads a chat answer, streamed or plain.

    Args:
        answer: its head.
        choices: how many choices were asked for (``n``).
        split_think_tags: whether reasoning between tags in the content is told as reasoning.
    """

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
        self.done = False
        """Whether ``[DONE]`` came."""
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
        deltas = self._take(self._decoder.close())
        if not self._answer.began:
            raise lost or self._malformed()
        if not (self._answer.finished or (self._accepts_done and self.done) or (not self.is_stream and lost is None)):
            if isinstance(lost, APITimeoutError):
                raise lost
            why = f"the connection was lost ({lost.message})" if lost else "the stream ended"
            end = " (with [DONE])" if self.done else ""
            raise StreamInterruptedError(f"the answer was cut: {why}{end} before a finish reason came") from lost
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

    def _take(self, items: list[Item]) -> list[ChatDelta]:
        deltas: list[ChatDelta] = []
        for sent in items:
            item = unwrap(sent) if isinstance(sent, dict) else sent
            if item is DONE:
                self.done = True
            elif isinstance(item, NonJSON):
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
                for part in chunk.parts:
                    if part.error is not None:
                        raise self._refusal({"error": part.error})
                began = self._answer.began
                deltas += self._answer.add_chunk(chunk, item)
                if began and chunk.parts and not chunk.usage and all(part.is_empty for part in chunk.parts):
                    self.heartbeats += 1
                    continue
            self.events += 1
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
        what = "only [DONE]" if self.done else "an object without choices" if self.events else "nothing"
        return MalformedResponseError(f"the gateway sent {what} in place of {asked}", empty=True)
