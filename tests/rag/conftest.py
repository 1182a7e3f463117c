"""The corpus behind a stream-only gateway that embeds by words: retrieval works, and no model is needed."""

from __future__ import annotations

import pytest
from corpus import FOLDER
from rag_over_folder import FolderLoader

from flash_integrations import FlashClient
from flash_integrations.langchain import ChatFlash, FlashEmbeddings
from flash_integrations.llama_index import FlashEmbedding, FlashLLM
from flash_integrations.testing import LocalGateway


@pytest.fixture
def gateway():
    """A gateway at whose end every chat was streamed and everything answered."""
    with LocalGateway() as gateway:
        yield gateway
        assert all(each.status == 200 for each in gateway.requests)
        assert all(each.stream for each in gateway.requests if each.path.endswith("/chat/completions"))


@pytest.fixture
def client(gateway):
    """The one client that the objects of both frameworks share."""
    with FlashClient(provider=gateway.provider, api_key=gateway.api_key, rate_limit={"concurrent": 4}) as client:
        yield client


@pytest.fixture
def llm(client):
    return ChatFlash(model="gpt-5.2", client=client)


@pytest.fixture
def embeddings(client):
    return FlashEmbeddings(client=client)


@pytest.fixture
def li_llm(client):
    return FlashLLM(model="gpt-5.2", client=client)


@pytest.fixture
def li_embedding(client):
    return FlashEmbedding(client=client)


@pytest.fixture
def documents():
    """The corpus as LangChain's documents, one for each passage."""
    return FolderLoader(FOLDER / "texts").load()


@pytest.fixture
def embedded(gateway):
    """How many texts the gateway has embedded so far."""

    def embedded():
        inputs = [each.body["input"] for each in gateway.requests if each.path.endswith("/embeddings")]
        return sum(len(texts) if isinstance(texts, list) else 1 for texts in inputs)

    return embedded
