"""The transport core's clients: :class:`FlashClient` and its asynchronous twin :class:`AsyncFlashClient`.

A client holds connection and policy; its verbs take model and sampling. All that is decided about a call is decided in
``_core.flow``; here are the two drivers that carry it out, and the verbs. The twins differ in ``await`` alone.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, Self, Unpack

from ._base_client import BaseClient, OnBatch, TimeoutLike
from ._core.completion.completion import ChatDelta, Completion
from ._core.endpoints.call import MODELS_PATH, Call
from ._core.endpoints.embeddings.request import BATCH_SIZE, DEFAULT_MODEL
from ._core.endpoints.embeddings.result import Embeddings
from ._core.flow import Flow
from ._core.wire import ChatParams, EmbedParams
from ._transport.concurrent_batches import agather, gather
from ._transport.ports import AsyncPort, SyncPort
from .errors import FlashError

__all__ = ["AsyncChatStream", "AsyncFlashClient", "ChatStream", "FlashClient"]


def drive(flow: Flow, port: SyncPort) -> Generator[ChatDelta, None, None]:
    """Run a flow: carry out its commands, give its deltas; what it returns is the port's ``result``."""
    step, value = flow.send, None
    try:
        while True:
            try:
                command = step(value)
            except StopIteration as stop:
                port.result = stop.value
                return
            step, value = flow.send, None
            if isinstance(command, ChatDelta):
                yield command
                continue
            try:
                value = command.run(port)
            except FlashError as error:
                step, value = flow.throw, error
    finally:
        try:
            port.close()
        finally:
            flow.close()  # gives the slot back


async def adrive(flow: Flow, port: AsyncPort) -> AsyncGenerator[ChatDelta, None]:
    """Run a flow: carry out its commands, give its deltas; what it returns is the port's ``result``."""
    step, value = flow.send, None
    try:
        while True:
            try:
                command = step(value)
            except StopIteration as stop:
                port.result = stop.value
                return
            step, value = flow.send, None
            if isinstance(command, ChatDelta):
                yield command
                continue
            try:
                value = await command.run(port)
            except FlashError as error:
                step, value = flow.throw, error
    finally:
        try:
            await port.close()
        finally:
            flow.close()  # gives the slot back


class _Stream:
    """What both streams share: what is left when they have ended."""

    def __init__(self, port: SyncPort | AsyncPort) -> None:
        self._port = port
        self._first: list[ChatDelta] = []

    @property
    def completion(self) -> Completion:
        """The whole answer, once the stream has been read to its end.

        Raises:
            RuntimeError: the stream has not ended, or was left early.
        """
        if self._port.result is None:
            raise RuntimeError("the stream has not ended: read it to its end before asking for its completion")
        completion: Completion = self._port.result
        return completion


