"""The constructor parameters that every adapter shares, as Pydantic fields, and the client they amount to.

What holds a key or a connection is never shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeAlias, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    SkipValidation,
    field_serializer,
    model_validator,
)

from .._base_client import PROVIDER_LIMITS, TimeoutLike
from .._config.endpoint import LEFT_OUT
from .._config.redaction import redact_reprs, without_body_secrets, without_secrets
from .._config.suggestions import refuse_routing, refuse_unknown
from .._config.worker_pickles import key_for_worker, register_for_workers
from .._core.policy.timeout import Timeout
from ..catalogue import Provider, ProviderName, RateLimit
from ..client import AsyncFlashClient, FlashClient
from ..errors import ConfigurationError, InvalidRequestError

if TYPE_CHECKING:
    import httpx

    HttpClient: TypeAlias = httpx.Client
    HttpAsyncClient: TypeAlias = httpx.AsyncClient
else:  # the client looks at them, and importing httpx is the transport's
    HttpClient = HttpAsyncClient = Any

ApiKey: TypeAlias = str | SecretStr | Callable[[], str] | Callable[[], Awaitable[str]] | None
"""What ``api_key`` takes."""


def _hidden(key: Any) -> Any:
    """A key as a ``SecretStr``, so that nothing shows it."""
    return SecretStr(key) if isinstance(key, str) else key


MODEL_CONFIG = ConfigDict(
    arbitrary_types_allowed=True,
    populate_by_name=True,
    protected_namespaces=(),
    hide_input_in_errors=True,
)
"""For all classes of the adapters; each states it anew, for the frameworks' bases bring their own."""

CONNECTION_PARAMS = (
    "provider",
    "api_key",
    "base_url",
    "timeout",
    "total_timeout",
    "max_retries",
    "max_retry_after",
    "rate_limit",
    "force_stream",
    "require_finish_reason",
    "disabled_params",
    "drop_refused",
    "default_headers",
    "default_query",
    "allow_http",
    "http_client",
    "http_async_client",
)
"""What a client is made of; with ``client=`` none of them may be given."""

_MORE = frozenset({"model_kwargs", "additional_kwargs", "extra_body"})
"""Fields that hold more parameters of a request."""

_PASSED_ALONG = frozenset({"stream", "streaming", "stream_usage", "formatted"})
"""Words of calls that frameworks hand through and that say nothing to a gateway here."""


