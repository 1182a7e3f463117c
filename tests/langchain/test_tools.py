"""Tools: every form LangChain has for one, and the choice among them."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Annotated, TypedDict

import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from pydantic import BaseModel, Field
from replay import WHOLE, replay

from flash_integrations import errors
from flash_integrations.langchain import ChatFlash
from flash_integrations.langchain._tools import to_tool, to_tool_choice
from flash_integrations.testing import Answer


@tool
def get_weather(city: str, days: int = 1) -> str:
    """The weather of a city."""
    return f"sunny in {city} for {days}"


def by_function(city: str, days: int = 1) -> str:
    """The weather of a city.

    Args:
        city: where
        days: how long
    """
    return f"sunny in {city} for {days}"


class ByClass(BaseModel):
    """The weather of a city."""

    city: str = Field(description="where")
    days: int = 1


class ByTypedDict(TypedDict):
    """The weather of a city."""

    city: Annotated[str, ..., "where"]
    days: Annotated[int, 1, "how long"]


PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
JSON_SCHEMA = {"title": "by_schema", "description": "The weather of a city.", **PARAMETERS}
FUNCTION = {"name": "by_dict", "description": "The weather of a city.", "parameters": PARAMETERS}
OPENAI = {"type": "function", "function": {**FUNCTION, "name": "by_openai"}}
ANTHROPIC = {"name": "by_anthropic", "description": "The weather of a city.", "input_schema": PARAMETERS}

FORMS = {
    "get_weather": get_weather,
    "by_function": by_function,
    "ByClass": ByClass,
    "ByTypedDict": ByTypedDict,
    "by_schema": JSON_SCHEMA,
    "by_dict": FUNCTION,
    "by_openai": OPENAI,
    "by_anthropic": ANTHROPIC,
}


@pytest.mark.parametrize(("name", "form"), FORMS.items(), ids=FORMS)
@pytest.mark.parametrize("strict", [None, True, False])
def test_every_form_is_a_tool(name, form, strict):
    """A tool in any form goes out with name, description and schema; ``strict`` is said if asked, and only then."""
    made = to_tool(form, strict=strict)
    function = made["function"]
    assert (made["type"], function["name"], function["description"]) == ("function", name, "The weather of a city.")
    assert function["parameters"]["properties"]["city"]["type"] == "string"
    assert function.get("strict") is strict
    assert (function["parameters"].get("additionalProperties") is False) is bool(strict)


def test_making_strict_leaves_the_tools_own_schema_alone():
    """A schema made strict for one model is unchanged for the next."""
    to_tool(OPENAI, strict=True)
    to_tool(JSON_SCHEMA, strict=True)
    assert "additionalProperties" not in PARAMETERS
    assert "strict" not in OPENAI["function"]


def test_a_strict_tool_without_parameters_has_an_empty_schema():
    """A function without parameters can be strict too."""
    made = to_tool({"type": "function", "function": {"name": "now"}}, strict=True)
    assert made["function"]["parameters"] == {"type": "object", "properties": {}, "additionalProperties": False}


def test_a_strict_tool_has_no_defaults():
    """OpenAI refuses defaults in strict schemas; a tool that is not strict keeps them."""
    properties = to_tool(get_weather, strict=True)["function"]["parameters"]["properties"]
    assert "default" not in properties["days"]
    assert to_tool(get_weather)["function"]["parameters"]["properties"]["days"]["default"] == 1


PROVIDER_SIDE = [
    {"type": "web_search"},
    {"type": "builtin_function", "function": {"name": "$web_search"}},
    {"google_search": {}},
]


@pytest.mark.parametrize("described", PROVIDER_SIDE, ids=str)
def test_tools_of_the_provider_go_out_as_they_are(described):
    """A tool that runs at the provider is its own word."""
    with replay(WHOLE) as server:
        ChatFlash(model="m", base_url=server.base_url).bind_tools([described]).invoke("Hello")
    assert server.bodies[0]["tools"] == [described]


@pytest.mark.parametrize("wrong", [{"type": "object", "properties": {}}, {"properties": {}}, {}, 3], ids=str)
def test_what_is_no_tool_is_refused(llm, wrong):
    """A schema without a name, or something else altogether, is an invalid request."""
    with pytest.raises(errors.InvalidRequestError, match="not a tool"):
        llm.bind_tools([wrong])


# --- the choice -------------------------------------------------------------------------------------------------------

NAMED = {"type": "function", "function": {"name": "get_weather"}}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (False, None),
        (True, "required"),
        ("any", "required"),
        ("required", "required"),
        ("auto", "auto"),
        ("none", "none"),
        ("get_weather", NAMED),
        (NAMED, NAMED),
        ({"type": "tool", "name": "get_weather"}, NAMED),
        ({"name": "get_weather"}, NAMED),
        ({"function": {"name": "get_weather"}}, NAMED),
        ({"type": "any"}, "required"),
        ("web_search", {"type": "web_search"}),
    ],
    ids=str,
)
def test_every_choice_has_its_form(choice, expected):
    """A choice in LangChain's, OpenAI's or Anthropic's words is OpenAI's on the wire."""
    assert to_tool_choice(choice, [to_tool(get_weather), {"type": "web_search"}]) == expected


MISSPELT = ["get_wether", {"type": "function", "function": {"name": "get_wether"}}, {"name": "get_wether"}]


@pytest.mark.parametrize("choice", MISSPELT, ids=str)
def test_a_choice_that_is_no_tool_is_refused(llm, choice):
    """A misspelt tool, by its name or in a dict, is an error that lists the tools."""
    with pytest.raises(errors.InvalidRequestError, match="get_weather"):
        llm.bind_tools([get_weather], tool_choice=choice)


def test_what_is_bound_is_sent(gateway, llm):
    """Tools, choice and parallelism are in the body."""
    llm.bind_tools([get_weather], tool_choice="any", parallel_tool_calls=False, strict=True).invoke("Hello")
    body = gateway.requests[-1].body
    assert body["tools"] == [to_tool(get_weather, strict=True)]
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)


def test_without_a_choice_none_is_sent(gateway, llm):
    """Only what was set is sent."""
    llm.bind_tools([get_weather]).invoke("Hello")
    assert not {"tool_choice", "parallel_tool_calls"} & gateway.requests[-1].body.keys()


def test_no_tools_are_no_words(gateway, llm):
    """An agent without tools binds none, and no choice goes out, which the wire would refuse."""
    assert llm.bind_tools([], tool_choice="any").invoke("Hello").text
    assert not {"tools", "tool_choice"} & gateway.requests[-1].body.keys()


# --- calls ------------------------------------------------------------------------------------------------------------

TWO = Answer(tool_calls=[("get_weather", {"city": "上海", "days": 2}), ("get_weather", {"city": "Paris"})])


async def test_calls_come_alike_from_every_method(gateway, llm):
    """Parallel calls are the same from whole answers and streams, sync and async."""
    gateway.script(*[TWO] * 4)
    bound = llm.bind_tools([get_weather])
    answers = [
        bound.invoke("Hello"),
        await bound.ainvoke("Hello"),
        reduce(add, bound.stream("Hello")),
        reduce(add, [chunk async for chunk in bound.astream("Hello")]),
    ]
    for answer in answers:
        calls = [(call["name"], call["args"]) for call in answer.tool_calls]
        assert calls == [("get_weather", {"city": "上海", "days": 2}), ("get_weather", {"city": "Paris"})]
        assert answer.tool_calls == answers[0].tool_calls
        assert answer.response_metadata["finish_reason"] == "tool_calls"
    assert len({call["id"] for call in answers[0].tool_calls}) == 2


def test_calls_stream_in_pieces(gateway, llm):
    """In a stream the first piece of a call has its id and name, the others add arguments."""
    gateway.script(TWO)
    pieces = [piece for chunk in llm.stream("Hello") for piece in chunk.tool_call_chunks if piece["index"] == 0]
    assert len(pieces) > 2
    assert [bool(piece["id"] and piece["name"]) for piece in pieces] == [True] + [False] * (len(pieces) - 1)


def test_a_call_makes_the_round(gateway, llm):
    """A call, its tool's answer with status and artifact, and the model's word about it."""
    bound = llm.bind_tools([get_weather])
    question = HumanMessage("What is the weather in Paris?")
    answer = bound.invoke([question])
    (call,) = answer.tool_calls
    result = get_weather.invoke(call)
    assert isinstance(result, ToolMessage)
    failed = ToolMessage([{"type": "text", "text": "no data"}], tool_call_id=call["id"], status="error", artifact={1})
    assert "sunny in Paris" in bound.invoke([question, answer, result]).text
    assert "no data" in bound.invoke([question, answer, failed]).text
    assert gateway.requests[-1].body["messages"][-1] == {
        "role": "tool",
        "content": "no data",
        "tool_call_id": call["id"],
    }


def test_a_tool_class_of_ones_own_is_a_tool():
    """A BaseTool subclass is taken as LangChain takes it."""

    class Clock(BaseTool):
        name: str = "clock"
        description: str = "The time."

        def _run(self):
            return "noon"

    assert to_tool(Clock())["function"]["name"] == "clock"


def test_tools_and_schema_go_together(gateway, llm):
    """``bind_tools`` takes a schema for answers in words, as agents give it."""
    wanted = {"type": "json_schema", "json_schema": {"name": "w", "schema": PARAMETERS}}
    llm.bind_tools([get_weather], response_format=wanted).invoke("Hello")
    assert gateway.requests[-1].body["response_format"] == wanted
    llm.bind_tools([get_weather], response_format=ByClass).invoke("Hello")
    assert gateway.requests[-1].body["response_format"]["json_schema"]["name"] == "ByClass"
