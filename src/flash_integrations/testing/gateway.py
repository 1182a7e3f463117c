"""The local gateway: a real HTTP server on loopback that keeps a catalogue row's rules and needs no key from anyone."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from ..catalogue import Provider, RateLimit, get_provider
from ..errors import ConfigurationError
from ._server.middleware import Middleware
from ._server.routes import Routes
from ._server.server import ServerThread
from ._server.upstream import Upstream
from .answers import Answer
from .faults import Fault, open_gates
from .record import ReceivedRequest, Record

__all__ = ["LocalGateway"]


class LocalGateway:
    """An OpenAI-format gateway on 127.0.0.1, in a thread of this process.

    It answers by itself, without a model and always alike, or relays to a server that has one. Like the gateways it
    stands for it refuses plain requests for GPT models. ::

        with LocalGateway() as gateway:
            client = FlashClient(provider=gateway.provider, api_key=gateway.api_key)

    Args:
        provider: the row, or its name, whose stream rule, models and limits are kept.
        api_key: the key to let in; by default a new one.
        keys: several keys to let in; each has limits of its own.
        enforce_limits: answer 429 beyond the row's limits.
        rate_limit: enforce these limits instead.
        upstream: base URL of an OpenAI-format server to relay chat and embeddings to. Answers come back byte for byte.
        upstream_key: its key.
        upstream_model: the model to ask there, whichever is asked for here.
        strict_models: refuse models that the row does not list.
        port: where to listen; 0 takes a free port.
        on_answer: called with each request as its answer begins, or as its caller leaves before that: then its status
            is None. It is called in the gateway's thread, and must be quick.
        clock: seconds that never go back, for the limits and the record.

    Raises:
        ConfigurationError: no such provider, limits wanted where the row has none, or words that exclude each other.
    """

    def __init__(
        self,
        provider: str | Provider = "flashapi",
        *,
        api_key: str | None = None,
        keys: Sequence[str] = (),
        enforce_limits: bool = False,
        rate_limit: RateLimit | None = None,
        upstream: str | None = None,
        upstream_key: str | None = None,
        upstream_model: str | None = None,
        strict_models: bool = False,
        port: int = 0,
        on_answer: Callable[[ReceivedRequest], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        provider_row = get_provider(provider) if isinstance(provider, str) else provider
        if enforce_limits and rate_limit is None and provider_row.rate_limit is None:
            raise ConfigurationError(
                f"provider {provider_row.name!r} has no limits to enforce: pass rate_limit=RateLimit(...)"
            )
        if upstream is None and (upstream_key is not None or upstream_model is not None):
            raise ConfigurationError("upstream_key and upstream_model need upstream=, the base URL to relay to")
        if api_key is not None and keys:
            raise ConfigurationError("give api_key= or keys=, not both")
        self._row = provider_row if rate_limit is None else replace(provider_row, rate_limit=rate_limit)
        self._keys = tuple(keys) or (api_key or f"sk-local-{secrets.token_hex(16)}",)
        self._port = port
        self._clock = clock
        self._record = Record(on_answer=on_answer)
        self._upstream = None
        if upstream is not None:
            self._upstream = Upstream(upstream, key=upstream_key, model=upstream_model)
        self._routes = Routes(
            self._row,
            keys=self._keys,
            limit=self._row.rate_limit if enforce_limits or rate_limit is not None else None,
            strict_models=strict_models,
            upstream=self._upstream,
            clock=clock,
        )
        self._server: ServerThread | None = None

    def __repr__(self) -> str:
        where = self.base_url if self._server is not None else "not started"
        return f"LocalGateway({self._row.name!r}, {where})"

    def start(self) -> Self:
        """Listen and serve; a gateway that is started already stays as it is.

        Raises:
            ConfigurationError: the port cannot be bound.
        """
        if self._server is None:
            middleware = Middleware(self._routes.app(), record=self._record, clock=self._clock)
            self._server = ServerThread(middleware, port=self._port, closing=self._close)
        return self

    async def _close(self) -> None:
        if self._upstream is not None:
            await self._upstream.aclose()

    def stop(self) -> None:
        """Cut what is being answered and close the port. Does nothing when stopped."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """The URL up to and including ``/v1``.

        Raises:
            ConfigurationError: the gateway is not started.
        """
        if self._server is None:
            raise ConfigurationError("the local gateway is not started: use it in a with statement, or call start()")
        return f"http://127.0.0.1:{self._server.port}/v1"

    @property
    def api_key(self) -> str:
        """The key to come with; the first of several."""
        return self._keys[0]

    @property
    def provider(self) -> Provider:
        """A row for this gateway: the stream rule, limits and models of the row it stands for, at its own URL.

        Raises:
            ConfigurationError: the gateway is not started.
        """
        return replace(self._row, name="local", base_url=self.base_url, key_variable=None)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """What was received, in order of arrival, the refused ones included."""
        return self._record.requests

    @property
    def live(self) -> int:
        """How many requests are being answered now."""
        return self._record.live

    @property
    def peak(self) -> int:
        """The most that were answered at once."""
        return self._record.peak

    @property
    def held(self) -> int:
        """How many answers a fault's ``hold`` holds now."""
        return self._record.held

    def clear(self) -> None:
        """Forget the received requests, the scripted answers and the ordered faults."""
        self._record.clear()
        self._routes.script.clear()
        self._routes.faults.clear()

    def wait_idle(self, timeout: float = 60.0) -> bool:
        """Wait until nothing is being answered; whether that came about within ``timeout`` seconds."""
        return self._record.wait_for(lambda: self._record.live == 0, timeout)

    def wait_held(self, count: int = 1, timeout: float = 60.0) -> bool:
        """Wait until ``count`` answers are held; whether that came about within ``timeout`` seconds."""
        return self._record.wait_for(lambda: self._record.held >= count, timeout)

    def script(self, *answers: str | Answer) -> None:
        """Queue answers to give next, in order, to chat requests; afterwards the scripted model answers again."""
        self._routes.script.extend(Answer(answer) if isinstance(answer, str) else answer for answer in answers)

    def fault(self, fault: Fault | int | str | None = None, /, **fields: Any) -> None:
        """Order a fault: ``fault(Fault(...))``, ``fault(429, retry_after=1, times=2)``, ``fault(cut=3, end="reset")``.

        Faults queue; each request meets the first that is meant for it.

        Args:
            fault: a fault, or the status of one.
            **fields: the fields of :class:`Fault`.

        Raises:
            ConfigurationError: fields that do not go together.
        """
        if isinstance(fault, Fault):
            if fields:
                raise ConfigurationError("fault: give a Fault or its fields, not both")
        else:
            fault = Fault(status=int(fault), **fields) if fault is not None else Fault(**fields)
        self._routes.faults.add_fault(fault)

    def release(self) -> None:
        """Let go on all that the faults ordered so far hold, now or later."""
        # Taken now, in this thread: what is ordered after this call stays held.
        opening = partial(open_gates, self._routes.faults.take_gates())
        if self._server is None:
            opening()
        else:
            self._server.call(opening)
