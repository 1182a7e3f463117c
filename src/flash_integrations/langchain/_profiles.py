"""What LangChain may know of a model beforehand: its profile, from the catalogue."""

from __future__ import annotations

from langchain_core.language_models.model_profile import ModelProfile

from .._core.model_names import is_gpt, is_o_series
from ..catalogue import Provider, context_window


def profile_of(model: str, provider: Provider) -> ModelProfile:
    """The profile of a model at a provider: its window, and what every chat model behind these gateways can do.

    JSON schemas are promised for GPT and o-series models alone: others take them where their gateway translates.
    """
    profile: ModelProfile = {
        "max_input_tokens": context_window(model, provider),
        "text_inputs": True,
        "text_outputs": True,
        "tool_calling": True,
    }
    if is_gpt(model) or is_o_series(model):
        profile["structured_output"] = True
    return profile
