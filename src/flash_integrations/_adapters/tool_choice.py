"""Which tool a model must call, from the forms both frameworks have for it to the wire's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ..errors import InvalidRequestError

ToolChoice: TypeAlias = str | bool | Mapping[str, Any] | None

_CHOICES = frozenset({"auto", "none", "required"})


def name_of(tool: Mapping[str, Any]) -> str:
    """The name a tool in wire form is called by; a provider-side one goes by its type."""
    function = tool.get("function")
    return str(function["name"] if isinstance(function, Mapping) else tool.get("name") or tool.get("type") or "")


def to_tool_choice(choice: ToolChoice, tools: Sequence[Mapping[str, Any]]) -> str | dict[str, Any] | None:
    """Which tool to call, in the wire's form; None where no choice is to be sent.

    Args:
        choice: "auto", "none", "required"; "any" and True mean required; a tool's name; a dict in OpenAI's or
            Anthropic's form; False and None say nothing.
        tools: the tools there are, in wire form.

    Raises:
        InvalidRequestError: no such tool.
    """
    if choice is None or isinstance(choice, bool):
        return "required" if choice else None
    named = {name_of(tool): tool for tool in tools}
    if isinstance(choice, Mapping):
        kind, name, function = choice.get("type"), choice.get("name"), choice.get("function")
        if kind in (None, "function") and isinstance(function, Mapping):
            name = function.get("name")
        if kind in (None, "tool", "function") and isinstance(name, str):
            choice = name
        elif isinstance(kind, str) and kind in {*_CHOICES, "any"}:
            choice = kind
        else:
            return dict(choice)
    if choice in named:
        is_function = "function" in named[choice]
        return {"type": "function", "function": {"name": choice}} if is_function else {"type": choice}
    if choice == "any":
        return "required"
    if choice in _CHOICES:
        return choice
    known = ", ".join(sorted(named)) or "none"
    raise InvalidRequestError(f"tool_choice: no tool {choice!r}; the tools: {known}; or auto, none, required, any")
