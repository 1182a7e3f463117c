"""Tools as the wire takes them, from every form LangChain has for one, and the choice among them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_function, convert_to_openai_tool

from ..errors import InvalidRequestError

ToolLike: TypeAlias = Mapping[str, Any] | type | Callable[..., Any] | BaseTool
ToolChoice: TypeAlias = str | bool | Mapping[str, Any] | None

_DESCRIBES_A_FUNCTION = frozenset({"name", "title", "properties", "input_schema", "toolSpec"})
_WORDS = frozenset({"auto", "none", "required"})
HIDDEN = "**********"
"""What stands in traces where a key was."""


def to_tool(tool: ToolLike, *, strict: bool | None = None) -> dict[str, Any]:
    """A tool in the wire's form.

    Args:
        tool: a BaseTool, a function, a Pydantic class, a TypedDict, a JSON schema with a title, or a dict in OpenAI's,
            Anthropic's or Bedrock's form. Dicts of tools that run on the provider's side go out as they are.
        strict: whether arguments must keep to the schema; None leaves it to the tool.

    Raises:
        InvalidRequestError: none of these.
    """
    if isinstance(tool, Mapping) and _is_provider_side(tool):
        return dict(tool)
    try:
        made = convert_to_openai_tool(dict(tool) if isinstance(tool, Mapping) else tool)
        if strict is None or "function" not in made:
            return made
        # Made strict in a copy: the schema may be the tool's own, and another model's.
        function = copy.deepcopy(made["function"])
        function.setdefault("parameters", {"type": "object", "properties": {}})
        return {**made, "function": {**function, **convert_to_openai_function(function, strict=strict)}}
    except ValueError as error:
        raise InvalidRequestError(f"not a tool: {error}") from error


def _is_provider_side(tool: Mapping[str, Any]) -> bool:
    kind = tool.get("type")
    if kind == "function" or "input_schema" in tool:
        return False
    return kind != "object" if isinstance(kind, str) else not _DESCRIBES_A_FUNCTION & tool.keys()


def name_of(tool: Mapping[str, Any]) -> str:
    """The name a tool in wire form is called by; a provider-side one goes by its type."""
    function = tool.get("function")
    return str(function["name"] if isinstance(function, Mapping) else tool.get("name") or tool.get("type") or "")


def to_tool_choice(choice: ToolChoice, tools: Sequence[Mapping[str, Any]]) -> str | dict[str, Any] | None:
    """Which tool to call, in the wire's form; None where nothing is to be said.

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
        kind, name = choice.get("type"), choice.get("name")
        if kind == "tool" and isinstance(name, str):
            choice = name
        elif isinstance(kind, str) and kind in {*_WORDS, "any"}:
            choice = kind
        else:
            return dict(choice)
    if choice in named:
        is_function = "function" in named[choice]
        return {"type": "function", "function": {"name": choice}} if is_function else {"type": choice}
    if choice == "any":
        return "required"
    if choice in _WORDS:
        return choice
    known = ", ".join(sorted(named)) or "none"
    raise InvalidRequestError(f"tool_choice: no tool {choice!r}; the tools: {known}; or auto, none, required, any")


def tool_words(
    tools: Sequence[ToolLike], *, choice: ToolChoice, strict: bool | None, parallel: bool | None
) -> dict[str, Any]:
    """The request's words for tools; none at all without tools, for then the wire refuses the others."""
    made = [to_tool(tool, strict=strict) for tool in tools]
    if not made:
        return {}
    words = {"tools": made, "tool_choice": to_tool_choice(choice, made), "parallel_tool_calls": parallel}
    return {name: value for name, value in words.items() if value is not None}


def without_keys(tool: Any) -> Any:
    """A tool as traces may show it: servers that the provider asks on one's behalf come with their keys."""
    if not (isinstance(tool, Mapping) and tool.get("type") == "mcp"):
        return tool
    return {name: HIDDEN if name in ("headers", "authorization") else value for name, value in tool.items()}
