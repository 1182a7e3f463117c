"""Agents on ChatFlash behind a stream-only gateway: LangChain's ``create_agent`` and a LangGraph graph."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from flash_integrations.langchain import ChatFlash
from flash_integrations.testing import LocalGateway

QUESTION = {"messages": [HumanMessage("What is the weather in Paris? Use get_weather.")]}


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@pytest.fixture
def gateway():
    with LocalGateway() as gateway:
        yield gateway
        assert all(request.stream and request.status == 200 for request in gateway.requests)


@pytest.fixture
def llm(gateway):
    return ChatFlash(model="gpt-5.2", base_url=gateway.base_url, api_key=gateway.api_key)


def pieces(events):
    """The model's texts of a stream in messages mode, one by one."""
    return [message.text for message, _ in events if isinstance(message, AIMessageChunk) and message.text]


def test_an_agent_calls_its_tool_and_tells_the_result(llm):
    """create_agent goes from question to tool to answer."""
    messages = create_agent(llm, [get_weather]).invoke(QUESTION)["messages"]
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert messages[1].tool_calls[0]["args"] == {"city": "Paris"}
    assert "sunny in Paris" in messages[-1].text


async def test_an_agent_answers_in_async_code(llm):
    """The async method comes to the same."""
    messages = (await create_agent(llm, [get_weather]).ainvoke(QUESTION))["messages"]
    assert "sunny in Paris" in messages[-1].text


def test_an_agent_runs_token_by_token(llm):
    """In messages mode the answer comes in its tokens, which join to the answer."""
    got = pieces(create_agent(llm, [get_weather]).stream(QUESTION, stream_mode="messages"))
    assert len(got) > 3
    assert "".join(got) == "get_weather says: sunny in Paris"


@pytest.fixture
def graph(llm):
    """A graph of one node that calls the model with invoke, not with stream."""
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [llm.invoke(state["messages"])]})
    builder.add_edge(START, "model")
    return builder.compile()


def test_a_graph_shows_the_tokens_of_invoke(gateway, graph):
    """LangGraph's messages mode sees tokens of a node that only invokes."""
    gateway.script("one two three")
    got = pieces(graph.stream({"messages": [HumanMessage("hi")]}, stream_mode="messages"))
    assert len(got) > 1
    assert "".join(got) == "one two three"
