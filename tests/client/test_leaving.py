"""However a call is left, its connection is closed and its slot is free; before it is begun, nothing is sent."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest
from raw_server import serving, whole
from replay import chunk

from flash_integrations import AsyncFlashClient, FlashClient, errors

MESSAGES = [{"role": "user", "content": "Hi"}]
ASK = {"model": "m", "messages": MESSAGES}
ROLE, HELLO = chunk({"role": "assistant"}), chunk({"content": "Hello"})


class Unfinished:
    """Begins each answer and never ends it; says when the client lets go."""

    def __init__(self):
        self.left = threading.Event()
        self.asked = threading.Event()

    def __call__(self, line):
        line.request()
        self.asked.set()
        try:
            line.head()
            line.send(ROLE, HELLO)
            left = line.is_left()
        except OSError:
            left = True  # the client was faster
        if left:
            self.left.set()


@pytest.fixture
def unfinished():
    """A server whose answers do not end, and a client with one slot, which is free afterwards."""
    begun = Unfinished()
    with serving(begun) as server:
        begun.client = FlashClient(base_url=server.base_url, rate_limit={"concurrent": 1})
        yield begun
        assert begun.left.wait(60), "the connection was not closed"
        assert slots(begun.client) == []


def slots(client):
    """Who holds the client's slots."""
    return client._limiter().holders(0.0)


# --- before ---------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_before_a_stream_is_begun():
    """Making a stream, in sync and async, opens no connection; dropping it unused leaves nothing behind."""
    with serving(whole) as server:
        client = FlashClient(base_url=server.base_url)
        streams = [client.stream_chat(**ASK), client.to_async().stream_chat(**ASK)]
        assert slots(client) == []
        del streams
        gc.collect()
        assert server.connections == 0


def test_entering_a_stream_waits_for_its_first_piece():
    """A refusal shows at the `with`, not inside it."""

    def refuse(line):
        while line.request():
            line.answer(b"{}", status=401)

    with serving(refuse) as server:
        stream = FlashClient(base_url=server.base_url).stream_chat(**ASK)
        with pytest.raises(errors.AuthenticationError):
            stream.__enter__()


async def test_entering_an_async_stream_waits_for_its_first_piece():
    """The first piece is there, and not lost, once the stream is entered."""
    with serving(whole) as server:
        async with AsyncFlashClient(base_url=server.base_url).stream_chat(**ASK) as stream:
            assert len(server.requests) == 1
            assert [delta.text async for delta in stream] == ["Hel", "lo", ""]


def test_an_entered_stream_gives_every_piece():
    """The piece that entering waited for comes first."""
    with serving(whole) as server, FlashClient(base_url=server.base_url).stream_chat(**ASK) as stream:
        assert len(server.requests) == 1
        assert [delta.text for delta in stream] == ["Hel", "lo", ""]
        assert stream.completion.text == "Hello"


def test_there_is_no_completion_before_the_end():
    """A stream that has not been read to its end, or was left, has none."""
    with serving(whole) as server:
        stream = FlashClient(base_url=server.base_url).stream_chat(**ASK)
        for step in (stream.__enter__, stream.close):
            step()
            with pytest.raises(RuntimeError, match="has not ended"):
                _ = stream.completion


# --- leaving early, blocking ----------------------------------------------------------------------------------------


def test_a_with_that_is_left_lets_go(unfinished):
    """Break out of the loop, and out of the `with`."""
    with unfinished.client.stream_chat(**ASK) as stream:
        for delta in stream:
            assert delta.text == "Hello"
            break


def test_a_with_that_raises_lets_go(unfinished):
    """An error of the caller's own goes through."""

    def use():
        with unfinished.client.stream_chat(**ASK) as stream:
            next(stream)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()


def test_close_lets_go(unfinished):
    """Without a `with`; a second time does nothing, and the stream is at its end."""
    stream = unfinished.client.stream_chat(**ASK)
    next(stream)
    stream.close()
    stream.close()
    assert list(stream) == []


def test_closing_an_entered_stream_drops_its_first_piece(unfinished):
    """A closed stream gives nothing more, not even what it had waiting."""
    with unfinished.client.stream_chat(**ASK) as stream:
        stream.close()
        assert list(stream) == []


def test_a_forgotten_stream_lets_go(unfinished):
    """The last reference gone, the connection is closed."""
    stream = unfinished.client.stream_chat(**ASK)
    next(stream)
    del stream
    gc.collect()


def test_a_stream_in_a_cycle_lets_go(unfinished):
    """Collected by the garbage collector, from wherever that runs."""
    cycle = [unfinished.client.stream_chat(**ASK)]
    next(cycle[0])
    cycle.append(cycle)
    del cycle
    gc.collect()


def test_a_stream_may_be_left_in_another_thread(unfinished):
    """Begun here, closed there."""
    stream = unfinished.client.stream_chat(**ASK)
    next(stream)
    thread = threading.Thread(target=stream.close)
    thread.start()
    thread.join()


# --- leaving early, async -------------------------------------------------------------------------------------------


async def settle(unfinished):
    """Wait, without blocking the loop, until the server sees the client gone."""
    assert await asyncio.to_thread(unfinished.left.wait, 10)


async def test_an_async_with_that_is_left_lets_go(unfinished):
    """Break out of the loop, and out of the `async with`."""
    async with unfinished.client.to_async().stream_chat(**ASK) as stream:
        async for delta in stream:
            assert delta.text == "Hello"
            break
    await settle(unfinished)


