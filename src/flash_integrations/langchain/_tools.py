"""Tools as the wire takes them, from every form LangChain has for one, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.tools import BaseTool, Tool, create_schema_from_function
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel

from .._adapters.json_schema import LooseSchemaError, is_recursive, object_root, to_strict
from .._adapters.tool_choice import ToolChoice, to_tool_choice
from ..errors import InvalidRequestError

ToolLike: TypeAlias = Mapping[str, Any] | type | Callable[..., Any] | BaseTool

_DESCRIBES_A_FUNCTION = frozenset({"name", "title", "properties", "input_schema", "toolSpec"})

HOLDS_ITSELF = "a TypedDict that holds itself has no schema: make it a Pydantic class"


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
        schema = recursive_schema(tool)
    except ValueError as error:
        raise InvalidRequestError(f"not a tool: {error}") from error
    except RecursionError as error:
        raise InvalidRequestError(f"{HOLDS_ITSELF}: {tool!r}") from error
    if schema is not None and "function" in made:
        made = {**made, "function": {**made["function"], "parameters": schema}}
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


def recursive_schema(tool: ToolLike) -> dict[str, Any] | None:
    """The schema of what holds itself; None of anything else.

    langchain-core writes out what a schema refers to, and leaves ``{}`` where it refers back: anything at all, which
    strict mode refuses. So the references stay; those at the root, where an object must stand, are followed.
    """
    schema = _written_schema(tool)
    if schema is None or not is_recursive(schema):
        return None
    return {name: value for name, value in object_root(schema).items() if name not in ("title", "description")}


def _written_schema(tool: ToolLike) -> Mapping[str, Any] | None:
    """A tool's schema before langchain-core writes out its references; None where it has none of its own."""
    schema: Any = tool
    if isinstance(tool, BaseTool):
        schema = None if isinstance(tool, Tool) and not tool.args_schema else tool.tool_call_schema
    elif isinstance(tool, Mapping):
        function = tool["function"] if isinstance(tool.get("function"), Mapping) else tool
        schema = function.get("parameters", function.get("input_schema", function))
    elif not isinstance(tool, type):
        # As langchain-core reads a function.
        schema = create_schema_from_function(
            tool.__name__, tool, parse_docstring=True, error_on_invalid_docstring=False, include_injected=False
        )
    if isinstance(schema, type):
        return schema.model_json_schema() if issubclass(schema, BaseModel) else None
    return schema if isinstance(schema, Mapping) else None


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
