"""Structured output: classes as schemas, and objects by schema or by tool."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, Field, PrivateAttr

from flash_integrations.errors import InvalidRequestError
from flash_integrations.llama_index._structured import LooseSchemaError, to_response_format, to_strict
from flash_integrations.testing import Answer


class City(BaseModel):
    """A city."""

    name: str


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


PROMPT = PromptTemplate("The weather in {city} is 20 degrees.")
PARIS = Weather(city="Paris", degrees=20)
BY_SCHEMA, BY_TOOL = "gpt-5.2", "claude-sonnet-4-6"

# --- schemas --------------------------------------------------------------------------------------------------------


class Kite(BaseModel):
    kind: Literal["kite"]
    tail: float = 1.5


class Ball(BaseModel):
    kind: Literal["ball"]
    default: str | None = None


class Toy(BaseModel):
    toy: Kite | Ball = Field(discriminator="kind")
    home: City = Field(description="Where it lives.")
    others: list[City] = []


def test_strict_schemas_are_closed_and_leave_nothing_out():
    """Objects are closed, all fields required, defaults gone, unions and references in the allowed form."""
    strict = to_strict(Toy.model_json_schema())
    assert strict["required"] == ["toy", "home", "others"]
    assert strict["additionalProperties"] is False
    assert strict["$defs"]["Kite"]["required"] == ["kind", "tail"]
    assert strict["$defs"]["Ball"]["properties"].keys() == {"kind", "default"}
    assert strict["properties"]["toy"] == {
        "anyOf": [{"$ref": "#/$defs/Kite"}, {"$ref": "#/$defs/Ball"}],
        "title": "Toy",
    }
    assert strict["properties"]["home"] == {"anyOf": [{"$ref": "#/$defs/City"}], "description": "Where it lives."}
    text = str(strict)
    assert "discriminator" not in text
    assert "'default': 1.5" not in text


class Free(BaseModel):
    options: dict[str, int]


class Pair(BaseModel):
    pair: tuple[int, str]


@pytest.mark.parametrize("cls", [Free, Pair])
def test_open_schemas_go_out_as_they_are(cls):
    """A class with free names or positions has no strict form; it is asked for without."""
    with pytest.raises(LooseSchemaError):
        to_strict(cls.model_json_schema())
    described = to_response_format(cls)["json_schema"]
    assert described == {"name": cls.__name__, "schema": cls.model_json_schema()}


def test_strict_is_sent_as_said():
    """True refuses, by its name, a field that has no strict form; False sends the schema as it is."""
    with pytest.raises(InvalidRequestError, match="Free cannot be strict: options"):
        to_response_format(Free, strict=True)
    assert to_response_format(City, strict=False)["json_schema"] == {"name": "City", "schema": City.model_json_schema()}
    assert to_response_format(City, strict=True) == to_response_format(City)


@pytest.mark.parametrize("model", [BY_SCHEMA, BY_TOOL])
def test_a_strict_llm_refuses_a_loose_class(gateway, llm_of, model):
    """As a schema and as a tool, before anything is sent."""
    with pytest.raises(InvalidRequestError, match="options"):
        llm_of(model=model, strict=True).structured_predict(Free, PROMPT, city="Paris")
    assert gateway.requests == []


class Tree(BaseModel):
    size: int
    branches: list[Tree] = []


def test_a_class_that_holds_itself_has_an_object_at_its_root():
    """A recursive class goes out by references from an object, closed, as strict mode wants it."""
    schema = to_response_format(Tree)["json_schema"]["schema"]
    assert (schema["type"], schema["required"]) == ("object", ["size", "branches"])
    assert schema["additionalProperties"] is False
    assert schema["properties"]["branches"]["items"] == {"$ref": "#/$defs/Tree"}


def test_generic_names_are_made_fit_for_the_wire():
    """A class's name keeps to the letters that endpoints take."""
    cls = type("Box[int]", (City,), {})
    assert to_response_format(cls)["json_schema"]["name"] == "Box_int_"


# --- objects --------------------------------------------------------------------------------------------------------


async def collected(coroutine):
    """All items of an async stream."""
    return [item async for item in await coroutine]


WAYS = {
    "structured_predict": lambda llm, **options: llm.structured_predict(Weather, PROMPT, city="Paris", **options),
    "astructured_predict": lambda llm, **options: asyncio.run(
        llm.astructured_predict(Weather, PROMPT, city="Paris", **options)
    ),
    "stream_structured_predict": lambda llm, **options: list(
        llm.stream_structured_predict(Weather, PROMPT, city="Paris", **options)
    )[-1],
    "astream_structured_predict": lambda llm, **options: asyncio.run(
        collected(llm.astream_structured_predict(Weather, PROMPT, city="Paris", **options))
    )[-1],
}


