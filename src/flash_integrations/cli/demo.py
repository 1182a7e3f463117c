"""``flash-integrations demo``: the main job in both frameworks, and what the local gateway received for it.

For each framework: a whole answer, a streamed one, a tool call with its result sent back, and a structured answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .._config.endpoint import keys_elsewhere
from ..client import FlashClient
from ..testing import LocalGateway

TOOL_QUESTION = "What is the weather in Paris? Use get_weather."
OBJECT_QUESTION = "Paris is the capital of France."


class City(BaseModel):
    """A city."""

    name: str = Field(description="The city's name.")
    country: str = Field(description="The country it is in.")


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}, 21 degrees"


@dataclass(frozen=True, slots=True)
class _Shown:
    """One answer that was shown."""

    framework: str
    how: str
    text: str
    finish: str
    usage: tuple[int, int, int]


def run(console: Console, *, model: str, question: str) -> None:
    """Call the model in both frameworks and print the answers.

    Args:
        console: where to print.
        model: the model's id.
        question: what to ask it.

    Raises:
        FlashError: a call failed.
    """
    with _gateway() as (params, gateway):
        if gateway is not None and (suggestion := keys_elsewhere()):
            console.print(Text(suggestion))
        client = FlashClient(**params)
        where = f"{client.provider.name}, {client.base_url}"
        if gateway is not None:
            where = "the local gateway, which makes its answers up"
        console.print(Panel(Text(f"{model} at {where}\n{question}"), title="flash_integrations", expand=False))
        shown = [*_langchain(console, params, model, question), *_llama_index(console, params, model, question)]
        console.print(_answers(shown))
        if gateway is not None:
            console.print(_record(gateway))


@contextmanager
def _gateway() -> Iterator[tuple[dict[str, Any], LocalGateway | None]]:
    """Yield the client's arguments: none if the environment names a gateway, else those of a local one."""
    if any(os.environ.get(name, "").strip() for name in ("FLASH_API_KEY", "FLASH_PROVIDER", "FLASH_BASE_URL")):
        yield {}, None
        return
    with LocalGateway() as gateway:
        yield {"base_url": gateway.base_url, "api_key": gateway.api_key, "provider": gateway.provider}, gateway


def _say(console: Console, how: str, text: str) -> None:
    console.print(f"[dim]{how} →[/]", Text(text))


def _langchain(console: Console, params: dict[str, Any], model: str, question: str) -> Iterator[_Shown]:
    from langchain_core.messages import HumanMessage, ToolMessage

    from ..langchain import ChatFlash

    def shown(how: str, message: Any) -> _Shown:
        usage = message.usage_metadata or {}
        counts = tuple(usage.get(name, 0) for name in ("input_tokens", "output_tokens", "total_tokens"))
        return _Shown("LangChain", how, message.text, message.response_metadata["finish_reason"], counts)

    llm = ChatFlash(model=model, **params)
    console.rule("LangChain  ChatFlash")
    answer = llm.invoke(question)
    _say(console, ".invoke", answer.text)
    yield shown("invoke", answer)

    console.print("[dim].stream →[/]", end=" ")
    whole: Any = None
    for chunk in llm.stream(question):
        console.print(Text(chunk.text), end="")
        whole = chunk if whole is None else whole + chunk
    console.print()
    yield shown("stream", whole)

    equipped = llm.bind_tools([get_weather])
    asked: list[Any] = [HumanMessage(TOOL_QUESTION)]
    call = equipped.invoke(asked)
    yield shown("bind_tools", call)
    for call_made in call.tool_calls:
        result = get_weather(**call_made["args"])
        _say(console, ".bind_tools", f"{call_made['name']}({call_made['args']}) = {result}")
        answered = equipped.invoke([*asked, call, ToolMessage(result, tool_call_id=call_made["id"])])
        _say(console, "its result sent back", answered.text)
        yield shown("tool result", answered)
    _say(console, ".with_structured_output", repr(llm.with_structured_output(City).invoke(OBJECT_QUESTION)))


def _llama_index(console: Console, params: dict[str, Any], model: str, question: str) -> Iterator[_Shown]:
    from llama_index.core.llms import ChatMessage
    from llama_index.core.prompts import PromptTemplate
    from llama_index.core.tools import FunctionTool

    from ..llama_index import FlashLLM

    def shown(how: str, response: Any) -> _Shown:
        usage = response.additional_kwargs
        counts = tuple(usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
        finish = response.raw["choices"][0]["finish_reason"]
        return _Shown("LlamaIndex", how, response.message.content or "", finish, counts)

    llm = FlashLLM(model=model, **params)
    messages = [ChatMessage(role="user", content=question)]
    console.rule("LlamaIndex  FlashLLM")
    response = llm.chat(messages)
    _say(console, ".chat", response.message.content or "")
    yield shown("chat", response)

    console.print("[dim].stream_chat →[/]", end=" ")
    for response in llm.stream_chat(messages):
        console.print(Text(response.delta or ""), end="")
    console.print()
    yield shown("stream_chat", response)

    tool = FunctionTool.from_defaults(get_weather)
    asked = [ChatMessage(role="user", content=TOOL_QUESTION)]
    call = llm.chat_with_tools([tool], chat_history=asked)
    yield shown("chat_with_tools", call)
    for selection in llm.get_tool_calls_from_response(call, error_on_no_tool_call=False):
        result = get_weather(**selection.tool_kwargs)
        _say(console, ".chat_with_tools", f"{selection.tool_name}({selection.tool_kwargs}) = {result}")
        answer = ChatMessage(role="tool", content=result, additional_kwargs={"tool_call_id": selection.tool_id})
        answered = llm.chat_with_tools([tool], chat_history=[*asked, call.message, answer])
        _say(console, "its result sent back", answered.message.content or "")
        yield shown("tool result", answered)
    _say(console, ".structured_predict", repr(llm.structured_predict(City, PromptTemplate(OBJECT_QUESTION))))


def _answers(shown: list[_Shown]) -> Table:
    table = Table(title="Answers", title_justify="left")
    left = ("framework", "call", "finish reason")
    for name in ("framework", "call", "characters", "finish reason", "tokens in", "out", "total"):
        table.add_column(name, justify="left" if name in left else "right")
    for answer in shown:
        table.add_row(answer.framework, answer.how, str(len(answer.text)), answer.finish, *map(str, answer.usage))
    return table


def _record(gateway: LocalGateway) -> Table:
    """A table of the requests received: it shows that whole answers were streamed on the wire."""
    requests = gateway.requests
    streamed = sum(request.stream for request in requests)
    title = f"The gateway's record: {streamed} of {len(requests)} requests were streams"
    table = Table(title=title, title_justify="left")
    for name in ("request", "model", "stream", "status"):
        table.add_column(name)
    for request in requests:
        stream, status = str(request.stream).lower(), str(request.status)
        table.add_row(f"{request.method} {request.path}", request.model, stream, status)
    return table
