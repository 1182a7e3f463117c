"""Answers as gateways really send them, through ChatFlash, whole and streamed."""

from functools import reduce
from operator import add
from pathlib import Path

import pytest
from outcomes import Outcome, in_a_loop, verify
from replay import load_cases, replay

from flash_integrations.langchain import ChatFlash

CASES = load_cases(Path(__file__).with_name("chat_cases.json"))


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture
def llm(case):
    with replay(case.answer) as server:
        yield ChatFlash(model=case.model, base_url=server.base_url, max_retries=0)


def of_message(message, *, whole=True):
    """A message as an outcome."""
    usage = message.usage_metadata
    if usage is not None:
        names = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}
        usage = {name: usage[ours] for name, ours in names.items()}
    return Outcome(
        message.text,
        usage,
        message.response_metadata["finish_reason"],
        [{"name": call["name"], "args": call["args"]} for call in message.tool_calls],
        [call["id"] for call in message.tool_calls],
        len(message.invalid_tool_calls) if whole else None,
        message.additional_kwargs.get("reasoning_content", ""),
        message.additional_kwargs.get("refusal"),
    )


def test_invoke_gives_the_right_answer_or_the_true_error(case, llm):
    """A whole answer is what the case says, or the error it says."""
    verify(case, lambda: of_message(llm.invoke("hi")))


def test_ainvoke_gives_the_same(case, llm):
    """The async method comes to the same."""

    async def run():
        return of_message(await llm.ainvoke("hi"))

    verify(case, in_a_loop(run))


def test_stream_adds_up_to_the_same(case, llm):
    """The chunks of a stream add up to what the case says."""
    verify(case, lambda: of_message(reduce(add, llm.stream("hi")), whole=False))


def test_astream_adds_up_to_the_same(case, llm):
    """The async stream comes to the same."""

    async def run():
        chunks = [chunk async for chunk in llm.astream("hi")]
        return of_message(reduce(add, chunks), whole=False)

    verify(case, in_a_loop(run))
