"""Right answers and true errors, counted: this package beside its peers on the same bytes.

    python benchmarks/wire.py            # prints the table
    python benchmarks/wire.py --write    # puts it into README.md and README.zh-CN.md
    python benchmarks/wire.py --every 25 # takes every 25th cut only: a smoke run

Two fields: the wire cases of ``tests/wire/chat_cases.json``, and a real answer cut after every byte, ended properly
and by dropping the connection. A call is right when it gives the answer that was sent, or an error where none was
whole; for the wire cases the error must be of the right kind, too, where the client has a kind for it. Every client is
told to stream.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from langchain_core.messages import AIMessage  # noqa: E402
from langchain_openai import ChatOpenAI  # noqa: E402
from llama_index.core.llms import ChatMessage  # noqa: E402
from llama_index.llms.openai_like import OpenAILike  # noqa: E402
from replay import Answer, Case, ReplayServer, load_cases  # noqa: E402

from flash_integrations.langchain import ChatFlash  # noqa: E402
from flash_integrations.llama_index import FlashLLM  # noqa: E402

WIRE = ROOT / "tests" / "wire"
REAL = (WIRE / "real_answer.sse").read_bytes()
REAL_TEXT = "你好"
MARKS = re.compile(r"(<!-- wire table: benchmarks/wire.py -->\n).*?(<!-- end -->)", re.DOTALL)

KINDS = {
    "auth": ("AuthenticationError",),
    "quota": ("QuotaExceededError",),
    "not_found": ("NotFoundError",),
    "context": ("ContextLengthError", "ContextOverflowError"),
    "bad_request": ("BadRequestError",),
    "rate": ("RateLimitError",),
    "server": ("ServerError", "InternalServerError"),
}
"""Names of error classes, ours and the peers', that say what went wrong. For other cases any error will do."""


@dataclass(frozen=True)
class Got:
    """What a client made of an answer."""

    text: str
    tools: list[dict[str, Any]]
    total_tokens: int | None


def of_message(message: AIMessage) -> Got:
    usage = message.usage_metadata
    tools = [{"name": call["name"], "args": call["args"]} for call in message.tool_calls]
    return Got(message.text, tools, usage["total_tokens"] if usage else None)


def of_response(llm: Any, response: Any) -> Got:
    calls = llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
    tools = [{"name": call.tool_name, "args": call.tool_kwargs} for call in calls]
    total = response.additional_kwargs.get("total_tokens")
    return Got(response.message.content or "", tools, total)


Call = Callable[[str], Got]


def clients() -> dict[str, Call]:
    """The calls that are compared, by the name the table gives them; each takes a base URL."""
    ask = [ChatMessage(role="user", content="hi")]

    def flash(url: str) -> ChatFlash:
        return ChatFlash(model="gpt-5.2", base_url=url, max_retries=0)

    def flash_llm(url: str) -> FlashLLM:
        return FlashLLM(model="gpt-5.2", base_url=url, max_retries=0)

    def chat_openai(url: str) -> ChatOpenAI:
        params: Any = {"model": "gpt-5.2", "base_url": url, "api_key": "x", "max_retries": 0}
        return ChatOpenAI(streaming=True, stream_usage=True, **params)

    def openai_like(url: str) -> OpenAILike:
        params: Any = {"model": "gpt-5.2", "api_base": url, "api_key": "x", "max_retries": 0}
        return OpenAILike(is_chat_model=True, is_function_calling_model=True, **params)

    def last(llm: Any) -> Got:
        return of_response(llm, list(llm.stream_chat(ask))[-1])

    return {
        "ChatFlash.invoke": lambda url: of_message(flash(url).invoke("hi")),
        "ChatFlash.stream": lambda url: of_message(reduce(add, flash(url).stream("hi"))),
        "ChatOpenAI(streaming=True).invoke": lambda url: of_message(chat_openai(url).invoke("hi")),
        "ChatOpenAI.stream": lambda url: of_message(reduce(add, chat_openai(url).stream("hi"))),
        "FlashLLM.chat": lambda url: of_response(flash_llm(url), flash_llm(url).chat(ask)),
        "FlashLLM.stream_chat": lambda url: last(flash_llm(url)),
        "OpenAILike.chat": lambda url: of_response(openai_like(url), openai_like(url).chat(ask)),
        "OpenAILike.stream_chat": lambda url: last(openai_like(url)),
    }


def try_call(call: Call, url: str) -> Got | Exception:
    """What a call gives or raises, whatever that is: the peers raise anything."""
    try:
        return call(url)
    except Exception as error:  # noqa: BLE001 - the benchmark's subject
        return error


def is_right(case: Case, got: Got | Exception) -> bool:
    """Whether a call made of a wire case what it is."""
    if case.error is not None:
        names = {kind.__name__ for kind in type(got).__mro__}
        kinds = KINDS.get(case.error)
        return isinstance(got, Exception) and (
            kinds is None or any(name.endswith(kind) for kind in kinds for name in names)
        )
    expect = case.expect or {}
    if isinstance(got, Exception) or got.text != expect["text"]:
        return False
    total = expect["usage"]["total_tokens"] if expect["usage"] else None
    # LlamaIndex's peer tells no usage in streams at all; that is missing, but not false.
    return got.tools == expect.get("tools", got.tools if "invalid_tools" in expect else []) and got.total_tokens in (
        total,
        None,
    )


def count_cases(call: Call, cases: list[Case]) -> Iterator[bool]:
    for case in cases:
        server = ReplayServer(case.answer)
        yield is_right(case, try_call(call, server.base_url))
        server.stop()


def count_cuts(call: Call, every: int) -> Iterator[bool]:
    finished = REAL.index(b'"finish_reason":"stop"')
    sizes = range(0, len(REAL) + 1, every)
    for end in ("close", "drop"):
        server = ReplayServer(*(Answer([REAL[:size]], end=end) for size in sizes))
        for size in sizes:
            got = try_call(call, server.base_url)
            yield (
                got.text == REAL_TEXT and size > finished
                if isinstance(got, Got)
                else size < REAL.index(b"\n\n", finished) + 2
            )
        server.stop()


def table(every: int) -> dict[str, str]:
    """The comparison as a Markdown table, by README."""
    cases = load_cases(WIRE / "chat_cases.json", WIRE / "field_cases.json")
    heads = {
        "README.md": f"| call | {len(cases)} wire cases right | cuts of a real answer right |",
        "README.zh-CN.md": f"| 调用 | {len(cases)} 个线路用例中正确的 | 真实回答被截断时判断正确的 |",
    }
    rows = ["|---|---|---|"]
    for name, call in clients().items():
        right, cut = list(count_cases(call, cases)), list(count_cuts(call, every))
        rows.append(f"| `{name}` | {sum(right)} | {sum(cut)} / {len(cut)} ({100 * sum(cut) / len(cut):.0f} %) |")
        print(rows[-1], file=sys.stderr)
    return {readme: "\n".join([head, *rows]) for readme, head in heads.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into the READMEs")
    parser.add_argument("--every", type=int, default=1, help="take only every n-th cut")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    tables = table(given.every)
    print(tables["README.md"])
    if given.write:
        for name, made in tables.items():
            path = ROOT / name
            path.write_text(
                MARKS.sub(lambda mark, made=made: f"{mark[1]}{made}\n{mark[2]}", path.read_text("utf-8")), "utf-8"
            )


if __name__ == "__main__":
    main()
