"""What ``as_structured_llm`` gives: LlamaIndex's structured LLM, whose answers tell what they cost.

LlamaIndex's own keeps the object alone, in ``raw``, where others look for ``usage``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing, closing
from typing import Any, Self

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
)
from llama_index.core.llms.structured_llm import StructuredLLM


class UsageCarryingLLM(StructuredLLM):
    """A structured LLM over a ``FlashLLM``.

    ``additional_kwargs`` of an answer, in streams of the last item, has the inner answer's ``prompt_tokens``,
    ``completion_tokens`` and ``total_tokens``, and under ``raw`` all of it.
    """

    def _noting(self, answers: list[ChatResponse]) -> Self:
        flash_llm: Any = self.llm
        return self.model_copy(update={"llm": flash_llm.noting(answers)})

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """As LlamaIndex's, with usage."""
        answers: list[ChatResponse] = []
        return _with_usage(StructuredLLM.chat(self._noting(answers), messages, **kwargs), answers)

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """As :meth:`chat`."""
        answers: list[ChatResponse] = []
        return _with_usage(await StructuredLLM.achat(self._noting(answers), messages, **kwargs), answers)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """As LlamaIndex's, with usage on the last item."""
        answers: list[ChatResponse] = []
        with closing(StructuredLLM.stream_chat(self._noting(answers), messages, **kwargs)) as items:
            for item in items:
                yield _with_usage(item, answers)

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """As :meth:`stream_chat`."""
        answers: list[ChatResponse] = []
        stream = await StructuredLLM.astream_chat(self._noting(answers), messages, **kwargs)

        async def items() -> ChatResponseAsyncGen:
            async with aclosing(stream):
                async for item in stream:
                    yield _with_usage(item, answers)

        return items()


def _with_usage(response: ChatResponse, answers: list[ChatResponse]) -> ChatResponse:
    for answer in answers:
        response.additional_kwargs |= {**answer.additional_kwargs, "raw": answer.raw}
    return response
