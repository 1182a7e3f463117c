"""The clients: :class:`FlashClient` for blocking code and :class:`AsyncFlashClient` for ``async`` code.

They differ in ``await`` alone: what happens in a call is decided in ``_core.flow`` and carried out by ``_transport``.
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
        completion = client.chat(model="gpt-5.2", messages=[{"role": "user", "content": "Hello"}])
        print(completion.text, completion.usage)

        with client.stream_chat(model="gpt-5.2", messages=[{"role": "user", "content": "Hello"}]) as stream:
            for delta in stream:
                print(delta.text, end="")

        vectors = client.embed(["one text", "another"]).vectors

    One client serves any number of threads, and forked processes; connections are pooled for the whole process. The
    parameters that matter most (:meth:`__init__` explains all of them):

    Args:
        provider: the gateway's name, such as "flashapi", "supertoken" or "openai". Default: by ``base_url``, else
            ``FLASH_PROVIDER``, else flashapi.
        api_key: a str, a ``SecretStr`` or a function that returns the key. Default: the environment's.
        base_url: the gateway's URL with its ``/v1``. Default: ``FLASH_BASE_URL``, else the provider's.
        timeout: seconds, or a :class:`Timeout` with ``connect`` (10), ``first_byte`` (300) and ``progress`` (60).
        total_timeout: seconds for a whole call, waiting and retries included. Default: no bound.
        max_retries: how many times a failed request is sent again; 2.
        rate_limit: a :class:`RateLimit` kept for the whole process, or None. Default: the provider's.
        force_stream: True or False sets ``stream`` on the wire for whole answers. Default: as the model needs it.
        drop_refused: leave out sampling parameters that the gateway refuses, and send again; False.
        default_headers: headers of every request.
    """

    def to_async(self) -> AsyncFlashClient:
        """Return this client for ``async`` code, with the same key and limits; closing either closes both."""
        return self._to(AsyncFlashClient)

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
        """Return a whole answer; models that only stream are streamed on the wire and put together.

        Args:
            model: the model's id, such as "gpt-5.2".
            messages: dicts in OpenAI's form, at least one.
            timeout: for this call, as in the constructor. Default: the constructor's.
            **params: ``temperature``, ``max_tokens``, ``tools`` and the rest, see :class:`ChatParams`; unknown ones go
                into the body unchecked.

        Raises:
            InvalidRequestError: a parameter is of a wrong type or out of range; nothing was sent.
            ConfigurationError: there is no key.
            FlashError: the gateway refused, was not reached, or broke off; see ``flash_integrations.errors``.
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
        """Return an iterator over the answer's deltas; the request is sent when it is entered or iterated.

        Arguments and errors are those of :meth:`chat`. If the stream breaks, the error's ``partial`` holds the
        :class:`Completion` so far.
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
        """Return one vector for each text, in their order. Batches are sent concurrently, within the rate limit.

        Args:
            texts: the texts, none of them empty. Without texts nothing is sent.
            model: the model's id.
            batch_size: texts in a request. If the gateway refuses so many, smaller batches are sent from then on.
            max_concurrency: requests at once. Default: by the rate limit's ``concurrent``, else 8.
            timeout: for each request, as in the constructor; ``total_timeout`` is for the whole call.
            on_batch: called after each batch, in any order, with the position of its first text and its vectors.
            **params: ``dimensions``, ``encoding_format``, ``user``, ``extra_body``, ``extra_headers``, ``extra_query``;
                unknown ones go into the body unchecked.

        Raises:
            InvalidRequestError: a text is empty or not a str (the message names its position), or a parameter is bad;
                nothing was sent.
            ContextLengthError: a text is too long; the message names its position.
            MalformedResponseError: vectors are missing, of unequal length or not of ``dimensions``, or hold no numbers.
            FlashError: the gateway refused or was not reached. The first error cancels the call's other requests.
        """
        job = self._embedding(
            texts, model, params, timeout, batch_size=batch_size, max_concurrency=max_concurrency, on_batch=on_batch
        )
        gather(job, run, self._port)
        return job.batches.result()

    def models(self) -> list[str]:
        """Return the ids of the models that the gateway lists for this key.

        Raises:
            FlashError: the gateway refused, or was not reached.
        """
        return self._run(self._exchange(models_call(), self._timeout))

    def close(self) -> None:
        """Refuse further calls of this client, sync and async.

        Connections, which the process shares, and an httpx client of yours stay open.
        """
        self._lifetime.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncFlashClient(BaseClient):
    """:class:`FlashClient` for ``async`` code; one object may be used from several event loops.

    ::

        async with AsyncFlashClient() as client:
            completion = await client.chat(model="gpt-5.2", messages=[{"role": "user", "content": "Hello"}])
            async with client.stream_chat(model="gpt-5.2", messages=messages) as stream:
                async for delta in stream:
                    print(delta.text, end="")
    """

    def to_sync(self) -> FlashClient:
        """Return this client for blocking code, with the same key and limits; closing either closes both."""
        return self._to(FlashClient)

    def _port(self) -> AsyncPort:
        return AsyncPort(self._endpoint, self._headers, self._query, self._http_async)

    async def _run(self, flow: Flow[T]) -> T:
        return await arun(flow, self._port())

    async def chat(
        self,
        *,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        timeout: TimeoutLike = None,  # noqa: ASYNC109 - the port enforces it
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
        """As :meth:`FlashClient.stream_chat`; not a coroutine: it returns an asynchronous iterator at once."""
        return AsyncChatStream(self._chat(model, messages, params, timeout, stream=True), self._port())

    async def embed(
        self,
        texts: Iterable[str],
        *,
        model: str = DEFAULT_MODEL,
        batch_size: int = BATCH_SIZE,
        max_concurrency: int | None = None,
        timeout: TimeoutLike = None,  # noqa: ASYNC109 - the port enforces it
        on_batch: OnBatch | None = None,
        **params: Unpack[EmbedParams],
    ) -> Embeddings:
        """As :meth:`FlashClient.embed`."""
        job = self._embedding(
            texts, model, params, timeout, batch_size=batch_size, max_concurrency=max_concurrency, on_batch=on_batch
        )
        await agather(job, self._run)
        return job.batches.result()

    async def models(self) -> list[str]:
        """As :meth:`FlashClient.models`."""
        return await self._run(self._exchange(models_call(), self._timeout))

    async def aclose(self) -> None:
        """As :meth:`FlashClient.close`."""
        self._lifetime.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()
