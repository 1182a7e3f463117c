"""Streams cut after every byte in the core, and after every event in the adapters.

What comes is the whole answer, or an error whose ``partial`` holds all that came before the cut: never a half answer
that passes, and never less than there was.
"""

from __future__ import annotations

import json
from functools import reduce
from operator import add
from pathlib import Path

import pytest
from llama_index.core.llms import ChatMessage
from replay import DONE, USAGE_EVENT, Answer, chunk, replay

from flash_integrations import Completion, FlashClient, errors
from flash_integrations._core.endpoints.chat.reader import ChatReader
from flash_integrations._core.endpoints.reader import AnswerContext
from flash_integrations._core.environment import Environment
from flash_integrations.langchain import ChatFlash
from flash_integrations.llama_index import FlashLLM

ENV = Environment(clock=float, unix_time=float, random=float, new_id=lambda: "made-up")
REAL = Path(__file__).with_name("real_answer.sse").read_bytes()  # of llama.cpp's server
CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
PIECES = [{"index": 0, "function": {"arguments": piece}} for piece in ('{"a"', ": [1,", ' "é"]}')]
AGENT = b"".join(
    [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"reasoning_content": piece}) for piece in ("so ", "be it")),
        *(chunk({"content": piece}) for piece in ("I ", "look.")),
        *(chunk({"tool_calls": [piece]}) for piece in (CALL, *PIECES)),
        chunk({}, "tool_calls"),
        USAGE_EVENT,
        DONE,
    ]
)
BODIES = {"a real answer": REAL, "reasoning, text and a call": AGENT}


def said(body: bytes) -> tuple[str, str, str, str | None]:
    """What a body says, read line by line: text, reasoning, arguments, finish reason."""
    text, reasoning, arguments, finish = "", "", "", None
    for line in body.split(b"\n"):
        try:
            event = json.loads(line.removeprefix(b"data:"))
        except ValueError:
            continue
        for choice in event.get("choices", ()):
            delta = choice.get("delta", {})
            text += delta.get("content") or ""
            reasoning += delta.get("reasoning_content") or ""
            arguments += "".join(call["function"].get("arguments", "") for call in delta.get("tool_calls", ()))
            finish = choice.get("finish_reason") or finish
    return text, reasoning, arguments, finish


def told(answer: Completion | None) -> tuple[str, str, str]:
    """What an answer holds of text, reasoning and arguments."""
    if answer is None:
        return "", "", ""
    return answer.text, answer.reasoning, "".join(call.arguments for call in answer.tool_calls)


@pytest.mark.parametrize("lost", [None, errors.APIConnectionError("lost")], ids=["ended", "lost"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_cut_after_any_byte_leaves_what_came_before_it(body, lost):
    """However the connection ended: all that was complete is in the answer, or in the error's partial."""
    wrong = []
    for size in range(len(body) + 1):
        reader = ChatReader(AnswerContext({}, streamed=True, accepts_done=False, env=ENV))
        *expected, finish = said(body[:size])
        try:
            reader.feed(body[:size])
            reader.close(lost)
        except errors.FlashError:
            # Arguments of which nothing came are {} in an answer, and nothing in a partial one.
            right = finish is None and told(reader.partial(retries=0)) == tuple(expected)
        else:
            right = finish is not None and told(reader.result(retries=0)) == tuple(expected)
        wrong += [] if right else [size]
    assert wrong == []


MESSAGES = [{"role": "user", "content": "hi"}]


def core_whole(url):
    return FlashClient(base_url=url, max_retries=0).chat(model="m", messages=MESSAGES).text


def core_streamed(url):
    with FlashClient(base_url=url, max_retries=0).stream_chat(model="m", messages=MESSAGES) as stream:
        return "".join(delta.text for delta in stream)


def langchain_whole(url):
    return ChatFlash(model="m", base_url=url, max_retries=0).invoke("hi").text


def langchain_streamed(url):
    return reduce(add, ChatFlash(model="m", base_url=url, max_retries=0).stream("hi")).text


def llama_index_whole(url):
    return FlashLLM(model="m", base_url=url, max_retries=0).chat([ChatMessage("hi")]).message.content


def llama_index_streamed(url):
    responses = FlashLLM(model="m", base_url=url, max_retries=0).stream_chat([ChatMessage("hi")])
    return "".join(response.delta or "" for response in responses)


CALLS = [core_whole, core_streamed, langchain_whole, langchain_streamed, llama_index_whole, llama_index_streamed]


@pytest.mark.parametrize("end", ["close", "drop", "reset"])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_a_cut_after_any_event_leaves_what_came_before_it(call, end):
    """Through every way to call, however the connection ended."""
    ends = [at + 2 for at in range(len(AGENT)) if AGENT.startswith(b"\n\n", at)]
    cuts = [0, *(at for event_end in ends for at in (event_end - 20, event_end))]
    wrong = []
    with replay(*(Answer([AGENT[:size]], end=end) for size in cuts)) as server:
        for size in cuts:
            text, reasoning, arguments, finish = said(AGENT[:size])
            try:
                got = call(server.base_url)
            except errors.FlashError as error:
                right = finish is None and told(error.partial) == (text, reasoning, arguments)
            else:
                right = finish is not None and got == text
            wrong += [] if right else [size]
    assert wrong == []
