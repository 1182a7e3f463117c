"""Retrieval and agents over the real corpus, with real embeddings and a real model behind a stream-only gateway."""

from __future__ import annotations

import re

import chromadb
import pytest
from corpus import FOLDER, passages, recall, table
from langchain.agents import create_agent
from langchain_chroma import Chroma
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessageChunk
from langchain_core.prompts import PromptTemplate
from langchain_core.tools import create_retriever_tool
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from llama_index.core import Document as Page
from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ToolCallResult
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import MarkdownNodeParser
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.tools import FunctionTool
from llama_index.vector_stores.chroma import ChromaVectorStore
from rag_over_folder import FolderLoader, answer

from flash_integrations import FlashClient
from flash_integrations.langchain import ChatFlash, FlashEmbeddings
from flash_integrations.llama_index import FlashEmbedding, FlashLLM
from flash_integrations.testing import LocalGateway

pytestmark = [
    # Old names that llama-index-core and langchain-community themselves use.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # Real embeddings of a whole corpus take a minute on two cores.
    pytest.mark.timeout(600),
]

QUESTION = "Which bird took the bone out of the Wolf's throat?"
QUESTION_FOR_TOOL = f"Use search_fables to find out: {QUESTION}"
ASKED = {"messages": [("user", QUESTION_FOR_TOOL)]}
EXACT = {"hnsw": {"max_neighbors": 256, "ef_construction": 500, "ef_search": 500}}


@pytest.fixture(scope="module")
def gateway(model_server):
    """The gateway before the model: every chat that reaches it streams."""
    if not model_server.tools:
        pytest.skip("this model is too small to answer from a text or to call a tool")
    options = {"upstream_key": model_server.api_key or None, "upstream_model": model_server.model}
    with LocalGateway(upstream=model_server.base_url, **options) as gateway:
        yield gateway
        assert all(request.stream and request.status == 200 for request in gateway.requests)


@pytest.fixture(scope="module")
def client(gateway):
    """The one client of the chat objects of both frameworks."""
    options = {"provider": gateway.provider, "api_key": gateway.api_key, "rate_limit": {"concurrent": 2}}
    with FlashClient(**options, timeout=200, max_retries=0) as client:
        yield client


@pytest.fixture
def llm(client):
    return ChatFlash(model="gpt-5.2", client=client, temperature=0, max_tokens=150)


@pytest.fixture
def li_llm(client):
    return FlashLLM(model="gpt-5.2", client=client, temperature=0, max_tokens=150)


@pytest.fixture(scope="module")
def e5(embedding_server):
    """The words for both embedding classes: e5 has one model for passages and one for questions."""
    options = {"model": "e5-passage", "query_model": "e5-query", "timeout": 300}
    return {**options, "base_url": embedding_server.base_url, "api_key": embedding_server.api_key or "none"}


class Kept(Embeddings):
    """Embeddings that ask for no text twice, so that several stores can be filled with one corpus."""

    def __init__(self, inner):
        self.inner = inner
        self.vectors = {}

    def embed_documents(self, texts):
        missing = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        self.vectors.update(zip(missing, self.inner.embed_documents(missing), strict=True))
        return [self.vectors[text] for text in texts]

    def embed_query(self, text):
        return self.inner.embed_query(text)


@pytest.fixture(scope="module")
def embeddings(e5):
    return Kept(FlashEmbeddings(**e5, chunk_size=16))


@pytest.fixture(scope="module")
def documents():
    return [
        Document(passage.whole, metadata={"source": passage.file, "passage": passage.name}) for passage in passages()
    ]


@pytest.fixture(scope="module")
def measured(embeddings):
    return recall(embeddings.embed_documents, lambda texts: [embeddings.embed_query(text) for text in texts])


