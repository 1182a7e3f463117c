"""What the two clients share: the constructor, and how a method's arguments become a flow."""

from __future__ import annotations

import inspect
import random
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Never, Self, TypeAlias, TypeVar, cast

from ._config.endpoint import KeySource, resolve
from ._config.error_hints import explaining_no_key, explaining_window
from ._config.redaction import RedactedDict, Redactor, redact_reprs, secrets_in_body, secrets_of, without_secrets
from ._config.suggestions import refuse_routing, refuse_unknown
from ._config.worker_pickles import register_for_workers
from ._core.completion.completion import Completion
from ._core.endpoints.call import Call
from ._core.endpoints.chat.request import CHAT_PATH, CHECKS, chat_call
from ._core.endpoints.checks import at_least
from ._core.endpoints.embeddings.batching import Batches, Piece
from ._core.endpoints.embeddings.request import EMBEDDINGS_PATH, check_texts, embedding_request
from ._core.endpoints.embeddings.result import Embeddings
from ._core.environment import Environment
from ._core.flow import Exchange, Flow
from ._core.policy.call_policy import CallPolicy
from ._core.policy.rate_limiter import RateLimiter
from ._core.policy.timeout import Timeout, check_at_least_0, check_seconds
from ._transport.concurrent_batches import EmbeddingJob
from ._transport.process import process
from .catalogue import Provider, ProviderName, RateLimit, listed_context_window
from .errors import ConfigurationError

if TYPE_CHECKING:
    import httpx


PROVIDER_LIMITS = "provider"
"""The default of ``rate_limit``: the provider's own limits. A str, so that settings hold it as plain data."""

DEFAULT_CONCURRENCY, MAX_CONCURRENCY, SPARE_REQUESTS = 8, 32, 3
"""Embedding requests in flight: without a limit; the most; and those that wait in the queue beyond a limit's slots."""

TimeoutLike: TypeAlias = Timeout | float | Mapping[str, float | None] | None
"""What ``timeout`` takes, see :meth:`Timeout.of`."""

OnBatch: TypeAlias = Callable[[int, list[list[float]]], None]
"""A function called with the position of a batch's first text, from 0, and the batch's vectors."""

T = TypeVar("T")
_Client = TypeVar("_Client", bound="BaseClient")


@dataclass(slots=True)
class _Lifetime:
    """Whether a client was closed; shared by :meth:`FlashClient.to_async` and the client it was called on."""

    closed: bool = False


def _new_id() -> str:
    return f"call_{uuid.uuid4().hex}"


