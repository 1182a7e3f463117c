"""Who serves what, under which rules: providers, models and limits as data.

They live in ``catalogue.toml``; code adds its own with :func:`register_provider` and :func:`register_model`. Which
provider a call belongs to, and whose key it may carry, is decided in ``endpoint``.
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
"""Tokens assumed for a model that no row lists."""

ProviderName = Literal["flashapi", "supertoken", "floxai", "uniapi", "openai", "custom"]
"""The providers that come with the package; :func:`register_provider` adds more."""
ModelKind = Literal["chat", "embedding", "image", "transcription", "speech"]
StreamRule = Literal["gpt", "all", "none"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model at a provider.

    Attributes:
        name: the id as the provider lists it.
        context_window: tokens that prompt and answer may take together; None where the provider gives no figure.
        kind: what the model does: "chat", "embedding", "image", "transcription" or "speech".
        split_think_tags: whether its content has reasoning between ``<think>`` tags; None: the provider's.
    """

    name: str
    context_window: int | None = None
    kind: ModelKind = "chat"
    split_think_tags: bool | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """One gateway: where it is, whose key it takes, what it wants streamed, how fast it may be called.

    Attributes:
        name: the row's name, as given to ``provider=``.
        base_url: the URL up to and including ``/v1``; "" for the row that stands for any other URL.
        key_variable: environment variable of the key; read for this URL only. None: no variable is read.
        stream: whose whole answers must be streamed on the wire: "gpt" models, "all", or "none".
        rate_limit: the limits kept by default, or None.
        tiers: limits to choose by name with ``rate_limit="..."``.
        models: the models the provider lists, by name.
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
        # The mappings are read-only views, which do not pickle.
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values |= {"tiers": dict(self.tiers), "models": dict(self.models)}
        return _provider, (values,)


def _provider(values: dict[str, Any]) -> Provider:
    values["tiers"] = MappingProxyType(dict(values.get("tiers", {})))
    values["models"] = MappingProxyType(dict(values.get("models", {})))
    return Provider(**values)


_PLAIN_KEYS = ("base_url", "key_variable", "stream", "require_finish_reason", "send_reasoning", "split_think_tags")
_ROW_KEYS = {*_PLAIN_KEYS, "limits", "tiers", "models", "like"}


def read_rows(text: str) -> dict[str, Provider]:
    """Read a catalogue's TOML text into providers by name.

    Raises:
        ConfigurationError: an unknown key, or ``like`` that names no earlier row.
    """
    rows: dict[str, Provider] = {}
    document = tomllib.loads(text)
    _refuse(document, {"providers"}, "the catalogue")
    for name, row in document.get("providers", {}).items():
        _refuse(row, _ROW_KEYS, f"provider {name!r}")
        if "like" in row and row["like"] not in rows:
            raise ConfigurationError(f"catalogue: provider {name!r} is like {row['like']!r}, which no earlier row is")
        values: dict[str, Any] = {}
        if "like" in row:
            base = rows[row["like"]]
            values = {item.name: getattr(base, item.name) for item in fields(base)}
        values["name"] = name
        values |= {key: row[key] for key in _PLAIN_KEYS if key in row}
        if "limits" in row:
            values["rate_limit"] = _limits(row["limits"], f"{name}.limits")
        if "tiers" in row:
            values["tiers"] = {tier: _limits(limits, f"{name}.tiers.{tier}") for tier, limits in row["tiers"].items()}
        if "models" in row:
            values["models"] = {model: _card(model, about, name) for model, about in row["models"].items()}
        rows[name] = _provider(values)
    return rows


def _refuse(table: dict[str, Any], known: set[str], where: str) -> None:
    if unknown := table.keys() - known:
        raise ConfigurationError(f"catalogue: {where} has unknown keys {sorted(unknown)}")


def _limits(table: dict[str, Any], where: str) -> RateLimit:
    _refuse(table, {item.name for item in fields(RateLimit)}, where)
    return RateLimit(**table)


def _card(name: str, about: int | dict[str, Any], provider: str) -> ModelCard:
    if not isinstance(about, dict):
        return ModelCard(name, about or None)
    _refuse(about, {"kind", "context_window", "split_think_tags"}, f"{provider}.models.{name}")
    return ModelCard(name, **about)


_rows = read_rows(files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8"))


def list_providers() -> list[Provider]:
    """All rows, the registered ones included, in the order they were added."""
    return list(_rows.values())


def get_provider(name: str) -> Provider:
    """The row of that name; case and blanks around it do not count.

    Raises:
        ConfigurationError: no such row; the message lists the known ones.
    """
    if name in _rows:
        return _rows[name]
    folded = name.strip().casefold()
    for known, row in _rows.items():
        if known.casefold() == folded:
            return row
    listed = ", ".join(sorted(_rows))
    raise ConfigurationError(f"unknown provider {name!r}; known: {listed}. register_provider() adds one")


def list_models(provider: str | None = None) -> list[ModelCard]:
    """The models a provider lists, or those of all providers, each name once per row.

    Raises:
        ConfigurationError: no such provider.
    """
    rows = _rows.values() if provider is None else [get_provider(provider)]
    return [card for row in rows for card in row.models.values()]


def register_provider(provider: Provider) -> Provider:
    """Add a row of one's own, or replace one of the same name, for the life of the process; gives the row back."""
    row = _provider({item.name: getattr(provider, item.name) for item in fields(provider)})
    # A new dict, so that a thread which walks the rows meanwhile is not disturbed.
    globals()["_rows"] = {**_rows, row.name: row}
    return row


def register_model(
    name: str,
    *,
    provider: str = "custom",
    context_window: int | None = None,
    kind: ModelKind = "chat",
    split_think_tags: bool | None = None,
) -> ModelCard:
    """Add a model to a row, or replace it there.

    Args:
        name: the id that goes out on the wire.
        provider: the row's name.
        context_window: tokens for prompt and answer together.
        kind: "chat", "embedding", "image", "transcription" or "speech".
        split_think_tags: whether its content has reasoning between ``<think>`` tags. Default: the provider's.

    Raises:
        ConfigurationError: no such provider.
    """
    row = get_provider(provider)
    card = ModelCard(name, context_window, kind, split_think_tags)
    register_provider(replace(row, models={**row.models, name: card}))
    return card


def context_window(model: str, provider: Provider) -> int:
    """Tokens that prompt and answer may take together.

    The provider's own figure counts; where it lists none, the smallest that any row lists; for a model
    that no row lists, 128,000.
    """
    own = provider.models.get(model)
    if own is not None and own.context_window:
        return own.context_window
    listed = [row.models[model].context_window for row in _rows.values() if model in row.models]
    return min((size for size in listed if size), default=DEFAULT_CONTEXT_WINDOW)
