"""What an embedding call gives: vectors, one for each text, in the order of the texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...completion.completion import Usage


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of texts.

    Attributes:
        vectors: one list of floats for each text, in the order of the texts.
        model: the model that answered, as the gateway names it.
        usage: token counts summed over all batches (``prompt_tokens``, ``total_tokens``); None if a batch had none.
        dimensions: how long every vector is; 0 where there are none.
        request_ids: the gateway's ids for the requests, of those that had one, in the order of the texts.
        requests: how many requests gave these vectors.
        retries: how many requests were sent again.
    """

    vectors: list[list[float]] = field(repr=False)
    model: str = ""
    usage: Usage | None = None
    dimensions: int = 0
    request_ids: tuple[str, ...] = field(default=(), compare=False)
    requests: int = field(default=1, compare=False)
    retries: int = field(default=0, compare=False)

    def __len__(self) -> int:
        return len(self.vectors)

    def __iter__(self) -> Iterator[list[float]]:
        return iter(self.vectors)

    def __getitem__(self, position: int) -> list[float]:
        return self.vectors[position]

    def as_dict(self) -> dict[str, Any]:
        """The JSON of the plain endpoint, as a dict, with floats."""
        data = [
            {"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(self.vectors)
        ]
        usage = {} if self.usage is None else {"usage": dict(self.usage)}
        return {"object": "list", "data": data, "model": self.model, **usage}


def joined(parts: Sequence[Embeddings], *, model: str) -> Embeddings:
    """One answer from those of the batches, in their order; ``model`` where there are none."""
    return Embeddings(
        [vector for part in parts for vector in part.vectors],
        parts[0].model or model if parts else model,
        None if (total := _summed([part.usage for part in parts])) is None else Usage(total),
        parts[0].dimensions if parts else 0,
        tuple(name for part in parts for name in part.request_ids),
        sum(part.requests for part in parts),
        sum(part.retries for part in parts),
    )


def _summed(usages: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """Counts added up, those inside details too; None where one is missing: a sum with holes would be too small."""
    total: dict[str, Any] = {}
    for usage in usages:
        if usage is None:
            return None
        for name, count in usage.items():
            if isinstance(count, Mapping):
                held = total.get(name)
                total[name] = _summed([held if isinstance(held, Mapping) else {}, count]) or {}
            elif isinstance(count, int | float) and not isinstance(count, bool):
                held = total.get(name)
                total[name] = count + (held if isinstance(held, int | float) else 0)
            else:
                total.setdefault(name, count)
    return total or None
