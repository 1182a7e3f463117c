"""Answers as gateways really send them, through FlashLLM, whole and streamed."""

from pathlib import Path

import pytest
from llama_index.core.base.llms.types import ChatMessage, ThinkingBlock, ToolCallBlock
from outcomes import Outcome, in_a_loop, verify
from replay import load_cases, replay

from flash_integrations.llama_index import FlashLLM

CASES = load_cases(Path(__file__).with_name("chat_cases.json"))
MESSAGES = [ChatMessage(role="user", content="hi")]


@pytest.fixture(params=CASES, ids=str)
def case(request):
    """One row."""
    return request.param


@pytest.fixture
def llm(case):
    """A FlashLLM before a server that answers as the row says."""
    with replay(case.answer) as server:
        yield FlashLLM(model=case.model, base_url=server.base_url, max_retries=0)


def of_response(response):
    """A response as an outcome."""
    message = response.message
    calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    parsed = [call for call in calls if isinstance(call.tool_kwargs, dict)]
    return Outcome(
        message.content or "",
        response.raw.get("usage"),
        response.raw["choices"][0]["finish_reason"],
        [{"name": call.tool_name, "args": call.tool_kwargs} for call in parsed],
        [call.tool_call_id for call in parsed],
        len(calls) - len(parsed),
        "".join(block.content for block in message.blocks if isinstance(block, ThinkingBlock)),
        message.additional_kwargs.get("refusal"),
    )


def of_responses(responses):
    """A stream's items as an outcome: that of the last, which the deltas add up to."""
    last = responses[-1]
    assert "".join(response.delta for response in responses) == (last.message.content or "")
    thoughts = "".join(response.additional_kwargs.get("thinking_delta", "") for response in responses)
    outcome = of_response(last)
    assert thoughts == outcome.reasoning
    return outcome


def test_chat_gives_the_right_answer_or_the_true_error(case, llm):
    """A whole answer is what the case says, or the error it says."""
    verify(case, lambda: of_response(llm.chat(MESSAGES)))


def test_achat_gives_the_same(case, llm):
    """The async method comes to the same."""

    async def run():
        return of_response(await llm.achat(MESSAGES))

    verify(case, in_a_loop(run))


def test_stream_chat_adds_up_to_the_same(case, llm):
    """The items of a stream end in what the case says."""
    verify(case, lambda: of_responses(list(llm.stream_chat(MESSAGES))))


def test_astream_chat_adds_up_to_the_same(case, llm):
    """The async stream comes to the same."""

    async def run():
        return of_responses([response async for response in await llm.astream_chat(MESSAGES)])

    verify(case, in_a_loop(run))
