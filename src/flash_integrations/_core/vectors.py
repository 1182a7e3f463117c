"""An embedding answer read: which values are vectors, in what form, in what order, and whether they can be trusted.

A vector that is wrong is worse than an error: it poisons an index without a sign. So vectors are counted, placed by
their ``index`` (relays that fan out shuffle them), compared in length, and searched for what is no number. Their form
is told by the value, not by what was asked for: a text is base64 of little-endian 32-bit floats, a list is numbers.
"""

from __future__ import annotations

import binascii
import sys
from array import array
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from ..errors import APIConnectionError, FlashError, MalformedResponseError
from . import error_body, json
from .body import Inflater
from .completion import ChatDelta, Usage
from .embeddings import Embeddings
from .refusals import BASE_URL_HINT, find_request_id, refusal
from .terms import Surroundings

MAX_BYTES = 512 * 1024 * 1024
"""An answer that is longer is none: 2,048 vectors of 4,096 numbers in JSON take a third of it."""

_LIST_KEYS = ("data", "embeddings", "embedding", "output", "vectors", "result", "results")
"""Where answers keep their vectors: OpenAI, Ollama, its older form, DashScope, others."""

_VALUE_KEYS = ("embedding", "values", "vector", "float", "dense", "base64")
"""Where a row keeps its numbers: OpenAI, Gemini, others, Cohere by format."""

_URL_SAFE = str.maketrans("-_", "+/")


class VectorReading:
    """Reads the answer to an embedding request whole.

    Args:
        headers: the answer's headers, names in lower case.
        count: how many texts were sent.
        model: the model asked for.
        world: gives the time.
    """

    done: Final = False
    events: Final = 0
    is_stream: Final = False

    def __init__(self, headers: Mapping[str, str], *, count: int, model: str, world: Surroundings) -> None:
        self._headers = headers
        self._count = count
        self._model = model
        self._world = world
        self._inflater = Inflater()
        self._pieces: list[bytes] = []
        self._size = 0
        self._body: Any = None
        self._vectors: list[list[float]] = []

    def feed(self, data: bytes) -> list[ChatDelta]:
        """Take bytes.

        Raises:
            MalformedResponseError: more of them than any answer has.
        """
        piece = self._inflater.feed(data)
        self._size += len(piece)
        if self._size > MAX_BYTES:
            raise MalformedResponseError(f"the answer is longer than {MAX_BYTES} bytes")
        self._pieces.append(piece)
        return []

    def close(self, lost: APIConnectionError | None, *, lenient: bool) -> list[ChatDelta]:
        """End the body.

        Raises:
            MalformedResponseError: it holds no vectors, too few or too many, or such as are none.
            APIConnectionError: ``lost``.
            APIStatusError: it is an error.
        """
        del lenient
        if lost is not None:
            raise lost
        data, self._pieces = b"".join(self._pieces), []
        self._body = self._decoded(data)
        rows = find_rows(self._body)
        told = self._body if isinstance(self._body, dict) else {}
        # new-api and others say "success" beside a good answer: only an `error` counts there.
        if told.get("error") or told.get("success") is False or (not rows and error_body.is_error(told)):
            raise self._refusal(told)
        self._vectors = read_vectors(rows, self._count)
        return []

    def result(self, *, resends: int) -> Embeddings:
        """The vectors of this batch."""
        told = self._body if isinstance(self._body, dict) else {}
        request_id = find_request_id(self._headers)
        usage, model = told.get("usage"), told.get("model")
        return Embeddings(
            self._vectors,
            model if isinstance(model, str) and model else self._model,
            Usage(usage) if isinstance(usage, dict) and usage else None,
            len(self._vectors[0]) if self._vectors else 0,
            (request_id,) if request_id else (),
            resends=resends,
        )

    def partial(self, *, resends: int) -> None:
        """Nothing: half an answer is none."""

    def _refusal(self, body: Any) -> FlashError:
        return refusal(200, self._headers, body, now=self._world.wall())

    def _decoded(self, data: bytes) -> Any:
        if not data.strip():
            raise MalformedResponseError("the gateway sent nothing in place of vectors", empty=True)
        try:
            return json.loads(data)
        except ValueError:
            facts = error_body.read(data[:MAX_BYTES])
        text = data.lstrip()[:6]
        if text.startswith((b"data:", b"event:", b":")):
            raise self._refusal(data)
        what = "an HTML page" if facts.is_page else "broken JSON" if text[:1] in (b"{", b"[") else "text"
        hint = f". {BASE_URL_HINT}" if facts.is_page else ""
        raise MalformedResponseError(f"the gateway sent {what} in place of vectors: {facts.message[:200]!r}{hint}")


