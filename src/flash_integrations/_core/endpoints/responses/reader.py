"""When an answer of ``/responses`` is one: its events read up to a completion, or to the error they are.

The rule of the end: an answer is whole when a terminal event came (``response.completed``, ``response.incomplete`` and
their like). Items that are all done, ``[DONE]`` and a proper end of the body say nothing: more may have followed.
Nothing is read behind the terminal event; relays keep the connection open there (opencodex#942).
"""

from __future__ import annotations

from typing import Any

from ....errors import APIConnectionError
from ...completion.completion import ChatDelta
from ..completion_reader import CompletionReader
from ..reader import AnswerContext
from .events import ResponseEvents


class ResponsesReader(CompletionReader):
    """Reads an answer of the Responses wire, streamed or plain, into what the chat wire would have given.

    Args:
        context: its head.
        model: the model that was asked, for which the answer's items are kept.
    """

    _content = "output"
    _end = "response.completed"

    def __init__(self, context: AnswerContext, *, model: str) -> None:
        super().__init__(context)
        self._events = ResponseEvents(model=model)

    def _release(self) -> list[ChatDelta]:
        held = None if self._events.finished else self._events.release()
        return [] if held is None else self._answer.add_chunk(held)

    @property
    def _began(self) -> bool:
        # Where only the handshake came, the answer counts as cut, with nothing in it.
        return self._answer.began or self._events.started

    def _is_whole(self, lost: APIConnectionError | None) -> bool:
        if self._events.finished:
            return True
        return self._accepts_done and lost is None and self._answer.began and (self.done or self._events.items_done)

    def _read_object(self, item: dict[str, Any]) -> list[ChatDelta]:
        if self._events.finished:
            return []
        chunk = self._events.read_event(item)
        if chunk is None:
            if self._events.is_progress(item):
                self.events += 1
            else:
                self.heartbeats += 1
            return []
        for part in chunk.parts:
            if part.error is not None:
                raise self._refusal(part.error)
        if chunk.parts:
            self.events += 1
            self.done = self.done or self._events.finished
        else:
            self.heartbeats += 1
        return self._answer.add_chunk(chunk, item)
