"""Agents, workflows and engines above the object."""

from __future__ import annotations

import asyncio

import pytest
from llama_index.core import Document, Settings, SummaryIndex
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent, ReActAgent, ToolCallResult
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatMemoryBuffer

from .scenario import BOTH, CAT, HELLO, ONE, SUNNY, WHICH_CAT, Scenarios


async def run_agent(agent, question):
    """An agent's events and its answer."""
    handler = agent.run(question, max_iterations=4)
    return [event async for event in handler.stream_events()], str(await handler)


def outputs(events):
    """What the tools said."""
    return [event.tool_output.content for event in events if isinstance(event, ToolCallResult)]


class AgentScenarios(Scenarios):
    """LlamaIndex's own users of an LLM; agents are async alone."""

    @pytest.mark.parametrize("streaming", [True, False])
    def test_function_agent(self, llm, offered, streaming):
        """An agent calls the tool and answers with what it said, streaming or not."""
        events, answer = asyncio.run(run_agent(FunctionAgent(tools=offered, llm=llm, streaming=streaming), ONE))
        streamed = "".join(event.delta for event in events if isinstance(event, AgentStream))
        assert outputs(events) == [SUNNY]
        assert "sunny" in answer.lower()
        assert streamed.endswith(answer) if streaming else streamed == ""

    def test_a_function_agent_calls_tools_side_by_side(self, llm, offered):
        """Both tools are called in one turn."""
        self.need("parallel_tool_calls")
        events, _ = asyncio.run(run_agent(FunctionAgent(tools=offered, llm=llm), BOTH))
        assert sorted(outputs(events)) == ["Noon in Paris", SUNNY]

    def test_a_workflow_hands_over(self, llm, offered):
        """One agent hands over to another, whose words come one by one under its name."""
        self.need("handover")
        self.make_it_hand_over("weatherman")
        desk = FunctionAgent(name="desk", description="Front desk.", llm=llm, can_handoff_to=["weatherman"])
        weatherman = FunctionAgent(name="weatherman", description="Knows the weather.", llm=llm, tools=offered)
        events, answer = asyncio.run(run_agent(AgentWorkflow(agents=[desk, weatherman], root_agent="desk"), ONE))
        streamed = [event for event in events if isinstance(event, AgentStream) and event.delta]
        assert SUNNY in answer
        assert {event.current_agent_name for event in streamed} == {"weatherman"}
        assert "".join(event.delta for event in streamed).endswith(answer)

    def test_react_agent(self, llm, offered):
        """An agent that reasons in words, without the wire's tools, comes to an answer."""
        self.need("engines")
        _, answer = asyncio.run(run_agent(ReActAgent(tools=offered, llm=llm), HELLO))
        assert answer

    def test_query_engine(self, llm, call, monkeypatch):
        """An engine over the settings' LLM answers from a text, whole and streamed."""
        self.need("engines")
        monkeypatch.setattr(Settings, "_llm", None)
        Settings.llm = llm
        index = SummaryIndex.from_documents([Document(text=CAT)])
        answer = str(call(index.as_query_engine(), "query", WHICH_CAT))
        streamed = "".join(index.as_query_engine(streaming=True).query(WHICH_CAT).response_gen)
        if self.understands:
            assert "Banana" in answer
            assert "Banana" in streamed
        assert answer
        assert streamed

    def test_chat_engine(self, llm, call):
        """A chat engine remembers what was said, streamed too."""
        memory = ChatMemoryBuffer.from_defaults(token_limit=3000)
        engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory)
        call(engine, "chat", CAT)
        streamed = "".join(engine.stream_chat(WHICH_CAT).response_gen)
        assert "Banana" in streamed if self.understands else streamed
        assert len(engine.chat_history) == 4
