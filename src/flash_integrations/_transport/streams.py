"""The iterators that ``stream_chat`` returns."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from types import AsyncGeneratorType, TracebackType
from typing import Self, cast

from .._core.completion.completion import ChatDelta, Completion
from .._core.flow import Flow
from .drivers import Outcome, adrive, drive, start_closing
from .ports import AsyncPort, SyncPort


class _Stream:
    """What both streams share: the completion, once they have ended."""

    def __init__(self) -> None:
        self._outcome = Outcome[Completion]()
        self._first: list[ChatDelta] = []

    @property
    def completion(self) -> Completion:
        """The same :class:`Completion` that ``chat`` returns, available once the stream has been read to its end.

        Raises:
            RuntimeError: the stream has not been read to its end, or was closed early.
        """
        if self._outcome.value is None:
            raise RuntimeError("the stream has not ended: read it to its end before asking for its completion")
        return self._outcome.value


class ChatStream(_Stream, Iterator[ChatDelta]):
    """A streamed answer: an iterator of :class:`ChatDelta`, and a context manager that closes it.

    ::

        with client.stream_chat(model="gpt-5.2", messages=messages) as stream:
            for delta in stream:
                print(delta.text, end="")
        print(stream.completion.usage)

    Nothing is sent until it is entered or iterated. Entering waits for the first delta, so that the gateway's refusal
    is raised by the ``with`` statement. Leaving early (``break``, an exception, :meth:`close`, garbage collection)
    closes the connection and frees the rate limit's slot.
    """

    def __init__(self, flow: Flow[Completion], port: SyncPort) -> None:
        super().__init__()
        self._deltas = drive(flow, port, self._outcome)

    def __next__(self) -> ChatDelta:
        return self._first.pop() if self._first else next(self._deltas)

    def __enter__(self) -> Self:
        self._first.extend(delta for delta in [next(self._deltas, None)] if delta is not None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the response and release the connection; safe to call again."""
        self._first.clear()
        self._deltas.close()


class AsyncChatStream(_Stream, AsyncIterator[ChatDelta]):
    """:class:`ChatStream` for ``async for`` and ``async with``; :meth:`aclose` in place of ``close``."""

    def __init__(self, flow: Flow[Completion], port: AsyncPort) -> None:
        super().__init__()
        self._deltas = adrive(flow, port, self._outcome)
        self._is_begun = False

    async def __anext__(self) -> ChatDelta:
        return self._first.pop() if self._first else await anext(self._begun())

    async def __aenter__(self) -> Self:
        self._first.extend(delta for delta in [await anext(self._begun(), None)] if delta is not None)
        return self

    def _begun(self) -> AsyncGenerator[ChatDelta, None]:
        """The deltas, held until they are closed: httpx's generators must not be collected along with who reads them.

        Frameworks' chains of generators are often collected at once, as a circle; generators within httpcore that are
        collected so, in no order, leave the connection open.
        """
        if not self._is_begun:
            self._is_begun = True
            weakref.finalize(self, _close_left, asyncio.get_running_loop(), self._deltas).atexit = False
        return self._deltas

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the response and release the connection; safe to call again."""
        self._first.clear()
        await self._deltas.aclose()


def _close_left(loop: asyncio.AbstractEventLoop, left: AsyncGenerator[ChatDelta, None]) -> None:
    """Close what nobody reads any more, from whatever thread collects the garbage."""
    deltas = cast("AsyncGeneratorType[ChatDelta, None]", left)

    def start() -> None:
        if not deltas.ag_running:  # else it is being closed by who read it
            start_closing(loop, deltas.aclose())

    if deltas.ag_frame is not None and not loop.is_closed():
        loop.call_soon_threadsafe(start)
