"""How users call the package; type checkers read it, nothing runs it."""

from __future__ import annotations

from typing import assert_type

import httpx
from pydantic import SecretStr

from flash_integrations import (
    AsyncChatStream,
    AsyncFlashClient,
    ChatDelta,
    ChatStream,
    Completion,
    Embeddings,
    FlashClient,
    RateLimit,
    Timeout,
    get_provider,
)
from flash_integrations.errors import FlashError, RateLimitError
from flash_integrations.langchain import ChatFlash, FlashEmbeddings
from flash_integrations.llama_index import FlashEmbedding, FlashLLM

MESSAGES = [{"role": "user", "content": "Hello"}]


def get_key() -> str:
    """A key that changes."""
    return "sk-made-up"


async def aget_key() -> str:
    """The same from async code."""
    return "sk-made-up"


def core() -> None:
    """The clients."""
    client = FlashClient(provider="flashapi", api_key="sk-made-up", rate_limit=RateLimit(concurrent=2), timeout=30)
    assert_type(client.chat(model="gpt-5.2", messages=MESSAGES, temperature=0.5), Completion)
    assert_type(client.stream_chat(model="gpt-5.2", messages=MESSAGES), ChatStream)
    assert_type(client.embed(["a"], model="text-embedding-3-large"), Embeddings)
    assert_type(client.models(), list[str])
    assert_type(client.to_async(), AsyncFlashClient)
    assert_type(client.to_async().to_sync(), FlashClient)
    with client.stream_chat(model="gpt-5.2", messages=MESSAGES) as stream:
        for delta in stream:
            assert_type(delta, ChatDelta)
        assert_type(stream.completion, Completion)
    try:
        client.chat(model="gpt-5.2", messages=MESSAGES)
    except RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except FlashError as error:
        assert_type(error.partial, Completion | None)
        assert_type(error.retries, int)


async def async_core() -> None:
    """The async client."""
    async with AsyncFlashClient(base_url="https://gateway.example/v1", api_key=aget_key) as client:
        assert_type(await client.chat(model="gpt-5.2", messages=MESSAGES), Completion)
        stream = client.stream_chat(model="gpt-5.2", messages=MESSAGES)
        assert_type(stream, AsyncChatStream)
        await stream.aclose()


def langchain() -> None:
    """LangChain's classes take what the documentation says."""
    ChatFlash(model="gpt-5.2")
    ChatFlash(model="gpt-5.2", api_key="sk-made-up", timeout=30, temperature=0)
    ChatFlash(model="gpt-5.2", api_key=SecretStr("sk-made-up"), timeout={"connect": 5.0, "progress": None})
    ChatFlash(model="gpt-5.2", api_key=get_key, rate_limit=None, timeout=Timeout(connect=5))
    ChatFlash(model="gpt-5.2", api_key=aget_key, rate_limit={"concurrent": 2}, provider=get_provider("supertoken"))
    ChatFlash(model="gpt-5.2", rate_limit=RateLimit(requests_per_minute=60), http_client=httpx.Client())
    ChatFlash(model="gpt-5.2", client=FlashClient(), reasoning_effort="low", service_tier="a-gateways-own")
    ChatFlash(model="gpt-5.2", disabled_params={"stop"}, default_headers={"x-team": "blue"}, stop=["END"])
    FlashEmbeddings(model="text-embedding-3-large", api_key="sk-made-up", dimensions=256)


def llama_index() -> None:
    """LlamaIndex's classes, too."""
    FlashLLM(model="gpt-5.2", api_key="sk-made-up", max_tokens=100, rate_limit="provider")
    FlashLLM(model="gpt-5.2", api_key=get_key, timeout=Timeout(), client=None)
    FlashEmbedding(model_name="text-embedding-3-large", api_key="sk-made-up", embed_batch_size=50)
