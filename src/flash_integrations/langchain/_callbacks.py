"""Who gets the tokens of a whole answer, and in what form.

LangChain would run a whole answer through ``_stream`` as soon as a streaming handler listens, and add its chunks up
again; that sum holds one choice, and guesses at arguments that were cut. So ``_generate`` hands the tokens on itself,
in the form LangChain's own streams give them, and returns the core's whole answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.tracers.base import AsyncBaseTracer, BaseTracer
from langchain_core.utils.utils import LC_ID_PREFIX

from .._core.completion import ChatDelta, Completion
from ..errors import InvalidRequestError
from ._messages import to_chunk, to_last_chunk

_IDLE = (None, BaseCallbackHandler.on_llm_new_token, AsyncCallbackHandler.on_llm_new_token)


def takes_tokens(handler: BaseCallbackHandler) -> bool:
    """Whether a handler does something with tokens; tracers only keep them."""
    if isinstance(handler, BaseTracer | AsyncBaseTracer) or handler.ignore_llm:
        return False
    return getattr(type(handler), "on_llm_new_token", None) not in _IDLE


class TokenFeed:
    """One run's tokens: the chunks a handler gets while a whole answer arrives.

    Args:
        run_id: the run they belong to; chunks and message carry it, which is how listeners know them for one.
        blocks: whether content goes out as content blocks (output version v1).
    """

    def __init__(self, run_id: UUID, *, blocks: bool) -> None:
        self._id = f"{LC_ID_PREFIX}-{run_id}"
        self._blocks = blocks
        self._position, self._kind = -1, ""

    def chunk(self, delta: ChatDelta) -> ChatGenerationChunk | None:
        """What a delta of the first choice adds; None for other choices, and where nothing is added."""
        chunk = to_chunk(delta) if delta.index == 0 else None
        return chunk and self._formed(chunk)

    def last(self, completion: Completion, provider: str) -> ChatGenerationChunk:
        """The chunk that ends the answer, with metadata and usage."""
        return self._formed(to_last_chunk(completion, provider))

    def sign(self, result: ChatResult) -> ChatResult:
        """The result, whose first message is the one the chunks belong to."""
        result.generations[0].message.id = self._id
        return result

    def _formed(self, chunk: ChatGenerationChunk) -> ChatGenerationChunk:
        message = chunk.message
        message.id = self._id
        message.response_metadata = {**(chunk.generation_info or {}), **message.response_metadata}
        if self._blocks and isinstance(message, AIMessageChunk):
            chunk.message = self._in_blocks(message)
        return chunk

    def _in_blocks(self, message: AIMessageChunk) -> AIMessageChunk:
        blocks = message.content_blocks
        for block in blocks:
            if block["type"] != self._kind:
                self._kind = block["type"]
                self._position += 1
            block.setdefault("index", self._position)
        metadata = {**message.response_metadata, "output_version": "v1"}
        return message.model_copy(update={"content": blocks, "response_metadata": metadata})


def refuse_choices(request: Mapping[str, Any]) -> None:
    """Refuse to stream several choices.

    Raises:
        InvalidRequestError: ``n`` is above 1.
    """
    if (request.get("n") or 1) > 1:
        raise InvalidRequestError("n > 1 cannot be streamed: chunks hold one choice. invoke() and generate() give all")
