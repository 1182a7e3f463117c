"""Token counts, under OpenAI's names."""

from __future__ import annotations

from math import isfinite
from typing import Any

_USAGE_NAMES = {
    # Anthropic's and the Responses wire's names, then Gemini's.
    "prompt_tokens": ("input_tokens", "promptTokenCount"),
    "completion_tokens": ("output_tokens", "candidatesTokenCount"),
    "total_tokens": ("totalTokenCount",),
    "prompt_tokens_details": ("input_tokens_details",),
    "completion_tokens_details": ("output_tokens_details",),
}
_USAGE_PLACES = (
    ("x_groq", "usage"),  # Groq (vercel/ai#1651)
    ("usageMetadata",),  # Gemini, relayed as it is
)
"""Where counts stand but for ``usage``: the steps from the object to them."""
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


class Usage(dict[str, Any]):
    """Token counts of a call: the gateway's usage object under OpenAI's names, with the common three as properties.

    Counts are tokens. ``prompt_tokens_details`` and ``completion_tokens_details`` (cached, reasoning, audio tokens)
    and whatever else the gateway sent stay in it. Many gateways count by themselves where their upstream does not.
    """

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the request; 0 if not given."""
        return int(self.get("prompt_tokens", 0))

    @property
    def completion_tokens(self) -> int:
        """Tokens of the answer, reasoning included; 0 if not given."""
        return int(self.get("completion_tokens", 0))

    @property
    def total_tokens(self) -> int:
        """Both together."""
        return int(self.get("total_tokens", self.prompt_tokens + self.completion_tokens))


def read_usage(body: Any) -> dict[str, Any] | None:
    """Read a usage object: OpenAI's names, nulls left out, the total added; None where it counts nothing."""
    if not isinstance(body, dict):
        return None
    usage = {key: value for key, value in body.items() if value is not None}
    for name, others in _USAGE_NAMES.items():
        if name not in usage and (other := next((key for key in others if key in usage), None)):
            usage[name] = usage[other]
    for name in _COUNTS:
        count = _count(usage.pop(name, None))
        if count is not None:
            usage[name] = count
    if not any(name in usage for name in _COUNTS):
        return None
    if "total_tokens" not in usage and "prompt_tokens" in usage and "completion_tokens" in usage:
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
    return usage


def find_usage(body: dict[str, Any]) -> dict[str, Any] | None:
    """Read the counts of an object without ``usage`` from where some vendors put them; None where there are none."""
    for first, *rest in _USAGE_PLACES:
        counts = body.get(first)
        for step in rest:
            counts = counts.get(step) if isinstance(counts, dict) else None
        if counts:
            return read_usage(counts)
    return None


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) < 16:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isfinite(value) else None
