"""Answers as gateways really send them, through both clients, whole and streamed."""

from pathlib import Path

import pytest
from outcomes import in_a_loop, of_completion, verify
from replay import load_cases, replay

from flash_integrations import AsyncFlashClient, FlashClient

CASES = load_cases(Path(__file__).with_name("chat_cases.json"))
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture
def server(case):
    with replay(case.answer) as server:
        yield server


def words(server):
    return {"base_url": server.base_url, "max_retries": 0}


def test_chat_gives_the_right_answer_or_the_true_error(case, server):
    """A whole answer is what the case says, or the error it says."""
    client = FlashClient(**words(server))
    verify(case, lambda: of_completion(client.chat(model=case.model, messages=MESSAGES)))


def test_async_chat_gives_the_same(case, server):
    """The async client comes to the same."""
    client = AsyncFlashClient(**words(server))

    async def run():
        return of_completion(await client.chat(model=case.model, messages=MESSAGES))

    verify(case, in_a_loop(run))


def test_stream_chat_adds_up_to_the_same(case, server):
    """The deltas of a stream add up to its completion, which is what the case says."""
    client = FlashClient(**words(server))

    def run():
        with client.stream_chat(model=case.model, messages=MESSAGES) as stream:
            deltas = list(stream)
        assert "".join(delta.text for delta in deltas) == stream.completion.text
        assert "".join(delta.reasoning for delta in deltas) == stream.completion.reasoning
        assert [delta.finish_reason for delta in deltas if delta.finish_reason] == [stream.completion.finish_reason]
        assert sum(delta.usage is not None for delta in deltas) == (stream.completion.usage is not None)
        return of_completion(stream.completion)

    verify(case, run)


def test_async_stream_chat_adds_up_to_the_same(case, server):
    """The async stream comes to the same."""
    client = AsyncFlashClient(**words(server))

    async def run():
        async with client.stream_chat(model=case.model, messages=MESSAGES) as stream:
            text = "".join([delta.text async for delta in stream])
        assert text == stream.completion.text
        return of_completion(stream.completion)

    verify(case, in_a_loop(run))
