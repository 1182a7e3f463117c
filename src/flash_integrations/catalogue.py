"""Providers, their models and their rate limits, as data.

They are read from ``catalogue.toml``; add your own with :func:`register_provider` and :func:`register_model`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from ._core.model_names import is_gpt
from ._core.policy.rate_limit import RateLimit
from .errors import ConfigurationError

__all__ = [
    "DEFAULT_CONTEXT_WINDOW",
    "ModelCard",
    "Provider",
    "RateLimit",
    "context_window",
    "get_provider",
    "list_models",
    "list_providers",
    "register_model",
    "register_provider",
]

DEFAULT_CONTEXT_WINDOW = 128_000
"""Tokens assumed for a model that no provider lists."""

ProviderName = Literal["flashapi", "supertoken", "floxai", "uniapi", "openai", "custom"]
"""The providers that come with the package; :func:`register_provider` adds more."""
ModelKind = Literal["chat", "embedding", "image", "transcription", "speech"]
StreamRule = Literal["gpt", "all", "none"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model of a provider.

    Attributes:
        name: the model's id, as the provider lists it.
        context_window: tokens for prompt and answer together; None if the provider does not publish it.
        kind: what the model does: "chat", "embedding", "image", "transcription" or "speech".
        split_think_tags: whether its content has reasoning between ``<think>`` tags; None: the provider's.
    """

    name: str
    context_window: int | None = None
    kind: ModelKind = "chat"
    split_think_tags: bool | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A gateway: its URL, its key's environment variable, what must be streamed, and its rate limits.

    Attributes:
        name: the name for ``provider=``.
        base_url: the URL with its ``/v1``; "" for "custom", which stands for any other URL.
        key_variable: the environment variable of the key, read for this URL only. None: no variable is read.
        stream: for which models whole answers must be streamed on the wire: "gpt" models, "all", or "none".
        rate_limit: the limits kept by default, or None.
        tiers: further limits by name, for ``rate_limit="..."``.
        models: the models the provider lists, by id.
        require_finish_reason: False accepts a stream that ends with ``[DONE]`` and no finish reason.
        send_reasoning: whether the reasoning of earlier answers goes back: True, False, or None, where a refusal asks.
        split_think_tags: whether answers have reasoning between ``<think>`` tags, unless the model's row says so.
    """

    name: str
    base_url: str = ""
    key_variable: str | None = None
    stream: StreamRule = "all"
    rate_limit: RateLimit | None = None
    tiers: Mapping[str, RateLimit] = field(default_factory=dict)
    models: Mapping[str, ModelCard] = field(default_factory=dict)
    require_finish_reason: bool = True
    send_reasoning: bool | None = None
    split_think_tags: bool = False

    def splits_think_tags(self, model: str) -> bool:
        """Whether the content of a model's answers has reasoning between tags here."""
        card = self.models.get(model)
        return self.split_think_tags if card is None or card.split_think_tags is None else card.split_think_tags

    def streams(self, model: str) -> bool:
        """Whether a whole answer of ``model`` must be streamed on the wire here."""
        return self.stream == "all" or (self.stream == "gpt" and is_gpt(model))

    def __reduce__(self) -> tuple[Any, ...]:
        # MappingProxyType does not pickle.
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values |= {"tiers": dict(self.tiers), "models": dict(self.models)}
        return _provider, (values,)


def _provider(values: dict[str, Any]) -> Provider:
    values["tiers"] = MappingProxyType(dict(values.get("tiers", {})))
    values["models"] = MappingProxyType(dict(values.get("models", {})))
    return Provider(**values)


_PLAIN_KEYS = ("base_url", "key_variable", "stream", "require_finish_reason", "send_reasoning", "split_think_tags")
_PROVIDER_KEYS = {*_PLAIN_KEYS, "limits", "tiers", "models", "like"}


