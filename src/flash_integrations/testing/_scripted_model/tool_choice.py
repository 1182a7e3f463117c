"""Which tools the scripted model calls: those whose names and descriptions share words with the prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .prompt import Prompt
from .text import has_cjk, word_stems

__all__ = ["choose_tools"]

_VAGUE = word_stems(
    "call check create data do fetch find function get info list look make run set tool value 查询 获取 信息 一个"
)


def choose_tools(body: Mapping[str, Any], prompt: Prompt) -> list[Mapping[str, Any]]:
    """The functions to call now, as the request describes them; none means an answer in words.

    A tool is called once per user message, unless ``tool_choice`` forces it. All that the prompt names are called at
    once; with ``parallel_tool_calls`` false one after the other. A tool that only its description suggests is called
    when no other is.
    """
    tools = [tool["function"] for tool in body.get("tools") or []]
    choice = body.get("tool_choice") or "auto"
    if not tools or choice == "none":
        return []
    if isinstance(choice, Mapping):
        return [tool for tool in tools if tool["name"] == choice["function"]["name"]][:1]
    answered = {name for name, _ in prompt.results}
    open_tools = tools if choice == "required" else [tool for tool in tools if tool["name"] not in answered]
    wanted = word_stems(prompt.user)
    named = [tool for tool in open_tools if _is_named(tool["name"], prompt.user, wanted)]
    if not named and not answered:
        scored = sorted(open_tools, key=lambda tool: -_shared(tool, wanted))
        named = [tool for tool in scored[:1] if choice == "required" or _shared(tool, wanted) >= 2]
    if not named and choice == "required":
        named = open_tools[:1]
    return named[:1] if body.get("parallel_tool_calls") is False else named


def _is_named(name: str, text: str, wanted: set[str]) -> bool:
    """Whether the text has the name itself, or a word of it that says more than "get" or "tool"."""
    return name.lower() in text.lower() or not wanted.isdisjoint(word_stems(name) - _VAGUE)


def _shared(tool: Mapping[str, Any], wanted: set[str]) -> int:
    """How many words a tool and the prompt share; two CJK characters in a row say more than a word, and count twice."""
    shared = (word_stems(tool["name"]) | word_stems(str(tool.get("description") or ""))) & wanted - _VAGUE
    return sum(2 if has_cjk(stem) else 1 for stem in shared)
