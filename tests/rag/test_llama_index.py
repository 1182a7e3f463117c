"""LlamaIndex over the corpus: ingestion that does nothing twice, an index on disk, and answers with citations."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import chromadb
import pytest
from corpus import FOLDER
from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import MarkdownNodeParser
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.vector_stores.chroma import ChromaVectorStore

# llama-index-core 0.14 itself calls older names, of Pydantic's and of its own.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

QUESTION = "Which bird took the bone out of the Wolf's throat?"

WIDE = {"hnsw": {"max_neighbors": 256, "ef_construction": 500, "ef_search": 500}}
"""Wide lists of neighbours, by which Chroma's search misses few passages of so small a corpus."""

AGAIN = """
import json
import sys
import chromadb
from llama_index.core import VectorStoreIndex
from llama_index.vector_stores.chroma import ChromaVectorStore
from flash_integrations.llama_index import FlashEmbedding, FlashLLM

folder, question = sys.argv[1:]
client = chromadb.PersistentClient(folder, chromadb.Settings(anonymized_telemetry=False))
collection = client.get_collection("corpus", embedding_function=None)
store = ChromaVectorStore(chroma_collection=collection)
index = VectorStoreIndex.from_vector_store(store, embed_model=FlashEmbedding())
response = index.as_query_engine(llm=FlashLLM(model="gpt-5.2"), similarity_top_k=3).query(question)
print(json.dumps([collection.count(), str(response), [source.text for source in response.source_nodes]]))
"""


def store_in(folder):
    """A vector store on disk. Chroma's own embedding function would download a model: there is none."""
    client = chromadb.PersistentClient(str(folder / "chroma"), chromadb.Settings(anonymized_telemetry=False))
    return ChromaVectorStore(
        chroma_collection=client.get_or_create_collection("corpus", embedding_function=None, configuration=WIDE)
    )


def read():
    """The corpus as LlamaIndex's documents, which keep their ids from one reading to the next."""
    return SimpleDirectoryReader(FOLDER / "texts", filename_as_id=True).load_data()


@pytest.fixture
def pipeline(tmp_path, li_embedding):
    """Makes pipelines over one folder: the state that was persisted there, if any, and new objects otherwise."""

    def pipeline():
        made = IngestionPipeline(
            transformations=[MarkdownNodeParser(), li_embedding],
            docstore=SimpleDocumentStore(),
            docstore_strategy=DocstoreStrategy.UPSERTS,
            vector_store=store_in(tmp_path),
        )
        if (tmp_path / "pipeline").exists():
            made.load(str(tmp_path / "pipeline"))
        return made

    return pipeline


@pytest.fixture
def ingested(pipeline, tmp_path):
    """The corpus in the vector store, and the pipeline's state on disk; gives the nodes."""
    made = pipeline()
    nodes = made.run(documents=read())
    made.persist(str(tmp_path / "pipeline"))
    return nodes


@pytest.fixture
def index(ingested, li_embedding):
    """An index that compares a question with every passage: where hits are compared, Chroma's search is not exact."""
    return VectorStoreIndex(ingested, embed_model=li_embedding)


def test_ingestion_embeds_every_passage_once(ingested, embedded):
    """Each node has its vector, by one request's text each."""
    assert embedded() == len(ingested) >= 248
    assert {len(node.embedding) for node in ingested} == {512}


def test_a_second_run_embeds_nothing(ingested, pipeline, embedded):
    """New objects over the persisted state see that nothing has changed."""
    before = embedded()
    assert pipeline().run(documents=read()) == []
    assert embedded() == before


def test_only_what_changed_is_embedded_again(ingested, pipeline, embedded):
    """A changed document is embedded anew, the other is not."""
    documents = read()
    fables = next(each for each in documents if each.metadata["file_name"] == "fables.en.md")
    fables.set_content(fables.text.replace("## Androcles", "## Androcles and the Lion"))
    before = embedded()
    changed = pipeline().run(documents=documents)
    assert {node.metadata["file_name"] for node in changed} == {"fables.en.md"}
    assert embedded() - before < 248


def test_the_cache_answers_for_known_texts(li_embedding, embedded, tmp_path):
    """A pipeline whose cache was persisted and loaded embeds none of the same nodes again."""
    first = IngestionPipeline(transformations=[MarkdownNodeParser(), li_embedding])
    vectors = [node.embedding for node in first.run(documents=read())]
    first.persist(str(tmp_path))
    before = embedded()
    second = IngestionPipeline(transformations=[MarkdownNodeParser(), li_embedding])
    second.load(str(tmp_path))
    assert [node.embedding for node in second.run(documents=read())] == vectors
    assert embedded() == before


async def test_ingestion_runs_in_async_code(pipeline, embedded):
    """The async run embeds as much."""
    assert len(await pipeline().arun(documents=read())) == embedded()


def test_an_answer_cites_its_sources(index, li_llm, gateway):
    """The passages are numbered in the prompt, and come back as the answer's source nodes in that order."""
    engine = CitationQueryEngine.from_args(index, llm=li_llm, similarity_top_k=3, citation_chunk_size=1024)
    gateway.script("It was the Crane [1].")
    response = engine.query(QUESTION)
    assert str(response) == "It was the Crane [1]."
    assert "with its beak loosened the bone" in response.source_nodes[0].text
    asked = gateway.requests[-1].body["messages"][-1]["content"]
    assert all(f"Source {number}:" in asked for number in (1, 2, 3))
    assert response.source_nodes[0].metadata["file_name"] == "fables.en.md"


async def test_an_answer_streams(index, li_llm):
    """A streaming engine gives its tokens in async code, and the same text."""
    engine = index.as_query_engine(llm=li_llm, similarity_top_k=3, streaming=True)
    response = await engine.aquery(QUESTION)
    tokens = [token async for token in response.async_response_gen()]
    assert len(tokens) > 5
    assert "bone in the meat stuck in his throat" in "".join(tokens)


def test_a_new_process_answers_from_the_disk(ingested, tmp_path, gateway, embedded):
    """Another process opens the store and embeds nothing but the question."""
    before = embedded()
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, str(tmp_path / "chroma"), QUESTION],
        env={**os.environ, "FLASH_BASE_URL": gateway.base_url, "FLASH_API_KEY": gateway.api_key},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    stored, answer, sources = json.loads(done.stdout)
    assert stored == len(ingested)
    assert answer
    assert len(sources) == 3  # which ones, Chroma's search does not promise
    assert {*sources} <= {node.text for node in ingested}
    assert embedded() == before + 1
