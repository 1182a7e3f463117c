"""The iterators that ``stream_chat`` returns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Self

from .._core.completion.completion import ChatDelta, Completion
from .._core.flow import Flow
from .drivers import Outcome, adrive, drive
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

    async def __anext__(self) -> ChatDelta:
        return self._first.pop() if self._first else await anext(self._deltas)

    async def __aenter__(self) -> Self:
        self._first.extend(delta for delta in [await anext(self._deltas, None)] if delta is not None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the response and release the connection; safe to call again."""
        self._first.clear()
        await self._deltas.aclose()
