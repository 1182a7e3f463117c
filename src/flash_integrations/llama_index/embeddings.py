"""LlamaIndex's embedding over the transport core.

An adapter: batches, their order and size, limits, re-sends, learning and all checks of what comes are the core's.
LlamaIndex's own loop over batches sends one after the other; here they go side by side, with the same events, cache
and progress bar. A ``rate_limiter`` of LlamaIndex's wants to be asked before each batch, so with one its loop is used.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self
from uuid import uuid4

import llama_index.core.instrumentation as instrument
from llama_index.core.base.embeddings.base import BaseEmbedding, Embedding
from llama_index.core.callbacks.base import CallbackManager
from llama_index.core.callbacks.schema import CBEventType, EventPayload
from llama_index.core.instrumentation.events.embedding import EmbeddingEndEvent, EmbeddingStartEvent
from pydantic import (
    BaseModel,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from .._adapters.connection_settings import CONNECTION_PARAMS, MODEL_CONFIG
from .._adapters.embedding_settings import EmbeddingSettings
from .._adapters.progress import progress
from .._core.endpoints.embeddings.request import BATCH_SIZE, DEFAULT_MODEL, check_texts
from ..errors import FlashError
from ._rate_limiters import check_rate_limiter

_dispatcher = instrument.get_dispatcher(__name__)  # type: ignore[attr-defined]

_CACHED = "embeddings"
"""The collection of the cache."""

_TEXT = re.compile(r"\btexts\[(\d+)\]")
"""How the core's errors name a text."""

_OF_THIS_PROCESS = ("callback_manager", "rate_limiter", "embeddings_cache")
"""Fields that may hold what does not pickle."""


