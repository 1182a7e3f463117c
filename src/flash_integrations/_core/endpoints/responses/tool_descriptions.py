"""Tools and the choice among them: nested on the chat wire, flat here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NESTED = ("function", "custom")


def to_tool(tool: Any) -> Any:
    """One tool's description; those of the provider's own tools (``web_search`` …), and what is none, stay as they are.

    ``strict`` left out means true here, which makes every optional argument a required one: it is sent as false
    unless the user set it. ``parameters`` must be there.
    """
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    if kind not in _NESTED:
        return tool
    flat = _flat(tool, kind)
    if kind == "function":
        if flat.get("strict") is None:
            flat["strict"] = False
        if flat.get("parameters") is None:
            flat["parameters"] = {"type": "object", "properties": {}}
    elif isinstance(flat.get("format"), Mapping):
        flat["format"] = _flat(flat["format"], "grammar")
    return flat


def to_tool_choice(choice: Any) -> Any:
    """The choice of a tool; words (none, auto, required) and unknown forms stay as they are."""
    if not isinstance(choice, Mapping):
        return choice
    kind = choice.get("type")
    if not isinstance(kind, str) and isinstance(choice.get("name"), str):
        return {"type": "function", "name": choice["name"]}  # ``function_call``, before tools
    if kind == "allowed_tools":
        flat = _flat(choice, kind)
        tools = flat.get("tools")
        return flat | ({"tools": [to_tool_choice(tool) for tool in tools]} if isinstance(tools, list) else {})
    return _flat(choice, str(kind)) if kind in _NESTED else dict(choice)


def web_search_tool(options: Mapping[str, Any]) -> dict[str, Any]:
    """``web_search_options`` as the tool it is here."""
    tool = {"type": "web_search", **options}
    if isinstance(options.get("user_location"), Mapping):
        tool["user_location"] = _flat(options["user_location"], "approximate")
    return tool


def _flat(nested: Mapping[str, Any], key: str) -> dict[str, Any]:
    """An object with what stands under ``key`` pulled up one level."""
    inner = nested.get(key)
    if not isinstance(inner, Mapping):
        return dict(nested)
    return {name: value for name, value in nested.items() if name != key} | dict(inner)
