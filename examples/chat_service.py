"""A chat service: what the model says goes on to a browser as it comes, as server-sent events.

Start it, and ask it from another terminal::

    python examples/chat_service.py --port 8000
    curl -N http://127.0.0.1:8000/chat -d '{"messages": [{"role": "user", "content": "Hello"}]}'

All requests share one client, with its connections and limits. A caller that leaves ends the request to the gateway,
too. Needs ``flash-integrations[gateway]``, for its Starlette and uvicorn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import uvicorn
from key_or_gateway import key_or_gateway
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from flash_integrations import AsyncFlashClient
from flash_integrations.errors import FlashError


class Events(StreamingResponse):
    """Server-sent events whose source is closed at once when the caller leaves, not when memory is next tidied up."""

    media_type = "text/event-stream"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; what is still under way when the service's time to end is over breaks off without a traceback."""
        with suppress(asyncio.CancelledError):
            await super().__call__(scope, receive, send)

    async def stream_response(self, send: Send) -> None:
        """Send the events."""
        async with aclosing(self.body_iterator):
            await super().stream_response(send)


def event(name: str, **data: Any) -> str:
    """One event; JSON keeps its data in one line."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def answer(client: AsyncFlashClient, model: str, messages: list[dict[str, Any]]) -> AsyncIterator[str]:
    """The events of one answer: ``token`` for each piece of text, then ``done``; or ``error``, which ends it."""
    try:
        async with client.stream_chat(model=model, messages=messages) as stream:
            async for delta in stream:
                if delta.text:
                    yield event("token", text=delta.text)
            usage = stream.completion.usage
            yield event("done", tokens=usage.total_tokens if usage else None)
    except FlashError as error:
        yield event("error", kind=type(error).__name__, message=str(error))


def make_app(client: AsyncFlashClient, *, model: str) -> Starlette:
    """The application: ``POST /chat`` with ``{"messages": [...]}``."""

    async def chat(request: Request) -> Response:
        try:
            messages = (await request.json())["messages"]
        except (ValueError, TypeError, KeyError):
            return JSONResponse(
                {"error": 'send JSON such as {"messages": [{"role": "user", "content": "Hello"}]}'}, 400
            )
        return Events(answer(client, model, messages))

    return Starlette(routes=[Route("/chat", chat, methods=["POST"])])


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A chat service that streams.")
    parser.add_argument("--model", default="gpt-5.2")
    parser.add_argument("--port", type=int, default=8000)
    words = parser.parse_args()
    with key_or_gateway():
        app = make_app(AsyncFlashClient(), model=words.model)
        # After Ctrl-C answers that are under way have three seconds to end.
        uvicorn.run(app, host="127.0.0.1", port=words.port, timeout_graceful_shutdown=3)


if __name__ == "__main__":
    main()
