"""``raw`` of an answer: the wire's JSON as a dict whose keys are attributes too.

LlamaIndex's OpenAI classes give ``raw`` as an object (``raw.usage.total_tokens``), others as a dict
(``raw["usage"]``, ``raw.get("usage")``), and what observes them asks by either way: Chainlit and Langfuse by ``get``.
"""

from __future__ import annotations

from typing import Any

_OPTIONAL = frozenset(
    "usage system_fingerprint service_tier finish_reason logprobs role content refusal tool_calls function_call "
    "annotations audio prompt_tokens_details completion_tokens_details".split()
)
"""Fields that are None, not missing, on the objects of the openai package (2.x, ``types/chat``)."""


class RawDict(dict[str, Any]):
    """A dict whose keys are attributes, but for those that are names of a dict's methods."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if name in _OPTIONAL:
            return None
        raise AttributeError(f"raw has no {name!r} here, but {', '.join(map(str, self)) or 'nothing'}")


def to_raw(value: Any) -> Any:
    """JSON values with every dict in them as a :class:`RawDict`; the value given is not changed."""
    if isinstance(value, dict):
        return RawDict((name, to_raw(item)) for name, item in value.items())
    return [to_raw(item) for item in value] if isinstance(value, list) else value
