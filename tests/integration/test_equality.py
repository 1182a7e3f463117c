"""The package's promise on a real model.

Behind a gateway that refuses plain requests, every call gives what a direct plain request to the model server gives.
"""

from __future__ import annotations

import asyncio
from functools import reduce
from operator import add

import httpx
import pytest
from llama_index.core.llms import ChatMessage

from flash_integrations import AsyncFlashClient, FlashClient
from flash_integrations.langchain import ChatFlash
from flash_integrations.llama_index import FlashLLM

PROMPTS = {
    "short": "Name three primes.",
    "chinese": "用一句话介绍北京。",
    "code": "Write a Python function that reverses a list.",
}
FIXED = {"temperature": 0, "seed": 7, "max_tokens": 60}
MODEL = "gpt-5.2"

pytestmark = pytest.mark.vcr


@pytest.fixture(params=PROMPTS.values(), ids=PROMPTS)
def prompt(request):
    return request.param


@pytest.fixture
def direct(server, prompt):
    """Text, finish reason and usage of a plain request to the server itself."""
    body = {"model": server.model, "messages": [{"role": "user", "content": prompt}], **FIXED}
    headers = {"Authorization": f"Bearer {server.api_key}"}
    answer = httpx.post(f"{server.base_url}/chat/completions", json=body, headers=headers, timeout=120).json()
    choice, usage = answer["choices"][0], answer["usage"]
    assert choice["message"]["content"]
    return choice["message"]["content"], choice["finish_reason"], counts(usage, "prompt_tokens", "completion_tokens")


@pytest.fixture
def options(gateway):
    gateway.clear()
    return {"base_url": gateway.base_url, "api_key": gateway.api_key, "rate_limit": None}


@pytest.fixture(autouse=True)
def _all_streamed(gateway):
    """Whatever a test calls, what went out was a stream, and was answered."""
    yield
    assert gateway.requests
    assert all(request.stream and request.status == 200 for request in gateway.requests)


def counts(usage, prompt, completion):
    return usage[prompt], usage[completion], usage["total_tokens"]


def of_completion(answer):
    return answer.text, answer.finish_reason, counts(answer.usage, "prompt_tokens", "completion_tokens")


def of_message(message):
    usage = counts(message.usage_metadata, "input_tokens", "output_tokens")
    return message.text, message.response_metadata["finish_reason"], usage


def of_response(response):
    finish = response.raw["choices"][0]["finish_reason"]
    text = response.text if hasattr(response, "text") else response.message.content
    return text, finish, counts(response.additional_kwargs, "prompt_tokens", "completion_tokens")


async def sum_of(chunks):
    return reduce(add, [chunk async for chunk in chunks])


async def last_of(coroutine):
    responses = [response async for response in await coroutine]
    assert "".join(response.delta or "" for response in responses) == of_response(responses[-1])[0]
    return responses[-1]


def test_core(options, prompt, direct):
    """FlashClient, whole and streamed, sync and async."""
    ask = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **FIXED}
    client = FlashClient(**options)
    assert of_completion(client.chat(**ask)) == direct
    with client.stream_chat(**ask) as stream:
        assert "".join(delta.text for delta in stream) == direct[0]
    assert of_completion(stream.completion) == direct
    assert of_completion(asyncio.run(AsyncFlashClient(**options).chat(**ask))) == direct


def test_langchain(options, prompt, direct):
    """ChatFlash.invoke, .ainvoke, and the sums of .stream and .astream."""
    llm = ChatFlash(model=MODEL, **FIXED, **options)
    assert of_message(llm.invoke(prompt)) == direct
    assert of_message(asyncio.run(llm.ainvoke(prompt))) == direct
    assert of_message(reduce(add, llm.stream(prompt))) == direct
    assert of_message(asyncio.run(sum_of(llm.astream(prompt)))) == direct


def test_llama_index(options, prompt, direct):
    """FlashLLM's eight methods: whole answers and the ends of streams."""
    llm = FlashLLM(model=MODEL, **FIXED, **options)
    messages = [ChatMessage(role="user", content=prompt)]
    assert of_response(llm.chat(messages)) == direct
    assert of_response(llm.complete(prompt)) == direct
    assert of_response(asyncio.run(llm.achat(messages))) == direct
    assert of_response(asyncio.run(llm.acomplete(prompt))) == direct
    assert of_response(list(llm.stream_chat(messages))[-1]) == direct
    assert of_response(list(llm.stream_complete(prompt))[-1]) == direct
    assert of_response(asyncio.run(last_of(llm.astream_chat(messages)))) == direct
    assert of_response(asyncio.run(last_of(llm.astream_complete(prompt)))) == direct