@pytest.fixture(params=WAYS)
def predict(request):
    """One of the four ways to an object."""
    return WAYS[request.param]


def test_gpt_models_answer_in_the_schema(predict, gateway, llm):
    """By every way the object comes, asked for by response_format, without a tool."""
    assert predict(llm) == PARIS
    body = gateway.requests[-1].body
    assert body["response_format"] == to_response_format(Weather)
    assert "tools" not in body


def test_other_models_call_a_tool(predict, gateway, llm_of):
    """By every way the object comes as the arguments of a tool that must be called."""
    assert predict(llm_of(model=BY_TOOL)) == PARIS
    body = gateway.requests[-1].body
    assert body["tools"][0]["function"]["name"] == "Weather"
    assert body["tool_choice"] == "required"
    assert "response_format" not in body


@pytest.mark.parametrize(
    ("options", "by_schema"),
    [
        ({"model": BY_TOOL, "should_use_structured_outputs": True}, True),
        ({"model": BY_SCHEMA, "should_use_structured_outputs": False}, False),
        ({"model": BY_SCHEMA, "pydantic_program_mode": PydanticProgramMode.FUNCTION}, False),
        ({"model": BY_SCHEMA, "pydantic_program_mode": PydanticProgramMode.OPENAI}, False),
        ({"model": BY_SCHEMA, "pydantic_program_mode": "function"}, False),
    ],
    ids=str,
)
def test_the_user_has_the_last_word_on_the_way(predict, gateway, llm_of, options, by_schema):
    """should_use_structured_outputs and pydantic_program_mode choose between schema and tool."""
    assert predict(llm_of(**options)) == PARIS
    assert ("response_format" in gateway.requests[-1].body) is by_schema


def test_models_without_functions_are_asked_in_words(gateway, llm_of):
    """A model that neither takes schemas nor tools is told the schema in the prompt."""
    gateway.script(PARIS.model_dump_json())
    llm = llm_of(model=BY_TOOL, is_function_calling_model=False)
    assert llm.structured_predict(Weather, PROMPT, city="Paris") == PARIS
    body = gateway.requests[-1].body
    assert not body.keys() & {"tools", "response_format"}
    assert "degrees" in body["messages"][-1]["content"]


@pytest.mark.parametrize("model", [BY_SCHEMA, BY_TOOL])
def test_the_calls_own_words_are_sent_and_left_alone(predict, gateway, llm_of, model):
    """llm_kwargs go into the body, and the caller's dict stays as it was."""
    options = {"seed": 5, "tool_choice": "auto"}
    assert predict(llm_of(model=model), llm_kwargs=options) == PARIS
    assert options == {"seed": 5, "tool_choice": "auto"}
    assert gateway.requests[-1].body["seed"] == 5


def test_the_system_prompt_goes_first(gateway, llm_of):
    """system_prompt stands before the prompt's messages."""
    llm_of(system_prompt="Be exact.").structured_predict(Weather, PROMPT, city="Paris")
    assert gateway.requests[-1].body["messages"][0] == {"role": "system", "content": "Be exact."}


def test_partial_objects_grow(llm):
    """A stream gives the object as far as it is known."""
    partial = list(llm.stream_structured_predict(Weather, PROMPT, city="Paris"))
    assert getattr(partial[0], "degrees", None) is None
    assert partial[-1] == PARIS


UNUSABLE = {
    "refused": (Answer(refusal="I will not."), "refused to give a Weather: I will not"),
    "no JSON": (Answer("not JSON"), "Weather"),
    "another object": (Answer('{"name": "Paris"}'), "Weather"),
    "cut": (Answer('{"city": "Par', finish_reason="length"), "Weather was cut at the token limit; raise max_tokens"),
    "filtered": (Answer('{"city": "Par', finish_reason="content_filter"), "Weather was cut by a content filter"),
}