class FlashEmbedding(EmbeddingSettings, BaseEmbedding):
    """Embedding models behind an OpenAI-format gateway.

    ::

        from flash_integrations.llama_index import FlashEmbedding

        embed_model = FlashEmbedding(model="text-embedding-3-large")  # the key comes from FLASH_API_KEY
        embed_model.get_text_embedding_batch(["Hello", "你好"])

    Texts go out as texts, ``embed_batch_size`` in a request, requests side by side within the limits (``num_workers``
    at once, if set). A blank text goes out as a space; a blank query is refused. Unknown parameters are refused. The
    ones that matter (every field has its own line):

    Args:
        model_name: the model's id, "text-embedding-3-large" by default; ``model=`` says the same.
        provider: the gateway, such as "flashapi" or "supertoken". Default: the one ``base_url`` belongs to, else
            ``FLASH_PROVIDER``, else flashapi.
        base_url: the gateway's URL with its ``/v1``. Default: ``FLASH_BASE_URL``, else the provider's.
        api_key: a str, a ``SecretStr`` or a function that returns it. Default: the provider's environment variable.
        dimensions: length of the vectors, for models that can shorten them.
        embed_batch_size: texts in a request, at most 2,048. Default: 100; fewer where the gateway wants fewer.
        num_workers: requests at once. Default: by the limits, else 8.
        timeout: seconds, or ``Timeout(connect=10, first_byte=300, progress=60)``, the defaults.
        max_retries: how many times a failed request is sent again. Default: 2.
        rate_limit: limits kept before sending, shared by the process. Default: the provider's; None: none.

    Raises (at the call):
        FlashError: what the call came to; see ``flash_integrations.errors``.
    """

    model_config = MODEL_CONFIG

    ALIASES: ClassVar[Mapping[str, str]] = {
        "model": "model_name",
        "request_timeout": "timeout",
        "api_base": "base_url",
        "async_http_client": "http_async_client",
        "batch_size": "embed_batch_size",
    }

    model_name: str = DEFAULT_MODEL
    """The model's id; model= says the same."""
    embed_batch_size: int = Field(default=BATCH_SIZE, gt=0, le=2048)
    """Texts in a request."""
    num_workers: int | None = None
    """Requests at once; left out: by the limits, else 8."""
    query_instruction: str | None = None
    """Put before every query, with a space between: for instruct models, and E5's "query:"."""
    text_instruction: str | None = None
    """Put before every text that is no query, likewise. Change it with the index: stored vectors stay as they are."""
    additional_kwargs: dict[str, Any] = Field(default_factory=dict)
    """More of every request's body."""

    _check_rate_limiter = field_validator("rate_limiter", mode="before")(check_rate_limiter)

    @classmethod
    def class_name(cls) -> str:
        """The name LlamaIndex serialises the class under."""
        return "FlashEmbedding"

    @property
    def model(self) -> str:
        """The model's id, under the name other integrations give it."""
        return self.model_name

    @property
    def api_base(self) -> str:
        """Where calls go, under the name other integrations give it."""
        return self._flash().base_url

    # --- what LlamaIndex asks for, one batch at a time ---

    def _params(self, *, query: bool = False) -> dict[str, Any]:
        model = (self.query_model if query else None) or self.model_name
        return {
            "model": model,
            "batch_size": self.embed_batch_size,
            "max_concurrency": self.num_workers,
            **self._embedding_params(self.additional_kwargs, {}),
        }

    def _as_sent(self, texts: list[str]) -> list[str]:
        """Texts with their instruction; a blank one as a space, which endpoints take where they refuse "".

        LlamaIndex makes blank nodes, of a file without text for one, and each node wants its vector.
        """
        return [_instructed(self.text_instruction, text) or " " for text in check_texts(texts, blank=True)]

    def _get_query_embedding(self, query: str) -> Embedding:
        return self._flash().embed([_instructed(self.query_instruction, query)], **self._params(query=True)).vectors[0]

    async def _aget_query_embedding(self, query: str) -> Embedding:
        return (
            await self._flash()
            .to_async()
            .embed([_instructed(self.query_instruction, query)], **self._params(query=True))
        ).vectors[0]

    def _get_text_embedding(self, text: str) -> Embedding:
        return self._get_text_embeddings([text])[0]

    async def _aget_text_embedding(self, text: str) -> Embedding:
        return (await self._aget_text_embeddings([text]))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return self._flash().embed(self._as_sent(texts), **self._params()).vectors

    async def _aget_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return (await self._flash().to_async().embed(self._as_sent(texts), **self._params())).vectors

    # --- many texts ---

    def get_text_embedding_batch(
        self,
        texts: list[str],
        show_progress: bool = False,  # noqa: FBT001, FBT002 - the base's signature
        **kwargs: Any,
    ) -> list[Embedding]:
        """The vectors of texts, in their order, by batches side by side."""
        texts = _listed(texts)
        if self.rate_limiter is not None:
            return super().get_text_embedding_batch(texts, show_progress=show_progress, **kwargs)
        found: dict[int, Embedding] = {}
        with (
            self._events(texts, found),
            progress(len(texts), shown=show_progress, label="Generating embeddings") as done,
        ):
            to_send = self._as_sent(texts)
            cache = self.embeddings_cache
            if cache is not None:
                for position, text in enumerate(texts):
                    _keep(found, position, cache.get(key=text, collection=_CACHED))
            done(len(found))
            missing = [position for position in range(len(texts)) if position not in found]
            fresh: dict[int, Embedding] = {}
            try:
                with _named(missing):
                    self._flash().embed(
                        [to_send[position] for position in missing],
                        **{**self._params(), "on_batch": _placing(fresh, missing, done)},
                    )
            finally:
                found |= fresh
                if cache is not None:
                    for position, vector in fresh.items():
                        cache.put(key=texts[position], val={str(uuid4()): vector}, collection=_CACHED)
        return [found[position] for position in range(len(texts))]

    async def aget_text_embedding_batch(
        self,
        texts: list[str],
        show_progress: bool = False,  # noqa: FBT001, FBT002 - the base's signature
        **kwargs: Any,
    ) -> list[Embedding]:
        """As :meth:`get_text_embedding_batch`."""
        texts = _listed(texts)
        if self.rate_limiter is not None:
            return await super().aget_text_embedding_batch(texts, show_progress=show_progress, **kwargs)
        found: dict[int, Embedding] = {}
        with (
            self._events(texts, found),
            progress(len(texts), shown=show_progress, label="Generating embeddings") as done,
        ):
            to_send = self._as_sent(texts)
            cache = self.embeddings_cache
            if cache is not None:
                for position, text in enumerate(texts):
                    _keep(found, position, await cache.aget(key=text, collection=_CACHED))
            done(len(found))
            missing = [position for position in range(len(texts)) if position not in found]
            fresh: dict[int, Embedding] = {}
            try:
                with _named(missing):
                    await (
                        self._flash()
                        .to_async()
                        .embed(
                            [to_send[position] for position in missing],
                            **{**self._params(), "on_batch": _placing(fresh, missing, done)},
                        )
                    )
            finally:
                found |= fresh
                if cache is not None:
                    for position, vector in fresh.items():
                        await cache.aput(key=texts[position], val={str(uuid4()): vector}, collection=_CACHED)
        return [found[position] for position in range(len(texts))]

    @contextmanager
    def _events(self, texts: list[str], found: Mapping[int, Embedding]) -> Iterator[None]:
        """LlamaIndex's events, a start and an end for each batch, as its own loop sends them."""
        size, about = self.embed_batch_size, self.to_payload()
        starts = range(0, len(texts), size)
        ids = []
        for _ in starts:
            _dispatcher.event(EmbeddingStartEvent(model_dict=about))
            ids.append(
                self.callback_manager.on_event_start(CBEventType.EMBEDDING, payload={EventPayload.SERIALIZED: about})
            )
        try:
            yield
        except BaseException as error:
            for event_id in ids:
                failed: dict[str, Any] = {EventPayload.EXCEPTION: error}
                self.callback_manager.on_event_end(CBEventType.EMBEDDING, payload=failed, event_id=event_id)
            raise
        for start, event_id in zip(starts, ids, strict=True):
            chunks = texts[start : start + size]
            vectors = [found[position] for position in range(start, start + len(chunks))]
            _dispatcher.event(EmbeddingEndEvent(chunks=chunks, embeddings=vectors))
            payload: dict[str, Any] = {EventPayload.CHUNKS: chunks, EventPayload.EMBEDDINGS: vectors}
            self.callback_manager.on_event_end(CBEventType.EMBEDDING, payload=payload, event_id=event_id)

    # --- serialisation ---

    @model_serializer(mode="wrap")
    def custom_model_dump(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """Without key, clients, and connection words that were not set: for those, being None says something else."""
        data: dict[str, Any] = handler(self)
        unset = {*CONNECTION_PARAMS} - self.model_fields_set
        return {name: value for name, value in data.items() if name not in unset} | {"class_name": self.class_name()}

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy of its own settings, at the same limiter and cache (which hold locks) and the same handlers."""
        memo = {} if memo is None else memo
        for name in _OF_THIS_PROCESS:
            shared = getattr(self, name)
            if shared is not None:
                memo[id(shared)] = shared
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[Any, Any]:
        """For pickling: without what belongs to this process. LlamaIndex's own deletes that from the living object."""
        state = EmbeddingSettings.__getstate__(self)
        for name in _OF_THIS_PROCESS:
            try:
                pickle.dumps(state["__dict__"][name])
            except (pickle.PicklingError, TypeError, AttributeError):
                state["__dict__"][name] = None
        return state

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """As Pydantic does it: LlamaIndex's own calls the constructor, to which a word that is None was set."""
        BaseModel.__setstate__(self, state)
        if self.callback_manager is None:
            self.callback_manager = CallbackManager([])


def _instructed(instruction: str | None, text: str) -> str:
    """A text behind its instruction, which is kept apart by a blank if it does not end in one."""
    if not (instruction and text):
        return text
    return f"{instruction}{text}" if instruction[-1].isspace() else f"{instruction} {text}"


def _keep(found: dict[int, Embedding], position: int, cached: Mapping[str, Embedding] | None) -> None:
    """Take what a cache holds: one vector, under a name that says nothing."""
    if cached:
        found[position] = next(iter(cached.values()))


def _listed(texts: Any) -> list[str]:
    """Texts that may come from a generator or a column, as a list; what holds none is refused."""
    return list(texts) if isinstance(texts, Iterable) and not isinstance(texts, str) else check_texts(texts)


@contextmanager
def _named(missing: list[int]) -> Iterator[None]:
    """Errors that name a text by its place among those that were sent name it by that in the caller's list."""
    try:
        yield
    except FlashError as error:
        if missing != list(range(len(missing))):
            error.message = _TEXT.sub(lambda found: f"texts[{missing[int(found[1])]}]", error.message)
            error.args = (error.message,)
        raise


def _placing(fresh: dict[int, Embedding], missing: list[int], done: Any) -> Any:
    """Takes batches as they are done, to the places of their texts."""

    def on_batch(start: int, vectors: list[Embedding]) -> None:
        fresh.update(zip(missing[start : start + len(vectors)], vectors, strict=True))
        done(len(vectors))

    return on_batch
