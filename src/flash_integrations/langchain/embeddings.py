"""LangChain's embeddings over the transport core.

An adapter: batches, their order and size, limits, re-sends, learning and all checks of what comes are the core's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from langchain_core.embeddings import Embeddings
from pydantic import Field

from .._adapters.connection_settings import MODEL_CONFIG
from .._adapters.embedding_settings import EmbeddingSettings
from .._adapters.progress import progress
from .._core.endpoints.embeddings.request import BATCH_SIZE, DEFAULT_MODEL
from ._errors import translate_errors


class FlashEmbeddings(EmbeddingSettings, Embeddings):
    """Embedding models behind an OpenAI-format gateway.

    ::

        from flash_integrations.langchain import FlashEmbeddings

        embeddings = FlashEmbeddings(model="text-embedding-3-large")  # the key comes from FLASH_API_KEY
        embeddings.embed_documents(["Hello", "你好"])

    Texts go out as texts, in batches side by side within the limits; nothing is downloaded. Unknown
    parameters are refused. The ones that matter (every field has its own line):

    Args:
        model: the model's id. Default: "text-embedding-3-large".
        provider: the gateway, such as "flashapi" or "supertoken". Default: the one ``base_url`` belongs to, else
            ``FLASH_PROVIDER``, else flashapi.
        base_url: the gateway's URL with its ``/v1``. Default: ``FLASH_BASE_URL``, else the provider's.
        api_key: a str, a ``SecretStr`` or a function that returns it. Default: the provider's environment variable.
        dimensions: length of the vectors, for models that can shorten them.
        chunk_size: texts in a request. Default: 100; fewer where the gateway wants fewer.
        max_concurrency: requests at once. Default: by the limits, else 8.
        timeout: seconds, or ``Timeout(connect=10, first_byte=300, progress=60)``, the defaults.
        max_retries: how many times a failed request is sent again. Default: 2.
        rate_limit: limits kept before sending, shared by the process. Default: the provider's; None: none.

    Raises (at the call):
        FlashError: every error is one, and the matching class of ``langchain_core.exceptions`` as well.
    """

    model_config = MODEL_CONFIG

    ALIASES: ClassVar[Mapping[str, str]] = {**EmbeddingSettings.ALIASES, "batch_size": "chunk_size"}

    model: str = DEFAULT_MODEL
    """The model's id."""
    chunk_size: int = BATCH_SIZE
    """Texts in a request; fewer where the gateway wants fewer."""
    max_concurrency: int | None = None
    """Requests at once; left out: by the limits, else 8."""
    show_progress_bar: bool = False
    """Show how many documents are done (needs tqdm)."""
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """More of the request's body."""
    extra_body: dict[str, Any] | None = None
    """Laid over the body, unchecked."""

    @property
    def model_name(self) -> str:
        """The model's id, under the name other integrations give it."""
        return self.model

    def embed_documents(self, texts: list[str], chunk_size: int | None = None, **kwargs: Any) -> list[list[float]]:
        """The vectors of texts, in their order.

        Args:
            texts: the texts, none of them empty.
            chunk_size: texts in a request, for this call.
            **kwargs: more words of the request, such as ``dimensions``.
        """
        with translate_errors(), self._documents(texts, chunk_size, kwargs) as params:
            return self._flash().embed(texts, **params).vectors

    async def aembed_documents(
        self, texts: list[str], chunk_size: int | None = None, **kwargs: Any
    ) -> list[list[float]]:
        """As :meth:`embed_documents`."""
        with translate_errors(), self._documents(texts, chunk_size, kwargs) as params:
            return (await self._flash().to_async().embed(texts, **params)).vectors

    def embed_query(self, text: str, **kwargs: Any) -> list[float]:
        """The vector of a query, by ``query_model`` where there is one."""
        with translate_errors():
            return self._flash().embed([text], **self._query(kwargs)).vectors[0]

    async def aembed_query(self, text: str, **kwargs: Any) -> list[float]:
        """As :meth:`embed_query`."""
        with translate_errors():
            return (await self._flash().to_async().embed([text], **self._query(kwargs))).vectors[0]

    def _params(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        params = {"model": self.model, **self._embedding_params(self.model_kwargs, kwargs)}
        if self.extra_body or params.get("extra_body"):
            params["extra_body"] = {**(self.extra_body or {}), **(params.get("extra_body") or {})}
        return params

    def _query(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._params(kwargs), "model": kwargs.get("model") or self.query_model or self.model}

    @contextmanager
    def _documents(
        self, texts: list[str], chunk_size: int | None, kwargs: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """The core's words for documents, while a progress bar stands."""
        params = {"batch_size": self.chunk_size, "max_concurrency": self.max_concurrency, **self._params(kwargs)}
        if chunk_size is not None:
            params["batch_size"] = chunk_size
        listed = isinstance(texts, list | tuple)
        with progress(len(texts) if listed else 0, shown=self.show_progress_bar, label="Embedding") as done:
            params["on_batch"] = lambda _, vectors: done(len(vectors))
            yield params
