"""One client for the objects of both frameworks: one record of use, and one set of limits for chat and embeddings."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from flash_integrations import FlashClient
from flash_integrations.langchain import ChatFlash, FlashEmbeddings
from flash_integrations.llama_index import FlashEmbedding, FlashLLM

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def calls(gateway):
    """Eight calls, two by an object of each kind, that share a client with room for two requests at once."""
    client = FlashClient(provider=gateway.provider, api_key=gateway.api_key, rate_limit={"concurrent": 2})
    chat, llm = ChatFlash(model="gpt-5.2", client=client), FlashLLM(model="gpt-5.2", client=client)
    embeddings, embedding = FlashEmbeddings(client=client), FlashEmbedding(client=client)
    return 2 * [
        lambda: chat.invoke("Hello").text,
        lambda: str(llm.complete("Hello")),
        lambda: embeddings.embed_query("Hello"),
        lambda: embedding.get_text_embedding("Hello"),
    ]


def test_limits_hold_over_both_frameworks(gateway, calls):
    """While two requests are held at the gateway no third one arrives, and all are answered in the end."""
    gateway.fault(hold="before_first_byte", times=2)
    with ThreadPoolExecutor(len(calls)) as threads:
        pending = [threads.submit(call) for call in calls]
        assert gateway.wait_held(2)
        gateway.release()
        answers = [each.result() for each in pending]
    assert gateway.peak == 2
    assert len(gateway.requests) == len(calls) == 8
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]


async def test_limits_hold_in_async_code(gateway, client, documents):
    """Embedding a corpus by small batches and chatting go side by side, never more at once than the client allows."""
    embeddings, llm = FlashEmbeddings(client=client, chunk_size=8), FlashLLM(model="gpt-5.2", client=client)
    gateway.fault(hold="before_first_byte", times=4)

    def let_go():
        held = gateway.wait_held(4)
        gateway.release()
        return held

    texts = [each.page_content for each in documents]
    vectors, answer, held = await asyncio.gather(
        embeddings.aembed_documents(texts), llm.acomplete("Hello"), asyncio.to_thread(let_go)
    )
    assert held
    assert len(vectors) == len(texts)
    assert answer.text
    assert gateway.peak == 4
