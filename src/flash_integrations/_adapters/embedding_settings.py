"""What the two embedding classes hold beside the connection, and the core's parameters it amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from .._core.endpoints.embeddings.request import DEFAULT_MODEL
from .connection_settings import ConnectionSettings

Encoding: TypeAlias = Literal["float", "base64"]


class EmbeddingSettings(ConnectionSettings):
    """Connection, policy and the request's parameters of an embedding class. What is not set is not sent."""

    SUCH_AS: ClassVar[str] = DEFAULT_MODEL

    query_model: str | None = None
    """The model for queries, where it is not the one for documents (e5-query beside e5-passage)."""
    dimensions: int | None = None
    """Length of the vectors, for models that can shorten them; vectors of another length are an error."""
    encoding_format: Encoding | str | None = None
    """How vectors travel. Default: base64, and floats where the gateway refuses that."""
    user: str | None = None
    """Your end user's id, sent to the gateway."""

    def _embedding_params(self, more: Mapping[str, Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The core's parameters: what the object holds, over it its further body, over that what the call says."""
        held = {name: getattr(self, name) for name in ("dimensions", "encoding_format", "user")}
        return held | dict(more) | self._call_params(kwargs)
