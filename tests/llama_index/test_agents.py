"""LlamaIndex's agents and workflows on FlashLLM, behind a gateway whose GPT models only stream."""

from __future__ import annotations

import asyncio
import json

import pytest
from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    AgentWorkflow,
    CodeActAgent,
    FunctionAgent,
    ReActAgent,
    ToolCallResult,
)
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.workflow import Context, HumanResponseEvent, InputRequiredEvent, JsonSerializer
from pydantic import BaseModel

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


def test_a_workflow_streams_every_agents_words(gateway, llm, tools):
    """Events of a workflow bring the text token by token under the name of the agent that says it, and its thinking."""
    handoff = ("handoff", {"to_agent": "weatherman", "reason": "it is about weather"})
    gateway.script(Answer(reasoning="Not my business.", tool_calls=[handoff]), "It is sunny in Paris.")

    async def run():
        desk = FunctionAgent(name="desk", description="Front desk.", llm=llm, can_handoff_to=["weatherman"])
        weatherman = FunctionAgent(name="weatherman", description="Knows the weather.", llm=llm, tools=tools)
        workflow = AgentWorkflow(agents=[desk, weatherman], root_agent="desk")
        return await events_of(workflow.run("What is the weather in Paris?"), AgentStream)

    events, output = asyncio.run(run())
    deltas = [event.delta for event in events if event.current_agent_name == "weatherman" and event.delta]
    assert len(deltas) > 3
    assert "".join(deltas) == "It is sunny in Paris." == str(output)
    thoughts = {event.current_agent_name: event.thinking_delta for event in events if event.thinking_delta}
    assert thoughts.keys() == {"desk"}
    assert "".join(event.thinking_delta or "" for event in events) == "Not my business."


def test_a_react_agent_calls_a_tool(gateway, llm, tools):
    """An agent that writes its calls as text calls the tool, sees what it says, and streams its words."""
    gateway.script(
        'Thought: I need a tool.\nAction: get_weather\nAction Input: {"city": "Paris"}',
        "Thought: I can answer.\nAnswer: Sunny in Paris.",
    )
    handler = ReActAgent(tools=tools, llm=llm)

    async def run():
        return await events_of(handler.run(ASK), AgentStream | ToolCallResult)

    events, output = asyncio.run(run())
    assert [event.tool_output.content for event in events if isinstance(event, ToolCallResult)] == ["Sunny in Paris"]
    assert sum(bool(event.delta) for event in events if isinstance(event, AgentStream)) > 6
    assert str(output) == "Sunny in Paris."
    assert "Observation: Sunny in Paris" in gateway.requests[-1].body["messages"][-1]["content"]


def test_a_code_agent_runs_what_the_model_writes(gateway, llm):
    """Code between the agent's marks is run, and its output goes back."""
    gateway.script("Let me see.\n<execute>\nprint(6 * 7)\n</execute>", "It is 42.")
    ran = []

    def execute(code: str) -> str:
        ran.append(code.strip())
        return "42"

    async def run():
        return await CodeActAgent(code_execute_fn=execute, llm=llm).run("What is six times seven?")

    assert str(asyncio.run(run())) == "It is 42."
    assert ran == ["print(6 * 7)"]
    assert "42" in gateway.requests[-1].body["messages"][-1]["content"]


class Report(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


def test_an_agent_answers_in_a_class(llm, tools):
    """output_cls makes the answer an object."""

    async def run():
        agent = FunctionAgent(tools=tools, llm=llm, output_cls=Report)
        return await agent.run("The weather in Paris is 20 degrees.")

    assert asyncio.run(run()).get_pydantic_model(Report) == Report(city="Paris", degrees=20)


async def sign_off(ctx: Context, what: str) -> str:
    """Ask a human to sign."""
    question = InputRequiredEvent(prefix=f"Sign {what}?")
    answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=question)
    return f"signed by {answer.response}"


sign_off.__annotations__["ctx"] = Context  # LlamaIndex takes annotations as they stand, and here they are texts


@pytest.mark.filterwarnings("ignore:Skipping serialization of known unserializable key. memory")
def test_a_waiting_run_is_kept_as_json_and_goes_on(gateway, llm):
    """A context that waits for a human is JSON without the key; the run that is made of it ends with his answer."""
    gateway.script(Answer(tool_calls=[("sign_off", {"what": "the report"})], reasoning="I must ask."), "It is signed.")

    def agent():
        return FunctionAgent(tools=[sign_off], llm=llm)

    async def begun():
        handler = agent().run("Have the report signed.", memory=memory)
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                break
        kept = json.dumps(handler.ctx.to_dict(serializer=JsonSerializer()))
        await handler.cancel_run()
        return kept

    async def ended(kept):
        waiting = agent()
        ctx = Context.from_dict(waiting, json.loads(kept), serializer=JsonSerializer())
        handler = waiting.run(ctx=ctx)
        await handler.ctx.store.set("memory", memory)  # which LlamaIndex does not keep in JSON, as it warns
        handler.ctx.send_event(HumanResponseEvent(response="Ann"))
        return await handler

    memory = ChatMemoryBuffer.from_defaults(token_limit=3000)
    kept = asyncio.run(begun())
    assert gateway.api_key not in kept
    output = asyncio.run(ended(kept))
    assert isinstance(output, AgentOutput)
    assert str(output) == "It is signed."
    assert [message["role"] for message in gateway.requests[-1].body["messages"]] == ["user", "assistant", "tool"]
    assert gateway.requests[-1].body["messages"][-1]["content"] == "signed by Ann"


def test_messages_of_answers_are_kept_as_json(gateway, llm, tools):
    """What an agent remembers, tool calls and thinking too, is the same after JSON, and goes on from there."""
    gateway.script(Answer(reasoning="Let me see.", tool_calls=[("get_weather", {"city": "Paris"})]), "Sunny.")
    memory = ChatMemoryBuffer.from_defaults(token_limit=3000)

    async def run(question, **params):
        return await FunctionAgent(tools=tools, llm=llm).run(question, **params)

    asyncio.run(run("How is the weather?", memory=memory))
    messages = memory.get_all()
    kept = [ChatMessage.model_validate_json(message.model_dump_json()) for message in messages]
    assert kept == messages
    asyncio.run(run("Thank you.", chat_history=kept, memory=ChatMemoryBuffer.from_defaults(token_limit=3000)))
    roles = [message["role"] for message in gateway.requests[-1].body["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
