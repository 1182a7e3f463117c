"""A real answer (llama.cpp's server, ``real_answer.sse``) cut after every byte.

What comes is the whole answer, or an error whose ``partial`` is its true beginning; never a half answer that passes.
"""

from functools import reduce
from operator import add
from pathlib import Path

import pytest
from llama_index.core.llms import ChatMessage
from replay import Answer, ReplayServer

from flash_integrations import FlashClient, errors
from flash_integrations.langchain import ChatFlash
from flash_integrations.llama_index import FlashLLM

REAL = Path(__file__).with_name("real_answer.sse").read_bytes()
TEXT = "你好"
FINISHED = REAL.index(b'"finish_reason":"stop"') + len(b'"finish_reason":"stop"')
"""From this byte on the finish reason may be known; before it no answer is whole."""


def core_whole(url):
    answer = FlashClient(base_url=url, max_retries=0).chat(model="m", messages=[{"role": "user", "content": "hi"}])
    return answer.text, answer.finish_reason


def core_streamed(url):
    client = FlashClient(base_url=url, max_retries=0)
    with client.stream_chat(model="m", messages=[{"role": "user", "content": "hi"}]) as stream:
        text = "".join(delta.text for delta in stream)
    return text, stream.completion.finish_reason


def langchain_whole(url):
    message = ChatFlash(model="m", base_url=url, max_retries=0).invoke("hi")
    return message.text, message.response_metadata["finish_reason"]


def langchain_streamed(url):
    message = reduce(add, ChatFlash(model="m", base_url=url, max_retries=0).stream("hi"))
    return message.text, message.response_metadata["finish_reason"]


def llama_index_whole(url):
    response = FlashLLM(model="m", base_url=url, max_retries=0).chat([ChatMessage(role="user", content="hi")])
    return response.message.content, response.raw["choices"][0]["finish_reason"]


def llama_index_streamed(url):
    llm = FlashLLM(model="m", base_url=url, max_retries=0)
    responses = list(llm.stream_chat([ChatMessage(role="user", content="hi")]))
    return "".join(each.delta or "" for each in responses), responses[-1].raw["choices"][0]["finish_reason"]


def outcome(call, url):
    try:
        return call(url)
    except errors.FlashError as error:
        return error


def is_right(size, got):
    """Whether a call made of the first ``size`` bytes what they are."""
    if isinstance(got, errors.FlashError):
        began = "" if got.partial is None else got.partial.text
        return size <= REAL.index(b"\n", FINISHED) and TEXT.startswith(began)
    return size >= FINISHED and got == (TEXT, "stop")


CALLS = [core_whole, core_streamed, langchain_whole, langchain_streamed, llama_index_whole, llama_index_streamed]


@pytest.mark.parametrize("end", ["close", "drop", "reset"])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_every_cut_is_an_answer_or_an_error(call, end):
    """Each cut is told for what it is, however the connection ended."""
    cuts = [Answer([REAL[:size]], end=end) for size in range(len(REAL) + 1)]
    server = ReplayServer(*cuts)
    try:
        wrong = [size for size in range(len(REAL) + 1) if not is_right(size, outcome(call, server.base_url))]
    finally:
        server.stop()
    assert wrong == []
