"""Notebooks' nested event loops (nest_asyncio): a stream that is left early there frees what it held."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, gc, nest_asyncio
from langchain_core.output_parsers import StrOutputParser
from llama_index.core.llms import ChatMessage
from flash_integrations import AsyncFlashClient
from flash_integrations.langchain import ChatFlash
from flash_integrations.llama_index import FlashLLM
from flash_integrations.testing import LocalGateway

async def leave(stream):
    async for _ in stream:
        break

async def core(**settings):
    await leave(AsyncFlashClient(**settings).stream_chat(model="gpt-5.2", messages=[{"role": "user", "content": "Hi"}]))

async def langchain(**settings):
    await leave(ChatFlash(model="gpt-5.2", **settings).astream("Hi"))

async def langchain_chain(**settings):
    await leave((ChatFlash(model="gpt-5.2", **settings) | StrOutputParser()).astream("Hi"))

async def llama_index(**settings):
    await leave(await FlashLLM(model="gpt-5.2", **settings).astream_chat([ChatMessage(content="Hi")]))

async def main(gateway):
    loop = asyncio.get_running_loop()
    settings = {"base_url": gateway.base_url, "api_key": gateway.api_key, "rate_limit": {"concurrent": 1}}
    gateway.fault(hold=3)
    loop.run_until_complete(LEAVE(**settings))
    for _ in range(20):  # a chain of generators is left as a circle, once its tasks have run
        await asyncio.sleep(0)
        gc.collect()
    answer = await AsyncFlashClient(**settings, total_timeout=60).chat(
        model="gpt-5.2", messages=[{"role": "user", "content": "Hi"}]
    )
    assert answer.text
    assert await asyncio.to_thread(gateway.wait_idle)

with LocalGateway() as gateway:
    loop = asyncio.new_event_loop()
    nest_asyncio.apply(loop)
    loop.run_until_complete(main(gateway))
    print("free")
"""


@pytest.mark.parametrize("leave", ["core", "langchain", "langchain_chain", "llama_index"])
def test_a_stream_left_early_under_nest_asyncio_frees_connection_and_slot(leave):
    """In a process of its own, for nest_asyncio changes asyncio itself: the only slot is there for the next call."""
    script = SCRIPT.replace("LEAVE", leave)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == "free\n", done.stderr[-2000:]
