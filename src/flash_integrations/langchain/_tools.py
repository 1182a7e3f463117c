"""Tools as the wire takes them, from every form LangChain has for one, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

from .._adapters.json_schema import LooseSchemaError, schema_of, to_strict
from .._adapters.tool_choice import ToolChoice, to_tool_choice
from ..errors import InvalidRequestError

ToolLike: TypeAlias = Mapping[str, Any] | type | Callable[..., Any] | BaseTool

_DESCRIBES_A_FUNCTION = frozenset({"name", "title", "properties", "input_schema", "toolSpec"})


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
    except ValueError as error:
        raise InvalidRequestError(f"not a tool: {error}") from error
    if strict is None or "function" not in made:
        return made
    # Made strict in a copy: the schema may be the tool's own, and another model's.
    function = dict(made["function"])
    if strict:
        parameters = function.get("parameters") or {"type": "object", "properties": {}}
        try:
            function["parameters"] = to_strict(parameters, where="its arguments")
        except LooseSchemaError as error:
            raise InvalidRequestError(f"tool {function['name']!r} cannot be strict: {error}") from error
    return {**made, "function": {**function, "strict": strict}}


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
        reached = {
            name: names.union(*(reached[name_inside] for name_inside in names)) for name, names in reached.items()
        }
    if not any(name in names for name, names in reached.items()):
        return None
    schema = schema_of(tool)
    return {keyword: value for keyword, value in schema.items() if keyword not in ("title", "description")}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(target := schema.get("$ref"), str):
            yield target.rpartition("/")[2]
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _is_provider_side(tool: Mapping[str, Any]) -> bool:
    if not tool:
        return False
    kind = tool.get("type")
    if kind == "function" or "input_schema" in tool:
        return False
    return kind != "object" if isinstance(kind, str) else not _DESCRIBES_A_FUNCTION & tool.keys()


def tool_params(
    tools: Sequence[ToolLike], *, choice: ToolChoice, strict: bool | None, parallel: bool | None
) -> dict[str, Any]:
    """The request's words for tools; none at all without tools, for then the wire refuses the others."""
    made = [to_tool(tool, strict=strict) for tool in tools]
    if not made:
        return {}
    params = {"tools": made, "tool_choice": to_tool_choice(choice, made), "parallel_tool_calls": parallel}
    return {name: value for name, value in params.items() if value is not None}
