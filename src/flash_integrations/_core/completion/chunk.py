"""What one object of an answer says, on whichever wire it came: what the accumulator adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Part:
    """One choice's part of a chunk. Empty and None mean that it was not sent."""

    index: int = 0
    text: str = ""
    reasoning: str = ""
    reasoning_field: str = ""
    refusal: str = ""
    tool_calls: Sequence[dict[str, Any]] = ()
    function_call: dict[str, Any] | None = None
    audio: dict[str, Any] | None = None
    annotations: Sequence[Any] = ()
    logprobs: dict[str, Any] | None = None
    finish_reason: str | None = None
    raw_finish_reason: str | None = None
    whole: bool = False  # it was a ``message``
    message_extra: dict[str, Any] | None = None
    choice_extra: dict[str, Any] | None = None
    error: Any = None  # what the choice says broke the answer off

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing at all, as in the heartbeats that some gateways send as empty deltas."""
        if self.text:
            return False
        texts = self.reasoning or self.refusal or self.finish_reason
        others = self.tool_calls or self.function_call or self.audio or self.annotations or self.logprobs
        return not (texts or others or self.message_extra or self.error)


@dataclass(slots=True)
class Chunk:
    """One JSON object of an answer, read."""

    parts: Sequence[Part] = ()
    id: str | None = None
    model: str | None = None
    created: int | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    usage: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None
