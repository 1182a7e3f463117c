"""Embeddings from a real multilingual model: meaning lies close together, alike in both frameworks, sync and async."""

from __future__ import annotations

import math

import pytest
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from llama_index.core import Document, VectorStoreIndex

from flash_integrations import FlashClient, errors
from flash_integrations.langchain import FlashEmbeddings
from flash_integrations.llama_index import FlashEmbedding
from flash_integrations.testing import LocalGateway

PAIRS = [
    ("The cat is sleeping on the sofa.", "猫正在沙发上睡觉。"),
    ("How do I reset my password?", "我怎样重新设置密码？"),
    ("The Great Wall was built in the Ming dynasty.", "长城建于明朝。"),
    ("Boil the noodles for ten minutes.", "把面条煮十分钟。"),
    ("The stock market fell sharply today.", "今天股市大跌。"),
]
"""Sentences of one meaning."""


@pytest.fixture
def params(embedding_server):
    """The connection's words."""
    return {"base_url": embedding_server.base_url, "api_key": embedding_server.api_key or "none"}


@pytest.fixture
def langchain(params, embedding_server):
    return FlashEmbeddings(model=embedding_server.model, query_model="e5-query", **params)


@pytest.fixture
def llama_index(params, embedding_server):
    return FlashEmbedding(model=embedding_server.model, query_model="e5-query", **params)


def likeness(one, other):
    """The cosine of two vectors."""
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


def test_sentences_of_one_meaning_are_nearest(langchain):
    """Each English sentence lies nearest to its Chinese one, and the other way round."""
    english = langchain.embed_documents([pair[0] for pair in PAIRS])
    chinese = langchain.embed_documents([pair[1] for pair in PAIRS])
    for ours, theirs in ((english, chinese), (chinese, english)):
        nearest = [max(range(len(PAIRS)), key=lambda at, v=vector: likeness(v, theirs[at])) for vector in ours]
        assert nearest == list(range(len(PAIRS)))


async def test_both_frameworks_and_colours_give_equal_vectors(langchain, llama_index):
    """One text, one vector, however it is asked for."""
    texts = [text for pair in PAIRS for text in pair]
    wanted = langchain.embed_documents(texts)
    assert await langchain.aembed_documents(texts) == wanted
    assert llama_index.get_text_embedding_batch(texts) == wanted
    assert await llama_index.aget_text_embedding_batch(texts) == wanted
    query = langchain.embed_query(texts[0])
    assert await langchain.aembed_query(texts[0]) == query == llama_index.get_query_embedding(texts[0])
    assert await llama_index.aget_query_embedding(texts[0]) == query != wanted[0]


def test_floats_are_the_same_as_base64(params, embedding_server):
    """The form on the wire changes nothing but its size."""
    client = FlashClient(**params)
    coded = client.embed(["a cat"], model=embedding_server.model)
    plain = client.embed(["a cat"], model=embedding_server.model, encoding_format="float")
    assert coded.vectors[0] == pytest.approx(plain.vectors[0], rel=1e-6)
    assert (coded.dimensions, coded.usage.prompt_tokens > 0) == (384, True)


def test_ignored_dimensions_are_an_error(params, embedding_server):
    """This server takes no ``dimensions``: vectors of another length would poison an index made for them."""
    with pytest.raises(errors.MalformedResponseError, match="384 dimensions where 64 were asked for"):
        FlashClient(**params).embed(["a cat"], model=embedding_server.model, dimensions=64)


def test_many_texts_come_in_order(langchain):
    """Batches side by side against a real server."""
    texts = [f"This is sentence number {at}." for at in range(120)]
    langchain.chunk_size = 16
    vectors = langchain.embed_documents(texts)
    assert likeness(vectors[77], langchain.embed_documents([texts[77]])[0]) > 0.9999


@pytest.mark.filterwarnings("ignore:.langchain-community. is being sunset:DeprecationWarning")  # LlamaIndex loads it
@pytest.mark.parametrize(("question", "found"), [("谁在睡觉？", 0), ("Wie lange müssen Nudeln kochen?", 3)])
def test_stores_find_across_languages(langchain, llama_index, question, found):
    """A vector store of LangChain and an index of LlamaIndex over English texts, asked in Chinese and German."""
    texts = [pair[0] for pair in PAIRS]
    store = InMemoryVectorStore.from_texts(texts, langchain)
    assert store.similarity_search(question, k=1)[0].page_content == texts[found]
    index = VectorStoreIndex.from_documents([Document(text=text) for text in texts], embed_model=llama_index)
    assert index.as_retriever(similarity_top_k=1).retrieve(question)[0].text == texts[found]


def test_the_gateway_relays_to_it(embedding_server):
    """The local gateway with this server behind it, under the catalogue's model name."""
    with LocalGateway("openai", upstream=embedding_server.base_url, upstream_model="e5-passage") as gateway:
        embeddings = FlashEmbeddings(provider=gateway.provider, api_key=gateway.api_key)
        assert len(embeddings.embed_query("a cat")) == 384


class TestStandard(EmbeddingsIntegrationTests):
    """langchain-tests' suite on the real model."""

    @pytest.fixture(autouse=True)
    def _with(self, params):
        self.params = params

    @property
    def embeddings_class(self):
        return FlashEmbeddings

    @property
    def embedding_model_params(self):
        return {"model": "e5-passage", "query_model": "e5-query", **self.params}
