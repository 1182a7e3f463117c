"""Tools and schemas that hold themselves are sent as they are meant, by references."""

from __future__ import annotations

from typing import TypedDict

import pytest
from langchain_core.tools import BaseTool, StructuredTool, tool
from pydantic import BaseModel

from flash_integrations import errors
from flash_integrations.langchain._tools import to_tool


class Node(BaseModel):
    """A node."""

    value: str
    children: list[Node] = []


class Root(BaseModel):
    """A tool's arguments."""

    root: Node
    deep: bool = False


class Knot(TypedDict):
    """Holds itself."""

    knots: list[Knot]


@tool
def by_decorator(root: Node, deep: bool = False) -> str:
    """Walks a tree."""
    return f"{root.value} {deep}"


def by_function(root: Node, deep: bool = False) -> str:
    """Walks a tree.

    Args:
        root: where to begin
        deep: how far
    """
    return f"{root.value} {deep}"


class ByBaseTool(BaseTool):
    """A tool with a schema of its own."""

    name: str = "by_base_tool"
    description: str = "Walks a tree."
    args_schema: type[BaseModel] = Root

    def _run(self, **given: object) -> str:
        return str(given)


def mcp_tool(schema, name="by_mcp"):
    """A tool as langchain-mcp-adapters makes it: with the server's JSON schema."""
    return StructuredTool(name=name, description="Walks a tree.", args_schema=schema, func=lambda **given: str(given))


SCHEMA = Root.model_json_schema()
FORMS = {
    "decorator": by_decorator,
    "function": by_function,
    "base tool": ByBaseTool(),
    "structured tool": StructuredTool.from_function(by_function, name="walk", args_schema=Root),
    "MCP": mcp_tool(SCHEMA),
    "class": Root,
    "JSON schema": SCHEMA,
    "OpenAI": {"type": "function", "function": {"name": "walk", "parameters": SCHEMA}},
    "Anthropic": {"name": "walk", "description": "Walks a tree.", "input_schema": SCHEMA},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_tool_that_holds_itself_is_sent_by_references(gateway, llm, form):
    """The children of a node are nodes, at every depth."""
    llm.bind_tools([form]).invoke("Hello")
    parameters = gateway.requests[-1].body["tools"][0]["function"]["parameters"]
    assert parameters["type"] == "object"
    assert parameters["properties"]["root"]["$ref"] == "#/$defs/Node"
    assert parameters["properties"]["deep"]["type"] == "boolean"
    node = parameters["$defs"]["Node"]
    assert (node["properties"]["children"]["items"], node["required"]) == ({"$ref": "#/$defs/Node"}, ["value"])


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_strict_tool_that_holds_itself_is_closed(form):
    """Objects are closed and complete where the references lead, too."""
    function = to_tool(form, strict=True)["function"]
    assert function["strict"] is True
    node = function["parameters"]["$defs"]["Node"]
    assert (node["required"], node["additionalProperties"]) == (["value", "children"], False)
    assert node["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}


ROOTS = {
    "the root": {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}},
    "a path": {
        "type": "object",
        "properties": {"left": {"type": "object", "properties": {"left": {"$ref": "#/properties/left"}}}},
    },
    "draft 7": {
        "type": "object",
        "properties": {"n": {"$ref": "#/definitions/N"}},
        "definitions": {"N": {"type": "object", "properties": {"n": {"$ref": "#/definitions/N"}}}},
    },
}


@pytest.mark.parametrize("schema", ROOTS.values(), ids=ROOTS)
def test_an_mcp_tool_keeps_references_of_other_forms(schema):
    """What zod and older generators write goes out as it is."""
    assert to_tool(mcp_tool(schema))["function"]["parameters"] == schema


def test_an_mcp_tool_whose_root_is_a_reference_has_an_object_there():
    """Endpoints want an object at the root."""
    parameters = to_tool(mcp_tool(Node.model_json_schema()))["function"]["parameters"]
    assert (parameters["type"], "$ref" in parameters) == ("object", False)
    assert parameters["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}


def test_a_tools_own_schema_is_not_changed():
    """It is another model's, too."""
    schema = Root.model_json_schema()
    before = str(schema)
    for form in (schema, mcp_tool(schema), {"name": "walk", "description": "", "input_schema": schema}):
        to_tool(form, strict=True)
    assert str(schema) == before


@pytest.mark.parametrize("schema", [Root, SCHEMA], ids=["class", "JSON schema"])
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
@pytest.mark.parametrize("strict", [None, True])
def test_structured_output_that_holds_itself_is_sent_by_references(gateway, llm, schema, method, strict):
    """Under both methods that send a schema, with a tool that holds itself beside it."""
    llm.with_structured_output(schema, method=method, strict=strict, tools=[by_decorator], include_raw=True).invoke(
        "Hi"
    )
    body = gateway.requests[-1].body
    sent = [tool["function"]["parameters"] for tool in body["tools"]]
    if method == "json_schema":
        sent.append(body["response_format"]["json_schema"]["schema"])
    assert len(sent) == 2
    for parameters in sent:
        assert parameters["$defs"]["Node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_typed_dict_that_holds_itself_says_what_to_do(llm, method):
    """It has no schema in langchain-core, which would end in a RecursionError."""
    with pytest.raises(errors.InvalidRequestError, match="make it a Pydantic class"):
        llm.with_structured_output(Knot, method=method)
