"""Bindings: what is bound to a model stays with it, whatever is bound afterwards."""

from __future__ import annotations

import json
import pickle

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd, dumps, loads
from langchain_core.runnables import RunnableBinding, RunnableLambda
from langchain_core.tools import tool
from pydantic import BaseModel

from flash_integrations.langchain import ChatFlash
from flash_integrations.testing import Answer


@tool
def look_up(city: str) -> str:
    """Looks a city up."""
    return city


@tool
def other(city: str) -> str:
    """Another tool."""
    return city


class Person(BaseModel):
    """Somebody."""

    name: str


ANSWERS = {
    "json_schema": Answer('{"name": "Alice"}'),
    "function_calling": Answer(tool_calls=[("Person", {"name": "Alice"})]),
    "json_mode": Answer('{"name": "Alice"}'),
}


class Starts(BaseCallbackHandler):
    """Keeps what a handler is shown of a call's parameters."""

    def __init__(self):
        self.params = []

    def on_chat_model_start(self, serialized, messages, *, metadata=None, invocation_params=None, **shown):
        self.params.append({**metadata, **invocation_params})


def names(body):
    """The names of a request's tools."""
    return [tool["function"]["name"] for tool in body.get("tools", ())]


WAYS = {
    "bind": lambda llm: llm.bind(seed=7).bind_tools([look_up]),
    "bind after tools": lambda llm: llm.bind_tools([look_up]).bind(seed=7),
    "config": lambda llm: llm.bind(seed=7).with_config(tags=["x"]).bind_tools([look_up]),
    "listeners": lambda llm: llm.bind(seed=7).with_listeners().bind_tools([look_up]),
    "async listeners": lambda llm: llm.bind(seed=7).with_alisteners().bind_tools([look_up]),
    "types": lambda llm: llm.bind(seed=7).with_types(output_type=str).bind_tools([look_up]),
    "retries": lambda llm: llm.bind(seed=7).with_retry(stop_after_attempt=2).bind_tools([look_up]),
    "fallbacks": lambda llm: llm.bind(seed=7).with_fallbacks([llm]).bind_tools([look_up]),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_bound_parameters_stay_when_tools_come(gateway, llm, way):
    """Whole and streamed, in sync and async code, both the seed and the tool are sent."""
    bound = way(llm)
    bound.invoke("Hello")
    await bound.ainvoke("Hello")
    list(bound.stream("Hello"))
    bound.batch(["Hello"])
    assert [(request.body["seed"], names(request.body)) for request in gateway.requests] == [(7, ["look_up"])] * 4


@pytest.mark.parametrize("include_raw", [False, True])
@pytest.mark.parametrize("method", ANSWERS)
def test_bound_tools_and_parameters_stay_with_a_schema(gateway, llm, method, include_raw):
    """``with_structured_output`` sends the tools that are bound, and still gives the object."""
    gateway.script(ANSWERS[method])
    schema = None if method == "json_mode" else Person
    bound = llm.bind(seed=7).bind_tools([look_up])
    given = bound.with_structured_output(schema, method=method, include_raw=include_raw).invoke("Hello")
    given = given["parsed"] if include_raw else given
    assert (given if isinstance(given, dict) else given.model_dump()) == {"name": "Alice"}
    body = gateway.requests[-1].body
    assert body["seed"] == 7
    assert names(body) == (["Person", "look_up"] if method == "function_calling" else ["look_up"])


@pytest.mark.parametrize("method", ANSWERS)
def test_a_bound_tool_may_be_called_instead(gateway, llm, method):
    """A call of a bound tool gives no object and no error; nothing forces the schema's own tool."""
    gateway.script(Answer(tool_calls=[("look_up", {"city": "Ulm"})]))
    structured = llm.bind_tools([look_up]).with_structured_output(Person, method=method, include_raw=True)
    given = structured.invoke("Hello")
    assert (given["parsed"], given["parsing_error"]) == (None, None)
    assert given["raw"].tool_calls[0]["name"] == "look_up"
    assert gateway.requests[-1].body.get("tool_choice") == ("required" if method == "function_calling" else None)


def test_without_other_tools_the_schema_must_be_called(gateway, llm):
    """The schema's tool alone is named as the one to call, and a call of any other is an error."""
    gateway.script(Answer(tool_calls=[("nobody", {})]))
    given = llm.with_structured_output(Person, method="function_calling", include_raw=True).invoke("Hello")
    assert gateway.requests[-1].body["tool_choice"]["function"]["name"] == "Person"
    assert given["parsing_error"] is not None


def test_a_bound_tool_is_not_made_strict(gateway, llm):
    """``strict`` is about the schema and the tools given with it; a bound tool stays as it was bound."""
    gateway.script(ANSWERS["json_schema"])
    llm.bind_tools([look_up]).with_structured_output(Person, strict=True).invoke("Hello")
    assert "strict" not in gateway.requests[-1].body["tools"][0]["function"]


def test_new_tools_take_the_place_of_bound_ones(gateway, llm):
    """A choice goes with the tools it was made among; other parameters stay."""
    llm.bind_tools([look_up], tool_choice="look_up", seed=7).bind_tools([other]).invoke("Hello")
    body = gateway.requests[-1].body
    assert (names(body), body["seed"], "tool_choice" in body) == (["other"], 7, False)
    llm.bind_tools([look_up]).bind_tools([]).invoke("Hello")
    assert "tools" not in gateway.requests[-1].body


def test_a_choice_bound_before_the_tools_stays(gateway, llm):
    """``bind(tool_choice=...)`` waits for the tools."""
    llm.bind(tool_choice="required").bind_tools([look_up]).invoke("Hello")
    assert gateway.requests[-1].body["tool_choice"] == "required"


CONFIGS = {
    "config": lambda llm: llm.with_config(tags=["x"]),
    "after a binding": lambda llm: llm.bind(seed=7).with_config(tags=["x"]),
}


@pytest.mark.parametrize("way", CONFIGS.values(), ids=CONFIGS)
def test_a_config_stays_when_tools_and_schemas_come(gateway, llm, way):
    """Tags of a model are still there after ``bind_tools`` and in its structured output."""
    assert way(llm).bind_tools([look_up]).config["tags"] == ["x"]
    assert way(llm).with_structured_output(Person).first.config["tags"] == ["x"]


LISTENERS = {
    "sync": lambda llm, hear: llm.with_listeners(on_end=hear).bind_tools([look_up]),
    "sync, bound": lambda llm, hear: llm.bind(seed=7).with_listeners(on_end=hear).bind_tools([look_up]),
    "async": lambda llm, hear: llm.with_alisteners(on_end=RunnableLambda(hear).ainvoke).bind_tools([look_up]),
    "async, bound": lambda llm, hear: (
        llm.bind(seed=7).with_alisteners(on_end=RunnableLambda(hear).ainvoke).bind_tools([look_up])
    ),
}


@pytest.mark.parametrize("way", LISTENERS.values(), ids=LISTENERS)
async def test_listeners_stay_when_tools_come(llm, way):
    """Listeners of a model hear its calls with tools."""
    heard = []
    await way(llm, heard.append).ainvoke("Hello")
    assert len(heard) == 1


def test_a_type_stays_when_tools_come(llm):
    """``with_types`` of a model holds for it with tools."""
    assert llm.with_types(input_type=str).bind_tools([look_up]).InputType is str


def test_a_pickled_binding_keeps_what_is_bound(gateway, monkeypatch):
    """What comes back from a pickle still merges, and has no key in it."""
    monkeypatch.setenv("FLASH_BASE_URL", gateway.base_url)
    monkeypatch.setenv("FLASH_API_KEY", gateway.api_key)
    pickled = pickle.dumps(ChatFlash(model="gpt-5.2").bind(seed=7))
    pickle.loads(pickled).bind_tools([look_up]).invoke("Hello")  # noqa: S301
    assert (gateway.requests[-1].body["seed"], names(gateway.requests[-1].body)) == (7, ["look_up"])
    assert gateway.api_key.encode() not in pickled


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
def test_a_binding_is_dumped_as_langchains_own(llm):
    """Readers of traces and dumps know its id, and a load of it has what was bound."""
    bound = llm.bind(seed=7)
    assert dumpd(bound)["id"] == ["langchain", "schema", "runnable", "RunnableBinding"]
    allowed = [ChatFlash, RunnableBinding]
    again = loads(
        dumps(bound),
        allowed_objects=allowed,
        valid_namespaces=["flash_integrations"],
        secrets_map={"FLASH_API_KEY": "k"},
    )
    assert (again.kwargs, again.bound.model) == ({"seed": 7}, llm.model)
    assert llm.api_key.get_secret_value() not in json.dumps(dumpd(bound))


def test_events_of_a_binding_are_typed_streams(llm):
    """``stream_events(version="v3")`` works on a binding as on a model."""
    assert llm.bind(seed=7).bind_tools([look_up]).stream_events("Hello", version="v3").text is not None


def test_traces_show_what_is_bound(llm):
    """The parameters of a bound model's run are the bound ones, and its LangSmith parameters too."""
    starts = Starts()
    llm.bind(temperature=0.5).bind_tools([look_up]).invoke("Hello", config={"callbacks": [starts]})
    assert (starts.params[0]["temperature"], starts.params[0]["ls_temperature"]) == (0.5, 0.5)
