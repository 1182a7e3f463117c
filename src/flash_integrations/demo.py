"""What ``flash-integrations demo`` shows: the main job, in both frameworks, and the proof from the gateway's record."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .client import FlashClient
from .testing import LocalGateway


@dataclass(frozen=True, slots=True)
class _Shown:
    """One answer that was shown."""

    framework: str
    how: str
    text: str
    finish: str
    usage: dict[str, int]


def run(console: Console, *, model: str, question: str) -> None:
    """Show everything; raises a FlashError where something fails.

    Args:
        console: where to.
        model: the model to ask.
        question: what to ask it.
    """
    with _place() as (words, gateway):
        client = FlashClient(**words)
        where = (
            "the local gateway, which makes its answers up" if gateway else f"{client.provider.name}, {client.base_url}"
        )
        console.print(Panel(Text(f"{model} at {where}\n{question}"), title="flash_integrations", expand=False))
        shown = [*_langchain(console, words, model, question), *_llama_index(console, words, model, question)]
        console.print(_answers(shown))
        if gateway is not None:
            console.print(_record(gateway))


@contextmanager
def _place() -> Iterator[tuple[dict[str, Any], LocalGateway | None]]:
    """Where to ask: what the environment names, or a local gateway where it names nothing."""
    if any(os.environ.get(name, "").strip() for name in ("FLASH_API_KEY", "FLASH_PROVIDER", "FLASH_BASE_URL")):
        yield {}, None
        return
    with LocalGateway() as gateway:
        yield {"base_url": gateway.base_url, "api_key": gateway.api_key, "provider": gateway.provider}, gateway


def _langchain(console: Console, words: dict[str, Any], model: str, question: str) -> Iterator[_Shown]:
    from .langchain import ChatFlash

    llm = ChatFlash(model=model, **words)
    console.rule("LangChain  ChatFlash")
    answer = llm.invoke(question)
    console.print("[dim].invoke →[/]", Text(answer.text))
    usage = dict(answer.usage_metadata or {})
    yield _Shown(
        "LangChain",
        "invoke",
        answer.text,
        answer.response_metadata["finish_reason"],
        _three(usage, "input_tokens", "output_tokens"),
    )

    console.print("[dim].stream →[/]", end=" ")
    whole = None
    for chunk in llm.stream(question):
        console.print(Text(chunk.text), end="")
        whole = chunk if whole is None else whole + chunk
    console.print()
    if whole is not None:
        usage = dict(whole.usage_metadata or {})
        finish = whole.response_metadata["finish_reason"]
        yield _Shown("LangChain", "stream", whole.text, finish, _three(usage, "input_tokens", "output_tokens"))


def _llama_index(console: Console, words: dict[str, Any], model: str, question: str) -> Iterator[_Shown]:
    from llama_index.core.llms import ChatMessage

    from .llama_index import FlashLLM

    llm = FlashLLM(model=model, **words)
    messages = [ChatMessage(role="user", content=question)]
    console.rule("LlamaIndex  FlashLLM")
    response = llm.chat(messages)
    console.print("[dim].chat →[/]", Text(response.message.content or ""))
    yield _from_response("chat", response)

    console.print("[dim].stream_chat →[/]", end=" ")
    for response in llm.stream_chat(messages):
        console.print(Text(response.delta or ""), end="")
    console.print()
    yield _from_response("stream_chat", response)


def _from_response(how: str, response: Any) -> _Shown:
    finish = response.raw["choices"][0]["finish_reason"]
    usage = _three(response.additional_kwargs, "prompt_tokens", "completion_tokens")
    return _Shown("LlamaIndex", how, response.message.content or "", finish, usage)


def _three(usage: dict[str, Any], prompt: str, answer: str) -> dict[str, int]:
    return {"in": usage.get(prompt, 0), "out": usage.get(answer, 0), "total": usage.get("total_tokens", 0)}


def _answers(shown: list[_Shown]) -> Table:
    table = Table(title="Answers", title_justify="left")
    for name in ("framework", "call", "characters", "finish reason", "tokens in", "out", "total"):
        table.add_column(name, justify="left" if name in ("framework", "call", "finish reason") else "right")
    for each in shown:
        counts = [str(each.usage[name]) for name in ("in", "out", "total")]
        table.add_row(each.framework, each.how, str(len(each.text)), each.finish, *counts)
    return table


def _record(gateway: LocalGateway) -> Table:
    """What the gateway received: the proof that whole answers were streamed on the wire."""
    requests = gateway.requests
    streamed = sum(request.stream for request in requests)
    table = Table(
        title=f"The gateway's record: {streamed} of {len(requests)} requests were streams", title_justify="left"
    )
    for name in ("request", "model", "stream", "status"):
        table.add_column(name)
    for request in requests:
        table.add_row(
            f"{request.method} {request.path}", request.model, str(request.stream).lower(), str(request.status)
        )
    return table
