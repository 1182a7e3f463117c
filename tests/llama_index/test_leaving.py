"""Leaving a stream early, by whatever way, frees its connection and its slot."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing, closing

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler

from flash_integrations.testing import LocalGateway

MESSAGES = [ChatMessage(role="user", content="hi")]
WAYS = ["stream_chat", "stream_complete"]


@pytest.fixture
def gateway():
    """A gateway of the test's own: what is held ends with it."""
    with LocalGateway() as gateway:
        yield gateway


@pytest.fixture
def keeper():
    """A handler that keeps all it is told, the exception of an early leave included."""
    return LlamaDebugHandler(print_trace_on_end=False)


@pytest.fixture
def llm(gateway, llm_of, keeper):
    """An object that may have one request at a time, before answers that stand still after three tokens."""
    gateway.fault(hold=3, times=None)
    return llm_of(callback_manager=CallbackManager([keeper]), rate_limit={"concurrent": 1})


def begin(llm, way):
    """A stream, by one of the two ways."""
    return llm.stream_chat(MESSAGES) if way == "stream_chat" else llm.stream_complete("hi")


async def abegin(llm, way):
    """An async stream, by one of the two ways."""
    return await (llm.astream_chat(MESSAGES) if way == "stream_chat" else llm.astream_complete("hi"))


def is_free(gateway, llm):
    """Whether the gateway has nobody left, and the only slot can be had again."""
    return gateway.wait_idle() and next(llm.stream_complete("hi")).delta != ""


@pytest.mark.parametrize("way", WAYS)
def test_breaking_out_of_a_stream_frees_it(gateway, llm, way):
    """A loop that is left leaves nothing behind, though a handler keeps what it was told."""
    for _ in begin(llm, way):
        break
    assert is_free(gateway, llm)


@pytest.mark.parametrize("way", WAYS)
def test_closing_a_stream_frees_it(gateway, llm, way):
    """close() lets go at once, while the generator is still at hand."""
    with closing(begin(llm, way)) as items:
        next(items)
    assert is_free(gateway, llm)
    assert list(items) == []


@pytest.mark.parametrize("way", WAYS)
def test_closing_an_async_stream_frees_it(gateway, llm, way):
    """aclose() lets go at once."""

    async def run():
        async with aclosing(await abegin(llm, way)) as items:
            await anext(items)
        assert await asyncio.to_thread(is_free, gateway, llm)

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
def test_a_collected_async_stream_is_freed(gateway, llm, way):
    """A generator that nobody holds any more is closed by its loop."""

    async def run():
        async for _ in await abegin(llm, way):
            break
        gc.collect()
        assert await asyncio.to_thread(is_free, gateway, llm)

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
def test_a_cancelled_task_frees_its_stream(gateway, llm, way):
    """Cancelling who waits for a token frees the stream."""

    async def run():
        async def read():
            async for _ in await abegin(llm, way):
                pass

        task = asyncio.create_task(read())
        assert await asyncio.to_thread(gateway.wait_held)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(is_free, gateway, llm)

    asyncio.run(run())


def test_a_stream_that_nobody_reads_sends_nothing(gateway, llm):
    """Asking for a stream is not yet a request."""
    llm.stream_chat(MESSAGES).close()
    asyncio.run(llm.astream_chat(MESSAGES)).aclose().close()
    assert gateway.requests == []
