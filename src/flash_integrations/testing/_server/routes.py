"""The routes: who may ask, under which limits and stream rule, and who answers, the scripted model or the upstream."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ...catalogue import Provider, RateLimit, context_window
from .._scripted_model.hashed_embeddings import DIMENSIONS, as_base64, embed
from .._scripted_model.model import reply
from .._scripted_model.text import tokens
from ..answers import Answer, choices_of, prompt_tokens, usage_of
from ..faults import Faults
from .encoding import Frame, Head, as_json, frames, whole
from .errors import Refusal, error_body
from .middleware import Exchange
from .rate_limits import Quota
from .responses import EVENT_STREAM, JSON, Performance, replacement
from .upstream import Upstream
from .validation import check_chat, check_embedding, model_of

__all__ = ["Routes"]

_Answerer = Callable[[Exchange, Quota], Awaitable[ASGIApp]]


class Routes:
    """What the gateway does with a request. Everything here runs on the gateway's own loop.

    Args:
        provider: the row whose models, windows and stream rule are kept.
        keys: the bearer keys that are let in.
        limit: what each key may use, or None.
        strict_models: whether a model that the row does not list is refused.
        upstream: who answers in the scripted model's place, or None.
        clock: seconds, for the limits.

    Attributes:
        faults: the faults that are ordered.
        script: the answers to give before the scripted model's own.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        keys: Sequence[str],
        limit: RateLimit | None,
        strict_models: bool,
        upstream: Upstream | None,
        clock: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._quotas = {key: Quota(limit or RateLimit(), clock=clock) for key in keys}
        self._strict_models = strict_models
        self._upstream = upstream
        self._numbers = itertools.count(1)
        self.faults = Faults()
        self.script: deque[Answer] = deque()

    def app(self) -> ASGIApp:
        """The ASGI application."""
        app = Starlette(
            routes=[
                Route("/v1/chat/completions", self._guarded(self._chat), methods=["POST"]),
                Route("/v1/embeddings", self._guarded(self._embeddings), methods=["POST"]),
                Route("/v1/models", self._guarded(self._models), methods=["GET"]),
            ],
            exception_handlers={404: _unknown, 405: _unknown},
        )
        app.router.redirect_slashes = False
        return app

    def _guarded(self, answer: _Answerer) -> Callable[[Request], Awaitable[ASGIApp]]:
        """The way in: the key, the limits, and the fault that replaces the answer."""

        async def enter(request: Request) -> ASGIApp:
            exchange: Exchange = request.state.exchange
            try:
                quota = self._admitted(exchange)
                ordered = self.faults.take_fault(exchange.request, replaces=True)
                if ordered is not None:
                    return replacement(*ordered, stream=exchange.request.stream)
                return await answer(exchange, quota)
            except Refusal as refusal:
                return JSONResponse(refusal.body, refusal.status, headers=refusal.headers)

        return enter

    def _admitted(self, exchange: Exchange) -> Quota:
        """The quota of the caller's key; a request that asks for an answer takes from it."""
        quota = self._quotas.get(exchange.key or "")
        if quota is None:
            raise Refusal(401)
        if exchange.request.method == "POST":
            quota.admit()
            exchange.at_end(quota.release)
        return quota

    async def _models(self, _exchange: Exchange, _quota: Quota) -> ASGIApp:
        listed = [
            {"id": card.name, "object": "model", "created": 0, "owned_by": self._provider.name}
            for card in self._provider.models.values()
        ]
        return JSONResponse({"object": "list", "data": listed})

    async def _chat(self, exchange: Exchange, quota: Quota) -> ASGIApp:
        body = exchange.request.body
        model = self._model(body)
        if body.get("stream") not in (None, True, False):
            raise Refusal(400, "Invalid type for 'stream': expected a boolean.", param="stream")
        if self._provider.streams(model) and body.get("stream") is not True:
            whose = "GPT models" if self._provider.stream == "gpt" else "all models"
            raise Refusal(
                400,
                f"Stream must be set to true: {whose} answer only to streaming requests",
                param="stream",
                code="stream_required",
            )
        check_chat(body)
        asked = prompt_tokens(body["messages"])
        quota.ask(asked)
        if self._upstream is not None:
            return await self._relay(self._upstream, "/chat/completions", exchange)
        self._check_window(model, asked, "messages")
        return self._answer(exchange, quota)

    def _answer(self, exchange: Exchange, quota: Quota) -> ASGIApp:
        """The next scripted answer, or the scripted model's own, in the form that was asked for."""
        body = exchange.request.body
        answer = self.script.popleft() if self.script else reply(body)
        choices = choices_of(answer, body)
        usage = usage_of(answer, body, choices)
        tokens = sum(len(choice.pieces) for choice in choices)
        quota.spend(tokens)
        top = (body.get("top_logprobs") or 0) if body.get("logprobs") else None
        head = Head(f"chatcmpl-local-{next(self._numbers)}", int(time.time()), body["model"], top)
        if exchange.request.stream:
            include_usage = bool((body.get("stream_options") or {}).get("include_usage"))
            sent = frames(head, choices, usage, include_usage=include_usage)
            fault, gate = self.faults.take_fault(exchange.request, replaces=False) or (None, None)
            return Performance(sent, headers=EVENT_STREAM, fault=fault, gate=gate)
        return self._plain(whole(head, choices, usage), exchange, tokens)

    async def _embeddings(self, exchange: Exchange, quota: Quota) -> ASGIApp:
        body = exchange.request.body
        model = self._model(body)
        texts = check_embedding(body)
        counts = [len(tokens(text)) for text in texts]
        quota.ask(sum(counts))
        if self._upstream is not None:
            return await self._relay(self._upstream, "/embeddings", exchange)
        for at, count in enumerate(counts):
            self._check_window(model, count, f"input[{at}]")
        vectors = [embed(text, body.get("dimensions") or DIMENSIONS) for text in texts]
        written = [as_base64(vector) for vector in vectors] if body.get("encoding_format") == "base64" else vectors
        data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(written)]
        usage = {"prompt_tokens": sum(counts), "total_tokens": sum(counts)}
        answer = as_json({"object": "list", "data": data, "model": model, "usage": usage})
        return self._plain(answer, exchange, sum(counts))

    async def _relay(self, upstream: Upstream, path: str, exchange: Exchange) -> ASGIApp:
        relayed = await upstream.send(path, exchange.request.body, exchange.raw)
        fault, gate = self.faults.take_fault(exchange.request, replaces=False) or (None, None)
        return Performance(
            relayed.frames(),
            headers=relayed.headers,
            status=relayed.status,
            fault=fault,
            gate=gate,
            closing=relayed.aclose,
        )

    def _plain(self, data: bytes, exchange: Exchange, tokens: int) -> ASGIApp:
        """A whole answer. A fault meets it in the middle, where all its tokens lie."""
        fault, gate = self.faults.take_fault(exchange.request, replaces=False) or (None, None)
        if fault is None:
            return Response(data, headers=JSON)
        if fault.error is not None:
            # Half an answer with an error behind it is no JSON: a whole answer fails as a whole.
            fault = replace(fault, cut=0, cut_bytes=None)
        half = len(data) // 2
        sent = [Frame(data[:half], tokens=tokens), Frame(data[half:], last=True)]
        return Performance(sent, headers=JSON, fault=fault, gate=gate)

    def _model(self, body: Any) -> str:
        model = model_of(body)
        if self._strict_models and model not in self._provider.models:
            raise Refusal(
                404,
                f"The model `{model}` does not exist or you do not have access to it.",
                param="model",
                code="model_not_found",
            )
        return model

    def _check_window(self, model: str, count: int, param: str) -> None:
        window = context_window(model, self._provider)
        if count > window:
            raise Refusal(
                400,
                f"This model's maximum context length is {window} tokens, however {param} has {count} tokens. "
                "Please reduce the length.",
                param=param,
                code="context_length_exceeded",
            )


async def _unknown(request: Request, error: Exception) -> Response:
    """No such path, or not with this method."""
    where = f"({request.method} {request.url.path})"
    status = getattr(error, "status_code", 404)
    text = f"Method not allowed {where}" if status == 405 else f"Invalid URL {where}"
    return JSONResponse(error_body(status, text, type="invalid_request_error"), status)