@pytest.mark.parametrize(("answer", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_such_object_is_an_error(predict, gateway, llm, answer, said):
    """By no way does an answer that does not fit the class pass for one: a ValueError says why."""
    gateway.script(answer)
    with pytest.raises(ValueError, match=said):
        predict(llm)


def test_a_fence_around_an_object_is_no_fault(predict, gateway, llm):
    """Models that are not held to the schema like to write JSON as a Markdown block."""
    gateway.script(f"```json\n{PARIS.model_dump_json()}\n```")
    assert predict(llm) == PARIS


@pytest.mark.parametrize("said", ["Here it is: {}", "<think>Hm {{</think>{}", "```json\n{}\n```"])
def test_json_in_words_counts_where_a_tool_was_to_be_called(predict, gateway, llm_of, said):
    """Models behind gateways that do not insist on the call write the object; by every way it is taken."""
    gateway.script(said.replace("{{", "{").replace("{}", PARIS.model_dump_json()))
    assert predict(llm_of(model=BY_TOOL)) == PARIS


@pytest.mark.parametrize("model", [BY_SCHEMA, BY_TOOL])
def test_the_models_words_are_in_the_error(predict, gateway, llm_of, model):
    """Where neither a call nor JSON came, the ValueError shows what was said."""
    gateway.script("I cannot look out of the window.")
    with pytest.raises(ValueError, match=r"gave no Weather but 'I cannot look out of the window\.'"):
        predict(llm_of(model=model))


def test_a_call_that_was_cut_says_so(predict, gateway, llm_of):
    """As an answer by schema does."""
    gateway.script(Answer(tool_calls=[("Weather", '{"city": "Par')], finish_reason="length"))
    with pytest.raises(ValueError, match="Weather was cut at the token limit; raise max_tokens"):
        predict(llm_of(model=BY_TOOL))


def test_a_tools_name_fits_the_wire(gateway, llm_of):
    """A generic class has brackets in its name, which OpenAI refuses in a tool's too."""
    cls = type("Box[int]", (Weather,), {})
    assert llm_of(model=BY_TOOL).structured_predict(cls, PROMPT, city="Paris").city == "Paris"
    assert gateway.requests[-1].body["tools"][0]["function"]["name"] == "Box_int_"


def test_a_model_may_be_asked_in_words_though_it_takes_schemas(predict, gateway, llm_of):
    """pydantic_program_mode LLM writes the schema into the prompt, by every way."""
    gateway.script(PARIS.model_dump_json())
    assert predict(llm_of(model=BY_SCHEMA, pydantic_program_mode=PydanticProgramMode.LLM)) == PARIS
    assert not gateway.requests[-1].body.keys() & {"tools", "response_format"}


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")  # LlamaIndex's own calls
@pytest.mark.parametrize("model", [BY_SCHEMA, BY_TOOL])
def test_as_structured_llm_answers_in_objects(llm_of, model):
    """The structured LLM's raw is the object, whole and streamed, sync and async."""
    llm = llm_of(model=model).as_structured_llm(Weather)
    messages = [ChatMessage(role="user", content="The weather in Paris is 20 degrees.")]
    assert llm.chat(messages).raw == PARIS
    assert asyncio.run(llm.achat(messages)).raw == PARIS
    assert list(llm.stream_chat(messages))[-1].raw == PARIS
    assert asyncio.run(collected(llm.astream_chat(messages)))[-1].raw == PARIS
    assert llm.complete("The weather in Paris is 20 degrees.").text == PARIS.model_dump_json()


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")  # LlamaIndex's own calls
@pytest.mark.parametrize("mode", ["default", "llm"])
@pytest.mark.parametrize("model", [BY_SCHEMA, BY_TOOL])
def test_as_structured_llm_tells_the_usage(llm_of, gateway, model, mode):
    """The inner answer's token counts and raw come along: whole, completed and on a stream's last item."""
    if mode == "llm":
        gateway.script(*[PARIS.model_dump_json()] * 6)
    llm = llm_of(model=model, pydantic_program_mode=PydanticProgramMode(mode)).as_structured_llm(Weather)
    text = "The weather in Paris is 20 degrees."
    messages = [ChatMessage(role="user", content=text)]
    streamed, astreamed = list(llm.stream_chat(messages)), asyncio.run(collected(llm.astream_chat(messages)))
    answers = [
        llm.chat(messages),
        asyncio.run(llm.achat(messages)),
        streamed[-1],
        astreamed[-1],
        llm.complete(text),
        asyncio.run(llm.acomplete(text)),
    ]
    for answer in answers:
        assert answer.raw == PARIS
        usage = answer.additional_kwargs["raw"]["usage"]
        assert usage["total_tokens"] > 0
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            assert answer.additional_kwargs[name] == usage[name]
    assert streamed[0].additional_kwargs == astreamed[0].additional_kwargs == {}


class Listener(BaseEventHandler):
    _names: list = PrivateAttr(default_factory=list)

    def handle(self, event, **kwargs):
        self._names.append(type(event).__name__)


@pytest.mark.parametrize("model", [BY_SCHEMA, BY_TOOL])
def test_observers_hear_of_a_structured_prediction(predict, llm_of, model):
    """Whichever way the object comes, its start and its end are told once."""
    listener, root = Listener(), get_dispatcher()
    root.add_event_handler(listener)
    try:
        predict(llm_of(model=model))
    finally:
        root.event_handlers.remove(listener)
    assert listener._names.count("LLMStructuredPredictStartEvent") == 1
    assert listener._names.count("LLMStructuredPredictEndEvent") == 1
