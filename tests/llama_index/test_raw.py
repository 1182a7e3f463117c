"""``raw`` of every answer: a dict that has attributes."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse

from flash_integrations.llama_index._raw import RawDict, to_raw

MESSAGES = [ChatMessage(role="user", content="hi")]
ANSWER = {"id": "c1", "choices": [{"index": 0, "message": {"content": "a"}}], "usage": {"total_tokens": 3}}


async def last_of(coroutine):
    """The last item of an async stream."""
    return [item async for item in await coroutine][-1]


WAYS = {
    "chat": lambda llm: llm.chat(MESSAGES),
    "achat": lambda llm: asyncio.run(llm.achat(MESSAGES)),
    "complete": lambda llm: llm.complete("hi"),
    "acomplete": lambda llm: asyncio.run(llm.acomplete("hi")),
    "stream_chat": lambda llm: list(llm.stream_chat(MESSAGES))[-1],
    "astream_chat": lambda llm: asyncio.run(last_of(llm.astream_chat(MESSAGES))),
    "stream_complete": lambda llm: list(llm.stream_complete("hi"))[-1],
    "astream_complete": lambda llm: asyncio.run(last_of(llm.astream_complete("hi"))),
}


@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS)
def test_raw_answers_to_attributes_and_keys(llm, ask):
    """By every way: usage and text, as the objects of the openai package have them and as a dict has them."""
    raw = ask(llm).raw
    assert raw.usage.total_tokens == raw["usage"]["total_tokens"] == raw.get("usage").get("total_tokens") > 0
    assert raw.choices[0].message.content == raw["choices"][0]["message"]["content"]
    assert raw.choices[0].message.tool_calls is None


def test_a_streams_pieces_answer_to_attributes(llm):
    """Each chunk is read like OpenAI's: the delta's text, and None for what it has not."""
    first = next(item for item in llm.stream_chat(MESSAGES) if item.delta).raw
    assert first.choices[0].delta.content
    assert first.choices[0].delta.tool_calls is first.usage is None


def test_what_is_not_there_says_what_is():
    """A misspelt attribute is an AttributeError, so that ``getattr`` with a default and ``hasattr`` work."""
    raw = to_raw(ANSWER)
    with pytest.raises(AttributeError, match="raw has no 'usages' here, but id, choices, usage"):
        _ = raw.usages
    assert getattr(raw, "model", "unknown") == "unknown"


@pytest.mark.parametrize(
    "copied",
    [
        copy.deepcopy,
        copy.copy,
        lambda raw: pickle.loads(pickle.dumps(raw)),  # noqa: S301 - our own
        lambda raw: to_raw(json.loads(json.dumps(raw))),
    ],
    ids=["deepcopy", "copy", "pickle", "json"],
)
def test_raw_goes_round(copied):
    """Copies, pickles and JSON are the same dict, with attributes."""
    other = copied(to_raw(ANSWER))
    assert other == ANSWER
    assert type(other) is type(other.usage) is RawDict
    assert other.choices[0].message.content == "a"


def test_a_response_dumps_raw_as_plain_data():
    """Pydantic writes it as the dict it is."""
    response = ChatResponse(message=MESSAGES[0], raw=to_raw(ANSWER))
    assert response.model_dump()["raw"] == json.loads(response.model_dump_json())["raw"] == ANSWER
