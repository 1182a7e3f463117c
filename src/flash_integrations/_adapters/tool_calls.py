"""Tool calls between the core and a framework: their arguments, and the call in the format before tools."""

from __future__ import annotations

from typing import Any

from .._core.completion.completion import Choice, Completion, ToolCall
from .._core.framing import json_codec


def load_arguments(arguments: str) -> dict[str, Any]:
    """A call's arguments as a dict.

    Raises:
        ValueError: they are no JSON object.
    """
    parsed = json_codec.loads_exact(arguments)
    if not isinstance(parsed, dict):
        raise ValueError("the arguments are no JSON object")  # noqa: TRY004 - as for what does not parse
    return parsed


def calls_of(completion: Completion, choice: Choice) -> tuple[ToolCall, ...]:
    """An answer's tool calls; a call in the format before tools is one, under an id of the answer's."""
    if choice.tool_calls or not choice.function_call:
        return choice.tool_calls
    name, arguments = choice.function_call["name"], choice.function_call["arguments"]
    return (ToolCall(f"call_{completion.id or 'function'}", name, arguments),)


def wire_call(call_id: str | None, name: str | None, arguments: str, extra: dict[str, Any]) -> dict[str, Any]:
    """A call as an assistant's message has it, with what the gateway sent beside it."""
    function = {"name": name or "", "arguments": arguments}
    return {**extra, "type": "function", "id": call_id or "", "function": function}