def find_rows(body: Any) -> list[Any]:
    """The rows of an answer: dicts that hold a vector each, or the vectors themselves; [] where there are none."""
    if isinstance(body, list):
        # [0.1, 0.2]: one vector by itself.
        return [body] if body and isinstance(body[0], int | float) else body
    if not isinstance(body, dict):
        return []
    for key in _LIST_KEYS:
        value = body.get(key)
        if isinstance(value, str) and value and key == "embedding":
            return [value]
        if isinstance(value, dict) and key != "embedding" and not value.keys() & set(_VALUE_KEYS):
            value = find_rows(value)
        elif isinstance(value, dict):
            # {"float": [[...], [...]]}, Cohere's, or a single row.
            held = next((value[each] for each in _VALUE_KEYS if isinstance(value.get(each), list)), None)
            many = bool(held) and isinstance(held, list) and isinstance(held[0], list | str)
            value = held if many and "index" not in value else [value]
        if isinstance(value, list) and value:
            return [value] if isinstance(value[0], int | float) else value
    return []


def read_vectors(rows: list[Any], count: int) -> list[list[float]]:
    """The vectors of the rows, in the order of the texts.

    Raises:
        MalformedResponseError: not ``count`` of them, of unequal length, or with entries that are no finite numbers.
    """
    if count == 1 and len(rows) > 1 and all(isinstance(row, list) for row in rows):
        raise MalformedResponseError(_per_token(0, len(rows)))
    if len(rows) != count:
        raise MalformedResponseError(f"the gateway sent {len(rows)} of {count} vectors", empty=not rows)
    vectors = [_vector(row, position) for position, row in enumerate(_placed(rows))]
    for position, vector in enumerate(vectors):
        if len(vector) != len(vectors[0]):
            raise MalformedResponseError(
                f"the vectors are not of one length: that of texts[{position}] has {len(vector)} numbers, "
                f"that of texts[0] {len(vectors[0])}"
            )
    return vectors


def _placed(rows: list[Any]) -> list[Any]:
    """The rows by their indexes, where these name each place once; else as they came."""
    by_index: dict[int, Any] = {}
    for row in rows:
        index = row.get("index", row.get("text_index")) if isinstance(row, dict) else None
        if isinstance(index, bool) or not isinstance(index, int):
            return rows
        by_index[index] = row
    first, last = min(by_index, default=0), max(by_index, default=0)
    if len(by_index) != len(rows) or last - first != len(rows) - 1:
        return rows
    return [by_index[first + place] for place in range(len(rows))]


def _vector(row: Any, position: int) -> list[float]:
    value = row
    while isinstance(value, dict):
        value = next((value[key] for key in _VALUE_KEYS if value.get(key) is not None), None)
    if isinstance(value, str):
        numbers = _from_base64(value, position)
    elif isinstance(value, list) and value:
        numbers = _from_list(value, position)
    else:
        raise MalformedResponseError(f"the vector of texts[{position}] is missing or empty")
    if not isfinite(sum(numbers)) and not all(map(isfinite, numbers)):
        at = next(at for at, number in enumerate(numbers) if not isfinite(number))
        raise MalformedResponseError(f"the vector of texts[{position}] holds {numbers[at]} (its entry {at})")
    return numbers


def _from_base64(text: str, position: int) -> list[float]:
    try:
        compact = "".join(text.split()).translate(_URL_SAFE)
        data = binascii.a2b_base64(compact + "=" * (-len(compact) % 4), strict_mode=True)
        numbers = array("f", data)
    except ValueError as error:
        said = f"the vector of texts[{position}] is a text that is no base64 of 32-bit floats"
        raise MalformedResponseError(said) from error
    if sys.byteorder == "big":
        numbers.byteswap()
    if not numbers:
        raise MalformedResponseError(f"the vector of texts[{position}] is empty")
    return numbers.tolist()


def _from_list(values: list[Any], position: int) -> list[float]:
    if isinstance(values[0], list):
        if len(values) > 1:
            raise MalformedResponseError(_per_token(position, len(values)))
        return _from_list(values[0], position) if values[0] else _from_list([None], position)
    try:
        return array("d", values).tolist()
    except (TypeError, OverflowError) as error:
        at = next((at for at, value in enumerate(values) if not isinstance(value, int | float)), 0)
        said = f"the vector of texts[{position}] holds {values[at]!r:.40} (its entry {at}), which is no number"
        raise MalformedResponseError(said) from error


def _per_token(position: int, found: int) -> str:
    return (
        f"the gateway sent {found} vectors for texts[{position}] alone, perhaps one for each token: "
        "its model must pool them (llama.cpp: --pooling mean)"
    )