async def test_aclose_lets_go(unfinished):
    """Without an `async with`; a second time does nothing, and the stream is at its end."""
    stream = unfinished.client.to_async().stream_chat(**ASK)
    await anext(stream)
    await stream.aclose()
    await stream.aclose()
    assert [delta async for delta in stream] == []
    await settle(unfinished)


async def test_a_forgotten_async_stream_lets_go(unfinished):
    """The loop closes what nobody refers to any more."""
    stream = unfinished.client.to_async().stream_chat(**ASK)
    await anext(stream)
    del stream
    gc.collect()
    await settle(unfinished)


@pytest.mark.parametrize("verb", ["chat", "stream"])
async def test_a_cancelled_task_lets_go(unfinished, verb):
    """Cancelled while it reads, in either verb."""

    async def call():
        if verb == "chat":
            await unfinished.client.to_async().chat(**ASK)
        else:
            async for _ in unfinished.client.to_async().stream_chat(**ASK):
                pass

    task = asyncio.create_task(call())
    assert await asyncio.to_thread(unfinished.asked.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await settle(unfinished)


def test_a_loop_that_ends_lets_go(unfinished):
    """asyncio.run ends with a stream still open in it."""
    kept = []

    async def begin():
        kept.append(unfinished.client.to_async().stream_chat(**ASK))
        await anext(kept[0])

    asyncio.run(begin())


async def test_a_task_cancelled_before_the_head_lets_go():
    """Cancelled while the gateway has not answered yet: the connection is closed, the slot free."""
    asked, left = threading.Event(), threading.Event()

    def silent(line):
        line.request()
        asked.set()
        if line.is_left():
            left.set()

    with serving(silent) as server:
        client = AsyncFlashClient(base_url=server.base_url, rate_limit={"concurrent": 1})
        task = asyncio.create_task(client.chat(**ASK))
        assert await asyncio.to_thread(asked.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(left.wait, 10)
        assert slots(client) == []


async def test_a_task_cancelled_in_the_queue_lets_the_next_one_go(unfinished):
    """Who is cancelled while waiting for a slot does not stand before the others."""
    client = unfinished.client.to_async()
    stream = client.stream_chat(**ASK)
    await anext(stream)
    tasks = [asyncio.create_task(anext(client.stream_chat(**ASK))) for _ in range(2)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    await stream.aclose()
    assert (await tasks[1]).text == "Hello"
    gc.collect()
    await settle(unfinished)


# --- after a failure ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_call_that_fails_lets_go(calls, status):
    """Refusals, and answers that are none: the slot is free again."""

    def fail(line):
        while line.request():
            line.answer(b"no", status=status)

    with serving(fail) as server:
        client = FlashClient(base_url=server.base_url, max_retries=0, rate_limit={"concurrent": 1})
        for _ in range(3):
            with pytest.raises(errors.FlashError):
                calls.chat(client)
        assert slots(client) == []


def test_a_key_function_that_raises_lets_go(calls):
    """Its own error comes through, nothing was sent, and the slot is free."""

    def no_key():
        raise LookupError("the vault is shut")

    with serving(whole) as server:
        client = FlashClient(base_url=server.base_url, api_key=no_key, rate_limit={"concurrent": 1})
        for _ in range(2):
            with pytest.raises(LookupError, match="vault"):
                calls.chat(client)
        assert slots(client) == []
        assert server.connections == 0


def test_a_key_function_that_stops_is_no_answer(calls):
    """StopIteration from the user's own function is not taken for the end of the call."""
    with serving(whole) as server:
        client = FlashClient(base_url=server.base_url, api_key=iter(()).__next__)
        with pytest.raises((StopIteration, RuntimeError)):
            calls.chat(client)


# --- closing a client -----------------------------------------------------------------------------------------------


def test_a_closed_client_says_so(calls):
    """Both sync and async are closed together, by either."""
    with serving(whole) as server:
        client = FlashClient(base_url=server.base_url)
        with client:
            assert calls.chat(client).text == "Hello"
        with pytest.raises(errors.ConfigurationError, match="was closed"):
            calls.chat(client)


async def test_closing_the_async_client_closes_the_sync_one():
    """The same client, closed from the other side; another one at the same gateway goes on."""
    with serving(whole) as server:
        async with AsyncFlashClient(base_url=server.base_url) as client:
            same = client.to_sync()
            assert (await client.chat(**ASK)).text == "Hello"
        with pytest.raises(errors.ConfigurationError, match="FlashClient was closed"):
            same.chat(**ASK)
        assert (await AsyncFlashClient(base_url=server.base_url).chat(**ASK)).text == "Hello"


def test_to_async_and_back_is_the_client_itself():
    """However often it is asked."""
    client = FlashClient(base_url="http://127.0.0.1:9/v1")
    assert isinstance(client.to_async(), AsyncFlashClient)
    assert client.to_async().to_sync() is client
    assert client.to_async() is client.to_async()


def test_done_is_not_needed_to_let_go():
    """A stream that was read to its end has let go by itself."""
    with serving(whole) as server:
        client = FlashClient(base_url=server.base_url, rate_limit={"concurrent": 1})
        for _ in range(3):
            assert "".join(delta.text for delta in client.stream_chat(**ASK)) == "Hello"
        assert slots(client) == []
