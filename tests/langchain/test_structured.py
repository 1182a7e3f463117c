"""Structured output in its three methods."""

from __future__ import annotations

from typing import Annotated, Generic, TypedDict, TypeVar

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.tracers.base import BaseTracer
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from flash_integrations import errors
from flash_integrations.langchain._structured import to_response_format
from flash_integrations.testing import Answer


class Person(BaseModel):
    """Somebody."""

    name: str = Field(description="the name")
    age: int = 30


class PersonDict(TypedDict):
    """Somebody."""

    name: Annotated[str, ..., "the name"]
    age: Annotated[int, ..., "in years"]


SCHEMA = {
    "title": "Person",
    "description": "Somebody.",
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
FUNCTION = {"name": "Person", "parameters": {key: SCHEMA[key] for key in ("type", "properties", "required")}}
WRAPPED = {"type": "json_schema", "json_schema": {"name": "Person", "schema": FUNCTION["parameters"]}}

FORMS = {"pydantic": Person, "typed dict": PersonDict, "schema": SCHEMA, "function": FUNCTION}
METHODS = ["json_schema", "function_calling", "json_mode"]
ALICE = {"name": "Alice", "age": 31}
TEXT = '{"name": "Alice", "age": 31}'


def answer(method, name="Person"):
    """How the model answers under a method."""
    return Answer(tool_calls=[(name, ALICE)]) if method == "function_calling" else Answer(TEXT)


def plain(value):
    """An object as a dict, however it came."""
    return value.model_dump() if isinstance(value, BaseModel) else value


# --- every method and form --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("method", METHODS)
async def test_an_answer_is_an_object(gateway, llm, method, form):
    """Every schema under every method gives its object, whole and streamed, sync and async."""
    name = "PersonDict" if form is PersonDict else "Person"
    gateway.script(*[answer(method, name)] * 4)
    structured = llm.with_structured_output(form, method=method)
    given = [
        structured.invoke("Alice is 31"),
        await structured.ainvoke("Alice is 31"),
        list(structured.stream("Alice is 31"))[-1],
        [each async for each in structured.astream("Alice is 31")][-1],
    ]
    assert [plain(each) for each in given] == [ALICE] * 4
    assert all(isinstance(each, Person if form is Person else dict) for each in given)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", [Person, SCHEMA], ids=["pydantic", "schema"])
def test_a_stream_gives_partial_objects(gateway, llm, method, form):
    """A stream gives objects as they grow."""
    gateway.script(answer(method))
    objects = [plain(each) for each in llm.with_structured_output(form, method=method).stream("Alice is 31")]
    assert len(objects) > 1
    assert objects[-1] == ALICE
    assert all(set(each) <= set(ALICE) for each in objects)


def test_the_model_fills_schema_and_tool(llm):
    """Without a script: the gateway fills what is asked for."""
    assert llm.with_structured_output(Person, method="json_schema").invoke("Alice is 31 years old") == Person(**ALICE)
    assert llm.with_structured_output(Person, method="function_calling").invoke("Alice").name == "Alice"


# --- what is sent -----------------------------------------------------------------------------------------------------


def sent(gateway, llm, *given, **params):
    """The body of a structured call."""
    llm.with_structured_output(*given, include_raw=True, **params).invoke("Alice is 31")
    return gateway.requests[-1].body


def test_each_method_has_its_words(gateway, llm):
    """A schema, a forced tool, or JSON; nothing about strictness or parallelism that nobody set."""
    body = sent(gateway, llm, SCHEMA, method="json_schema")
    schema = {key: SCHEMA[key] for key in ("type", "properties", "required")}
    described = {"name": "Person", "description": "Somebody.", "schema": schema}
    assert body["response_format"] == {"type": "json_schema", "json_schema": described}
    assert "tools" not in body
    body = sent(gateway, llm, SCHEMA, method="function_calling")
    assert body["tool_choice"] == {"type": "function", "function": {"name": "Person"}}
    assert body["tools"][0]["function"].keys() == {"name", "description", "parameters"}
    assert "parallel_tool_calls" not in body
    body = sent(gateway, llm, method="json_mode")
    assert body["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(("model", "key"), [("gpt-5.2", "response_format"), ("claude-sonnet-4-6", "tools")])
def test_the_method_follows_the_profile(gateway, make, model, key):
    """Left open, GPT models get the schema itself, others a tool; a user's profile decides otherwise."""
    assert key in sent(gateway, make(model), Person)
    promising = make("claude-sonnet-4-6", profile={"structured_output": True})
    assert "response_format" in sent(gateway, promising, Person)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
@pytest.mark.parametrize("strict", [True, False])
def test_strict_is_sent_as_said(gateway, llm, method, strict):
    """``strict`` is in the schema's or the tool's description."""
    body = sent(gateway, llm, Person, method=method, strict=strict)
    described = body["response_format"]["json_schema"] if method == "json_schema" else body["tools"][0]["function"]
    assert described["strict"] is strict


class Loose(BaseModel):
    """Has a field without a strict form."""

    links: list[HttpUrl]


LOOSE_FUNCTION = {"name": "Loose", "parameters": Loose.model_json_schema(), "strict": True}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [(Loose, True), (Loose.model_json_schema(), True), (LOOSE_FUNCTION, None)],
    ids=["a class", "a dict", "the schema says so"],
)
def test_strict_that_cannot_be_is_refused_by_the_fields_name(schema, strict):
    """OpenAI would refuse the request; a schema that nobody called strict goes out as it is."""
    with pytest.raises(errors.InvalidRequestError, match="Loose cannot be strict: links: the format 'uri'"):
        to_response_format(schema, strict=strict)
    assert "strict" not in to_response_format(Loose)["json_schema"]


def test_a_pydantic_schema_is_strict_as_openai_wants_it():
    """A Pydantic class is strict by default: all fields required, no others, and no defaults, which OpenAI refuses."""

    class Nested(BaseModel):
        people: list[Person]
        default: str = "x"

    described = to_response_format(Nested)["json_schema"]
    schema = described["schema"]
    person = schema["properties"]["people"]["items"]
    assert described["strict"] is True
    assert schema["required"] == ["people", "default"]
    assert (person["required"], person["additionalProperties"]) == (["name", "age"], False)
    assert "default" not in person["properties"]["age"]
    assert schema["properties"]["default"]["type"] == "string"


class Leaf(BaseModel):
    """An end."""

    size: int = 1


class Tree(BaseModel):
    """A tree."""

    branches: list[Tree] = []
    leaf: Leaf | None = None


class Forest(BaseModel):
    """Trees."""

    trees: list[Tree]


@pytest.mark.parametrize(("schema", "at"), [(Tree, "branches"), (Forest, "trees")], ids=["itself", "within"])
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_class_that_holds_itself_keeps_its_shape(gateway, llm, schema, at, method):
    """A recursive class goes out by references from an object at the root, every object in it closed and complete."""
    body = sent(gateway, llm, schema, method=method, strict=True)
    described = body["tools"][0]["function"] if "tools" in body else body["response_format"]["json_schema"]
    made = described.get("schema") or described["parameters"]
    assert (made["type"], made["additionalProperties"]) == ("object", False)
    assert made["properties"][at]["items"] == {"$ref": "#/$defs/Tree"}
    tree, leaf = made["$defs"]["Tree"], made["$defs"]["Leaf"]
    assert (tree["required"], tree["additionalProperties"]) == (["branches", "leaf"], False)
    assert (leaf["required"], leaf["properties"]["size"].get("default")) == (["size"], None)


@pytest.mark.parametrize(
    "schema",
    [WRAPPED, WRAPPED["json_schema"], {"type": "function", "function": FUNCTION}],
    ids=["whole", "inner", "tool"],
)
def test_ready_made_descriptions_are_taken(schema):
    """A schema already in the wire's form, or a tool's, is used as it is."""
    assert to_response_format(schema) == WRAPPED


def test_two_words_about_strict_are_refused():
    """A schema that says it is not strict contradicts ``strict=True``."""
    said = {"type": "json_schema", "json_schema": {**WRAPPED["json_schema"], "strict": False}}
    with pytest.raises(errors.InvalidRequestError, match="strict"):
        to_response_format(said, strict=True)


def test_a_name_the_wire_refuses_is_changed():
    """Names have letters, digits, dash and underscore only."""
    assert to_response_format({**SCHEMA, "title": "Person[int] 人"})["json_schema"]["name"] == "Person_int___"


Value = TypeVar("Value")


class Box(BaseModel, Generic[Value]):
    """A box."""

    value: Value


class Titled(BaseModel):
    """A box."""

    model_config = ConfigDict(title="A box")
    value: int


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
@pytest.mark.parametrize(("schema", "name"), [(Box[int], "Box_int_"), (Titled, "A_box")], ids=["generic", "titled"])
def test_classes_whose_names_the_wire_refuses_are_answered_in(gateway, llm, schema, name, method):
    """A generic class, or one under a title, goes out by a fit name and comes back as its instance."""
    structured = llm.with_structured_output(schema, method=method)
    said = Answer(tool_calls=[(name, {"value": 3})]) if method == "function_calling" else Answer('{"value": 3}')
    gateway.script(said, said)
    assert structured.invoke("Hello") == schema(value=3)
    assert list(structured.stream("Hello"))[-1] == schema(value=3)
    body = gateway.requests[-1].body
    assert (body["tools"][0]["function"] if "tools" in body else body["response_format"]["json_schema"])["name"] == name


@pytest.mark.parametrize("schema", [WRAPPED, WRAPPED["json_schema"]], ids=["response format", "its inside"])
def test_a_schema_made_for_the_other_method_is_a_tool_too(gateway, llm, schema):
    """What ``json_schema`` takes ready-made, ``function_calling`` takes as well."""
    gateway.script(answer("function_calling"))
    assert llm.with_structured_output(schema, method="function_calling").invoke("Hello") == ALICE
    assert gateway.requests[-1].body["tools"] == [{"type": "function", "function": FUNCTION}]


@pytest.mark.parametrize(
    ("given", "params"),
    [
        ((Person,), {"method": "magic"}),
        ((None,), {"method": "json_schema"}),
        ((None,), {"method": "function_calling"}),
        ((Person,), {"method": "json_mode", "strict": True}),
        (({"properties": {}},), {"method": "json_schema"}),
        (({},), {"method": "function_calling"}),
        (({"type": "json_object"},), {"method": "function_calling"}),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(llm, given, params):
    """Unknown methods, missing or nameless schemas and a strict json_mode are invalid requests at once."""
    with pytest.raises(errors.InvalidRequestError):
        llm.with_structured_output(*given, **params)


def test_other_words_are_bound(gateway, llm):
    """More words go into the request."""
    assert sent(gateway, llm, Person, temperature=0.5)["temperature"] == 0.5


def test_traces_are_told_the_format(gateway, llm):
    """A run's start says method and schema, and the request does not."""

    class Tracer(BaseTracer):
        options = ()

        def _persist_run(self, run):
            pass

        def on_chat_model_start(self, *given, **told):
            self.options = told["options"]
            return super().on_chat_model_start(*given, **told)

    tracer = Tracer()
    structured = llm.with_structured_output(Person, method="json_schema")
    structured.invoke("Alice is 31", config={"callbacks": [tracer]})
    mark = tracer.options["ls_structured_output_format"]
    assert mark["kwargs"] == {"method": "json_schema", "strict": None}
    assert mark["schema"]["title"] == "Person"
    assert not [word for word in gateway.requests[-1].body if word.startswith("ls_")]


# --- what goes wrong --------------------------------------------------------------------------------------------------


def consume(structured, method):
    """Run a structured call in one of two ways."""
    return structured.invoke("Hello") if method == "invoke" else list(structured.stream("Hello"))


CUT = {
    "json_schema": Answer('{"name": "Alice", "age": 3', finish_reason="length"),
    "json_mode": Answer('{"name": "Alice", "age": 3', finish_reason="length"),
    "function_calling": Answer(tool_calls=[("Person", '{"name": "Alice", "age": 3')], finish_reason="length"),
}


@pytest.mark.parametrize("way", ["invoke", "stream"])
@pytest.mark.parametrize("method", METHODS)
def test_a_cut_answer_is_no_object(gateway, llm, method, way):
    """An answer cut by the token limit is an error that says so, though half of it would parse."""
    gateway.script(CUT[method])
    with pytest.raises(OutputParserException, match="max_tokens"):
        consume(llm.with_structured_output(SCHEMA, method=method), way)


@pytest.mark.parametrize("method", METHODS)
def test_an_answer_that_ends_at_the_limit_but_whole_is_taken(gateway, llm, method):
    """Only what does not parse counts as cut."""
    whole = answer(method)
    gateway.script(Answer(whole.text, tool_calls=whole.tool_calls, finish_reason="length"))
    assert llm.with_structured_output(SCHEMA, method=method).invoke("Hello") == ALICE


def test_an_answer_that_does_not_fit_is_raised(gateway, llm):
    """What the schema does not allow is an error, not half an object."""
    gateway.script('{"name": "Alice", "age": "old"}')
    with pytest.raises(OutputParserException, match="age"):
        llm.with_structured_output(Person).invoke("Hello")


@pytest.mark.parametrize("method", METHODS)
def test_raw_comes_beside_the_object(gateway, llm, method):
    """``include_raw`` gives message, object and no error."""
    gateway.script(answer(method))
    given = llm.with_structured_output(Person, method=method, include_raw=True).invoke("Hello")
    assert (given["parsed"], given["parsing_error"]) == (Person(**ALICE), None)
    assert given["raw"].usage_metadata


@pytest.mark.parametrize("method", METHODS)
async def test_raw_comes_beside_the_error(gateway, llm, method):
    """``include_raw`` raises nothing about the parsing and keeps the error."""
    gateway.script(CUT[method])
    given = await llm.with_structured_output(Person, method=method, include_raw=True).ainvoke("Hello")
    assert given["parsed"] is None
    assert isinstance(given["parsing_error"], OutputParserException)
    assert given["raw"].response_metadata["finish_reason"] == "length"


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
@pytest.mark.parametrize("form", [Person, SCHEMA], ids=["pydantic", "schema"])
def test_a_tool_may_be_called_instead(gateway, llm, method, form):
    """With tools beside the schema a call is no failure: there is no object, and the call is in ``raw``."""
    look_up = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
    gateway.script(Answer(tool_calls=[("look_up", {})]))
    structured = llm.with_structured_output(form, method=method, tools=[look_up], include_raw=True)
    given = structured.invoke("Hello")
    assert (given["parsed"], given["parsing_error"]) == (None, None)
    assert given["raw"].tool_calls[0]["name"] == "look_up"
    assert gateway.requests[-1].body["tools"] == [look_up]
