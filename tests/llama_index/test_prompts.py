"""Prompts on FlashLLM: templates, system prompt, prompt functions and output parsers, sync and async."""

from __future__ import annotations

import asyncio

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.output_parsers import PydanticOutputParser
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate
from llama_index.core.types import BaseOutputParser
from pydantic import BaseModel

HELLO = PromptTemplate("Say hello to {name}.")


async def joined(coroutine):
    """The text of an async stream."""
    return "".join([piece async for piece in await coroutine])


WAYS = {
    "predict": lambda llm, prompt, **args: llm.predict(prompt, **args),
    "apredict": lambda llm, prompt, **args: asyncio.run(llm.apredict(prompt, **args)),
    "stream": lambda llm, prompt, **args: "".join(llm.stream(prompt, **args)),
    "astream": lambda llm, prompt, **args: asyncio.run(joined(llm.astream(prompt, **args))),
}


@pytest.fixture(params=WAYS)
def ask(request):
    """One of the four ways to an answer."""
    return WAYS[request.param]


def sent(gateway):
    """Roles and texts of the last request."""
    return [(message["role"], message["content"]) for message in gateway.requests[-1].body["messages"]]


def test_a_prompt_is_filled_in_and_asked(ask, gateway, llm_of):
    """By every way: the system prompt first, the template filled in, and the answer's text."""
    gateway.script("Hello, Ann!")
    assert ask(llm_of(system_prompt="Be kind."), HELLO, name="Ann") == "Hello, Ann!"
    assert sent(gateway) == [("system", "Be kind."), ("user", "Say hello to Ann.")]


def test_a_prompt_of_messages_keeps_its_roles(ask, gateway, llm):
    """A chat template goes out message by message."""
    prompt = ChatPromptTemplate([ChatMessage(role="system", content="You are {who}."), ChatMessage(content="Hi!")])
    ask(llm, prompt, who="Ann")
    assert sent(gateway) == [("system", "You are Ann."), ("user", "Hi!")]


def test_the_prompt_functions_of_text_models_leave_chats_alone(ask, gateway, llm_of):
    """messages_to_prompt and query_wrapper_prompt are for models that take one text; messages stay messages."""
    wrapper = PromptTemplate("<{query_str}>")
    ask(llm_of(messages_to_prompt=lambda messages: "?", query_wrapper_prompt=wrapper), HELLO, name="Ann")
    assert sent(gateway) == [("user", "Say hello to Ann.")]


@pytest.mark.parametrize("call", ["complete", "stream_complete", "acomplete", "astream_complete"])
def test_completion_to_prompt_shapes_completions(call, gateway, llm_of):
    """A completion's prompt goes through completion_to_prompt, unless it is formatted already."""
    llm = llm_of(completion_to_prompt=lambda prompt: f"<{prompt}>")

    async def awaited(**options):
        answer = await getattr(llm, call)("hi", **options)
        return [item async for item in answer] if "stream" in call else answer

    def made(**options):
        answer = asyncio.run(awaited(**options)) if call[0] == "a" else getattr(llm, call)("hi", **options)
        return answer if isinstance(answer, list) or "stream" not in call else list(answer)

    made()
    assert sent(gateway) == [("user", "<hi>")]
    made(formatted=True)
    assert sent(gateway) == [("user", "hi")]


class Shout(BaseOutputParser):
    """Asks for an answer and gives it loudly."""

    def format(self, query):
        return f"{query} Please."

    def parse(self, output):
        return output.upper()


@pytest.mark.parametrize("way", ["predict", "apredict"])
def test_an_output_parser_of_the_object_formats_and_parses(way, gateway, llm_of):
    """output_parser adds its words to the prompt and makes the answer out of the text."""
    gateway.script("Hello.")
    assert WAYS[way](llm_of(output_parser=Shout()), HELLO, name="Ann") == "HELLO."
    assert sent(gateway) == [("user", "Say hello to Ann. Please.")]


class Person(BaseModel):
    """Somebody."""

    name: str


def test_an_output_parser_of_the_prompt_asks_for_its_schema(gateway, llm):
    """A prompt's own parser writes its schema into the prompt."""
    prompt = PromptTemplate("Who is {name}?", output_parser=PydanticOutputParser(Person))
    gateway.script('{"name": "Ann"}')
    assert llm.predict(prompt, name="Ann") == '{"name": "Ann"}'
    assert '"properties"' in sent(gateway)[0][1]
