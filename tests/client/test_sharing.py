"""One object in many hands: threads, tasks, loops, processes; shared connections and shared limits."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from raw_server import echo, serving, whole
from replay import WHOLE, chunk, plain

from flash_integrations import AsyncFlashClient, FlashClient, RateLimit, errors
from flash_integrations._core.commands import Sleep
from flash_integrations._core.policy.rate_limiter import RateLimiter
from flash_integrations._transport import pools as transports

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def said(text):
    """A request that an echo answers with the same text."""
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


async def gathered(client, texts):
    """The answers to many requests at once."""
    return [each.text for each in await asyncio.gather(*(client.chat(**said(text)) for text in texts))]


# --- right answers --------------------------------------------------------------------------------------------------


def test_many_threads_get_their_own_answers():
    """Ten threads on one object."""
    texts = [f"thread number {number} says so" for number in range(100)]
    with serving(echo) as server, ThreadPoolExecutor(10) as pool:
        client = FlashClient(base_url=server.base_url)
        assert [each.text for each in pool.map(lambda text: client.chat(**said(text)), texts)] == texts
        assert server.connections <= 10


async def test_many_tasks_get_their_own_answers():
    """Two hundred tasks on one object."""
    texts = [f"task number {number} says so" for number in range(200)]
    with serving(echo) as server:
        assert await gathered(AsyncFlashClient(base_url=server.base_url), texts) == texts


def test_one_object_works_in_one_loop_after_another():
    """Several asyncio.run on one object."""
    with serving(echo) as server:
        client = AsyncFlashClient(base_url=server.base_url)
        for number in range(3):
            texts = [f"loop {number} task {task}" for task in range(5)]
            assert asyncio.run(gathered(client, texts)) == texts


def test_one_object_works_in_several_loops_at_once():
    """A loop in each of four threads, and blocking calls beside them."""
    with serving(echo) as server, ThreadPoolExecutor(8) as pool:
        client = AsyncFlashClient(base_url=server.base_url)
        runs = {}
        for number in range(4):
            texts = [f"loop {number} task {task}" for task in range(10)]
            runs[pool.submit(lambda texts=texts: asyncio.run(gathered(client, texts)))] = texts
            runs[pool.submit(lambda texts=texts: [client.to_sync().chat(**said(text)).text for text in texts])] = texts
        assert [run.result() for run in runs] == list(runs.values())


# --- shared connections ---------------------------------------------------------------------------------------------


def test_connections_are_used_again():
    """One connection for one call after another, also of other clients of the same gateway, and of refused calls."""

    def refuse_first(line):
        line.request()
        line.answer(b"{}", status=400)
        whole(line)

    with serving(refuse_first) as server:
        with pytest.raises(errors.BadRequestError):
            FlashClient(base_url=server.base_url).chat(**ASK)
        for _ in range(3):
            assert FlashClient(base_url=server.base_url).chat(**ASK).text == "Hello"
        assert server.connections == 1


async def test_connections_of_a_loop_are_used_again():
    """The same within an event loop."""
    with serving(whole) as server:
        for _ in range(3):
            assert (await AsyncFlashClient(base_url=server.base_url).chat(**ASK)).text == "Hello"
        assert server.connections == 1


async def test_tasks_that_race_share_one_transport():
    """The first calls of a loop, all at once, make one transport."""
    made = await asyncio.gather(*(transports.shared_async_client("http://127.0.0.1:9/v1") for _ in range(10)))
    assert len(set(map(id, made))) == 1


def test_a_loops_connections_end_with_it():
    """asyncio.run leaves no connection open behind it."""
    with serving(whole) as server:
        client = AsyncFlashClient(base_url=server.base_url)
        assert asyncio.run(client.chat(**ASK)).text == "Hello"
        assert server.wait_for(lambda seen: seen.closed == 1)


SCRIPT = """
import asyncio, sys
from flash_integrations import AsyncFlashClient, FlashClient
ask = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
client = AsyncFlashClient(base_url=sys.argv[1])
async def main():
    await client.chat(**ask)
    left = client.stream_chat(**ask)
    await anext(left)
    return left
for _ in range(2):
    left = asyncio.run(main())
client.to_sync().chat(**ask)
forgotten = client.to_sync().stream_chat(**ask)
next(forgotten)
"""


def test_nothing_is_left_open_at_the_end_of_a_program():
    """No ResourceWarning, no unclosed transport, no complaint of the loop, even with streams left open."""
    with serving(whole) as server:
        command = [sys.executable, "-W", "error", "-c", SCRIPT, server.base_url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.stderr, done.returncode) == ("", 0)


LEFT_OPEN = """
import atexit, sys
atexit.register(lambda: print(kept._response.is_closed))  # runs after what is registered later
from flash_integrations import FlashClient
stream = FlashClient(base_url=sys.argv[1]).stream_chat(model="m", messages=[{"role": "user", "content": "Hi"}])
next(stream)
kept = stream._deltas.gi_frame.f_locals["port"]
"""


def test_a_stream_left_open_is_closed_before_the_interpreter_goes():
    """A sync one, in a variable of a script; httpx's closing of it later than that crashes Python 3.13.0."""
    with serving(whole) as server:
        command = [sys.executable, "-c", LEFT_OPEN, server.base_url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0)


