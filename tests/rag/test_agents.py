"""Agents of both frameworks that search the corpus: what they retrieve is what they answer from."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langchain_core.prompts import PromptTemplate
from langchain_core.tools import create_retriever_tool
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent, ToolCallResult
from llama_index.core.schema import TextNode
from llama_index.core.tools import FunctionTool

from flash_integrations.testing import Answer

# llama-index-core 0.14 and its workflows themselves call older names, of Pydantic's and of their own.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

QUESTION = "Search the fables: which bird took the bone out of the Wolf's throat?"
ASKED = {"messages": [("user", QUESTION)]}
FOUND = "with its beak loosened the bone"


@pytest.fixture
def search(documents, embeddings):
    """A retrieval tool of LangChain's that names each passage."""
    fables = [each for each in documents if each.metadata["source"] == "fables.en.md"]
    retriever = InMemoryVectorStore.from_documents(fables, embeddings).as_retriever(search_kwargs={"k": 2})
    prompt = PromptTemplate.from_template("{passage}: {page_content}")
    params = {"document_prompt": prompt, "response_format": "content_and_artifact"}
    return create_retriever_tool(retriever, "search_fables", "Search the fables of Æsop.", **params)


def test_an_agent_answers_from_what_its_tool_retrieves(llm, search):
    """create_agent searches with the question, and its answer has the passage with its name."""
    messages = create_agent(llm, [search]).invoke(ASKED)["messages"]
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert messages[1].tool_calls[0]["name"] == "search_fables"
    assert messages[2].artifact[0].metadata["passage"] == "The Wolf and the Crane"
    assert "The Wolf and the Crane: " in messages[-1].text
    assert FOUND in messages[-1].text


@pytest.fixture
def graph(llm, search):
    """A graph of LangGraph's: the model, its tool, and back until it asks for none."""
    equipped = llm.bind_tools([search])
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [equipped.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode([search]))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile()


def test_a_graph_retrieves_and_answers(graph):
    """The graph goes to the tool once, and ends with an answer from it."""
    steps = [name for step in graph.stream(ASKED, stream_mode="updates") for name in step]
    assert steps == ["model", "tools", "model"]


async def test_a_graph_answers_token_by_token(graph):
    """In messages mode the answer comes in its tokens, though the node only invokes."""
    got = [
        message.text
        async for message, _ in graph.astream(ASKED, stream_mode="messages")
        if isinstance(message, AIMessageChunk) and message.text
    ]
    assert len(got) > 20
    assert FOUND in "".join(got)


@pytest.fixture
def shelf(documents, li_embedding):
    """Two tools of LlamaIndex's over one index: what a question finds, and what a passage of that name says."""
    fables = {
        each.metadata["passage"]: each.page_content for each in documents if each.metadata["source"] == "fables.en.md"
    }
    index = VectorStoreIndex([TextNode(text=text) for text in fables.values()], embed_model=li_embedding)

    def search_fables(query: str) -> str:
        """Search the fables of Æsop."""
        return index.as_retriever(similarity_top_k=1).retrieve(query)[0].text

    def count_passages() -> str:
        """How many fables there are on the shelf."""
        return f"{len(fables)} fables"

    return [FunctionTool.from_defaults(search_fables), FunctionTool.from_defaults(count_passages)]


async def test_a_function_agent_uses_two_tools(li_llm, shelf):
    """Both tools are called, and the answer has what each of them gave."""
    agent = FunctionAgent(tools=shelf, llm=li_llm)
    output = await agent.run(f"{QUESTION} And count_passages.")
    assert {call.tool_name for call in output.tool_calls} == {"search_fables", "count_passages"}
    assert FOUND in str(output)
    assert "39 fables" in str(output)


async def test_an_agent_hands_over_to_the_one_that_can_search(gateway, li_llm, shelf):
    """The first agent hands the question over; the other searches, and answers token by token."""
    gateway.script(Answer(tool_calls=[("handoff", {"to_agent": "librarian", "reason": "it is about a fable"})]))
    desk = FunctionAgent(name="desk", description="Greets.", llm=li_llm, can_handoff_to=["librarian"])
    librarian = FunctionAgent(name="librarian", description="Searches the fables.", llm=li_llm, tools=shelf[:1])
    handler = AgentWorkflow(agents=[desk, librarian], root_agent="desk").run(QUESTION)
    events = [event async for event in handler.stream_events()]
    output = await handler
    assert output.current_agent_name == "librarian"
    assert [event.tool_name for event in events if type(event) is ToolCallResult] == ["handoff", "search_fables"]
    said = [event.delta for event in events if isinstance(event, AgentStream) and event.delta]
    assert len(said) > 20
    assert "".join(said) == str(output)
    assert FOUND in str(output)
