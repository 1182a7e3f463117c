"""A call in the form it is sent in: by the policy, and by what the gateway taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A call in the form it is sent in.

    Attributes:
        body: the whole body; None for a GET.
        streamed: whether it asks for a stream.
        usage_asked: whether it asks for usage in the stream.
        facts: what was known when it was made.
        forced: whether the user decided about the stream.
        drop_refused: whether the user lets refused parameters go.
        chosen: facts about what the user chose and does not let go.
        held_back: fields of earlier answers' reasoning that are known and were not sent.
    """

    body: Mapping[str, Any] | None
    streamed: bool
    usage_asked: bool
    facts: Mapping[str, Any]
    forced: bool = False
    drop_refused: bool = False
    chosen: frozenset[str] = frozenset()
    held_back: frozenset[str] = frozenset()

    @property
    def fields(self) -> Mapping[str, Any]:
        """The body, an empty one for a GET."""
        return self.body or {}

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The messages of the body."""
        messages: Sequence[Mapping[str, Any]] = self.fields.get("messages", ())
        return messages

    @property
    def response_format(self) -> Mapping[str, Any]:
        """The response format that is asked for."""
        return self.fields.get("response_format") or {}
