"""LlamaIndex's agents and engines on FlashLLM, behind a gateway whose GPT models only stream."""

from __future__ import annotations

import asyncio

import pytest
from llama_index.core import Settings
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent, ReActAgent, ToolCallResult
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.prompts import PromptTemplate

from flash_integrations.testing import Answer

# llama-index-core 0.14 and its workflows themselves call older names, of Pydantic's and of their own.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ASK = "What are the weather and the time in Paris?"


@pytest.fixture(autouse=True)
def _all_streamed(gateway):
    """Whatever is called, what went out was a stream, and was answered."""
    yield
    assert gateway.requests
    assert all(request.stream and request.status == 200 for request in gateway.requests)


async def events_of(handler, kind):
    """The events of a kind, and the result."""
    events = [event async for event in handler.stream_events() if isinstance(event, kind)]
    return events, await handler


@pytest.mark.parametrize("streaming", [True, False])
def test_a_function_agent_calls_tools_in_parallel(llm, tools, streaming):
    """Both tools are called, and the answer is made of their results, whether the agent streams or not."""

    async def run():
        agent = FunctionAgent(tools=tools, llm=llm, streaming=streaming)
        return await events_of(agent.run(ASK), ToolCallResult)

    results, output = asyncio.run(run())
    assert {event.tool_output.content for event in results} == {"Sunny in Paris", "Noon in Paris"}
    assert "Sunny in Paris" in str(output)
    assert "Noon in Paris" in str(output)


def test_an_agents_stream_adds_up_to_its_answer(gateway, llm):
    """The deltas of the agent's events are the text, and thinking comes beside it."""
    gateway.script(Answer(text="All is well.", reasoning="Let me see."))

    async def run():
        return await events_of(FunctionAgent(llm=llm).run("How are things?"), AgentStream)

    events, output = asyncio.run(run())
    assert "".join(event.delta for event in events) == "All is well." == str(output)
    assert "".join(event.thinking_delta or "" for event in events) == "Let me see."
    assert isinstance(events[-1].raw, dict)


def test_an_agent_remembers(gateway, llm, tools):
    """A second question goes out with the first, its tool calls and its answer, in an order endpoints accept."""

    async def run():
        memory = ChatMemoryBuffer.from_defaults(token_limit=3000, tokenizer_fn=str.split)
        agent = FunctionAgent(tools=tools, llm=llm)
        await agent.run(ASK, memory=memory)
        await agent.run("Thank you.", memory=memory)

    asyncio.run(run())
    roles = [message["role"] for message in gateway.requests[-1].body["messages"]]
    assert roles == ["user", "assistant", "tool", "tool", "assistant", "user"]


def test_a_react_agent_reasons_in_words(gateway, llm, tools):
    """An agent that needs no tool calls works over the same object."""
    gateway.script("Thought: I can answer without using any more tools.\nAnswer: It is sunny.")
    output = asyncio.run(_run(ReActAgent(tools=tools, llm=llm)))
    assert str(output) == "It is sunny."


async def _run(agent):
    return await agent.run("How is the weather?")


def test_agents_hand_over_to_each_other(gateway, llm, tools):
    """One agent hands over to the other by a tool call, which answers with a tool of its own."""
    gateway.script(Answer(tool_calls=[("handoff", {"to_agent": "weatherman", "reason": "it is about weather"})]))

    async def run():
        desk = FunctionAgent(name="desk", description="Front desk.", llm=llm, can_handoff_to=["weatherman"])
        weatherman = FunctionAgent(name="weatherman", description="Knows the weather.", llm=llm, tools=tools)
        workflow = AgentWorkflow(agents=[desk, weatherman], root_agent="desk")
        return await workflow.run("What is the weather in Paris?")

    output = asyncio.run(run())
    assert output.current_agent_name == "weatherman"
    assert "Sunny in Paris" in str(output)


def test_the_object_can_be_the_settings_llm(llm, monkeypatch):
    """Settings.llm takes it as it is."""
    monkeypatch.setattr(Settings, "_llm", None)
    Settings.llm = llm
    assert Settings.llm is llm
    assert Settings.llm.complete("hi").text


def test_predict_and_stream_use_the_prompt(gateway, llm_of):
    """Prompts are formatted by predict and stream, with the object's system prompt before it."""
    llm = llm_of(system_prompt="Be kind.")
    prompt = PromptTemplate("Say hello to {name}.")
    whole = llm.predict(prompt, name="Ann")
    assert "".join(llm.stream(prompt, name="Ann")) == whole
    assert gateway.requests[-1].body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Say hello to Ann."},
    ]


def test_a_chat_engine_streams_and_remembers(gateway, llm):
    """A chat engine streams an answer and keeps it for the next question."""
    gateway.script("One.", "Two.")
    memory = ChatMemoryBuffer.from_defaults(token_limit=3000, tokenizer_fn=str.split)
    engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory)
    assert "".join(engine.stream_chat("First?").response_gen) == "One."
    assert str(engine.chat("Second?")) == "Two."
    sent = [message["content"] for message in gateway.requests[-1].body["messages"]]
    assert sent == ["First?", "One.", "Second?"]
