"""What the scenarios have in common: the flags, the fixtures, and calling in sync and async."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.tools import FunctionTool

HELLO = "Say hello."
HELLO_MESSAGES = [ChatMessage(role="user", content=HELLO)]
COUNT = "Count in words from one to nine."
ONE = "What is the weather in Paris?"
BOTH = "What are the weather and the time in Paris?"
SUNNY = "Sunny in Paris"
CAT = "The cat is called Banana."
WHICH_CAT = "What is the cat called?"


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


def get_time(city: str) -> str:
    """The time in a city."""
    return f"Noon in {city}"


def called(method, *args, **options):
    """What a method gives, sync or async: an answer, or the items of a stream as a list."""

    async def awaited():
        answer = await given
        return [item async for item in answer] if isinstance(answer, AsyncIterator) else answer

    given = method(*args, **options)
    if inspect.isawaitable(given):
        return asyncio.run(awaited())
    return list(given) if isinstance(given, Iterator) else given


def last_of(answer):
    """An answer, or of a stream's items the last one."""
    return answer[-1] if isinstance(answer, list) else answer


def said(response):
    """The text of a chat's or a completion's answer."""
    return response.text if hasattr(response, "text") else response.message.content or ""


class Scenarios:
    """Flags and hooks that a test class sets, and the fixtures that scenarios use."""

    secret: str | None = None  # the key, which is to be found in no dump
    deterministic = True  # whether the same question always has the same answer
    understands = True  # whether the model can be asked for what it was told just before
    reports_usage = True  # whether token counts come with answers, streams included
    logprobs = True  # whether logprobs=True is answered
    thinking = True  # whether the model shows its reasoning; see make_it_think
    images = True  # whether it takes pictures
    audio = True  # whether it takes sound
    documents = True  # whether it takes files
    videos = False  # whether it takes films; if not, they are refused
    developer_role = True  # whether there may be messages of the developer
    tools = True  # whether the model calls functions
    tool_required = True  # whether it can be made to
    parallel_tool_calls = True  # whether it makes several calls at once
    structured_output = True  # whether it fills a Pydantic class
    engines = True  # whether its window and wits are enough for LlamaIndex's own prompts
    handover = False  # whether one agent can be made to hand over to another; see make_it_hand_over
    failures = False  # whether a call can be made to fail; see make_it_fail

    @pytest.fixture
    def llm(self):
        """The object under test."""
        raise NotImplementedError

    @pytest.fixture(params=["sync", "async"])
    def call(self, request):
        """Calls a method of an object by its sync name, sync or async; streams come as lists."""
        prefix = "a" if request.param == "async" else ""
        return lambda target, name, *args, **options: called(getattr(target, prefix + name), *args, **options)

    @pytest.fixture
    def offered(self):
        """Two tools, for models that call tools."""
        self.need("tools")
        return [FunctionTool.from_defaults(get_weather), FunctionTool.from_defaults(get_time)]

    def need(self, *flags):
        """Skip what the model is not able to do."""
        for flag in flags:
            if not getattr(self, flag):
                pytest.skip(f"{type(self).__name__}: {flag} is False")

    def make_it_think(self):
        """Have the next answer come with reasoning, for models that do not reason over "Say hello."."""

    def make_it_hand_over(self, agent):
        """Have the next answer hand over to an agent of this name, for models that would not."""

    def make_it_fail(self):
        """Have the next call end in an error."""

    def finish_reason(self, response):
        """Why an answer ended, in the wire's word."""
        raw = response.raw if isinstance(response.raw, dict) else response.raw.model_dump()
        return raw["choices"][0]["finish_reason"]