def test_a_given_httpx_client_is_used_and_not_closed(calls):
    """Nobody closes what he did not open, not even by closing the FlashClient."""
    seen = []

    async def anote(request):
        seen.append(request.url.path)

    async def on_a_loop(base_url):
        async with httpx.AsyncClient(event_hooks={"request": [anote]}) as http:
            async with AsyncFlashClient(base_url=base_url, http_async_client=http) as client:
                assert (await client.chat(**ASK)).text == "Hello"
            assert not http.is_closed

    with serving(whole) as server:
        if calls.mode == "async":
            asyncio.run(on_a_loop(server.base_url))
        else:
            with httpx.Client(event_hooks={"request": [lambda request: seen.append(request.url.path)]}) as http:
                with FlashClient(base_url=server.base_url, http_client=http) as client:
                    assert client.chat(**ASK).text == "Hello"
                assert not http.is_closed
    assert seen == ["/v1/chat/completions"]


def test_a_transport_without_a_socket_works(calls):
    """A mock transport, as users' tests have it, with a body that is there at once, and a gateway that is not."""
    body = plain().segments[0]
    mock = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    https = {"http_client": httpx.Client(transport=mock), "http_async_client": httpx.AsyncClient(transport=mock)}
    client = FlashClient(base_url="http://gateway/v1", api_key="sk-1", **https)
    assert calls.chat(client).text == "Hello"


def test_a_closed_httpx_client_is_told():
    """What the user closed is named as his."""
    http = httpx.Client()
    http.close()
    with pytest.raises(errors.ConfigurationError, match="http_async_client is closed: give an open one"):
        FlashClient(base_url="http://127.0.0.1:9/v1", http_client=http).chat(**ASK)


async def test_an_httpx_client_of_the_other_colour_is_refused():
    """In the constructor, not at the first call."""
    async with httpx.AsyncClient() as other:
        with pytest.raises(errors.ConfigurationError, match=r"http_client must be an httpx\.Client"):
            FlashClient(http_client=other)
    with httpx.Client() as other, pytest.raises(errors.ConfigurationError, match=r"must be an httpx\.AsyncClient"):
        AsyncFlashClient(http_async_client=other)


# --- processes ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_calls_for_itself():
    """With the parent inside a stream: the child has connections, slots and deadlines of its own, and hurts none."""
    go = threading.Event()

    def serve(line):
        while (request := line.request()) is not None:
            line.head()
            line.send(chunk({"content": request.said}))
            if request.said == "parent":
                go.wait(60)
            line.send(chunk({}, "stop"), b"data: [DONE]\n\n")
            line.end()

    with serving(serve) as server:
        client = FlashClient(base_url=server.base_url, rate_limit={"concurrent": 1}, timeout=120)
        stream = client.stream_chat(**said("parent"))
        next(stream)
        FlashClient(base_url=server.base_url).chat(**said("first"))  # leaves a connection that the child must not use
        child = os.fork()
        if child == 0:
            try:
                text = client.chat(**said("child")).text
                again = asyncio.run(client.to_async().chat(**said("again"))).text
                os._exit(0 if (text, again) == ("child", "again") else 1)
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert server.connections == 4
        go.set()
        assert [delta.text for delta in stream] == [""]
        assert client.chat(**said("last")).text == "last"


def test_a_client_pickles_without_its_key(monkeypatch):
    """What comes out works with the key of its new environment; no key travels, in whichever header it stood."""
    with serving(whole) as server:
        headers = {"X-Team": "a", "Authorization": "Bearer sk-in-a-header", "x-api-key": "sk-in-a-header"}
        row = {"provider": "openai", "base_url": server.base_url, "timeout": 7, "rate_limit": {"concurrent": 1}}
        client = FlashClient(api_key="sk-made-up", default_headers=headers, **row)
        assert client.to_async().to_sync() is client
        pickled = pickle.dumps(client)
        assert b"sk-" not in pickled
        monkeypatch.setenv("OPENAI_API_KEY", "sk-there")
        there = pickle.loads(pickled)  # noqa: S301 - our own
        assert there.chat(**ASK).text == "Hello"
        assert server.requests[0].headers["authorization"] == "Bearer sk-there"
        assert server.requests[0].headers["x-team"] == "a"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_keeps_key_and_connections(copied):
    """A copy calls with the same key over the same httpx client, and is closed by itself."""
    with serving(whole) as server, httpx.Client(headers={"x-mine": "1"}) as http:
        client = FlashClient(base_url=server.base_url, api_key="sk-made-up", http_client=http)
        assert client.to_async() is not None
        other = copied(client)
        client.close()
        assert other.chat(**ASK).text == "Hello"
        assert other.to_async().to_sync() is other
        assert server.requests[0].headers["authorization"] == "Bearer sk-made-up"
        assert server.requests[0].headers["x-mine"] == "1"


# --- the event loop -------------------------------------------------------------------------------------------------


