"""Refusals by langchain-core's contract: a block, an error where the withheld content is needed, and its middleware."""

from __future__ import annotations

import pytest
from langchain_core import exceptions
from langchain_core.exceptions import OutputParserException
from pydantic import BaseModel

from flash_integrations.langchain import ChatFlash
from flash_integrations.langchain._refusals import is_refusal_block
from flash_integrations.testing import Answer

REFUSED = Answer(refusal="I will not.")
ERROR = getattr(exceptions, "ModelRefusalError", OutputParserException)
since_1_7_5 = pytest.mark.skipif(ERROR is OutputParserException, reason="langchain-core before 1.7.5 has no refusals")


class City(BaseModel):
    """A city."""

    name: str


@pytest.fixture
def make(flash_gateway):
    """Makes a model at a gateway that refuses."""
    flash_gateway.script(REFUSED, REFUSED)

    def make(**params):
        return ChatFlash(model="gpt-5.2", base_url=flash_gateway.base_url, api_key=flash_gateway.api_key, **params)

    return make


versions = pytest.mark.parametrize("version", ["v0", "v1"])


@versions
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_refusal_is_a_content_block(make, version, streamed):
    """``content_blocks`` has one refusal with the model's words, in both output versions."""
    llm = make(output_version=version)
    message = llm.invoke("hi")
    if streamed:
        first, *others = llm.stream("hi")
        message = first
        for chunk in others:
            message += chunk
    blocks = [block for block in message.content_blocks if is_refusal_block(block)]
    assert [(block.get("value") or block)["refusal"] for block in blocks] == ["I will not."]


@versions
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output_raises_a_refusal(make, version, method, streamed):
    """What ModelRefusalError catches (before 1.7.5 OutputParserException), with all the model's words."""
    structured = make(output_version=version).with_structured_output(City, method=method)
    with pytest.raises(ERROR, match=r": I will not\.") as caught:
        list(structured.stream("hi")) if streamed else structured.invoke("hi")
    if ERROR is OutputParserException:
        assert caught.value.llm_output == "I will not."
    else:
        assert caught.value.raw_message.additional_kwargs["refusal"] == "I will not."


async def test_streamed_structured_output_raises_a_refusal(make):
    """The same at the end of a stream, in async code."""
    with pytest.raises(ERROR, match=r": I will not\."):
        async for _ in make().with_structured_output(City).astream("hi"):
            pass


def test_a_refusal_is_the_parsing_error_where_the_raw_answer_is_asked_for(make):
    """``include_raw`` gives the message and the error, and raises nothing."""
    told = make().with_structured_output(City, include_raw=True).invoke("hi")
    assert isinstance(told["parsing_error"], ERROR)
    assert told["parsed"] is None
    assert told["raw"].additional_kwargs["refusal"] == "I will not."


@since_1_7_5
def test_refusal_middleware_sees_it(make):
    """An agent with ModelRefusalMiddleware ends in the error."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import ModelRefusalMiddleware

    agent = create_agent(make(), middleware=[ModelRefusalMiddleware()])
    with pytest.raises(ERROR, match="I will not"):
        agent.invoke({"messages": [("user", "hi")]})


@since_1_7_5
@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
@pytest.mark.parametrize("answer", [REFUSED, Answer(reasoning="Hm.", refusal="I will not.")], ids=["alone", "reasoned"])
async def test_refusal_middleware_sees_it_while_events_stream(make, flash_gateway, answer):
    """The same while the agent's v3 events are read, where langchain-core puts the answer together of events."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import ModelRefusalMiddleware

    agent = create_agent(make(), middleware=[ModelRefusalMiddleware()])
    flash_gateway.clear()
    flash_gateway.script(answer)
    with pytest.raises(ERROR, match="I will not"):
        async for _ in await agent.astream_events({"messages": [("user", "hi")]}, version="v3"):
            pass


@pytest.mark.parametrize("params", [{}, {"text": "Well."}, {"reasoning": "Hm."}], ids=["alone", "text", "reasoned"])
def test_events_keep_a_refusal(make, flash_gateway, params):
    """The message of a v3 stream has the refusal among its blocks."""
    llm = make()
    flash_gateway.clear()
    flash_gateway.script(Answer(**params, refusal="I will not."))
    blocks = llm.stream_events("hi", version="v3").output.content_blocks
    assert [(block.get("value") or block)["refusal"] for block in blocks if is_refusal_block(block)] == ["I will not."]


@since_1_7_5
def test_fallback_middleware_asks_the_next_model(make, flash_gateway):
    """A refusal that the inner middleware raised has the fallback model asked."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import ModelFallbackMiddleware, ModelRefusalMiddleware

    llm = make()
    flash_gateway.clear()
    flash_gateway.script(REFUSED, "As you wish.")
    agent = create_agent(llm, middleware=[ModelFallbackMiddleware(llm), ModelRefusalMiddleware()])
    assert agent.invoke({"messages": [("user", "hi")]})["messages"][-1].text == "As you wish."
