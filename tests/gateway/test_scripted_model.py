"""The scripted model: tools, schemas, and answers from what it was given."""

from __future__ import annotations

import json

import pytest

from flash_integrations.testing._scripted_model.model import reply


def tool(name, description="", **properties):
    """A tool as a request describes it, all parameters required."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


WEATHER = tool("get_weather", "Current weather in a city", city={"type": "string"})
ADD = tool("add_numbers", "Add two numbers", a={"type": "integer"}, b={"type": "integer"})
TIME = tool("clock", "查询城市的时间", city={"type": "string"})


def calls(text, *tools, history=(), **body):
    """The calls the scripted model makes for a prompt."""
    messages = [{"role": "user", "content": text}, *history]
    return [tuple(each) for each in reply({"messages": messages, "tools": list(tools), **body}).tool_calls]


def said(*messages, **body):
    """The text the scripted model answers."""
    rows = [{"role": role, "content": content} for role, content in messages]
    answer = reply({"messages": rows, **body})
    return (answer.choices or [answer])[0].text


def answered(name, content):
    """A tool call and its result, as messages."""
    function = {"name": name, "arguments": "{}"}
    return [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "c", "content": content},
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What's the weather in Paris?", [("get_weather", {"city": "Paris"})]),
        ("weather in San Francisco, CA", [("get_weather", {"city": "San Francisco, CA"})]),
        ("Please add 3 and twelve", [("add_numbers", {"a": 3, "b": 12})]),
        ("add b=5 and a=-2", [("add_numbers", {"a": -2, "b": 5})]),
        ("现在北京的时间", [("clock", {"city": "北京"})]),
        ("Tell me a joke", []),
    ],
)
def test_it_calls_the_tool_that_the_prompt_speaks_of(text, expected):
    """With ``auto`` a tool is called when words of its name or description are in the prompt, filled from it."""
    assert calls(text, WEATHER, ADD, TIME) == expected


def test_it_calls_several_tools_that_the_prompt_names():
    """Several named tools are called at once, unless parallel calls are switched off; then one after the other."""
    text = "Add 1 and 2, and tell me the weather in Rome"
    both = [("get_weather", {"city": "Rome"}), ("add_numbers", {"a": 1, "b": 2})]
    assert calls(text, WEATHER, ADD) == both
    assert calls(text, WEATHER, ADD, parallel_tool_calls=False) == both[:1]
    history = answered("get_weather", "sunny")
    assert calls(text, WEATHER, ADD, history=history, parallel_tool_calls=False) == both[1:]


def test_tool_choice_is_obeyed():
    """``none`` calls nothing, ``required`` and a name always call."""
    named = {"type": "function", "function": {"name": "add_numbers"}}
    assert calls("weather in Rome", WEATHER, tool_choice="none") == []
    assert [name for name, _ in calls("Hello", WEATHER, ADD, tool_choice="required")] == ["get_weather"]
    assert [name for name, _ in calls("weather", WEATHER, ADD, tool_choice=named)] == ["add_numbers"]


def test_it_answers_with_what_a_tool_said():
    """After a tool has answered, no call is repeated: the text quotes the result. A new question may call again."""
    history = answered("get_weather", "22 degrees")
    question = {"role": "user", "content": "weather in Rome?"}
    assert calls("weather in Rome?", WEATHER, history=history) == []
    assert (
        reply({"messages": [question, *history], "tools": [WEATHER]}).choices[0].text == "get_weather says: 22 degrees"
    )
    assert len(calls("weather in Rome?", WEATHER, history=[*history, question])) == 1


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (
            [("user", "Context:\nParis is in France. Berlin is in Germany.\n\nQuestion: Where is Berlin?\nAnswer:")],
            "Berlin is in Germany.",
        ),
        ([("system", "长城建于明代。故宫在北京市。"), ("user", "故宫在哪里？")], "故宫在北京市。"),
        ([("user", "My name is Bob."), ("assistant", "Hi!"), ("user", "What is my name?")], "My name is Bob."),
    ],
)
def test_it_answers_from_context(messages, expected):
    """The sentence that shares most words with the question is the answer, in English and Chinese."""
    assert said(*messages) == expected


def test_without_context_it_is_honest():
    """With nothing to go by it quotes the question and says what it is."""
    assert said(("system", "You are helpful."), ("user", "Hello there")) == (
        'This is the scripted model of the local gateway; no model is behind it. You said: "Hello there"'
    )
    assert "你好" in said(("user", "你好"))


def test_content_parts_are_read():
    """Text parts count as text; others are named."""
    parts = [{"type": "text", "text": "See this:"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]
    assert "[image_url]" in said(("user", parts))


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0},
        "email": {"type": "string", "format": "email"},
        "mood": {"enum": ["sad", "happy"]},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "home": {"$ref": "#/$defs/place"},
        "boss": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        "score": {"type": "number", "maximum": 0.5},
        "kind": {"const": "person"},
        "admin": {"type": "boolean"},
        "nothing": {"type": "null"},
        "mixed": {
            "allOf": [{"$ref": "#/$defs/place"}, {"properties": {"zip": {"type": "string"}}, "required": ["zip"]}]
        },
    },
    "required": ["name", "age", "email", "mood", "tags", "home", "boss", "score", "kind", "admin", "nothing", "mixed"],
    "$defs": {"place": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}},
}
PERSON = "Alice Smith is happy, 34 years old, not admin, lives in Paris and has tags 'red' and 'blue'; mail a@b.org"


def filled(schema, text):
    """What the scripted model fills a schema with."""
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    return json.loads(said(("user", text), response_format=wanted))


def test_it_fills_a_schema_from_the_prompt():
    """Values come from the prompt where it has some, and satisfy the schema where it has none."""
    value = filled(SCHEMA, PERSON)
    assert {name: value[name] for name in ("name", "age", "email", "mood", "tags", "home", "kind")} == {
        "name": "Alice Smith",
        "age": 34,
        "email": "a@b.org",
        "mood": "happy",
        "tags": ["red", "blue"],
        "home": {"town": "Paris"},
        "kind": "person",
    }
    assert value["admin"] is False
    assert value["nothing"] is None
    assert value["score"] <= 0.5
    assert value["mixed"].keys() == {"town", "zip"}
    assert value["boss"]["boss"] is None  # a schema that holds itself ends


@pytest.mark.parametrize(
    ("schema", "check"),
    [
        ({"type": "integer", "minimum": 10, "multipleOf": 4}, lambda v: v == 12),
        ({"type": "integer", "exclusiveMaximum": 0}, lambda v: isinstance(v, int) and v < 0),
        ({"type": "string", "minLength": 300}, lambda v: len(v) == 300),
        ({"type": "string", "maxLength": 3}, lambda v: len(v) <= 3),
        (
            {"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 3},
            lambda v: set(v) == {"x", "y"} and len(v) == 3,
        ),
        ({"type": "array", "items": {"type": "object", "properties": {}}, "maxItems": 0}, lambda v: v == []),
        ({"type": ["null", "string"]}, lambda v: isinstance(v, str)),
        ({"oneOf": [{"type": "null"}, {"type": "boolean"}]}, lambda v: v is True),
        ({"type": "string", "default": "d"}, lambda v: v == "d"),
        ({"type": "string", "format": "date"}, lambda v: v == "2026-01-01"),
        (True, lambda v: isinstance(v, str)),
    ],
)
def test_a_value_satisfies_its_schema(schema, check):
    """Types, bounds, enums, lengths and counts hold when the prompt offers nothing."""
    value = filled({"type": "object", "properties": {"v": schema}, "required": ["v"]}, "go")["v"]
    assert check(value), value


def test_optional_properties_are_filled_when_spoken_of():
    """What is not required is left out, unless the prompt names it or one of its options."""
    properties = {"city": {"type": "string"}, "unit": {"enum": ["celsius", "kelvin"]}, "days": {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "required": ["city"]}
    assert filled(schema, "in Rome") == {"city": "Rome"}
    assert filled(schema, "in Rome in kelvin for days: 3") == {"city": "Rome", "unit": "kelvin", "days": 3}


def test_json_mode_gives_the_keys_that_are_quoted():
    """``json_object`` answers with an object of the keys the prompt quotes."""
    text = said(("user", "A joke. JSON with 'setup' and \"punchline\" keys."), response_format={"type": "json_object"})
    assert json.loads(text).keys() == {"setup", "punchline"}


def test_a_schema_written_in_the_prompt_is_filled():
    """Programs that write the schema into the prompt get JSON too."""
    schema = {"title": "T", "type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    text = said(("user", f"A song\n\nHere's a JSON schema to follow:\n{json.dumps(schema)}\nOutput a JSON object."))
    assert json.loads(text).keys() == {"title"}


def test_one_request_has_one_answer():
    """The scripted model has no memory and no chance."""
    body = {"messages": [{"role": "user", "content": PERSON}], "tools": [WEATHER, ADD], "n": 2}
    assert reply(body) == reply(body)