def test_recall_at_three(measured):
    """More than eight of ten answers in the question's language are found; across languages only file by file."""
    print(table("multilingual-e5-small", measured))  # noqa: T201 - the figure
    assert measured["same language", "together"] >= 0.8
    assert measured["all", "together"] >= 0.5
    assert measured["all", "each file"] >= 0.65
    assert measured["across languages", "each file"] >= 0.35


def test_the_corpus_says_what_was_measured(measured):
    """The README's figures are this machine's, within two of the thirteen questions that cross languages."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"\d\.\d\d", next(line for line in text.splitlines() if "| multilingual-e5-small |" in line))
    here = re.findall(r"\d\.\d\d", table("", measured))
    assert [float(figure) for figure in here] == pytest.approx([float(figure) for figure in told], abs=0.16)


def faiss(documents, embeddings, folder):
    from langchain_community.vectorstores import FAISS

    FAISS.from_documents(documents, embeddings).save_local(str(folder))
    return FAISS.load_local(str(folder), embeddings, allow_dangerous_deserialization=True)


def chroma(documents, embeddings, folder):
    settings = chromadb.Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=str(folder))
    options = {"client_settings": settings, "collection_configuration": EXACT}
    Chroma("corpus", embeddings, **options).add_documents(documents)
    return Chroma("corpus", embeddings, **options)


@pytest.fixture(params=[faiss, chroma])
def kept(request, documents, embeddings, tmp_path):
    """A vector store of LangChain's that holds the corpus, opened again from the disk."""
    return request.param(documents, embeddings, tmp_path)


@pytest.mark.parametrize(
    "case",
    [(QUESTION, "The Wolf and the Crane", "crane"), ("知者乐水，仁者乐什么？", "雍也篇 6.23", "山")],
    ids=["english", "chinese"],
)
def test_a_chain_answers_with_its_source(case, kept, llm):
    """Stored, opened again, retrieved and answered: right, and from the right passage."""
    question, passage, word = case
    found = kept.as_retriever(search_kwargs={"k": 2}).invoke(question)
    text, sources = answer(llm, question, found)
    assert word in text.lower()
    assert passage in [source.metadata["passage"] for source in sources]


def test_the_example_loads_what_is_measured(documents):
    """The example's loader gives the passages that recall is measured on."""
    loaded = FolderLoader(FOLDER / "texts").load()
    assert [each.metadata for each in loaded] == [each.metadata for each in documents]


FABLES = (
    "The Wolf and the Crane",
    "The Fox and the Mask",
    "The Two Crabs",
    "The Peacock and Juno",
    "The Wolf and the Kid",
)


@pytest.fixture
def shelf(e5, tmp_path):
    """Five fables through LlamaIndex's pipeline into Chroma: the pipeline and its index, from the disk."""
    pages = [
        Page(text=f"## {each.name}\n\n{each.text}", doc_id=each.name) for each in passages() if each.name in FABLES
    ]

    def collection():
        client = chromadb.PersistentClient(str(tmp_path), chromadb.Settings(anonymized_telemetry=False))
        return client.get_or_create_collection("fables", embedding_function=None, configuration=EXACT)

    store = ChromaVectorStore(chroma_collection=collection())
    embedding = FlashEmbedding(**e5)
    pipeline = IngestionPipeline(
        transformations=[MarkdownNodeParser(), embedding], docstore=SimpleDocumentStore(), vector_store=store
    )
    assert len(pipeline.run(documents=pages)) == len(pages) == 5
    assert pipeline.run(documents=pages) == []
    return VectorStoreIndex.from_vector_store(
        ChromaVectorStore(chroma_collection=collection()), embed_model=FlashEmbedding(**e5)
    )


def test_an_answer_cites_its_source(shelf, li_llm):
    """The citation engine answers from the passage that it numbers first."""
    response = CitationQueryEngine.from_args(shelf, llm=li_llm, similarity_top_k=2).query(QUESTION)
    assert "crane" in str(response).lower()
    assert "The Wolf and the Crane" in response.source_nodes[0].text


