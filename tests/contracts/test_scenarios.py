"""One table of scenarios, the same in every cell: {core, LangChain, LlamaIndex} x {sync, async} x {whole, streamed}.

However a call is made, the gateway sees as many requests, and the caller gets the same text or kind of error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage
from replay import DONE, WHOLE, Answer, chunk, plain, refuse, replay

from flash_integrations import AsyncFlashClient, FlashClient, Provider, errors
from flash_integrations.langchain import ChatFlash
from flash_integrations.llama_index import FlashLLM

AT_ONCE = {"content-type": "application/json", "retry-after": "0"}


def soon(answer: Answer) -> Answer:
    """A refusal that asks to be tried again at once, so that nobody waits."""
    return Answer(answer.segments, answer.status, AT_ONCE)


CUT = Answer([chunk({"role": "assistant", "content": ""})])
"""A stream that ends after its role."""

CUT_LATE = Answer([chunk({"role": "assistant", "content": "Hel"}), DONE])
"""A stream that ends after its first text, with [DONE]."""

PLAIN_ROW = Provider("plain", stream="none")
"""A gateway that is believed to answer plain requests."""


@dataclass(frozen=True)
class Scenario:
    """What the gateway does, and what must come of it."""

    name: str
    answers: Sequence[Answer]
    sends: int
    outcome: str | type[errors.FlashError]
    params: dict[str, Any] = field(default_factory=dict)
    streamed_sends: int | None = None
    streamed_outcome: str | type[errors.FlashError] | None = None

    def __str__(self) -> str:
        return self.name


NEVER = {"max_retries": 0}
SCENARIOS = [
    Scenario("whole", [WHOLE], 1, "Hello"),
    Scenario("500 then whole", [soon(refuse(500)), WHOLE], 2, "Hello"),
    Scenario("500 for ever", [soon(refuse(500))], 3, errors.ServerError),
    Scenario("500 for ever, no re-sends", [refuse(500)], 1, errors.ServerError, NEVER),
    Scenario("501", [refuse(501)], 1, errors.ServerError),
    Scenario("429 then whole", [soon(refuse(429)), WHOLE], 2, "Hello"),
    Scenario("429 that asks for an hour", [Answer([b"{}"], 429, {"retry-after": "3600"})], 1, errors.RateLimitError),
    Scenario("429 that is quota", [refuse(429, code="insufficient_quota")], 1, errors.QuotaExceededError),
    Scenario("bad key", [refuse(401, code="invalid_api_key")], 1, errors.AuthenticationError),
    Scenario("no such model, as 503", [refuse(503, code="model_not_found")], 1, errors.NotFoundError),
    Scenario("too long", [refuse(400, code="context_length_exceeded")], 1, errors.ContextLengthError),
    Scenario("role, then nothing", [CUT, WHOLE], 2, "Hello"),
    Scenario(
        "cut after a token",
        [CUT_LATE, WHOLE],
        2,
        "Hello",
        streamed_sends=1,
        streamed_outcome=errors.StreamInterruptedError,
    ),
    Scenario("cut for ever", [CUT_LATE], 1, errors.StreamInterruptedError, NEVER),
    Scenario("only [DONE]", [Answer([DONE])], 1, errors.MalformedResponseError, NEVER),
    Scenario("a page", [Answer([b"<html></html>"], headers={})], 1, errors.MalformedResponseError, NEVER),
    Scenario("plain JSON for a stream", [plain()], 1, "Hello"),
    Scenario("must not stream", [refuse(400, "streaming is not supported"), plain()], 2, "Hello"),
    Scenario("no stream_options", [refuse(400, "unknown field stream_options"), WHOLE], 2, "Hello"),
    Scenario(
        "must stream",
        [refuse(400, "Stream must be set to true"), WHOLE],
        2,
        "Hello",
        {"provider": PLAIN_ROW},
        streamed_sends=1,
        streamed_outcome=errors.BadRequestError,
    ),
    Scenario("stream for a plain request", [WHOLE], 1, "Hello", {"provider": PLAIN_ROW}),
]

MESSAGES = [{"role": "user", "content": "hi"}]
CHAT = [ChatMessage(role="user", content="hi")]


def core(params):
    return FlashClient(**params).chat(model="m", messages=MESSAGES).text


def core_streamed(params):
    with FlashClient(**params).stream_chat(model="m", messages=MESSAGES) as stream:
        return "".join(delta.text for delta in stream)


async def core_async(params):
    return (await AsyncFlashClient(**params).chat(model="m", messages=MESSAGES)).text


async def core_async_streamed(params):
    async with AsyncFlashClient(**params).stream_chat(model="m", messages=MESSAGES) as stream:
        return "".join([delta.text async for delta in stream])


def langchain(params):
    return ChatFlash(model="m", **params).invoke("hi").text


def langchain_streamed(params):
    return reduce(add, ChatFlash(model="m", **params).stream("hi")).text


async def langchain_async(params):
    return (await ChatFlash(model="m", **params).ainvoke("hi")).text


async def langchain_async_streamed(params):
    return "".join([chunk.text async for chunk in ChatFlash(model="m", **params).astream("hi")])


def llama_index(params):
    return FlashLLM(model="m", **params).chat(CHAT).message.content


def llama_index_streamed(params):
    return list(FlashLLM(model="m", **params).stream_chat(CHAT))[-1].message.content


async def llama_index_async(params):
    return (await FlashLLM(model="m", **params).achat(CHAT)).message.content


async def llama_index_async_streamed(params):
    return [each async for each in await FlashLLM(model="m", **params).astream_chat(CHAT)][-1].message.content


WHOLE_CELLS = [core, core_async, langchain, langchain_async, llama_index, llama_index_async]
STREAMED_CELLS = [
    core_streamed,
    core_async_streamed,
    langchain_streamed,
    langchain_async_streamed,
    llama_index_streamed,
    llama_index_async_streamed,
]


def play(scenario: Scenario, cell: Callable[[Any], Any]) -> tuple[int, Any]:
    """Run a scenario in a cell: how many requests came, and what came of them."""
    with replay(*scenario.answers) as server:
        FlashClient(base_url=server.base_url).forget()
        params = {"base_url": server.base_url, "api_key": "sk-test", **scenario.params}
        try:
            got = asyncio.run(cell(params)) if asyncio.iscoroutinefunction(cell) else cell(params)
        except errors.FlashError as error:
            got = error
        return len(server.bodies), got


def check(got: Any, outcome: str | type[errors.FlashError]) -> None:
    """Hold what came against what must come."""
    if isinstance(outcome, str):
        assert got == outcome
    else:
        assert isinstance(got, outcome)


@pytest.mark.parametrize("cell", WHOLE_CELLS, ids=lambda cell: cell.__name__)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_whole_answers_come_to_the_same_everywhere(scenario, cell):
    """The same sends and the same outcome, whichever way a whole answer is asked for."""
    sends, got = play(scenario, cell)
    check(got, scenario.outcome)
    assert sends == scenario.sends


@pytest.mark.parametrize("cell", STREAMED_CELLS, ids=lambda cell: cell.__name__)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_streams_come_to_the_same_everywhere(scenario, cell):
    """The same sends and outcome, whichever way a stream is asked for; delivered streams are not sent again."""
    sends, got = play(scenario, cell)
    check(got, scenario.streamed_outcome or scenario.outcome)
    assert sends == (scenario.streamed_sends or scenario.sends)
