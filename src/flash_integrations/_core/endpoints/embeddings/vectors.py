"""Where an answer has its vectors, in what order, and in what form.

Vectors are counted, placed by their ``index`` (relays that fan out shuffle them), compared in length, and searched for
what is no number. Their form is read off the value, not off the request: a text is base64, a list is numbers.
"""

from __future__ import annotations

from array import array
from math import isfinite
from typing import Any

from ....errors import MalformedResponseError
from ...framing import json_codec
from .base64_floats import PLAIN_NUMBERS, decode_base64_floats

_LIST_KEYS = ("data", "embeddings", "embedding", "output", "vectors", "result", "results", "response", "predictions")
"""Where answers keep their vectors: OpenAI, Ollama, its older form, DashScope, others, Vertex."""

_VALUE_KEYS = ("embedding", "values", "vector", "float", "dense", "base64")
"""Where an item keeps its numbers: OpenAI, Gemini, others, Cohere by format."""

_ITEM_KEYS = (*_VALUE_KEYS, "embeddings", "dense_embedding")
"""The same, with names that hold the whole list in other answers."""


def embedding_items(body: Any) -> list[Any]:
    """The items of an answer: dicts that hold a vector each, or the vectors themselves; [] where there are none."""
    body = _as_list(body)
    if isinstance(body, list):
        # [0.1, 0.2]: one vector by itself.
        return (
            [body]
            if body and isinstance(body[0], int | float)
            else [item for part in body for item in _unwrapped(part)]
        )
    if not isinstance(body, dict):
        return []
    for key in _LIST_KEYS:
        value = _as_list(body.get(key))
        if isinstance(value, str) and value and key == "embedding":
            return [value]
        if isinstance(value, dict) and key != "embedding" and not value.keys() & set(_VALUE_KEYS):
            value = embedding_items(value)
        elif isinstance(value, dict):
            # {"float": [[...], [...]]}, Cohere's, or a single row.
            held = next((value[key] for key in _VALUE_KEYS if isinstance(value.get(key), list)), None)
            many = bool(held) and isinstance(held, list) and isinstance(held[0], list | str)
            value = held if many and "index" not in value else [value]
        if isinstance(value, list) and value:
            return embedding_items(value)
    return []


def _unwrapped(item: Any) -> list[Any]:
    """The item, or the items of an answer that stands where an item should."""
    inner = embedding_items(item) if isinstance(item, dict) and not item.keys() & set(_ITEM_KEYS) else []
    return inner or [item]


def _as_list(value: Any) -> Any:
    """A dict whose keys are numbers, ``{"0": ..., "1": ...}``, as a list in their order; anything else as it is."""
    if isinstance(value, dict) and value and all(key.isdecimal() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return value


def read_vectors(items: list[Any], count: int, *, first: int = 0) -> list[list[float]]:
    """The vectors of the items, in the order of the texts.

    Args:
        items: what :func:`embedding_items` found.
        count: how many there must be.
        first: the position of the first text in the caller's list, for errors.

    Raises:
        MalformedResponseError: not ``count`` of them, of unequal length, or with entries that are no finite numbers.
    """
    if count == 1 and len(items) > 1 and all(isinstance(item, list) for item in items):
        raise MalformedResponseError(_per_token(first, len(items)))
    if len(items) != count:
        raise MalformedResponseError(f"the gateway sent {len(items)} of {count} vectors", empty=not items)
    vectors = [_vector(item, position) for position, item in enumerate(_in_order(items), first)]
    for position, vector in enumerate(vectors, first):
        if len(vector) != len(vectors[0]):
            raise MalformedResponseError(
                f"the vectors are not of one length: that of texts[{position}] has {len(vector)} numbers, "
                f"that of texts[{first}] {len(vectors[0])}"
            )
    return vectors


def _in_order(items: list[Any]) -> list[Any]:
    """The items by their indexes, where these name each place once; else as they came."""
    by_index: dict[int, Any] = {}
    for item in items:
        index = _index(item)
        if index is None:
            return items
        by_index[index] = item
    first, last = min(by_index, default=0), max(by_index, default=0)
    if len(by_index) != len(items) or last - first != len(items) - 1:
        return items
    return [by_index[first + place] for place in range(len(items))]


def _index(item: Any) -> int | None:
    """An item's index: 1, 1.0 or "1"."""
    index = item.get("index", item.get("text_index")) if isinstance(item, dict) else None
    if isinstance(index, bool):
        return None
    if isinstance(index, str) and index.isdecimal():
        return int(index)
    return int(index) if isinstance(index, int | float) and isfinite(index) and index == int(index) else None


def _vector(item: Any, position: int) -> list[float]:
    value = _as_list(item)
    while isinstance(value, dict):
        value = _as_list(next((value[key] for key in _ITEM_KEYS if value.get(key) is not None), None))
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _from_json(value, position)
    if isinstance(value, str) and value:
        numbers = _from_base64(value, position)
    elif isinstance(value, list) and value:
        numbers = _from_list(value, position)
    else:
        raise MalformedResponseError(f"the vector of texts[{position}] is missing or empty", empty=True)
    if not isfinite(sum(numbers)) and not all(map(isfinite, numbers)):
        at = next(at for at, number in enumerate(numbers) if not isfinite(number))
        raise MalformedResponseError(f"the vector of texts[{position}] holds {numbers[at]} (its entry {at})")
    return numbers


def _from_json(text: str, position: int) -> Any:
    try:
        return json_codec.loads(text)
    except ValueError as error:
        raise MalformedResponseError(f"the vector of texts[{position}] is a text of broken JSON") from error


def _from_base64(text: str, position: int) -> list[float]:
    try:
        return decode_base64_floats(text)
    except ValueError as error:
        message = f"the vector of texts[{position}] is no base64 of 32-bit floats: {error}; {PLAIN_NUMBERS}"
        raise MalformedResponseError(message) from error


def _from_list(values: list[Any], position: int) -> list[float]:
    if isinstance(values[0], list):
        if len(values) > 1:
            raise MalformedResponseError(_per_token(position, len(values)))
        return _from_list(values[0], position) if values[0] else _from_list([None], position)
    try:
        if not isinstance(values[0], bool | str):
            return array("d", values).tolist()
        return [_number(value) for value in values]
    except (TypeError, ValueError, OverflowError) as error:
        at = next((at for at, value in enumerate(values) if not _is_number(value)), 0)
        message = f"the vector of texts[{position}] holds {values[at]!r:.40} (its entry {at}), which is no number"
        raise MalformedResponseError(message) from error


def _number(value: Any) -> float:
    """A number that may be written as a text."""
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _is_number(value: Any) -> bool:
    try:
        _number(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _per_token(position: int, found: int) -> str:
    return (
        f"the gateway sent {found} vectors for texts[{position}] alone, perhaps one for each token: "
        "its model must pool them (llama.cpp: --pooling mean)"
    )