def read_catalogue(text: str) -> dict[str, Provider]:
    """Read a catalogue's TOML text into providers by name.

    Raises:
        ConfigurationError: an unknown key, or ``like`` does not name an earlier provider.
    """
    providers: dict[str, Provider] = {}
    document = tomllib.loads(text)
    _refuse_unknown_keys(document, {"providers"}, "the catalogue")
    for name, table in document.get("providers", {}).items():
        _refuse_unknown_keys(table, _PROVIDER_KEYS, f"provider {name!r}")
        values: dict[str, Any] = {}
        if "like" in table:
            base = providers.get(table["like"])
            if base is None:
                raise ConfigurationError(f"catalogue: provider {name!r}: like={table['like']!r} names no earlier one")
            values = {item.name: getattr(base, item.name) for item in fields(base)}
        values["name"] = name
        values |= {key: table[key] for key in _PLAIN_KEYS if key in table}
        if "limits" in table:
            values["rate_limit"] = _rate_limit(table["limits"], f"{name}.limits")
        if "tiers" in table:
            values["tiers"] = {
                tier: _rate_limit(limits, f"{name}.tiers.{tier}") for tier, limits in table["tiers"].items()
            }
        if "models" in table:
            values["models"] = {model: _card(model, entry, name) for model, entry in table["models"].items()}
        providers[name] = _provider(values)
    return providers


def _refuse_unknown_keys(table: dict[str, Any], known: set[str], where: str) -> None:
    if unknown := table.keys() - known:
        raise ConfigurationError(f"catalogue: {where} has unknown keys {sorted(unknown)}")


def _rate_limit(table: dict[str, Any], where: str) -> RateLimit:
    _refuse_unknown_keys(table, {item.name for item in fields(RateLimit)}, where)
    return RateLimit(**table)


def _card(name: str, entry: int | dict[str, Any], provider: str) -> ModelCard:
    """A model's card from its entry: the context window alone (0: not published), or a table."""
    if not isinstance(entry, dict):
        return ModelCard(name, entry or None)
    _refuse_unknown_keys(entry, {"kind", "context_window", "split_think_tags"}, f"{provider}.models.{name}")
    return ModelCard(name, **entry)


_providers = read_catalogue(files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8"))


def list_providers() -> list[Provider]:
    """Return all providers, the registered ones included, in the order they were added."""
    return list(_providers.values())


def get_provider(name: str) -> Provider:
    """Return the provider of that name, regardless of case and surrounding blanks.

    Raises:
        ConfigurationError: there is none; the message lists the known ones.
    """
    if name in _providers:
        return _providers[name]
    folded = name.strip().casefold()
    for known, provider in _providers.items():
        if known.casefold() == folded:
            return provider
    listed = ", ".join(sorted(_providers))
    raise ConfigurationError(f"unknown provider {name!r}; known: {listed}. register_provider() adds one")


def list_models(provider: str | None = None) -> list[ModelCard]:
    """Return the models a provider lists, by default those of all providers; several may list the same model.

    Raises:
        ConfigurationError: no such provider.
    """
    providers = _providers.values() if provider is None else [get_provider(provider)]
    return [card for listed in providers for card in listed.models.values()]


def register_provider(provider: Provider) -> Provider:
    """Add a provider, or replace the one of the same name, for the life of the process; return it.

    ::

        register_provider(Provider("mine", base_url="https://gateway.example/v1", key_variable="MINE_API_KEY"))
        client = FlashClient(provider="mine")
    """
    added = _provider({item.name: getattr(provider, item.name) for item in fields(provider)})
    # A new dict, so that a thread that iterates over the old one is not disturbed.
    globals()["_providers"] = {**_providers, added.name: added}
    return added


def register_model(
    name: str,
    *,
    provider: str = "custom",
    context_window: int | None = None,
    kind: ModelKind = "chat",
    split_think_tags: bool | None = None,
) -> ModelCard:
    """Add a model to a provider, or replace it there, for the life of the process; return it.

    Args:
        name: the id that is sent.
        provider: the provider's name.
        context_window: tokens for prompt and answer together.
        kind: "chat", "embedding", "image", "transcription" or "speech".
        split_think_tags: whether its content has reasoning between ``<think>`` tags. Default: the provider's.

    Raises:
        ConfigurationError: no such provider.
    """
    known = get_provider(provider)
    card = ModelCard(name, context_window, kind, split_think_tags)
    register_provider(replace(known, models={**known.models, name: card}))
    return card


def context_window(model: str, provider: Provider) -> int:
    """Return the tokens that prompt and answer may take together; for a model that no provider lists, 128,000."""
    return listed_context_window(model, provider) or DEFAULT_CONTEXT_WINDOW


def listed_context_window(model: str, provider: Provider) -> int | None:
    """Return the tokens that prompt and answer may take together, or None where no provider gives a figure.

    The provider's own figure; if it lists none, the smallest that any provider lists.
    """
    card = provider.models.get(model)
    if card is not None and card.context_window:
        return card.context_window
    listed = [other.models[model].context_window for other in _providers.values() if model in other.models]
    return min((size for size in listed if size), default=None)
