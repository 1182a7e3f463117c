"""The core's stream read once for everybody: handlers get tokens, the caller gets what it asked for.

A whole answer, a stream of chunks and the events of ``stream_events(version="v3")`` differ only in what a delta is
turned into; so there are two loops, one for sync and one for async code.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import Any, Protocol, TypeAlias

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.outputs import ChatGenerationChunk

from .._core.completion.completion import ChatDelta, Completion
from ..client import AsyncChatStream, ChatStream


class ChunkMaker(Protocol):
    """Makes the chunks of one answer."""

    def chunk(self, delta: ChatDelta) -> ChatGenerationChunk | None:
        """What a delta adds; None where that is nothing."""

    def last(self, completion: Completion) -> ChatGenerationChunk:
        """The chunk that ends the answer, with metadata and usage."""


Items: TypeAlias = Callable[[ChatDelta | Completion, ChatGenerationChunk | None], Iterable[Any]]
"""What the caller gets for a delta, and at the end for the completion, and for the chunk that was made of it."""


def only_tokens(_: ChatDelta | Completion, __: ChatGenerationChunk | None) -> Iterable[Any]:
    """For whole answers: nothing while they arrive."""
    return ()


def chunks_alone(_: ChatDelta | Completion, chunk: ChatGenerationChunk | None) -> Iterable[ChatGenerationChunk]:
    """For streams: the chunks that handlers get, too."""
    return () if chunk is None else (chunk,)


def read_stream(
    stream: ChatStream, chunks: ChunkMaker | None, items: Items, run_manager: CallbackManagerForLLMRun | None
) -> Iterator[Any]:
    """Read an answer to its end; gives the caller's items.

    Args:
        stream: not yet sent.
        chunks: makes the chunks; None where nobody takes any.
        items: what the caller gets.
        run_manager: whose handlers get the tokens.
    """
    chunk = None
    with stream:
        for delta in stream:
            if chunks is not None:
                chunk = chunks.chunk(delta)
                if chunk is not None and run_manager is not None:
                    run_manager.on_llm_new_token(delta.text, chunk=chunk)
            yield from items(delta, chunk)
    if chunks is not None:
        chunk = chunks.last(stream.completion)
        if run_manager is not None:
            run_manager.on_llm_new_token("", chunk=chunk)
    yield from items(stream.completion, chunk)


async def aread_stream(
    stream: AsyncChatStream, chunks: ChunkMaker | None, items: Items, run_manager: AsyncCallbackManagerForLLMRun | None
) -> AsyncGenerator[Any, None]:
    """:func:`read_stream` for ``async for``."""
    chunk = None
    async with stream:
        async for delta in stream:
            if chunks is not None:
                chunk = chunks.chunk(delta)
                if chunk is not None and run_manager is not None:
                    await run_manager.on_llm_new_token(delta.text, chunk=chunk)
            for item in items(delta, chunk):
                yield item
    if chunks is not None:
        chunk = chunks.last(stream.completion)
        if run_manager is not None:
            await run_manager.on_llm_new_token("", chunk=chunk)
    for item in items(stream.completion, chunk):
        yield item
