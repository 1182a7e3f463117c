"""LangChain over the corpus: loader, splitter, vector stores, retriever, and a chain that tells its sources."""

from __future__ import annotations

import chromadb
import pytest
from corpus import passages
from langchain_chroma import Chroma
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from rag_over_folder import FolderLoader, answer

# LangChain's wrapper of FAISS has no home but langchain-community, which says on import that it is at its end.
pytestmark = pytest.mark.filterwarnings("ignore:`langchain-community` is being sunset:DeprecationWarning")

QUESTION = "Which bird took the bone out of the Wolf's throat?"
PROMPT = ChatPromptTemplate.from_template("Answer from these passages:\n\n{passages}\n\nQuestion: {question}")


def chroma(folder, embeddings):
    settings = chromadb.Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=str(folder))
    exact = {"hnsw": {"max_neighbors": 256, "ef_construction": 500, "ef_search": 500}}  # for so few passages
    return Chroma("corpus", embeddings, client_settings=settings, collection_configuration=exact)


def make_chroma(documents, embeddings, folder):
    store = chroma(folder, embeddings)
    store.add_documents(documents)
    return store, lambda: chroma(folder, embeddings)


def make_faiss(documents, embeddings, folder):
    from langchain_community.vectorstores import FAISS

    store = FAISS.from_documents(documents, embeddings)
    store.save_local(str(folder))
    return store, lambda: FAISS.load_local(str(folder), embeddings, allow_dangerous_deserialization=True)


@pytest.fixture(params=[make_chroma, make_faiss], ids=["chroma", "faiss"])
def stores(request, documents, embeddings, tmp_path):
    """A vector store on disk that holds the corpus, and what opens it again."""
    return request.param(documents, embeddings, tmp_path)


def names(documents):
    return [each.metadata["passage"] for each in documents]


def chain_of(retriever, llm):
    """Question to {"question", "passages", "answer"}: the answer keeps the passages it was made from."""

    def shown(state):
        return {"question": state["question"], "passages": "\n\n".join(each.page_content for each in state["passages"])}

    made = {"question": RunnablePassthrough(), "passages": retriever} | RunnablePassthrough.assign(
        answer=shown | PROMPT | llm | StrOutputParser()
    )
    return made.with_config(run_name="with sources")


def test_the_loader_gives_every_passage_with_its_place(documents):
    """Cut at its headings, each file gives its passages by name, and the file's name with them."""
    assert names(documents) == [passage.name for passage in passages()]
    assert [each.metadata["source"] for each in documents] == [passage.file for passage in passages()]


def test_a_long_text_is_cut_without_loss(tmp_path):
    """A text without headings is cut at its sentences, in Chinese too, and nothing of it is lost."""
    text = "子曰：“学而时习之，不亦说乎。” " * 40
    (tmp_path / "long.txt").write_text(text, encoding="utf-8")
    parts = FolderLoader(tmp_path, size=100).load()
    assert max(len(part.page_content) for part in parts) <= 100
    assert "".join("".join(part.page_content for part in parts).split()) == "".join(text.split())
    assert names(parts)[:2] == ["part 1", "part 2"]


@pytest.fixture
def exact(documents, embeddings, tmp_path):
    """A store that compares a question with every passage, and what opens it again: where hits are compared."""
    return make_faiss(documents, embeddings, tmp_path)


BEST_THREE = ["The Wolf and the Crane", "The Bat, the Birds, and the Beasts", "为政篇 2.10"]


def test_a_store_finds_the_passages_and_is_opened_again(exact):
    """The same passages are found after reopening, the nearest first."""
    store, reopen = exact
    assert names(store.similarity_search(QUESTION, k=3)) == BEST_THREE
    assert names(reopen().similarity_search(QUESTION, k=3)) == BEST_THREE


async def test_a_store_is_searched_in_async_code(exact):
    """The async search comes to the same."""
    assert names(await exact[0].asimilarity_search(QUESTION, k=3)) == BEST_THREE


def test_a_search_costs_the_query_alone(stores, embedded, documents):
    """A store that is opened again embeds the question and nothing else; what it finds are passages of the corpus."""
    before = embedded()
    found = stores[1]().similarity_search(QUESTION, k=3)  # which ones, Chroma's search does not promise
    assert embedded() == before + 1
    assert len(found) == 3
    assert {*names(found)} <= {*names(documents)}


def test_a_corpus_is_embedded_in_batches(stores, gateway, embedded, documents):
    """248 passages take three requests of at most 100."""
    assert embedded() == len(documents)
    assert sorted(len(each.body["input"]) for each in gateway.requests) == [48, 100, 100]


def test_a_chain_answers_from_what_was_retrieved(exact, llm, gateway):
    """The answer is made of a retrieved passage, and the passages are told beside it."""
    retriever = exact[0].as_retriever(search_kwargs={"k": 3})
    told = chain_of(retriever, llm).invoke(QUESTION)
    assert "bone in the meat stuck in his throat" in told["answer"]
    assert names(told["passages"]) == BEST_THREE
    asked = gateway.requests[-1].body["messages"][-1]["content"]
    assert all(each.page_content in asked for each in told["passages"])


async def test_a_chain_streams_its_answer(exact, llm):
    """Passages come first, then the answer in its tokens, which join to the whole one."""
    chain = chain_of(exact[0].as_retriever(), llm)
    pieces = [piece async for piece in chain.astream(QUESTION)]
    tokens = [piece["answer"] for piece in pieces if "answer" in piece]
    assert len(tokens) > 5
    assert "".join(tokens) == (await chain.ainvoke(QUESTION))["answer"]


def test_sources_are_those_that_the_answer_cites(stores, llm, gateway):
    """An answer that gives numbers stands on those passages; one that gives none stands on all it was given."""
    found = stores[0].similarity_search(QUESTION, k=3)
    gateway.script("It was the Crane [1].", "I do not know.", "See [7].")
    assert answer(llm, QUESTION, found) == ("It was the Crane [1].", found[:1])
    assert answer(llm, QUESTION, found) == ("I do not know.", found)
    assert answer(llm, QUESTION, found) == ("See [7].", found)
