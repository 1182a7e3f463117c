"""The clients: :class:`FlashClient` for blocking code and :class:`AsyncFlashClient` for ``async`` code.

A client holds connection and policy; its methods take model and parameters. What happens in a call is decided in
``_core.flow`` and carried out by ``_transport``. The two clients differ in ``await`` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from ._base_client import BaseClient, OnBatch, TimeoutLike
from ._core.completion.completion import Completion
from ._core.endpoints.embeddings.request import BATCH_SIZE, DEFAULT_MODEL
from ._core.endpoints.embeddings.result import Embeddings
from ._core.endpoints.models import models_call
from ._core.flow import Flow
from ._core.wire import ChatParams, EmbedParams
from ._transport.concurrent_batches import agather, gather
from ._transport.drivers import arun, run
from ._transport.ports import AsyncPort, SyncPort
from ._transport.streams import AsyncChatStream, ChatStream

__all__ = ["AsyncChatStream", "AsyncFlashClient", "ChatStream", "FlashClient"]

T = TypeVar("T")


class FlashClient(BaseClient):
    """Calls an OpenAI-format gateway: whole answers, also from models that only stream.

    ::

        client = FlashClient(provider="flashapi")  # the key comes from FLASH_API_KEY
        answer = client.chat(model="gpt-5.2", messages=[{"role": "user", "content": "Hello"}])
        print(answer.text, answer.usage)

    Safe to use from several threads, and after a fork. The constructor's parameters, each with its default, are
    explained by ``help(FlashClient.__init__)``; the ones that matter are ``provider``, ``base_url``, ``api_key``,
    ``timeout``, ``total_timeout``, ``max_retries``, ``rate_limit``, ``force_stream``, ``drop_refused`` and
    ``default_headers``.
    """

    def to_async(self) -> AsyncFlashClient:
        """The same client for ``async`` code: one key, one set of limits; closing either closes both."""
        return self._other(AsyncFlashClient)

    def _port(self) -> SyncPort:
        return SyncPort(self._endpoint, self._headers, self._query, self._http)

    def _run(self, flow: Flow[T]) -> T:
        return run(flow, self._port())

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
        return self._run(self._chat(model, messages, params, timeout, stream=False))

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
        gather(job, run, self._port)
        return job.batches.result()

    def models(self) -> list[str]:
        """The ids of the models the gateway lists for this key.

        Raises:
            FlashError: what the call came to.
        """
        return self._run(self._exchange(models_call(), self._timeout))

    def close(self) -> None:
        """End this client, sync and async. Connections, which the process shares, and given httpx clients stay open."""
        self._life.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncFlashClient(BaseClient):
    """:class:`FlashClient` for ``async`` code; one object may be used from several event loops."""

    def to_sync(self) -> FlashClient:
        """The same client for blocking code: one key, one set of limits; closing either closes both."""
        return self._other(FlashClient)

    def _port(self) -> AsyncPort:
        return AsyncPort(self._endpoint, self._headers, self._query, self._http_async)

    async def _run(self, flow: Flow[T]) -> T:
        return await arun(flow, self._port())

    async def chat(
        self,
        *,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        timeout: TimeoutLike = None,  # noqa: ASYNC109 - the core keeps it
        **params: Unpack[ChatParams],
    ) -> Completion:
        """As :meth:`FlashClient.chat`."""
        return await self._run(self._chat(model, messages, params, timeout, stream=False))

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
        timeout: TimeoutLike = None,  # noqa: ASYNC109 - the core keeps it
        on_batch: OnBatch | None = None,
        **params: Unpack[EmbedParams],
    ) -> Embeddings:
        """As :meth:`FlashClient.embed`."""
        job = self._embedding(texts, (model, batch_size, max_concurrency), params, timeout, on_batch)
        await agather(job, self._run)
        return job.batches.result()

    async def models(self) -> list[str]:
        """As :meth:`FlashClient.models`."""
        return await self._run(self._exchange(models_call(), self._timeout))

    async def aclose(self) -> None:
        """As :meth:`FlashClient.close`."""
        self._life.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()
