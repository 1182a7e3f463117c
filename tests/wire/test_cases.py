"""Answers as gateways really send them: the core over sockets, the adapters fed with what the core makes of them.

``python tests/wire/test_cases.py FILE...`` holds the same against other files of cases.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from functools import reduce
from operator import add
from pathlib import Path

import pytest
from llama_index.core.base.llms.types import ImageBlock, ThinkingBlock, ToolCallBlock
from outcomes import Outcome, faults, of_completion
from replay import Case, load_cases, replay

from flash_integrations import AsyncFlashClient, Completion, FlashClient
from flash_integrations._core.completion.completion import ChatDelta
from flash_integrations.errors import FlashError
from flash_integrations.langchain._from_wire import Chunks, MessageOptions, to_result
from flash_integrations.llama_index._streams import Reply
from flash_integrations.llama_index._to_wire import to_response

HERE = Path(__file__).parent
CASES = load_cases(HERE / "chat_cases.json", HERE / "field_cases.json")
MESSAGES = [{"role": "user", "content": "hi"}]


def stream(case: Case, url: str) -> tuple[list[ChatDelta], Completion]:
    """The deltas of a streamed call, and its completion."""
    with FlashClient(base_url=url, max_retries=0).stream_chat(model=case.model, messages=MESSAGES) as answer:
        return list(answer), answer.completion


def caught(call) -> Outcome | FlashError:
    """What a call came to."""
    try:
        return call()
    except FlashError as error:
        return error


def core_faults(case: Case, url: str) -> Iterator[str]:
    """What is wrong with a case's whole answer, its streamed one, and with the sum of the pieces."""
    client = FlashClient(base_url=url, max_retries=0)
    yield from faults(case, caught(lambda: of_completion(client.chat(model=case.model, messages=MESSAGES))))
    try:
        deltas, completion = stream(case, url)
    except FlashError as error:
        yield from faults(case, error)
        return
    yield from faults(case, of_completion(completion))
    if "".join(delta.text for delta in deltas) != completion.text:
        yield f"{case}: the deltas' text is not the completion's"
    if "".join(delta.reasoning for delta in deltas) != completion.reasoning:
        yield f"{case}: the deltas' reasoning is not the completion's"
    if [delta.finish_reason for delta in deltas if delta.finish_reason] != [completion.finish_reason]:
        yield f"{case}: not one finish reason among the deltas"
    if sum(delta.usage is not None for delta in deltas) != (completion.usage is not None):
        yield f"{case}: not one usage among the deltas"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_core_gives_the_right_answer_or_the_true_error(case):
    """Whole and streamed, and the pieces of the stream add up."""
    with replay(case.answer) as server:
        assert list(core_faults(case, server.base_url)) == []


def test_the_async_core_comes_to_the_same():
    """Whole and streamed, for every case."""

    async def run(case: Case, url: str) -> list[str]:
        client = AsyncFlashClient(base_url=url, max_retries=0)
        wrong = []
        try:
            wrong += faults(case, of_completion(await client.chat(model=case.model, messages=MESSAGES)))
        except FlashError as error:
            wrong += faults(case, error)
        try:
            async with client.stream_chat(model=case.model, messages=MESSAGES) as answer:
                text = "".join([delta.text async for delta in answer])
            wrong += faults(case, of_completion(answer.completion))
            wrong += [] if text == answer.completion.text else [f"{case}: the deltas' text is not the completion's"]
        except FlashError as error:
            wrong += faults(case, error)
        await client.aclose()
        return wrong

    async def run_all() -> list[str]:
        wrong = []
        for case in CASES:
            with replay(case.answer) as server:
                wrong += await run(case, server.base_url)
        return wrong

    assert asyncio.run(run_all()) == []


@pytest.fixture(scope="module")
def answers():
    """(case, deltas, completion) of every case that is an answer."""
    made = []
    for case in CASES:
        if case.error is None:
            with replay(case.answer) as server:
                made.append((case, *stream(case, server.base_url)))
    return made


def of_message(message, *, whole: bool) -> Outcome:
    """A LangChain message as an outcome."""
    usage = message.usage_metadata
    names = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}
    blocks = message.content_blocks
    return Outcome(
        message.text,
        usage and {name: usage[theirs] for name, theirs in names.items()},
        message.response_metadata["finish_reason"],
        [{"name": call["name"], "args": call["args"]} for call in message.tool_calls],
        [call["id"] for call in message.tool_calls],
        len(message.invalid_tool_calls) if whole else None,
        message.additional_kwargs.get("reasoning_content", ""),
        message.additional_kwargs.get("refusal"),
        message.response_metadata.get("model_name"),
        usage and usage.get("input_token_details", {}).get("cache_read"),
        sum(block["type"] == "image" for block in blocks),
        len(message.additional_kwargs.get("annotations", ())),
    )


def langchain_faults(case: Case, deltas: list[ChatDelta], completion: Completion) -> list[str]:
    """What is wrong with a case's message, and with the sum of its chunks."""
    options = MessageOptions("flashapi")
    chunks = Chunks(options)
    pieces = [chunk.message for delta in deltas if (chunk := chunks.chunk(delta)) is not None]
    pieces.append(chunks.last(completion).message)
    message = to_result(completion, options).generations[0].message
    wrong = faults(case, of_message(message, whole=True))
    return wrong + faults(case, of_message(reduce(add, pieces), whole=False))


def of_response(response) -> Outcome:
    """A LlamaIndex response as an outcome."""
    message, raw = response.message, response.raw
    calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    parsed = [call for call in calls if isinstance(call.tool_kwargs, dict)]
    return Outcome(
        message.content or "",
        raw.get("usage"),
        raw["choices"][0]["finish_reason"],
        [{"name": call.tool_name, "args": call.tool_kwargs} for call in parsed],
        [call.tool_call_id for call in parsed],
        len(calls) - len(parsed),
        "".join(block.content for block in message.blocks if isinstance(block, ThinkingBlock)),
        message.additional_kwargs.get("refusal"),
        raw.get("model"),
        None,
        sum(isinstance(block, ImageBlock) for block in message.blocks),
        len(message.additional_kwargs.get("annotations", ())),
    )


def llama_index_faults(case: Case, deltas: list[ChatDelta], completion: Completion) -> list[str]:
    """What is wrong with a case's response, and with the items of its stream."""
    reply = Reply()
    items = [item for delta in deltas if (item := reply.add_delta(delta)) is not None]
    items.append(reply.last(completion))
    wrong = faults(case, of_response(to_response(completion))) + faults(case, of_response(items[-1]))
    if "".join(item.delta for item in items) != (items[-1].message.content or ""):
        wrong.append(f"{case}: the items' text is not the last one's")
    thoughts = "".join(item.additional_kwargs.get("thinking_delta", "") for item in items)
    if thoughts != of_response(items[-1]).reasoning:
        wrong.append(f"{case}: the items' reasoning is not the last one's")
    return wrong


@pytest.mark.parametrize("faults_of", [langchain_faults, llama_index_faults])
def test_an_adapter_hands_on_what_the_core_made(faults_of, answers):
    """Whole and streamed, for every case that is an answer."""
    assert [fault for answer in answers for fault in faults_of(*answer)] == []


if __name__ == "__main__":
    found = []
    for given in load_cases(*map(Path, sys.argv[1:])):
        with replay(given.answer) as at:
            found += core_faults(given, at.base_url)
            if given.error is None and not found:
                got = stream(given, at.base_url)
                found += langchain_faults(given, *got) + llama_index_faults(given, *got)
    sys.exit("\n".join(found) or 0)
