"""Structured output, tools and roles at gateways that take less than was asked: the same answer by another way."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel
from replay import DONE, USAGE_EVENT, Answer, chunk, refuse, replay

from flash_integrations import FlashClient
from flash_integrations.errors import BadRequestError, ContextLengthError
from flash_integrations.langchain import ChatFlash
from flash_integrations.llama_index import FlashLLM


class City(BaseModel):
    """A city."""

    name: str


PARIS = Answer([chunk({"role": "assistant", "content": '{"name": "Paris"}'}), chunk({}, "stop"), USAGE_EVENT, DONE])
NO_SCHEMA = refuse(400, "'response_format.type' json_schema is not supported by this model")
NO_JSON_MODE = refuse(400, "response_format is not supported")


def langchain(params):
    return ChatFlash(model="gpt-5.2", **params).with_structured_output(City).invoke("Which city?")


def llama_index(params):
    return FlashLLM(model="gpt-5.2", **params).structured_predict(City, PromptTemplate("Which city?"))


@pytest.mark.parametrize("ask", [langchain, llama_index], ids=lambda ask: ask.__name__)
@pytest.mark.parametrize(
    ("refusals", "formats"),
    [
        ([], ["json_schema"]),
        ([NO_SCHEMA], ["json_schema", "json_object"]),
        ([NO_SCHEMA, NO_JSON_MODE], ["json_schema", "json_object", None]),
    ],
)
def test_an_object_comes_by_the_next_method_that_is_taken(ask, refusals, formats):
    """By schema, else in JSON mode with the schema in the prompt, else by the prompt alone; once, and remembered."""
    with replay(*refusals, PARIS) as server:
        FlashClient(base_url=server.base_url).forget()
        params = {"base_url": server.base_url, "max_retries": 0}
        assert ask(params) == City(name="Paris")
        assert [body.get("response_format", {}).get("type") for body in server.bodies] == formats
        if refusals:
            assert '"name"' in server.bodies[-1]["messages"][0]["content"]
        assert ask(params) == City(name="Paris")
        assert len(server.bodies) == len(formats) + 1


def test_a_sampling_parameter_is_dropped_only_with_leave():
    """drop_refused=True sends again without it, in either adapter; otherwise the refusal is the caller's to see."""
    no_temperature = refuse(400, "Unsupported parameter: temperature")
    with replay(no_temperature, PARIS) as server:
        FlashClient(base_url=server.base_url).forget()
        llm = ChatFlash(model="m", temperature=0.5, base_url=server.base_url, drop_refused=True)
        assert llm.invoke("hi").text == '{"name": "Paris"}'
        assert ["temperature" in body for body in server.bodies] == [True, False]
        assert FlashClient(base_url=server.base_url).learned() == {"m": {"temperature": False}}
        again = FlashLLM(model="m", temperature=0.5, base_url=server.base_url, drop_refused=True)
        assert again.complete("hi").text == '{"name": "Paris"}'
        assert "temperature" not in server.bodies[-1]
        # What was learned is the process's; leaving it out is for those who allow it.
        ChatFlash(model="m", temperature=0.5, base_url=server.base_url).invoke("hi")
        assert server.bodies[-1]["temperature"] == 0.5


def test_developer_messages_reach_a_gateway_without_that_role():
    """Refused once, they go out as system messages."""
    with replay(refuse(400, "unknown variant `developer`, expected one of `system`, `user`"), PARIS) as server:
        FlashClient(base_url=server.base_url).forget()
        llm = ChatFlash(model="m", base_url=server.base_url, system_role="developer")
        llm.invoke([SystemMessage("Be brief."), HumanMessage("hi")])
        assert [body["messages"][0]["role"] for body in server.bodies] == ["developer", "system"]


@pytest.mark.parametrize("kind", [ChatFlash, FlashLLM])
def test_a_refused_sampling_parameter_names_the_way_out(kind):
    """The error of each call says that drop_refused=True leaves the parameter out, also after it was learned."""
    no_temperature = refuse(400, "Unsupported parameter: temperature")
    with replay(*[no_temperature] * 2) as server:
        model = kind(model="m", temperature=0.5, base_url=server.base_url)
        for _ in range(2):
            with pytest.raises(BadRequestError, match=r"Leave temperature out, .* drop_refused=True"):
                model.invoke("hi") if kind is ChatFlash else model.complete("hi")


@pytest.mark.parametrize("kind", [ChatFlash, FlashLLM])
def test_a_prompt_too_long_for_an_unlisted_model_names_the_window(kind):
    """The error says where the model's window is given; for a listed one it is known."""
    too_long = refuse(400, "This model's maximum context length is 10 tokens", code="context_length_exceeded")
    with replay(*[too_long] * 2) as server:
        for name, hinted in (("house-model", True), ("gpt-5.2", False)):
            model = kind(model=name, base_url=server.base_url)
            with pytest.raises(ContextLengthError) as caught:
                model.invoke("hi") if kind is ChatFlash else model.complete("hi")
            assert ("FlashLLM(context_window=...)" in str(caught.value)) is hinted
