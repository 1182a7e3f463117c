"""An embedding answer read: gathered, distinguished from a refusal, and counted.

A vector that is wrong is worse than an error: it poisons an index without a sign. So what is no vector, or may be that
of another text, is an error that names the text by its position in the caller's list. Where an answer has its vectors,
and how they are read: ``vectors``.
"""

from __future__ import annotations

from typing import Any

from ....errors import APIConnectionError, FlashError, MalformedResponseError
from ...completion.completion import ChatDelta, Usage
from ...completion.usage import read_usage
from ...failures import error_body
from ...failures.error_mapping import BASE_URL_HINT, find_request_id, refusal
from ...framing import json_codec
from ...framing.body import BodyDecoder, bare
from ...framing.content_coding import ContentDecoder
from ..reader import AnswerContext, Reader
from .result import Embeddings
from .vectors import embedding_items, read_vectors

MAX_BYTES = 512 * 1024 * 1024
"""An answer that is longer is none: 2,048 vectors of 4,096 numbers in JSON take a third of it."""

_TELLS_STREAM = 1024
"""Bytes by which a stream of events is known."""


class EmbeddingReader(Reader[Embeddings]):
    """Reads the answer to an embedding request whole.

    Args:
        answer: its head.
        count: how many texts were sent.
        first: the position of the first of them in the caller's list, for errors.
        model: the model asked for.
    """

    decodes_slowly = True

    def __init__(
        self,
        answer: AnswerContext,
        *,
        count: int,
        model: str,
        first: int = 0,
    ) -> None:
        self._headers = answer.headers
        self._count = count
        self._first = first
        self._model = model
        self._env = answer.env
        self._content = ContentDecoder(answer.headers.get("content-encoding", ""))
        self._pieces: list[bytes] = []
        self._size = 0
        self._beside: dict[str, Any] = {}
        self._vectors: list[list[float]] = []

    def feed(self, data: bytes) -> list[ChatDelta]:
        """Take bytes.

        Raises:
            MalformedResponseError: more of them than any answer has.
        """
        piece = self._content.decode(data)
        self._size += len(piece)
        if self._size > MAX_BYTES:
            raise MalformedResponseError(f"the answer is longer than {MAX_BYTES} bytes")
        self._pieces.append(piece)
        return []

    def close(self, lost: APIConnectionError | None) -> list[ChatDelta]:
        """End the body.

        Raises:
            MalformedResponseError: it holds no vectors, too few or too many, or such as are none.
            APIConnectionError: ``lost``.
            APIStatusError: it is an error.
        """
        if lost is not None:
            raise lost
        data, self._pieces = b"".join([*self._pieces, self._content.flush()]), []
        try:
            self._read_vectors(self._decoded(data))
        except RecursionError as error:
            raise MalformedResponseError("the answer is nested too deep to be one") from error
        return []

    def _read_vectors(self, body: Any) -> None:
        items = embedding_items(body)
        self._beside = _beside_vectors(body)
        # new-api and others say "success" beside a good answer, and some count tokens beside an error.
        beside = error_body.MESSAGE_KEYS if items else ("usage",)
        if error_body.is_error({key: value for key, value in self._beside.items() if key not in beside}):
            raise self._refusal(self._beside)
        if isinstance(body, str) and body.strip():
            raise self._refusal(body)
        self._vectors = read_vectors(items, self._count, first=self._first)

    def result(self, *, retries: int) -> Embeddings:
        """The vectors of this batch."""
        request_id = find_request_id(self._headers)
        usage, model = read_usage(self._beside.get("usage")), self._beside.get("model")
        return Embeddings(
            self._vectors,
            model if isinstance(model, str) and model else self._model,
            Usage(usage) if usage else None,
            len(self._vectors[0]) if self._vectors else 0,
            (request_id,) if request_id else (),
            retries=retries,
        )

    def _refusal(self, body: Any) -> FlashError:
        return refusal(200, self._headers, body, now=self._env.unix_time())

    def _decoded(self, data: bytes) -> Any:
        data = bare(data)
        if not data:
            raise MalformedResponseError("the gateway sent nothing in place of vectors", empty=True)
        decoder = BodyDecoder()
        items = decoder.feed(data[:_TELLS_STREAM])
        if decoder.is_stream:
            items += decoder.feed(data[_TELLS_STREAM:]) + decoder.close()
            bodies = [item for item in items if isinstance(item, dict)]
            if not bodies:
                raise self._refusal(data)
            return bodies
        try:
            return json_codec.loads(data)
        except ValueError:
            facts = error_body.read(data[:MAX_BYTES])
        what = "an HTML page" if facts.is_page else "broken JSON" if data[:1] in (b"{", b"[") else "text"
        hint = f". {BASE_URL_HINT}" if facts.is_page else ""
        raise MalformedResponseError(f"the gateway sent {what} in place of vectors: {facts.message[:200]!r}{hint}")


def _beside_vectors(body: Any) -> dict[str, Any]:
    """What an answer says beside its vectors; of one in several objects, all of them together."""
    objects = [body] if isinstance(body, dict) else body if isinstance(body, list) else []
    return {key: value for part in objects if isinstance(part, dict) for key, value in part.items()}