class ConnectionSettings(BaseModel):
    """Connection and policy of an adapter; see ``FlashClient`` for what each parameter means."""

    model_config = MODEL_CONFIG

    ALIASES: ClassVar[Mapping[str, str]] = {"model_name": "model", "request_timeout": "timeout"}
    """The names other packages give to parameters, and ours."""

    SUCH_AS: ClassVar[str] = "gpt-5.2"
    """A model's id, for errors."""

    provider: ProviderName | str | Provider | None = None
    """The gateway: a provider's name, such as "flashapi" or "supertoken", or a :class:`Provider`. Default: the one that
    ``base_url`` belongs to, else ``FLASH_PROVIDER``, else flashapi."""
    api_key: Annotated[ApiKey, BeforeValidator(_hidden)] = Field(default=None, exclude=True, repr=False)
    """The key: a ``str``, a ``SecretStr``, or a function (sync or async) that returns it, for keys that change.
    Default: the provider's environment variable, such as ``FLASH_API_KEY``. Kept as a ``SecretStr``, never dumped."""
    base_url: str | None = None
    """The gateway's URL with its ``/v1``. Default: ``FLASH_BASE_URL``, else the provider's."""
    timeout: Annotated[TimeoutLike, SkipValidation] = None
    """Seconds; a :class:`Timeout`; or a dict of its fields ``connect``, ``first_byte`` and ``progress``. Default: 10 s
    for a connection, 300 s for the first byte, 60 s between two events of a stream."""
    total_timeout: float | None = None
    """Seconds for a whole call: waiting for the rate limit and retries included. Default: no bound."""
    max_retries: int = 2
    """How many times a failed request is sent again; 0 or more."""
    max_retry_after: float = 60.0
    """Seconds: where a gateway asks for a longer wait, the error is raised at once."""
    rate_limit: Annotated[RateLimit | Mapping[str, int | None] | str | None, SkipValidation] = PROVIDER_LIMITS
    """Limits that are kept before anything is sent, shared by the whole process: a :class:`RateLimit`, a dict of its
    fields, the name of one of the provider's tiers, or None for none. Default: the provider's."""
    force_stream: bool | None = None
    """Stream on the wire always (True) or never (False). Default: where the provider's models want it."""
    require_finish_reason: bool | None = None
    """False takes a stream for whole that ends with ``[DONE]`` and no finish reason. Default: the provider's."""
    disabled_params: Annotated[Collection[str] | Mapping[str, Any] | None, SkipValidation] = None
    """Names of parameters never to send, such as ``{"stop"}``; a dict as ChatOpenAI takes it works, too."""
    drop_refused: bool = False
    """Leave out sampling parameters that the gateway refuses, and send again; otherwise such a refusal is raised."""
    default_headers: dict[str, str] | None = Field(default=None, repr=False)
    """Headers of every request. Changing them in place works from the next call on."""
    default_query: dict[str, Any] | None = Field(default=None, repr=False)
    """Query parameters of every request."""
    allow_http: bool = False
    """Send the key over plain http to a public host."""
    http_client: HttpClient | None = Field(default=None, exclude=True, repr=False)
    """An ``httpx.Client`` to send with; you close it."""
    http_async_client: HttpAsyncClient | None = Field(default=None, exclude=True, repr=False)
    """An ``httpx.AsyncClient`` to send with in async code; you close it."""
    client: Annotated[FlashClient | AsyncFlashClient | None, SkipValidation] = Field(
        default=None, exclude=True, repr=False
    )
    """A client to share among objects. It brings connection and limits: none of the parameters above go with it."""

    _made: tuple[dict[str, Any], FlashClient] | None = PrivateAttr(default=None)
    _key_left_out: bool = PrivateAttr(default=False)  # by a pickle

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        register_for_workers(cls, cls._for_worker)

    @model_validator(mode="before")
    @classmethod
    def _check_names(cls, values: Any) -> Any:
        """Translate other packages' names, and refuse unknown ones."""
        if not isinstance(values, dict):
            return values
        known = {*cls.model_fields, *(field.alias for field in cls.model_fields.values() if field.alias)}
        values = dict(values)
        for alias, name in cls.ALIASES.items():
            if alias in values and alias not in known:
                values.setdefault(name, values.pop(alias))
        refuse_unknown(cls.__name__, values, {*known, *cls.ALIASES})
        refuse_routing(cls.__name__, values.get("provider"), known)
        cls._check_model(values)
        if values.get("max_retries", 0) is None:
            del values["max_retries"]
        _refuse_shown_secrets(cls.__name__, values)
        for name in _MORE.intersection(values):
            if isinstance(values[name], Mapping):
                values[name] = redact_reprs(dict(values[name]))
        return values

    @classmethod
    def _check_model(cls, values: Mapping[str, Any]) -> None:
        """Refuse a ``model`` that is no string, before Pydantic does with an error of its own."""
        name = "model" if "model" in cls.model_fields else "model_name"
        given = values.get(name)
        if given is None and not cls.model_fields[name].is_required() and name not in values:
            return
        if not isinstance(given, str) or not given:
            raise ConfigurationError(f"{cls.__name__} needs model=, the model's id, such as model={cls.SUCH_AS!r}")

    @model_validator(mode="after")
    def _try_settings(self) -> Self:
        """Check provider, URL and key now rather than at the first call."""
        self._flash()
        return self

    @field_serializer("provider")
    def _dump_provider(self, provider: str | Provider | None) -> Any:
        """A row as plain data, which the constructor takes too."""
        if not isinstance(provider, Provider):
            return provider
        data = {item.name: getattr(provider, item.name) for item in fields(provider)}
        data["rate_limit"] = None if provider.rate_limit is None else asdict(provider.rate_limit)
        return data | {name: {key: asdict(value) for key, value in data[name].items()} for name in ("tiers", "models")}

    @field_serializer("rate_limit", "timeout")
    def _dump_policy(self, value: Any) -> Any:
        """A :class:`RateLimit` or a timeout as plain data, which the constructor takes too."""
        if isinstance(value, RateLimit):
            return {name: limit for name, limit in asdict(value).items() if limit is not None}
        if value is None or isinstance(value, int | float | str):
            return value
        return dict(value) if isinstance(value, Mapping) else asdict(Timeout.of(value))

    @field_serializer("default_headers", "default_query")
    def _dump_named(self, named: dict[str, Any] | None) -> Any:
        """Headers and query parameters without what is secret."""
        return None if named is None else without_secrets(named)

    @field_serializer("model_kwargs", "additional_kwargs", "extra_body", check_fields=False)
    def _dump_more(self, more: dict[str, Any] | None) -> Any:
        """More of the request's body without what is secret in it."""
        return without_body_secrets(more)

    @field_serializer("disabled_params")
    def _dump_disabled(self, names: Any) -> Any:
        """A set as a list, which JSON knows."""
        return sorted(names) if isinstance(names, set | frozenset) else names

    def __repr_args__(self) -> Any:
        """Without secrets among the headers of further parameters; tracebacks that show locals show this."""
        for name, value in super().__repr_args__():
            yield name, without_body_secrets(value) if name in _MORE else value

    def _flash(self) -> FlashClient:
        """The client these settings amount to; made anew when one of them has changed."""
        # Copies: a header that is changed in place must be seen as a change.
        params = {name: _copied(getattr(self, name)) for name in ("client", *CONNECTION_PARAMS)}
        if self._made is None or self._made[0] != params:
            self._made = params, self._make_client()
        return self._made[1]

    def _make_client(self) -> FlashClient:
        # What equals its default was not set by the user, even where a framework that copies objects passes it.
        fields_of = type(self).model_fields
        given = {name: value for name in CONNECTION_PARAMS if (value := getattr(self, name)) != fields_of[name].default}
        if self.client is not None:
            if extra := list(given):
                raise ConfigurationError(f"{type(self).__name__}: client= brings its own {', '.join(sorted(extra))}")
            if isinstance(self.client, AsyncFlashClient):
                return self.client.to_sync()
            if isinstance(self.client, FlashClient):
                return self.client
            raise ConfigurationError(f"client must be a FlashClient or AsyncFlashClient, not {self.client!r}")
        given["disabled_params"] = _names(given.get("disabled_params"))
        if self._key_left_out:
            given.setdefault("api_key", LEFT_OUT)
        return FlashClient(**given)

    def _call_params(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What a call is given, under our names, without what frameworks pass along.

        Raises:
            InvalidRequestError: a word that belongs to the object.
        """
        named = {self.ALIASES.get(name, name): value for name, value in kwargs.items() if name not in _PASSED_ALONG}
        for name in named:
            if name in CONNECTION_PARAMS and name != "timeout":
                raise InvalidRequestError(
                    f"{name} is for the object, not for a call: {type(self).__name__}({name}=...)"
                    + ('; routing (OpenRouter) goes by extra_body={"provider": ...}' if name == "provider" else "")
                )
        params: dict[str, Any] = redact_reprs(
            {name: value for name, value in named.items() if not name.startswith("ls_")}
        )
        return params

    def __getstate__(self) -> dict[Any, Any]:
        """For pickling: without key and connections, which the other side takes from its own environment.

        A client goes along, for it says where calls go; it leaves its own key behind. To a worker process of
        multiprocessing keys go along, too.
        """
        # Not super(): LlamaIndex's own deletes from the living object what does not pickle.
        state = BaseModel.__getstate__(self)
        hidden = dict.fromkeys(("api_key", "http_client", "http_async_client"))
        open_words = {
            name: without_secrets(getattr(self, name)) or None for name in ("default_headers", "default_query")
        }
        open_words |= {
            name: without_body_secrets(getattr(self, name)) for name in _MORE & type(self).model_fields.keys()
        }
        return {
            **state,
            "__dict__": {**state["__dict__"], **hidden, **open_words},
            "__pydantic_fields_set__": state["__pydantic_fields_set__"] - hidden.keys(),
            "__pydantic_private__": {
                **(state["__pydantic_private__"] or {}),
                "_made": None,
                "_key_left_out": self._key_left_out or self.api_key is not None,
            },
        }

    def _for_worker(self) -> tuple[Any, ...]:
        """What a worker process of multiprocessing gets: the pickled state, and with it all that is secret."""
        rebuild, args, state = cast("tuple[Any, ...]", self.__reduce_ex__(2))[:3]
        secret = {"default_headers", "default_query", *_MORE} & type(self).model_fields.keys()
        kept = {name: getattr(self, name) for name in secret} | {"api_key": _hidden(key_for_worker(self.api_key))}
        return (
            rebuild,
            args,
            {
                **state,
                "__dict__": {**state["__dict__"], **kept},
                "__pydantic_fields_set__": state["__pydantic_fields_set__"] | ({"api_key"} & self.model_fields_set),
                "__pydantic_private__": {**state["__pydantic_private__"], "_key_left_out": self._key_left_out},
            },
        )

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy of its own settings over the same connections and key."""
        memo = {} if memo is None else memo
        for shared in (self.api_key, self.client, self.http_client, self.http_async_client, self._made):
            if shared is not None:
                memo[id(shared)] = shared
        return super().__deepcopy__(memo)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list | set) else value


def _refuse_shown_secrets(where: str, values: Mapping[str, Any]) -> None:
    """Refuse values of a wrong type that may hold a key, before Pydantic's own error shows their value.

    Raises:
        ConfigurationError: names the word, not its value.
    """
    key = values.get("api_key")
    if not (key is None or isinstance(key, str) or callable(key) or hasattr(key, "get_secret_value")):
        message = f"{where}: api_key must be a str, a SecretStr or a function, not {type(key).__name__}"
        raise ConfigurationError(message)
    for name in ("default_headers", "default_query"):
        named = values.get(name)
        texts = isinstance(named, Mapping) and all(isinstance(name, str) for name in named)
        if name == "default_headers" and texts and isinstance(named, Mapping):
            texts = all(isinstance(text, str) for text in named.values())
        if named is not None and not texts:
            raise ConfigurationError(f"{where}: {name} must be a dict of str, not {type(named).__name__}")


def _names(value: Any) -> tuple[str, ...]:
    """Names of parameters from a list, or from a dict as ChatOpenAI takes it (a name with None is never sent)."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return tuple(name for name, allowed in value.items() if allowed is None)
    return (value,) if isinstance(value, str) else tuple(value)