async def ticks(count):
    """Turn the loop so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_loop_turns_while_an_answer_comes():
    """The answer goes on only once another task has run: a blocked loop would never see its end."""
    go = threading.Event()

    def serve(line):
        line.request()
        line.head()
        line.send(*WHOLE.segments[:2])
        if go.wait(60):
            line.send(*WHOLE.segments[2:])
            line.end()

    async def tick():
        await ticks(50)
        go.set()

    with serving(serve) as server:
        answer, _ = await asyncio.gather(AsyncFlashClient(base_url=server.base_url, max_retries=0).chat(**ASK), tick())
        assert answer.text == "Hello"


async def test_the_loop_turns_while_a_slot_is_waited_for():
    """The slot is free only once another task has run, for tasks and for threads that hold it."""
    with serving(whole) as server:
        client = AsyncFlashClient(base_url=server.base_url, rate_limit={"concurrent": 1})
        held = client.to_sync().stream_chat(**ASK)
        next(held)

        async def tick():
            await ticks(50)
            await asyncio.to_thread(held.close)

        answer, _ = await asyncio.gather(client.chat(**ASK), tick())
        assert answer.text == "Hello"


def test_a_loop_that_is_gone_is_not_woken():
    """A ticket that was waited for in a loop which has ended meanwhile disturbs nobody who frees a slot."""
    limiter = RateLimiter()
    ticket = limiter.enqueue(RateLimit(concurrent=1), label="", now=0.0)
    client = AsyncFlashClient(base_url="http://127.0.0.1:9/v1")

    async def wait():
        await client._port().sleep(Sleep(0.01, ticket))

    asyncio.run(wait())
    ticket.wake()
    assert ticket.woken


# --- limits ---------------------------------------------------------------------------------------------------------


def test_slots_are_never_exceeded_over_threads_and_loops():
    """Threads, tasks and loops together: the gateway sees no more at once than it allows, and all are answered."""

    def serve(line):
        while line.request() is not None:
            server.lives(+1)
            server.wait_for(lambda seen: seen.peak >= 3)  # as many as may be are there at once
            line.head()
            line.send(*WHOLE.segments)
            server.lives(-1)
            line.end()

    with serving(serve) as server, ThreadPoolExecutor(12) as pool:
        params = {"base_url": server.base_url, "rate_limit": RateLimit(concurrent=3)}
        texts = ["Hi"] * 15
        runs = [pool.submit(lambda: asyncio.run(gathered(AsyncFlashClient(**params), texts))) for _ in range(4)]
        runs += [pool.submit(lambda: [FlashClient(**params).chat(**ASK).text for _ in texts]) for _ in range(8)]
        assert [run.result() for run in runs] == [["Hello"] * 15] * 12
        assert server.peak == 3


def test_windows_are_never_exceeded_over_threads_and_loops():
    """Of forty requests the gateway sees the five of one minute; the others give up when their time is over."""
    with serving(whole) as server, ThreadPoolExecutor(8) as pool:
        params = {"base_url": server.base_url, "rate_limit": RateLimit(requests_per_minute=5), "total_timeout": 2}

        def block():
            try:
                return FlashClient(**params).chat(**ASK).text
            except errors.APITimeoutError as error:
                return error.message

        async def loop():
            async def one():
                try:
                    return (await AsyncFlashClient(**params).chat(**ASK)).text
                except errors.APITimeoutError as error:
                    return error.message

            return await asyncio.gather(*(one() for _ in range(9)))

        blocking = [pool.submit(block) for _ in range(4)]
        loops = [pool.submit(lambda: asyncio.run(loop())) for _ in range(4)]
        told = [run.result() for run in blocking] + [each for run in loops for each in run.result()]
        assert told.count("Hello") == len(server.requests) == 5
        assert told.count("total_timeout ran out while waiting for the rate limit") == 35


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ({"api_key": "sk-1"}, {"api_key": "sk-1"}, True),
        ({"api_key": "sk-1"}, {"api_key": "sk-2"}, False),
        ({"api_key": "sk-1"}, {}, False),
        ({"api_key": "sk-1"}, {"api_key": "sk-1", "rate_limit": None}, False),
        ({"api_key": "sk-1"}, {"api_key": "sk-1", "rate_limit": {"concurrent": 2}}, False),
        ({"api_key": "sk-1", "rate_limit": None}, {"api_key": "sk-1"}, True),
    ],
)
def test_limits_belong_to_a_gateway_and_a_key(calls, one, other, shared):
    """One record of use for both sync and async and all objects; each call obeys its own object's figures."""
    with serving(whole) as server:
        params = {"base_url": server.base_url, "rate_limit": {"concurrent": 1}}
        held = FlashClient(**{**params, **one}).stream_chat(**ASK)
        next(held)
        client = FlashClient(**{**params, **other}, total_timeout=0.2 if shared else 120)
        if shared:
            with pytest.raises(errors.APITimeoutError, match="rate limit"):
                calls.chat(client)
        else:
            assert calls.chat(client).text == "Hello"
        held.close()
        assert calls.chat(FlashClient(**{**params, **other})).text == "Hello"