@pytest.fixture
def search(documents, embeddings):
    """A retrieval tool over the fables."""
    fables = [each for each in documents if each.metadata["passage"] in FABLES]
    retriever = InMemoryVectorStore.from_documents(fables, embeddings).as_retriever(search_kwargs={"k": 1})
    prompt = PromptTemplate.from_template("{page_content}")
    return create_retriever_tool(retriever, "search_fables", "Search the fables of Æsop.", document_prompt=prompt)


def test_an_agent_retrieves_and_answers(llm, search):
    """create_agent calls the retrieval tool and answers from what it found."""
    messages = create_agent(llm, [search]).invoke(ASKED)["messages"]
    assert "tool" in [message.type for message in messages]
    assert "crane" in messages[-1].text.lower()


async def test_a_graph_retrieves_and_answers_token_by_token(llm, search):
    """A LangGraph graph of our own shows the answer's tokens, of a node that only invokes."""
    equipped = llm.bind_tools([search])
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [equipped.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode([search]))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    got = [
        message.text
        async for message, _ in builder.compile().astream(ASKED, stream_mode="messages")
        if isinstance(message, AIMessageChunk) and message.text
    ]
    assert len(got) > 3
    assert "crane" in "".join(got).lower()


@pytest.fixture
def tools(shelf):
    """Two tools of LlamaIndex's."""

    def search_fables(query: str) -> str:
        """Search the fables of Æsop."""
        return shelf.as_retriever(similarity_top_k=1).retrieve(query)[0].text

    def add(first: int, second: int) -> str:
        """Add two whole numbers."""
        return f"The sum of {first} and {second} is {first + second}. No more calls are needed: tell the user."

    return [FunctionTool.from_defaults(search_fables), FunctionTool.from_defaults(add)]


@pytest.mark.parametrize(
    ("question", "tool", "word"),
    [(QUESTION_FOR_TOOL, "search_fables", "crane"), ("Use add: what is 1234 plus 4321?", "add", "5555")],
    ids=["search", "add"],
)
async def test_a_function_agent_chooses_among_two_tools(li_llm, tools, question, tool, word):
    """The tool that fits the question is called, and its result told."""
    output = await FunctionAgent(tools=tools, llm=li_llm).run(question, max_iterations=6)
    assert tool in {call.tool_name for call in output.tool_calls}
    assert word in str(output).lower().replace(",", "")


async def test_an_agent_hands_over(li_llm, tools):
    """The desk, which can do nothing but hand over, does so, and the librarian searches with its tool."""
    desk = FunctionAgent(
        name="desk",
        description="Receives questions.",
        system_prompt="You answer nothing yourself. Call handoff to the agent that can.",
        llm=li_llm,
        can_handoff_to=["librarian"],
    )
    librarian = FunctionAgent(
        name="librarian",
        description="Answers questions about fables.",
        system_prompt="Answer with search_fables.",
        llm=li_llm,
        tools=tools[:1],
    )
    # A model this small, told of the hand-over alone, answers in words: the question names the tool, as above.
    handler = AgentWorkflow(agents=[desk, librarian], root_agent="desk").run(QUESTION_FOR_TOOL, max_iterations=6)
    called = []
    async for event in handler.stream_events():
        if type(event) is ToolCallResult:
            called.append(event.tool_name)
            if event.tool_name == "search_fables":
                break  # a small model may search again and again; that it was handed the question is what counts
    await handler.cancel_run()
    assert called[0] == "handoff"
    assert called[-1] == "search_fables"


def test_both_frameworks_keep_within_one_clients_limits(llm, li_llm, gateway):
    """Six answers at once over a client with two slots: all come, and the gateway never saw a third."""
    texts = [message.text for message in llm.batch(["Say hello."] * 4)]
    texts += [str(li_llm.complete("Say hello.")) for _ in range(2)]
    assert all(texts)
    assert gateway.peak <= 2
