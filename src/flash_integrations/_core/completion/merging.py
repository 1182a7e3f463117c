"""Values of a later piece added to those of an earlier one, where no field of an answer says how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..framing import json_codec

_FIXED = frozenset({"id", "type", "format", "expires_at", "index"})
"""Keys of an object sent in pieces whose values are sent whole, perhaps with each piece."""

_GROWING = frozenset({"data", "transcript", "text", "summary", "content", "arguments", "thinking"})
"""Keys whose texts go on even where a piece happens to equal all before it."""

_LISTED_ONCE = frozenset({"annotations", "citations", "search_results", "images"})
"""Lists whose items some gateways send again with every piece."""

_IN_PIECES = frozenset({"reasoning_details", "thinking_blocks"})
"""Lists whose items come in pieces."""

_UNNUMBERED = frozenset({"thinking", "reasoning.text", "reasoning.summary"})
"""Kinds whose pieces come without index and id: LiteLLM's blocks, a delta of Claude's each (BerriAI/litellm#29428)."""

_MAX_DEPTH = 16


def merge(old: Any, new: Any, *, key: str = "", depth: int = 0) -> Any:
    """Add a later piece to an earlier one: texts and lists go on, objects merge by key, other values replace.

    A text that only repeats the earlier one is not doubled, but for those known to come in pieces; ids, formats and
    times replace. A piece of reasoning goes on with the item it belongs to.
    """
    if isinstance(old, dict) and isinstance(new, dict) and depth < _MAX_DEPTH:
        merged = dict(old)
        for name, value in new.items():
            fixed = name in _FIXED
            if value is None or (fixed and value == ""):
                merged.setdefault(name, value)
            elif fixed or name not in old:
                merged[name] = value
            else:
                merged[name] = merge(old[name], value, key=name, depth=depth + 1)
        return merged
    if isinstance(old, list) and isinstance(new, list):
        if key in _LISTED_ONCE:
            return with_new(old, new)
        return _joined_reasoning(old, new) if key in _IN_PIECES else [*old, *new]
    if isinstance(old, str) and isinstance(new, str) and (old != new or key in _GROWING):
        if "\ud800" <= old[-1:] <= "\udbff" and "\udc00" <= new[:1] <= "\udfff":
            return old[:-1] + json_codec.rejoin(old[-1] + new[0]) + new[1:]
        return old + new
    return new


def with_new(old: Sequence[Any], new: Sequence[Any]) -> list[Any]:
    """A list and what a later one adds to it, each item once."""
    joined = list(old)
    for item in new:
        if item not in joined:
            joined.append(item)
    return joined


def without_reasoning_in(known: dict[str, Any], whole: dict[str, Any] | None) -> dict[str, Any] | None:
    """The fields of a whole message that comes after its pieces, without the reasoning that those have brought."""
    return whole and {name: value for name, value in whole.items() if name not in _IN_PIECES or name not in known}


def _joined_reasoning(old: list[Any], new: list[Any]) -> list[Any]:
    """Items of reasoning and pieces of them: signed or encrypted, they go back only as the plain answer has them."""
    joined = list(old)
    for item in new:
        last = len(joined) - 1
        at = next((at for at in range(last, -1, -1) if _goes_on(joined[at], item, is_last=at == last)), None)
        if at is None:
            joined.append(item)
        elif item != joined[at] or not (item.get("signature") or item.get("data")):
            joined[at] = merge(joined[at], item)
    return joined


def _goes_on(known: Any, item: Any, *, is_last: bool) -> bool:
    """Whether an item is a piece of a known one: by its index and id; without them of the last one, if unsigned."""
    if not isinstance(known, dict) or not isinstance(item, dict) or known.get("type") != item.get("type"):
        return False
    one, other = known.get("id"), item.get("id")
    if one and other and one != other:
        return False
    if item.get("index") is not None and known.get("index") is not None:
        return bool(item["index"] == known["index"])
    if one and other:
        return True
    text_key = "thinking" if "thinking" in item else "text"
    return is_last and item.get("type") in _UNNUMBERED and not (known.get("signature") and item.get(text_key))


def largest(old: Any, new: Any, *, depth: int = 0) -> Any:
    """Of two tables of counts the larger of each count."""
    if isinstance(old, dict) and isinstance(new, dict) and depth < _MAX_DEPTH:
        return {key: largest(old.get(key), new.get(key), depth=depth + 1) for key in {**old, **new}}
    if isinstance(old, int | float) and isinstance(new, int | float):
        return max(old, new)
    return old if new is None else new
