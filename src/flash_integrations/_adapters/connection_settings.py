"""The constructor parameters that every adapter shares, as Pydantic fields, and the client they amount to.

A field left at None was not set and is not sent. Sampling values are checked at the call, by the core, not here: a
wrong one is an ``InvalidRequestError`` that names its bound. What holds a key or a connection is never shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, fields
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    SkipValidation,
    field_serializer,
    model_validator,
)

from .._base_client import ROW
from .._config.redaction import redact_reprs, without_body_secrets, without_secrets
from .._config.suggestions import refuse_unknown
from .._core.policy.timeout import Timeout
from ..catalogue import Provider, RateLimit
from ..client import AsyncFlashClient, FlashClient
from ..errors import ConfigurationError, InvalidRequestError

_T = TypeVar("_T")
_Checked = Annotated[_T | None, SkipValidation]
"""A value that the core checks when it is sent."""

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

SAMPLING_PARAMS = (
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "n",
    "stop",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "user",
    "store",
    "reasoning_effort",
    "response_format",
    "modalities",
    "audio",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "verbosity",
    "service_tier",
    "web_search_options",
    "prediction",
    "parallel_tool_calls",
    "tool_choice",
)
"""Parameters of a chat request that an object may hold for all its calls."""


_MORE = frozenset({"model_kwargs", "additional_kwargs", "extra_body"})
"""Fields that hold more parameters of a request."""

_PASSED_ALONG = frozenset({"stream", "streaming", "stream_usage", "formatted"})
"""Words of calls that frameworks hand through and that say nothing to a gateway here."""


class ConnectionSettings(BaseModel):
    """Connection and policy of an adapter; see ``FlashClient`` for what each parameter means."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True, populate_by_name=True, protected_namespaces=(), hide_input_in_errors=True
    )

    ALIASES: ClassVar[Mapping[str, str]] = {"model_name": "model", "request_timeout": "timeout"}
    """The names other packages give to parameters, and ours."""

    SUCH_AS: ClassVar[str] = "gpt-5.2"
    """A model's id, for errors."""

    provider: str | Provider | None = Field(default=None, description="A row of the catalogue.")
    api_key: SecretStr | Callable[[], str] | Callable[[], Awaitable[str]] | None = Field(
        default=None, exclude=True, repr=False, description="The key, or a function that gives it."
    )
    base_url: str | None = Field(default=None, description="The gateway's URL with its /v1.")
    timeout: float | dict[str, float | None] | None = Field(
        default=None, description="Seconds, or a dict of a Timeout."
    )
    total_timeout: float | None = Field(default=None, description="Seconds for a whole call.")
    max_retries: int = Field(default=2, description="How many times a failed request is sent again.")
    max_retry_after: float = Field(default=60.0, description="The longest wait a gateway may ask for, in seconds.")
    rate_limit: dict[str, int | None] | str | None = Field(
        default=ROW, description="Limits as a dict or a tier's name; left out: the provider's; None: off."
    )
    force_stream: bool | None = Field(default=None, description="Stream on the wire always, never, or by the row.")
    require_finish_reason: bool | None = Field(default=None, description="False accepts [DONE] without finish reason.")
    disabled_params: Any = Field(default=None, description="Names of parameters never to send.")
    drop_refused: bool = Field(default=False, description="Leave out sampling parameters that the gateway refuses.")
    default_headers: dict[str, str] | None = Field(default=None, repr=False)
    default_query: dict[str, Any] | None = Field(default=None, repr=False)
    allow_http: bool = Field(default=False, description="Send the key over plain http to a public host.")
    http_client: Any = Field(default=None, exclude=True, repr=False, description="An httpx.Client of one's own.")
    http_async_client: Any = Field(default=None, exclude=True, repr=False, description="An httpx.AsyncClient.")
    client: Any = Field(default=None, exclude=True, repr=False, description="A FlashClient or AsyncFlashClient.")

    _made: tuple[dict[str, Any], FlashClient] | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _check_names(cls, values: Any) -> Any:
        """Translate other packages' names, refuse unknown ones, and make ``rate_limit`` and ``timeout`` plain data."""
        if not isinstance(values, dict):
            return values
        known = {*cls.model_fields, *(field.alias for field in cls.model_fields.values() if field.alias)}
        values = dict(values)
        for alias, word in cls.ALIASES.items():
            if alias in values and alias not in known:
                values.setdefault(word, values.pop(alias))
        refuse_unknown(cls.__name__, values, {*known, *cls.ALIASES})
        cls._check_model(values)
        if isinstance(values.get("rate_limit"), RateLimit):
            figures = asdict(values["rate_limit"])
            values["rate_limit"] = {key: value for key, value in figures.items() if value is not None}
        if values.get("timeout") is not None and not isinstance(values["timeout"], int | float | dict):
            values["timeout"] = asdict(Timeout.of(values["timeout"]))
        if values.get("max_retries", 0) is None:
            del values["max_retries"]
        _refuse_shown_secrets(cls.__name__, values)
        for word in _MORE.intersection(values):
            if isinstance(values[word], Mapping):
                values[word] = redact_reprs(dict(values[word]))
        return values

    @classmethod
    def _check_model(cls, values: Mapping[str, Any]) -> None:
        """Refuse a ``model`` that is no string, before Pydantic does with an error of its own."""
        word = "model" if "model" in cls.model_fields else "model_name"
        given = values.get(word)
        if given is None and not cls.model_fields[word].is_required() and word not in values:
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
        data = {each.name: getattr(provider, each.name) for each in fields(provider)}
        data["rate_limit"] = None if provider.rate_limit is None else asdict(provider.rate_limit)
        return data | {name: {key: asdict(value) for key, value in data[name].items()} for name in ("tiers", "models")}

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
        params = {word: _copied(getattr(self, word)) for word in ("client", *CONNECTION_PARAMS)}
        if self._made is None or self._made[0] != params:
            self._made = params, self._make_client()
        return self._made[1]

    def _make_client(self) -> FlashClient:
        # What equals its default was not said, even where a framework that copies objects passes it.
        fields_of = type(self).model_fields
        given = {word: value for word in CONNECTION_PARAMS if (value := getattr(self, word)) != fields_of[word].default}
        if self.client is not None:
            if extra := list(given):
                raise ConfigurationError(f"{type(self).__name__}: client= brings its own {', '.join(sorted(extra))}")
            if isinstance(self.client, AsyncFlashClient):
                return self.client.to_sync()
            if isinstance(self.client, FlashClient):
                return self.client
            raise ConfigurationError(f"client must be a FlashClient or AsyncFlashClient, not {self.client!r}")
        given["disabled_params"] = _names(given.get("disabled_params"))
        return FlashClient(**given)

    def _call_params(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """What a call is given, under our names, without what frameworks pass along.

        Raises:
            InvalidRequestError: a word that belongs to the object.
        """
        said = {self.ALIASES.get(name, name): value for name, value in kwargs.items() if name not in _PASSED_ALONG}
        for name in said:
            if name in CONNECTION_PARAMS and name != "timeout":
                raise InvalidRequestError(
                    f"{name} is for the object, not for a call: {type(self).__name__}({name}=...)"
                )
        params: dict[str, Any] = redact_reprs(
            {name: value for name, value in said.items() if not name.startswith("ls_")}
        )
        return params

    def __getstate__(self) -> dict[Any, Any]:
        """For pickling: without key and connections, which the other side takes from its own environment.

        A client goes along, for it says where calls go; it leaves its own key behind.
        """
        # Not super(): LlamaIndex's own deletes from the living object what does not pickle.
        state = BaseModel.__getstate__(self)
        hidden = dict.fromkeys(("api_key", "http_client", "http_async_client"))
        open_words = {
            word: without_secrets(getattr(self, word)) or None for word in ("default_headers", "default_query")
        }
        open_words |= {
            word: without_body_secrets(getattr(self, word)) for word in _MORE & type(self).model_fields.keys()
        }
        return {
            **state,
            "__dict__": {**state["__dict__"], **hidden, **open_words},
            "__pydantic_fields_set__": state["__pydantic_fields_set__"] - hidden.keys(),
            "__pydantic_private__": {**(state["__pydantic_private__"] or {}), "_made": None},
        }

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy of its own settings over the same connections and key."""
        memo = {} if memo is None else memo
        for shared in (self.api_key, self.client, self.http_client, self.http_async_client, self._made):
            if shared is not None:
                memo[id(shared)] = shared
        return super().__deepcopy__(memo)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list | set) else value


class FlashSettings(ConnectionSettings):
    """Connection, policy and sampling of a chat model."""

    ALIASES: ClassVar[Mapping[str, str]] = {**ConnectionSettings.ALIASES, "stop_sequences": "stop"}

    model: str = Field(description="The model's id, such as gpt-5.2.")

    temperature: _Checked[float] = None
    top_p: _Checked[float] = None
    max_tokens: _Checked[int] = None
    max_completion_tokens: _Checked[int] = None
    n: _Checked[int] = None
    stop: _Checked[str | list[str]] = None
    frequency_penalty: _Checked[float] = None
    presence_penalty: _Checked[float] = None
    seed: _Checked[int] = None
    user: _Checked[str] = None
    store: _Checked[bool] = None
    reasoning_effort: _Checked[str] = None
    response_format: _Checked[dict[str, Any]] = None
    modalities: _Checked[list[str]] = None
    audio: _Checked[dict[str, Any]] = None
    logprobs: _Checked[bool] = None
    top_logprobs: _Checked[int] = None
    logit_bias: _Checked[dict[str, float]] = None
    verbosity: _Checked[str] = None
    service_tier: _Checked[str] = None
    web_search_options: _Checked[dict[str, Any]] = None
    prediction: _Checked[dict[str, Any]] = None
    parallel_tool_calls: _Checked[bool] = None
    tool_choice: _Checked[str | dict[str, Any]] = None

    send_reasoning: bool = Field(default=False, description="Send the reasoning of earlier answers back.")
    system_role: str = Field(default="system", description='The role of system messages on the wire, or "developer".')

    def _sampling(self) -> dict[str, Any]:
        """The sampling parameters that are set."""
        return {word: value for word in SAMPLING_PARAMS if (value := getattr(self, word)) is not None}


def _refuse_shown_secrets(where: str, values: Mapping[str, Any]) -> None:
    """Refuse values of a wrong type that may hold a key, before Pydantic's own error shows their value.

    Raises:
        ConfigurationError: names the word, not its value.
    """
    key = values.get("api_key")
    if not (key is None or isinstance(key, str) or callable(key) or hasattr(key, "get_secret_value")):
        said = f"{where}: api_key must be a str, a SecretStr or a function, not {type(key).__name__}"
        raise ConfigurationError(said)
    for word in ("default_headers", "default_query"):
        named = values.get(word)
        texts = isinstance(named, Mapping) and all(isinstance(name, str) for name in named)
        if word == "default_headers" and texts and isinstance(named, Mapping):
            texts = all(isinstance(text, str) for text in named.values())
        if named is not None and not texts:
            raise ConfigurationError(f"{where}: {word} must be a dict of str, not {type(named).__name__}")


def _names(value: Any) -> tuple[str, ...]:
    """Names of parameters from a list, or from a dict as ChatOpenAI takes it (a name with None is never sent)."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return tuple(name for name, allowed in value.items() if allowed is None)
    return (value,) if isinstance(value, str) else tuple(value)
