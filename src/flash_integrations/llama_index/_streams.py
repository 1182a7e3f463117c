"""Answers that grow: a core stream as LlamaIndex's items, each the message so far and what is new of it.

The last item is the whole answer, as a plain call would have given it. Whoever leaves early, by whatever way, has let
go of the connection when he is out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Any, TypeVar

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole, ToolCallBlock

from .._core.completion.completion import ChatDelta, Completion, ToolCallDelta
from ..client import AsyncChatStream, ChatStream
from ._raw import to_raw
from ._to_wire import to_blocks, to_logprobs, to_response

_Item = TypeVar("_Item")


class Reply:
    """What has come of a stream so far, of its first choice."""

    def __init__(self) -> None:
        self._text = self._reasoning = self._refusal = ""
        self._calls: list[dict[str, Any]] = []
        self._late = ChatDelta()

    def add_delta(self, delta: ChatDelta) -> ChatResponse | None:
        """Take a delta; give the item to hand on, or None where :meth:`last` will tell it."""
        if delta.index:
            return None
        if delta.finish_reason is not None:
            # What the core adds at the end; the last item, which it belongs to, needs the whole answer.
            self._late = delta
            return None
        self._text += delta.text
        self._reasoning += delta.reasoning
        self._refusal += delta.refusal
        for piece in delta.tool_calls:
            self._add_piece(piece)
        kwargs = {"tool_calls": [_wire(call) for call in self._calls], "refusal": self._refusal}
        return ChatResponse(
            message=ChatMessage(
                role=MessageRole.ASSISTANT,
                blocks=to_blocks(self._text, self._reasoning, [_block(call) for call in self._calls]),
                additional_kwargs={name: value for name, value in kwargs.items() if value},
            ),
            delta=delta.text,
            raw=to_raw(delta.raw),
            logprobs=to_logprobs(delta.logprobs),
            additional_kwargs=_thinking(delta),
        )

    def _add_piece(self, piece: ToolCallDelta) -> None:
        while len(self._calls) <= piece.index:
            self._calls.append({"id": None, "name": "", "arguments": ""})
        call = self._calls[piece.index]
        call["id"], call["name"] = piece.id or call["id"], piece.name or call["name"]
        call["arguments"] += piece.arguments

    def last(self, completion: Completion) -> ChatResponse:
        """The item that ends the stream: the whole answer."""
        response = to_response(completion, delta=self._late.text)
        response.additional_kwargs |= _thinking(self._late)
        return response


def _thinking(delta: ChatDelta) -> dict[str, Any]:
    return {"thinking_delta": delta.reasoning} if delta.reasoning else {}


def _block(call: dict[str, Any]) -> ToolCallBlock:
    """A call that is still being written: its arguments are text so far."""
    return ToolCallBlock(tool_call_id=call["id"], tool_name=call["name"], tool_kwargs=call["arguments"] or {})


def _wire(call: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": call["id"],
        "type": "function",
        "function": {"name": call["name"], "arguments": call["arguments"]},
    }


def responses(stream: ChatStream) -> Generator[ChatResponse, None, None]:
    """A core stream's items; nothing is sent before the first is asked for."""
    reply = Reply()
    with stream:
        for delta in stream:
            if (item := reply.add_delta(delta)) is not None:
                yield item
    yield reply.last(stream.completion)


async def aresponses(stream: AsyncChatStream) -> AsyncGenerator[ChatResponse, None]:
    """:func:`responses` for ``async for``."""
    reply = Reply()
    async with stream:
        async for delta in stream:
            if (item := reply.add_delta(delta)) is not None:
                yield item
    yield reply.last(stream.completion)


# LlamaIndex's callback decorators iterate the generator they are given and leave it as it stands: it is closed when it
# is collected, and a handler that keeps the exception of an early leave keeps the generator with it. So the decorator
# is put around the giving of the items, and around what comes of it the closing of those items, and so of the stream.


def returning(items: Iterator[_Item]) -> Callable[..., Iterator[_Item]]:
    """A method that gives these items, for a callback decorator."""

    def give(_self: Any, *_args: Any, **_kwargs: Any) -> Iterator[_Item]:
        return items

    return give


def agiving(items: AsyncIterator[_Item]) -> Callable[..., Any]:
    """A coroutine method that gives these items, for a callback decorator."""

    async def give(_self: Any, *_args: Any, **_kwargs: Any) -> AsyncIterator[_Item]:
        return items

    return give


def closing(decorated: Generator[_Item, None, None], items: Generator[Any, None, None]) -> Generator[_Item, None, None]:
    """What a decorator made of ``items``; whoever leaves it leaves them."""
    try:
        yield from decorated
    finally:
        decorated.close()
        items.close()


async def aclosing(
    decorated: AsyncGenerator[_Item, None], items: AsyncGenerator[Any, None]
) -> AsyncGenerator[_Item, None]:
    """:func:`closing` for ``async for``."""
    try:
        async for item in decorated:
            yield item
    finally:
        await decorated.aclose()
        await items.aclose()
