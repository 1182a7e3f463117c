"""Token counts as LangChain names them, from the gateway's usage object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import UsageMetadata
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails

from .._core.completion.completion import Usage

_TIERS = frozenset({"priority", "flex"})
"""Service tiers whose tokens have prices of their own: LangChain counts them apart."""


def to_usage(usage: Usage | None, service_tier: str | None = None) -> UsageMetadata | None:
    """Token counts under LangChain's names; None if the gateway sent none.

    Args:
        usage: the gateway's. Cached tokens count under OpenAI's, Anthropic's and DeepSeek's names.
        service_tier: the tier that served the call. For "priority" and "flex" the details' names begin with it, and
            what is left of the counts stands under the tier's own name, as ``ChatOpenAI`` has it.
    """
    if usage is None:
        return None
    asked, made = _details(usage, "prompt_tokens_details"), _details(usage, "completion_tokens_details")
    cached = _first(
        asked.get("cached_tokens"), usage.get("cache_read_input_tokens"), usage.get("prompt_cache_hit_tokens")
    )
    written = _first(
        *(asked.get(name) for name in ("cache_write_tokens", "cached_creation_tokens", "cache_creation_tokens")),
        usage.get("cache_creation_input_tokens"),
    )
    tier = service_tier if service_tier in _TIERS else None
    prefix = f"{tier}_" if tier else ""
    inward = {"audio": asked.get("audio_tokens"), f"{prefix}cache_read": cached, f"{prefix}cache_creation": written}
    outward = {"audio": made.get("audio_tokens"), f"{prefix}reasoning": made.get("reasoning_tokens")}
    if tier:
        inward[tier] = usage.prompt_tokens - (_first(cached) or 0)
        outward[tier] = usage.completion_tokens - (_first(made.get("reasoning_tokens")) or 0)
    counts = UsageMetadata(
        input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens, total_tokens=usage.total_tokens
    )
    if details := {name: count for name, count in inward.items() if isinstance(count, int)}:
        counts["input_token_details"] = InputTokenDetails(**details)  # type: ignore[typeddict-item]
    if details := {name: count for name, count in outward.items() if isinstance(count, int)}:
        counts["output_token_details"] = OutputTokenDetails(**details)  # type: ignore[typeddict-item]
    return counts


def _details(usage: Usage, name: str) -> Mapping[str, Any]:
    found = usage.get(name)
    return found if isinstance(found, Mapping) else {}


def _first(*counts: Any) -> int | None:
    return next((count for count in counts if isinstance(count, int)), None)


def add_counts(one: Any, other: Any) -> Any:
    """Token counts added up, details too."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {name: add_counts(one.get(name), other.get(name)) for name in {**one, **other}}
    if one is None or other is None:
        return one if other is None else other
    return one + other
