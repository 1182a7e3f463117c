"""Tools between LlamaIndex and the wire: their descriptions, which of them to call, and the calls that came."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.utils import parse_partial_json
from llama_index.core.tools.types import BaseTool

from .._adapters.json_schema import LooseSchemaError, schema_of, to_strict
from ..errors import InvalidRequestError
from ._to_wire import parse_arguments, tool_calls_of


def to_tool(tool: BaseTool | dict[str, Any], *, strict: bool | None = None) -> dict[str, Any]:
    """A tool's description in the wire's form; a dict is one already.

    Raises:
        InvalidRequestError: ``strict`` is wanted of a tool whose schema has no strict form.
    """
    if isinstance(tool, dict):
        return tool
    described: dict[str, Any] = tool.metadata.to_openai_tool(skip_length_check=True)
    parameters = described["function"]["parameters"]
    if tool.metadata.fn_schema is not None and "properties" not in parameters:
        # LlamaIndex loses the root of a class that holds itself.
        described["function"]["parameters"] = {**schema_of(tool.metadata.fn_schema), **parameters}
    if strict:
        function = described["function"]
        try:
            described["function"] = {
                **function,
                "parameters": to_strict(function["parameters"], where="its arguments"),
                "strict": True,
            }
        except LooseSchemaError as error:
            raise InvalidRequestError(f"tool {function['name']!r} cannot be strict: {error}") from error
    return described


def keep_first_call(response: ChatResponse) -> None:
    """Drop all tool calls but the first from a response."""
    message = response.message
    later = [block for block in message.blocks if isinstance(block, ToolCallBlock)][1:]
    if later:
        message.blocks = [block for block in message.blocks if not any(block is dropped for dropped in later)]
    if older := message.additional_kwargs.get("tool_calls"):
        message.additional_kwargs["tool_calls"] = older[:1]


def first_calls(items: Generator[ChatResponse, None, None]) -> Generator[ChatResponse, None, None]:
    """A stream's items with the first tool call alone; whoever leaves them leaves the stream."""
    with closing(items):
        for item in items:
            keep_first_call(item)
            yield item


async def afirst_calls(items: AsyncGenerator[ChatResponse, None]) -> AsyncGenerator[ChatResponse, None]:
    """:func:`first_calls` for ``async for``."""
    async with aclosing(items):
        async for item in items:
            keep_first_call(item)
            yield item


def to_selections(response: ChatResponse) -> list[ToolSelection]:
    """The tool calls of a response, to be carried out.

    Arguments that are still being streamed are read as far as they go. In a whole answer, arguments that do not parse
    are left out, so that the tool complains of them, rather than guessed at.
    """
    whole = not isinstance(response.raw, dict) or response.raw.get("object") == "chat.completion"
    return [
        ToolSelection(
            tool_id=call.get("id") or "",
            tool_name=call["function"].get("name") or "",
            tool_kwargs=_to_kwargs(call["function"].get("arguments") or "", whole=whole),
        )
        for call in tool_calls_of(response.message)
    ]


def _to_kwargs(arguments: str, *, whole: bool) -> dict[str, Any]:
    parsed: Any = parse_arguments(arguments)
    if isinstance(parsed, str) and not whole:
        try:
            parsed = parse_partial_json(parsed)
        except ValueError:
            return {}
    return parsed if isinstance(parsed, dict) else {}
