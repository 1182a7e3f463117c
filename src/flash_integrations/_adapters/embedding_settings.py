"""What the two embedding classes hold beside the connection, and the core's words it amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from .._core.endpoints.embeddings.request import DEFAULT_MODEL
from .connection_settings import ConnectionSettings


class EmbeddingSettings(ConnectionSettings):
    """Connection, policy and the request's parameters of an embedding class. What is not set is not sent."""

    SUCH_AS: ClassVar[str] = DEFAULT_MODEL

    query_model: str | None = Field(
        default=None, description="The model for queries, where it is not that for texts (e5-query beside e5-passage)."
    )
    dimensions: int | None = Field(
        default=None, description="Length of the vectors, for models that can shorten them; another one is an error."
    )
    encoding_format: str | None = Field(default=None, description="How vectors travel; left out: base64, else floats.")
    user: str | None = Field(default=None, description="Your user, told to the gateway.")

    def _embedding_words(self, more: Mapping[str, Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The core's words: what the object holds, over it its further body, over that what the call says."""
        held = {name: getattr(self, name) for name in ("dimensions", "encoding_format", "user")}
        return held | dict(more) | self._call_params(kwargs)