class ChatStream(_Stream, Iterator[ChatDelta]):
    """An answer in pieces: an iterator of :class:`ChatDelta`, and a context manager that lets go of it.

    Nothing is sent until it is entered or iterated. Entering waits for the first piece, so that a refusal shows at the
    ``with``. Leaving early, by whatever way, frees the connection and the slot.
    """

    def __init__(self, flow: Flow, port: SyncPort) -> None:
        super().__init__(port)
        self._deltas = drive(flow, port)

    def __next__(self) -> ChatDelta:
        return self._first.pop() if self._first else next(self._deltas)

    def __enter__(self) -> Self:
        self._first.extend(delta for delta in [next(self._deltas, None)] if delta is not None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the answer; safe to call again."""
        self._first.clear()
        self._deltas.close()


class AsyncChatStream(_Stream, AsyncIterator[ChatDelta]):
    """:class:`ChatStream` for ``async for`` and ``async with``."""

    def __init__(self, flow: Flow, port: AsyncPort) -> None:
        super().__init__(port)
        self._deltas = adrive(flow, port)

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
        """Let go of the answer; safe to call again."""
        self._first.clear()
        await self._deltas.aclose()


class FlashClient(BaseClient):
    """Calls an OpenAI-format gateway: whole answers, also from models that only stream.

    ::

        client = FlashClient(provider="flashapi")  # the key comes from FLASH_API_KEY
        answer = client.chat(model="gpt-5.2", messages=[{"role": "user", "content": "Hello"}])
        print(answer.text, answer.usage)

    Safe to use from several threads, and after a fork.
    """

    @cached_property
    def twin(self) -> AsyncFlashClient:
        """The same client for ``async`` code."""
        return self._as(AsyncFlashClient)

    def _port(self) -> SyncPort:
        return SyncPort(self._endpoint, self._headers, self._query, self._http)

    def _run(self, flow: Flow, port: SyncPort | None = None) -> Any:
        port = port or self._port()
        for _ in drive(flow, port):
            pass
        return port.result

    def chat(
        self,
        *,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        timeout: TimeoutLike = None,
        **params: Unpack[ChatParams],
    ) -> Completion:
        """Ask for a whole answer.

        Args:
            model: the model's id.
            messages: dicts in OpenAI's form, at least one.
            timeout: for this call, as in the constructor.
            **params: sampling and the rest, see :class:`ChatParams`; unknown ones go into the body as they are.

        Raises:
            InvalidRequestError: a parameter is of a wrong type or out of bounds; nothing was sent.
            ConfigurationError: no key.
            FlashError: what the call came to; see ``flash_integrations.errors``.
        """
        answer: Completion = self._run(self._chat(model, messages, params, timeout, stream=False))
        return answer

    def stream_chat(
        self,
        *,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        timeout: TimeoutLike = None,
        **params: Unpack[ChatParams],
    ) -> ChatStream:
        """Ask for an answer in pieces; nothing is sent before the stream is entered or iterated.

        Arguments and errors are :meth:`chat`'s; a broken stream's error has ``partial``.
        """
        return ChatStream(self._chat(model, messages, params, timeout, stream=True), self._port())

    def embed(
        self,
        texts: Iterable[str],
        *,
        model: str = DEFAULT_MODEL,
        batch_size: int = BATCH_SIZE,
        max_concurrency: int | None = None,
        timeout: TimeoutLike = None,
        on_batch: OnBatch | None = None,
        **params: Unpack[EmbedParams],
    ) -> Embeddings:
        """Turn texts into vectors, in batches that are sent side by side within the limits.

        Args:
            texts: the texts, none of them empty. No texts give no vectors, and nothing is sent.
            model: the model's id.
            batch_size: texts in a request; fewer where the gateway refuses so many, which is learned.
            max_concurrency: requests at once. Default: the limits' ``concurrent``, else 8.
            timeout: for each request, as in the constructor; ``total_timeout`` is for the whole call.
            on_batch: called as each batch is done, in any order, with the position of its first text and its vectors.
            **params: ``dimensions``, ``encoding_format``, ``user``, ``extra_body``, ``extra_headers``, ``extra_query``;
                unknown ones go into the body as they are.

        Raises:
            InvalidRequestError: what is no text, an empty one (told by position), or a bad parameter; nothing was sent.
            ContextLengthError: a text is too long; the message tells which, by position.
            MalformedResponseError: vectors are missing, of unequal length or not of ``dimensions``, or no numbers.
            FlashError: what else the call came to. The first error ends all requests of the call.
        """
        job = self._embedding(texts, (model, batch_size, max_concurrency), params, timeout, on_batch)
        gather(job, self._run, self._port)
        return job.batches.result()

    def models(self) -> list[str]:
        """The ids of the models the gateway lists for this key.

        Raises:
            FlashError: what the call came to.
        """
        return _model_ids(self._run(self._exchange(Call(MODELS_PATH), self._timeout)))

    def close(self) -> None:
        """End this client and its twin; shared connections and injected httpx clients stay open."""
        self._life.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncFlashClient(BaseClient):
    """:class:`FlashClient` for ``async`` code; one object may be used from several event loops."""

    @cached_property
    def twin(self) -> FlashClient:
        """The same client for blocking code."""
        return self._as(FlashClient)

    def _port(self) -> AsyncPort:
        return AsyncPort(self._endpoint, self._headers, self._query, self._http_async)

    async def _run(self, flow: Flow) -> Any:
        port = self._port()
        async for _ in adrive(flow, port):
            pass
        return port.result

    async def chat(
        self,
        *,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        timeout: TimeoutLike = None,  # noqa: ASYNC109 - the core keeps it, in both colours
        **params: Unpack[ChatParams],
    ) -> Completion:
        """As :meth:`FlashClient.chat`."""
        answer: Completion = await self._run(self._chat(model, messages, params, timeout, stream=False))
        return answer

    def stream_chat(
        self,
        *,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        timeout: TimeoutLike = None,
        **params: Unpack[ChatParams],
    ) -> AsyncChatStream:
        """As :meth:`FlashClient.stream_chat`: a plain function that gives an asynchronous iterator."""
        return AsyncChatStream(self._chat(model, messages, params, timeout, stream=True), self._port())

    async def embed(
        self,
        texts: Iterable[str],
        *,
        model: str = DEFAULT_MODEL,
        batch_size: int = BATCH_SIZE,
        max_concurrency: int | None = None,
        timeout: TimeoutLike = None,  # noqa: ASYNC109 - the core keeps it, in both colours
        on_batch: OnBatch | None = None,
        **params: Unpack[EmbedParams],
    ) -> Embeddings:
        """As :meth:`FlashClient.embed`."""
        job = self._embedding(texts, (model, batch_size, max_concurrency), params, timeout, on_batch)
        await agather(job, self._run)
        return job.batches.result()

    async def models(self) -> list[str]:
        """As :meth:`FlashClient.models`."""
        return _model_ids(await self._run(self._exchange(Call(MODELS_PATH), self._timeout)))

    async def close(self) -> None:
        """As :meth:`FlashClient.close`."""
        self._life.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


def _model_ids(bodies: list[dict[str, Any]]) -> list[str]:
    """The ids in an answer of ``/models``: an object with ``data`` or ``models``, or a bare list."""
    found: list[Any] = []
    for body in bodies:
        listed = body.get("data", body.get("models"))
        found += listed if isinstance(listed, list) else [body]
    names = [item.get("id") or item.get("name") if isinstance(item, dict) else item for item in found]
    return [name for name in names if isinstance(name, str)]