class BaseClient:
    """The constructor and the properties of both clients."""

    def __init__(
        self,
        *,
        provider: ProviderName | str | Provider | None = None,
        api_key: KeySource = None,
        base_url: str | None = None,
        timeout: TimeoutLike = None,
        total_timeout: float | None = None,
        max_retries: int = 2,
        max_retry_after: float = 60.0,
        rate_limit: RateLimit | Mapping[str, int | None] | str | None = PROVIDER_LIMITS,
        force_stream: bool | None = None,
        require_finish_reason: bool | None = None,
        disabled_params: Collection[str] = (),
        drop_refused: bool = False,
        send_reasoning: bool | None = None,
        split_think_tags: bool | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        allow_http: bool = False,
        http_client: httpx.Client | None = None,
        http_async_client: httpx.AsyncClient | None = None,
        **unknown: Never,
    ) -> None:
        """Check the arguments. Nothing is sent, and a missing key is an error of the first call only.

        Args:
            provider: the gateway, by its name or as a :class:`Provider`. Default: the one that ``base_url`` belongs
                to, else ``FLASH_PROVIDER``, else flashapi.
            api_key: a str, a ``SecretStr``, or a function (sync or async) that returns the key. Default: the
                provider's environment variable, such as ``FLASH_API_KEY``.
            base_url: the gateway's URL with its ``/v1``. Default: ``FLASH_BASE_URL``, else the provider's.
            timeout: seconds, a :class:`Timeout`, or a dict of its fields. Default: 10 s for a connection, 300 s for
                the first byte, 60 s between two events of a stream.
            total_timeout: seconds for a whole call, waiting and retries included. Default: no bound.
            max_retries: how many times a failed request is sent again; 0 or more.
            max_retry_after: seconds; where a gateway asks for a longer wait, the error is raised at once.
            rate_limit: a :class:`RateLimit`, a dict of its fields, the name of one of the provider's tiers, None for
                no limits. Default: the provider's.
            force_stream: stream on the wire always (True), never (False), or where the provider's models want it
                (None).
            require_finish_reason: False accepts a stream that ends with ``[DONE]`` and no finish reason; otherwise it
                is an error. Default: the provider's.
            disabled_params: names of parameters never to send.
            drop_refused: leave out sampling parameters that the gateway refuses (``Unsupported parameter: ...``), and
                send again; otherwise such a refusal is raised.
            send_reasoning: whether the reasoning of earlier answers goes back: True always, False never, not even
                where the gateway asks for it; None sends what the messages say, and what LangChain's and LlamaIndex's
                histories keep where the provider wants it or a refusal asks for it, which is learned.
            split_think_tags: whether ``<think>…</think>`` in the content becomes reasoning. Text that begins without
                a tag is then held back until a tag or the end comes: the model's template may have opened it. Default:
                the provider's or the model's.
            default_headers: headers of every request.
            default_query: query parameters of every request.
            allow_http: send the key over plain http to a public host.
            http_client: an ``httpx.Client`` to send with; you close it.
            http_async_client: the same for async code.
            **unknown: any other parameter is refused; the error names the nearest known one.

        Raises:
            ConfigurationError: an unknown parameter or provider, a bad URL, a value of a wrong type or out of range.
        """
        for name in unknown:
            if name in CHECKS:
                message = (
                    f"{type(self).__name__} does not take {name!r}: it belongs to the call, as in chat(..., {name}=...)"
                )
                raise ConfigurationError(message)
        refuse_unknown(type(self).__name__, unknown, PARAMS)
        refuse_routing(type(self).__name__, provider, PARAMS)
        self._endpoint = resolve(provider, base_url, api_key, allow_http=allow_http)
        provider = self._endpoint.provider
        check_seconds("total_timeout", total_timeout)
        check_at_least_0("max_retries", max_retries, whole=True)
        check_at_least_0("max_retry_after", max_retry_after)
        _check_client("http_client", http_client, is_async=False)
        _check_client("http_async_client", http_async_client, is_async=True)
        if force_stream not in (True, False, None):
            raise ConfigurationError(f"force_stream must be True, False or None, not {force_stream!r}")
        self._timeout = Timeout.of(timeout)
        self._policy: dict[str, Any] = {
            "base_url": self._endpoint.base_url,
            "provider": provider.name,
            "force_stream": force_stream,
            "total_timeout": total_timeout,
            "max_retries": max_retries,
            "max_retry_after": max_retry_after,
            "drop_refused": drop_refused,
            "rate_limit": limits_of(rate_limit, provider),
            "require_finish_reason": (
                provider.require_finish_reason if require_finish_reason is None else require_finish_reason
            ),
        }
        self._send_reasoning = provider.send_reasoning if send_reasoning is None else send_reasoning
        self._split_think_tags = split_think_tags
        self._disabled = frozenset([disabled_params] if isinstance(disabled_params, str) else disabled_params)
        self._headers: dict[str, Any] = RedactedDict(default_headers or {})
        self._query: dict[str, Any] = RedactedDict(default_query or {})
        self._http = http_client
        self._http_async = http_async_client
        self._lifetime = _Lifetime()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        register_for_workers(cls, cls._for_worker)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(provider={self.provider.name!r}, base_url={self.base_url!r})"

    def __getstate__(self) -> dict[str, Any]:
        """For pickling: without httpx clients and the other client, which belong to this process, and without keys."""
        left_out = ("_http", "_http_async", "_counterpart")
        state = {name: value for name, value in self.__dict__.items() if name not in left_out}
        return state | {"_headers": without_secrets(self._headers), "_query": without_secrets(self._query)}

    def _for_worker(self) -> tuple[Any, ...]:
        """What a worker process of multiprocessing gets: headers and query parameters whole, and the key."""
        rebuild, args, state = cast("tuple[Any, ...]", self.__reduce_ex__(2))[:3]
        return rebuild, args, {**state, "_headers": self._headers, "_query": self._query}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _http=None, _http_async=None)

    def __copy__(self) -> Self:
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__, _lifetime=_Lifetime(self._lifetime.closed))
        copied.__dict__.pop("_counterpart", None)
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Nothing of a client changes but whether it is closed: a copy shares the rest, connections and key included.
        return self.__copy__()

    @property
    def provider(self) -> Provider:
        """The provider whose rules, limits and models apply."""
        return self._endpoint.provider

    @property
    def base_url(self) -> str:
        """The URL that calls are sent to, without a slash at its end."""
        return self._endpoint.base_url

    def streams(self, model: str) -> bool:
        """Whether :meth:`chat` with this model sends ``stream: true``.

        ``force_stream`` decides, else what was learned from the gateway, else the provider's rule.
        """
        forced = self._policy["force_stream"]
        if forced is not None:
            return bool(forced)
        facts = process.quirks.facts(self.base_url, model, path=CHAT_PATH)
        return bool(facts.get("stream", self.provider.streams(model)))

    def learned(self) -> dict[str, dict[str, Any]]:
        """What this process learned from the gateway's refusals, by model: ``{"gpt-x": {"stream": True}}``."""
        return process.quirks.learned(self.base_url)

    def forget(self, model: str | None = None) -> None:
        """Discard what was learned about a model, or by default about all models of this gateway."""
        process.quirks.forget(self.base_url, model)

    def _to(self, cls: type[_Client]) -> _Client:
        """This client as the other class; always the same object, whose own counterpart is this one."""
        counterpart: _Client | None = self.__dict__.get("_counterpart")
        if counterpart is None:
            counterpart = cls.__new__(cls)
            counterpart.__dict__.update(self.__dict__, _counterpart=self)
            counterpart = self.__dict__.setdefault("_counterpart", counterpart)
        return counterpart

    def _chat(
        self, model: str, messages: Sequence[Mapping[str, Any]], params: Any, timeout: TimeoutLike, *, stream: bool
    ) -> Flow[Completion]:
        split = self._split_think_tags
        defaults = {
            "send_reasoning": self._send_reasoning,
            "split_think_tags": self.provider.splits_think_tags(model) if split is None else split,
        }
        given = defaults | {name: value for name, value in redact_reprs(params).items() if value is not None}
        call = chat_call(model, messages, given, stream=stream, disabled=self._disabled)
        flow = self._exchange(call, self._timeout if timeout is None else Timeout.of(timeout))
        is_listed = listed_context_window(model, self.provider) is not None
        return flow if is_listed else explaining_window(flow, model, self.provider.name)

    def _embedding(
        self,
        texts: Iterable[str],
        model: str,
        params: Any,
        timeout: TimeoutLike,
        *,
        batch_size: int,
        max_concurrency: int | None,
        on_batch: OnBatch | None,
    ) -> EmbeddingJob:
        """Check the arguments of ``embed``; nothing is sent yet."""
        all_texts = check_texts(texts)
        at_least(1)("batch_size", batch_size)
        request, quirks = embedding_request(model, redact_reprs(params), disabled=self._disabled), process.quirks
        model = request.model
        learned_size = quirks.facts(self.base_url, model, path=EMBEDDINGS_PATH).get("batch_size", batch_size)
        rate_limit: RateLimit | None = self._policy["rate_limit"]
        if max_concurrency is None:
            # The spare requests wait for a slot, and are sent while other threads decode vectors.
            slots = rate_limit.concurrent if rate_limit is not None else None
            max_concurrency = DEFAULT_CONCURRENCY if slots is None else min(slots + SPARE_REQUESTS, MAX_CONCURRENCY)
        at_least(1)("max_concurrency", max_concurrency)
        request_timeout = self._timeout if timeout is None else Timeout.of(timeout)
        total_timeout = self._policy["total_timeout"]
        give_up = None if total_timeout is None else time.monotonic() + total_timeout

        def flow(piece: Piece) -> Flow[Embeddings]:
            call = request.call(all_texts[piece.start : piece.stop], piece.start)
            return self._exchange(call, request_timeout, give_up=give_up)

        def learn(size: int) -> None:
            # Another call may have learned a smaller one meanwhile.
            if size < quirks.facts(self.base_url, model, path=EMBEDDINGS_PATH).get("batch_size", size + 1):
                quirks.learn(self.base_url, model, "batch_size", size, path=EMBEDDINGS_PATH)

        size = min(batch_size, learned_size)
        batches = Batches(len(all_texts), size, model=model, dimensions=request.dimensions, learn=learn)
        return EmbeddingJob(batches, flow, max_concurrency, on_batch)

    def _exchange(self, call: Call[T], timeout: Timeout, *, give_up: float | None = None) -> Flow[T]:
        if self._lifetime.closed:
            raise ConfigurationError(f"this {type(self).__name__} was closed: make a new one")
        policy = CallPolicy(stream_whole=self.provider.streams(call.model or ""), timeout=timeout, **self._policy)
        if give_up is not None:
            policy = replace(policy, total_timeout=max(0.0, give_up - time.monotonic()))
        key, secrets = self._endpoint.credential, self._secrets(call)
        redact = Redactor(key, secrets)
        env = Environment(time.monotonic, time.time, random.random, _new_id, redact)
        flow = Exchange(call, policy, self._limiter(), process.quirks, env).flow()
        return explaining_no_key(flow, key) if key.is_empty and not secrets else flow

    def _secrets(self, call: Call[Any]) -> tuple[str, ...]:
        """The values of secret headers, query parameters and body fields, to be removed from error messages."""
        client_headers = [dict(client.headers) for client in (self._http, self._http_async) if client is not None]
        params = [*client_headers, self._headers, call.headers, self._query, call.query]
        return (*(secret for named in params for secret in secrets_of(named)), *secrets_in_body(call.body or {}))

    def _limiter(self) -> RateLimiter:
        return process.limiter(self.base_url, self._endpoint.credential.owner())


