"""Who gets the tokens of a whole answer, and in what form.

LangChain would run a whole answer through ``_stream`` as soon as a streaming handler listens, and add its chunks up
again; that sum holds one choice, and guesses at arguments that were cut. So ``_generate`` hands the tokens on itself,
in the form LangChain's own streams give them, and returns the core's whole answer.
"""

from __future__ import annotations

from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.tracers.base import AsyncBaseTracer, BaseTracer
from langchain_core.utils.utils import LC_ID_PREFIX

from .._core.completion.completion import ChatDelta, Completion
from ._from_wire import Chunks, MessageOptions

_IDLE = (None, BaseCallbackHandler.on_llm_new_token, AsyncCallbackHandler.on_llm_new_token)


def takes_tokens(handler: BaseCallbackHandler) -> bool:
    """Whether a handler does something with tokens; tracers only keep them."""
    if isinstance(handler, BaseTracer | AsyncBaseTracer) or handler.ignore_llm:
        return False
    return getattr(type(handler), "on_llm_new_token", None) not in _IDLE


class TokenEmitter:
    """One run's tokens: the chunks a handler gets while a whole answer arrives.

    Args:
        run_id: the run they belong to; chunks and message carry it, which is how listeners know them for one.
        options: how the answer is shown.
    """

    def __init__(self, run_id: UUID, options: MessageOptions) -> None:
        self.message_id = f"{LC_ID_PREFIX}-{run_id}"
        self._chunks = Chunks(options)

    def chunk(self, delta: ChatDelta) -> ChatGenerationChunk | None:
        """What a delta of the first choice adds; None for other choices, and where nothing is added."""
        chunk = self._chunks.chunk(delta) if delta.index == 0 else None
        return chunk and self._signed(chunk)

    def last(self, completion: Completion) -> ChatGenerationChunk:
        """The chunk that ends the answer, with metadata and usage."""
        return self._signed(self._chunks.last(completion))

    def sign(self, result: ChatResult) -> ChatResult:
        """The result, whose first message is the one the chunks belong to."""
        result.generations[0].message.id = self.message_id
        return result

    def _signed(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        message = chunk.message
        message.id = self.message_id
        message.response_metadata = {**(chunk.generation_info or {}), **message.response_metadata}
        return chunk
