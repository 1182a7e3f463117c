"""When an answer of ``/chat/completions`` is one: its objects read up to a completion, or to the error they are.

The rule of the end: a stream is whole when every choice that began has its finish reason; a role alone is a beginning.
``[DONE]`` says nothing: common gateway software sends it after its upstream has died.
"""

from __future__ import annotations

from typing import Any

from ....errors import APIConnectionError
from ...completion.completion import ChatDelta
from ...failures import error_body
from ..completion_reader import CompletionReader
from .chunks import read_chunk, unwrap


class ChatReader(CompletionReader):
    """Reads a chat answer, streamed or plain."""

    def _is_whole(self, lost: APIConnectionError | None) -> bool:
        accepted = self._accepts_done and self.done
        return self._answer.finished or accepted or (not self.is_stream and lost is None)

    def _read_object(self, item: dict[str, Any]) -> list[ChatDelta]:
        if "choices" not in item:
            item = unwrap(item)
        if self.done:
            # After [DONE] only usage is of interest; text there is none of the answer's.
            self._answer.add_usage(read_chunk(item))
            self.events += 1
            return []
        if error_body.is_error(item):
            raise self._refusal(item)
        chunk = read_chunk(item)
        if not (chunk.parts or chunk.usage or chunk.extra):
            return []
        for part in chunk.parts:
            if part.error is not None:
                raise self._refusal({"error": part.error})
        began = self._answer.began
        deltas = self._answer.add_chunk(chunk, item)
        if began and not deltas and chunk.parts and not chunk.usage and all(part.is_empty for part in chunk.parts):
            self.heartbeats += 1
        else:
            self.events += 1
        return deltas
