"""Tools as the wire takes them, from every form LangChain has for one, and the choice among them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_function, convert_to_openai_tool
from pydantic import BaseModel

from ..errors import InvalidRequestError

ToolLike: TypeAlias = Mapping[str, Any] | type | Callable[..., Any] | BaseTool
ToolChoice: TypeAlias = str | bool | Mapping[str, Any] | None

_DESCRIBES_A_FUNCTION = frozenset({"name", "title", "properties", "input_schema", "toolSpec"})
_CHOICES = frozenset({"auto", "none", "required"})


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
        if (schema := recursive_schema(tool)) is not None:
            made["function"]["parameters"] = schema
        if strict is None or "function" not in made:
            return made
        # Made strict in a copy: the schema may be the tool's own, and another model's.
        function = copy.deepcopy(made["function"])
        function.setdefault("parameters", {"type": "object", "properties": {}})
        function |= convert_to_openai_function(function, strict=strict)
    except ValueError as error:
        raise InvalidRequestError(f"not a tool: {error}") from error
    if strict:
        function["parameters"] = without_defaults(function["parameters"])
    return {**made, "function": function}


def recursive_schema(tool: Any) -> dict[str, Any] | None:
    """The schema of a Pydantic class that holds itself; None of any other.

    langchain-core writes out what a schema refers to, and leaves empty what refers back: lists of anything, which
    strict mode refuses. So the references stay; those at the root, where an object must stand, are followed.
    """
    if not (isinstance(tool, type) and issubclass(tool, BaseModel)):
        return None
    schema = tool.model_json_schema()
    reached = {name: set(_references(inner)) for name, inner in schema.get("$defs", {}).items()}
    for _ in reached:
        reached = {name: names.union(*(reached[each] for each in names)) for name, names in reached.items()}
    if not any(name in names for name, names in reached.items()):
        return None
    if "$ref" in schema:
        schema |= schema["$defs"][schema.pop("$ref").rpartition("/")[2]]
    return {word: value for word, value in schema.items() if word not in ("title", "description")}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(target := schema.get("$ref"), str):
            yield target.rpartition("/")[2]
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def without_defaults(schema: Any) -> Any:
    """A schema as strict mode wants it: OpenAI takes no defaults there (as of 2025)."""
    if isinstance(schema, list):
        return [without_defaults(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key in ("properties", "$defs", "definitions") and isinstance(value, dict):
            kept[key] = {name: without_defaults(each) for name, each in value.items()}
        elif key != "default":
            kept[key] = value if key in ("enum", "const", "examples") else without_defaults(value)
    return kept


def _is_provider_side(tool: Mapping[str, Any]) -> bool:
    if not tool:
        return False
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


def tool_params(
    tools: Sequence[ToolLike], *, choice: ToolChoice, strict: bool | None, parallel: bool | None
) -> dict[str, Any]:
    """The request's words for tools; none at all without tools, for then the wire refuses the others."""
    made = [to_tool(tool, strict=strict) for tool in tools]
    if not made:
        return {}
    params = {"tools": made, "tool_choice": to_tool_choice(choice, made), "parallel_tool_calls": parallel}
    return {name: value for name, value in params.items() if value is not None}
