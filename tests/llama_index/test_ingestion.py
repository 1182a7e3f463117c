"""Ingestion pipelines: keys in their worker processes, and nodes without text."""

from __future__ import annotations

import pytest
from llama_index.core.extractors import KeywordExtractor
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import TextNode

from flash_integrations.llama_index import FlashEmbedding, FlashLLM
from flash_integrations.testing import LocalGateway


@pytest.fixture
def gateway():
    """A gateway that wants its key."""
    with LocalGateway("openai") as gateway:
        yield gateway


@pytest.fixture
def embed_model(gateway):
    """An embedding before it, with the key in code."""
    return FlashEmbedding(base_url=gateway.base_url, api_key=gateway.api_key, dimensions=16)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of LlamaIndex's own
@pytest.mark.parametrize("mode", ["run", "arun"])
async def test_workers_embed_with_the_key(gateway, embed_model, mode):
    """Run and arun over two processes send the key that the object was given."""
    pipeline = IngestionPipeline(transformations=[embed_model])
    nodes = [TextNode(text=text) for text in ("a dog", "a cat")]
    if mode == "run":
        done = pipeline.run(nodes=nodes, num_workers=2)
    else:
        done = await pipeline.arun(nodes=nodes, num_workers=2)
    assert [node.text for node in done] == ["a dog", "a cat"]
    assert [len(node.embedding) for node in done] == [16, 16]
    assert len(gateway.requests) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of LlamaIndex's own
def test_extractors_in_workers_ask_with_the_key(gateway):
    """An LLM inside an extractor takes its key along, too."""
    gateway.script(*["pets"] * 2)
    llm = FlashLLM(model="gpt-5.2", base_url=gateway.base_url, api_key=gateway.api_key)
    pipeline = IngestionPipeline(transformations=[KeywordExtractor(llm=llm, num_workers=2)])
    done = pipeline.run(nodes=[TextNode(text="a dog"), TextNode(text="a cat")], num_workers=2)
    assert [node.metadata["excerpt_keywords"] for node in done] == ["pets", "pets"]


@pytest.mark.parametrize("mode", ["run", "arun"])
async def test_a_blank_node_does_not_stop_a_pipeline(embed_model, mode):
    """LlamaIndex makes such nodes of files without text; all nodes come back with their vectors."""
    pipeline = IngestionPipeline(transformations=[embed_model])
    nodes = [TextNode(text=text) for text in ("a dog", "", "a cat")]
    done = pipeline.run(nodes=nodes) if mode == "run" else await pipeline.arun(nodes=nodes)
    assert [node.text for node in done] == ["a dog", "", "a cat"]
    assert [len(node.embedding) for node in done] == [16] * 3