def _check_client(name: str, client: Any, *, is_async: bool) -> None:
    """Refuse a sync httpx client in place of an async one, or the reverse, which would fail at the first call only."""
    if client is not None and inspect.iscoroutinefunction(getattr(client, "send", None)) != is_async:
        raise ConfigurationError(f"{name} must be an httpx.{'AsyncClient' if is_async else 'Client'}, not {client!r}")


def limits_of(given: RateLimit | Mapping[str, int | None] | str | None, provider: Provider) -> RateLimit | None:
    """Read the ``rate_limit`` argument.

    Raises:
        ConfigurationError: an unknown tier, an unknown key, or a limit below 1.
    """
    if given == PROVIDER_LIMITS:
        return provider.rate_limit
    if given is None or isinstance(given, RateLimit):
        return given
    if isinstance(given, str):
        if given not in provider.tiers:
            known = ", ".join(provider.tiers) or "none"
            raise ConfigurationError(f"rate_limit: {provider.name} has no tier {given!r}; its tiers: {known}")
        return provider.tiers[given]
    if isinstance(given, Mapping):
        defaults = asdict(RateLimit())
        if unknown := [name for name in given if name not in defaults]:
            raise ConfigurationError(f"rate_limit takes {', '.join(defaults)}, not {', '.join(map(repr, unknown))}")
        return RateLimit(**given)
    raise ConfigurationError(f"rate_limit must be a RateLimit, a dict, a tier's name or None, not {given!r}")


PARAMS = tuple(name for name in BaseClient.__init__.__annotations__ if name not in ("return", "unknown"))
"""The constructor's parameters."""
