"""The parameters of a chat request that an object may hold for all its calls.

A field left at None was not set and is not sent. Values are checked at the call, by the core, not here: a wrong one is
an ``InvalidRequestError`` that names its bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import SkipValidation

from .connection_settings import ConnectionSettings

_T = TypeVar("_T")
_Checked = Annotated[_T | None, SkipValidation]
"""A value that the core checks when it is sent."""

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
    "send_reasoning",
    "split_think_tags",
)
"""Parameters of a chat request that an object may hold for all its calls."""

ReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
Verbosity: TypeAlias = Literal["low", "medium", "high"]
SystemRole: TypeAlias = Literal["system", "developer"]
ServiceTier: TypeAlias = Literal["auto", "default", "flex", "priority"]


class FlashSettings(ConnectionSettings):
    """Connection, policy and sampling of a chat model."""

    ALIASES: ClassVar[Mapping[str, str]] = {**ConnectionSettings.ALIASES, "stop_sequences": "stop"}

    model: str
    """The model's id at the gateway, such as "gpt-5.2"."""

    temperature: _Checked[float] = None
    """0 to 2: how freely words are chosen. Parameters that are not set are not sent."""
    top_p: _Checked[float] = None
    """0 to 1: the share of likely words to choose from."""
    max_tokens: _Checked[int] = None
    """The most tokens of an answer, 1 or more. Goes out as ``max_completion_tokens`` to o-series models."""
    max_completion_tokens: _Checked[int] = None
    """The same under its newer name; reasoning counts."""
    n: _Checked[int] = None
    """1 to 128 answers to choose from; above 1 not in streams."""
    stop: _Checked[str | list[str]] = None
    """Up to 4 strings at which an answer ends."""
    frequency_penalty: _Checked[float] = None
    """-2 to 2: above 0 words are repeated less."""
    presence_penalty: _Checked[float] = None
    """-2 to 2: above 0 new topics come sooner."""
    seed: _Checked[int] = None
    """The same seed and request give mostly the same answer."""
    user: _Checked[str] = None
    """Your end user's id, sent to the gateway."""
    store: _Checked[bool] = None
    """Whether the vendor may keep the answer."""
    reasoning_effort: _Checked[ReasoningEffort | str] = None
    """How long reasoning models think; vendors add levels of their own."""
    response_format: _Checked[dict[str, Any]] = None
    """The wire's ``response_format``; :meth:`with_structured_output` or ``as_structured_llm`` write it for you."""
    modalities: _Checked[list[str]] = None
    """Such as ``["text", "audio"]``."""
    audio: _Checked[dict[str, Any]] = None
    """Voice and format of spoken answers, such as ``{"voice": "alloy", "format": "wav"}``."""
    logprobs: _Checked[bool] = None
    """Whether log probabilities of the tokens come along."""
    top_logprobs: _Checked[int] = None
    """0 to 20 alternatives for each token; needs ``logprobs``."""
    logit_bias: _Checked[dict[str, float]] = None
    """-100 to 100 by token id."""
    verbosity: _Checked[Verbosity | str] = None
    """How wordy answers are, for GPT-5 models."""
    service_tier: _Checked[ServiceTier | str] = None
    """The vendor's processing tier."""
    web_search_options: _Checked[dict[str, Any]] = None
    """Options of models that search the web."""
    prediction: _Checked[dict[str, Any]] = None
    """Text that the answer will mostly repeat, to get it faster."""
    parallel_tool_calls: _Checked[bool] = None
    """Whether one answer may call several tools; goes out with tools only."""
    tool_choice: _Checked[str | dict[str, Any]] = None
    """Which tool to call, for all calls with tools: "auto", "none", "required", or a named one."""

    send_reasoning: _Checked[bool] = None
    """Send the reasoning of earlier answers back: always (True) or never (False). Default: where the provider wants it,
    or its refusal asks for it."""
    split_think_tags: _Checked[bool] = None
    """Tell ``<think>…</think>`` in the content as reasoning. Text that begins without a tag is then held back until a
    tag or the end comes, for the model's template may have opened it. Default: the provider's or the model's."""
    system_role: SystemRole | str = "system"
    """The role of system messages on the wire, or "developer"."""

    def _sampling(self) -> dict[str, Any]:
        """The sampling parameters that are set."""
        return {name: value for name in SAMPLING_PARAMS if (value := getattr(self, name)) is not None}
