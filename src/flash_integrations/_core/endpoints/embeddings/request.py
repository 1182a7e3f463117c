"""Embedding requests described as data, and checked before anything is sent.

Strings only, never token ids: many gateways refuse those, and making them would need a tokenizer's download. An empty
text is refused here by its position, for upstreams refuse the whole batch and do not say which.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ....errors import BadRequestError, FlashError, InvalidRequestError, MalformedResponseError
from ...wire import EmbedParams
from ..call import Call, no_guess
from ..checks import at_least, checked, kind_of, show
from .batch_size import smaller_batch
from .reader import EmbeddingReader
from .result import Embeddings

EMBEDDINGS_PATH = "/embeddings"

DEFAULT_MODEL = "text-embedding-3-large"
"""The model that is asked where none is named."""

BATCH_SIZE = 100
"""Texts in a request, where the gateway has not taught a smaller figure."""

EMBED_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "dimensions": at_least(1),
    "encoding_format": kind_of(str, 'a str such as "float" or "base64"'),
    "user": kind_of(str, "a str"),
    "extra_body": kind_of(Mapping, "a dict"),
    "extra_headers": kind_of(Mapping, "a dict"),
    "extra_query": kind_of(Mapping, "a dict"),
}
"""How each parameter of an embedding call is checked. These names are :class:`~.wire.EmbedParams`'."""

_NOT_BODY = frozenset({"extra_body", "extra_headers", "extra_query"})

_OTHER_NUMBERS = frozenset({"output_dtype", "embedding_types", "embedding_type"})
"""Parameters by which gateways are asked for numbers that are no 32-bit floats."""

_ENCODING_FACTS = frozenset({"encoding_format", "no_encoding_format"})
"""What refusals teach about the form of vectors; nobody asks about it who named that form himself."""


def check_texts(texts: Any, *, blank: bool = False) -> list[str]:
    """The texts as a list; ``blank`` lets empty ones pass.

    Raises:
        InvalidRequestError: no list of texts, or one of them is empty or no text; names the position.
    """
    if isinstance(texts, str):
        raise InvalidRequestError("texts must be a list of str; for a single text give a list that holds it: [text]")
    if not isinstance(texts, Iterable) or isinstance(texts, bytes | bytearray | Mapping | AbstractSet):
        # A set has no order that vectors could follow.
        raise InvalidRequestError(f"texts must be a list of str, not {show(texts)}")
    listed = list(texts)
    for position, text in enumerate(listed):
        if not isinstance(text, str):
            ids = isinstance(text, int | list | tuple)
            hint = ". Token ids are not taken: give the texts themselves" if ids else ""
            raise InvalidRequestError(f"texts[{position}] must be a str, not {show(text)}{hint}")
        if not text and not blank:
            raise InvalidRequestError(f"texts[{position}] is empty: nothing can be embedded there, leave it out")
    return listed


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """What all requests of an embedding call have in common.

    Attributes:
        model: the model asked for.
        dimensions: how long vectors were asked to be, or None.
        body: the body but for its texts.
        headers, query: of this call alone.
        chosen: facts about what the caller chose himself.
        has_default_format: whether the form of the vectors is this package's choice, not the caller's.
    """

    model: str
    dimensions: int | None
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(repr=False)  # keys may be among them
    query: Mapping[str, Any] = field(repr=False)
    chosen: frozenset[str]
    has_default_format: bool

    def call(self, texts: Sequence[str], first: int) -> Call[Embeddings]:
        """The call for a batch of texts, of which the first has this position in the caller's list."""
        body = {**self.body}
        # Texts of extra_body's own win, as all that it says.
        body.setdefault("input", list(texts))
        reader = partial(EmbeddingReader, count=len(body["input"]), first=first, model=self.model)
        return Call(
            EMBEDDINGS_PATH,
            reader,
            body,
            self.model,
            headers=self.headers,
            query=self.query,
            chosen=self.chosen,
            guess=partial(suspect_format, count=len(body["input"])) if self.has_default_format else no_guess,
        )


def suspect_format(error: FlashError, *, count: int) -> dict[str, Any]:
    """The fact to try where base64, which the caller did not ask for, may be why a batch failed; {} where it is not.

    Floats are asked for by name where the answer speaks of them, else by naming no format: they are the default
    everywhere. A refusal that blames a parameter or the size of the batch is about that.

    Args:
        error: what the batch came to.
        count: how many texts it had.
    """
    unnamed = type(error) is BadRequestError and not error.param and smaller_batch(error, count) is None
    nothing = isinstance(error, MalformedResponseError) and error.empty
    return {"encoding_format": "float" if "float" in error.message.lower() else ""} if unnamed or nothing else {}


def embedding_request(
    model: str, params: EmbedParams | Mapping[str, Any], *, disabled: Collection[str] = ()
) -> EmbeddingRequest:
    """What an embedding call asks for, checked. Parameters that are None or empty are not sent.

    Args:
        model: the model's id.
        params: the parameters; unknown ones go out as they are, ``extra_body`` is laid over the body unchecked.
        disabled: names never to send.

    Raises:
        InvalidRequestError: a wrong type, a value out of its bounds, a misspelt name.
    """
    values = checked(model, params, EMBED_CHECKS, disabled=disabled)
    named = {name: value for name, value in values.items() if name not in _NOT_BODY}
    laid_over = dict(values.get("extra_body", {}))
    chosen = {*named, *laid_over}
    # Numbers of another kind than floats (Voyage's output_dtype) are told apart in lists alone.
    ours = "encoding_format" not in (*disabled, *chosen) and chosen.isdisjoint(_OTHER_NUMBERS)
    body = {"model": model, **({"encoding_format": "base64"} if ours else {}), **named, **laid_over}
    dimensions = body.get("dimensions")
    return EmbeddingRequest(
        model=str(body["model"]),
        dimensions=dimensions if isinstance(dimensions, int) else None,
        body=body,
        headers=values.get("extra_headers", {}),
        query=values.get("extra_query", {}),
        chosen=frozenset() if ours else _ENCODING_FACTS,
        has_default_format=ours,
    )
