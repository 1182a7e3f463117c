"""What LangChain may know of a model beforehand: its profile, from the catalogue and from its maker's figures."""

from __future__ import annotations

import re
from dataclasses import dataclass

from langchain_core.language_models.model_profile import ModelProfile

from .._core.model_names import takes_schema
from ..catalogue import Provider, listed_context_window


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the maker of some models says of them.

    Attributes:
        names: the models' ids, parted by blanks, without dates.
        context_window: tokens of a prompt, where no provider lists the model.
        max_output_tokens: the longest answer, in tokens.
        source: where these figures were read.
        inputs: what they read but for text: "image", "pdf", "audio", "video".
        reasons: whether they can reason before they answer.
    """

    names: str
    context_window: int
    max_output_tokens: int
    source: str
    inputs: str = "image pdf"
    reasons: bool = True


_OPENAI = "models.dev, in langchain-openai 1.7.4"
_ANTHROPIC = "models.dev, in langchain-anthropic 1.7.10"
_GOOGLE = "models.dev, in langchain-google-genai 4.4.3"
_ALL = "image pdf audio video"

MODELS = (
    ModelFacts("gpt-3.5-turbo", 16_385, 4_096, _OPENAI, inputs="", reasons=False),
    ModelFacts("gpt-4", 8_192, 8_192, _OPENAI, inputs="pdf", reasons=False),
    ModelFacts("gpt-4-turbo", 128_000, 4_096, _OPENAI, reasons=False),
    ModelFacts("gpt-4.1 gpt-4.1-mini gpt-4.1-nano", 1_047_576, 32_768, _OPENAI, reasons=False),
    ModelFacts("gpt-4o gpt-4o-mini", 128_000, 16_384, _OPENAI, reasons=False),
    ModelFacts("o1 o1-pro o3 o3-pro o4-mini", 200_000, 100_000, _OPENAI),
    ModelFacts("o3-mini", 200_000, 100_000, _OPENAI, inputs="pdf"),
    ModelFacts("gpt-5 gpt-5-mini gpt-5-nano gpt-5.1 gpt-5.2", 272_000, 128_000, _OPENAI),
    ModelFacts("gpt-5.3-codex gpt-5.4-mini gpt-5.4-nano", 400_000, 128_000, _OPENAI),
    ModelFacts("gpt-5.4 gpt-5.5 gpt-5.5-pro gpt-5.6", 1_050_000, 128_000, _OPENAI),
    ModelFacts("gpt-5.6-luna gpt-5.6-sol gpt-5.6-terra", 1_050_000, 128_000, _OPENAI),
    ModelFacts("gpt-6-astra gpt-6-luna gpt-6-sol", 1_050_000, 128_000, _OPENAI),
    ModelFacts("gpt-6.1-sol gpt-6.1-terra", 1_050_000, 128_000, _OPENAI),
    ModelFacts("claude-haiku-4-5 claude-opus-4-5 claude-sonnet-4-5", 200_000, 64_000, _ANTHROPIC),
    ModelFacts("claude-opus-4-6 claude-opus-4-7 claude-opus-4-8", 1_000_000, 128_000, _ANTHROPIC),
    ModelFacts("claude-opus-5 claude-opus-5-5 claude-haiku-5-5", 1_000_000, 128_000, _ANTHROPIC),
    ModelFacts("claude-sonnet-4-6 claude-sonnet-5 claude-sonnet-5-5", 1_000_000, 128_000, _ANTHROPIC),
    ModelFacts("gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite", 1_048_576, 65_536, _GOOGLE, inputs=_ALL),
    ModelFacts("gemini-3-flash-preview gemini-3.1-pro-preview", 1_048_576, 65_536, _GOOGLE, inputs=_ALL),
    ModelFacts("gemini-3.5-flash gemini-3.6-flash gemini-3.7-flash", 1_048_576, 65_536, _GOOGLE, inputs=_ALL),
)
"""Models by whole names: o3-mini reads no images as o3 does, and claude-sonnet-4-6 answers at twice 4-5's length."""

_BY_NAME = {name: facts for facts in MODELS for name in facts.names.split()}
_DATE = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$")


def facts_of(model: str) -> ModelFacts | None:
    """What is known of a model, behind a vendor's name, with a date, or with a dot in Claude's version; else None."""
    name = _DATE.sub("", model.rpartition("/")[2].lower())
    return _BY_NAME.get(name.replace(".", "-") if name.startswith("claude") else name)


def profile_of(model: str, provider: Provider) -> ModelProfile:
    """The profile of a model at a provider: its window, its longest answer, what it reads, whether it reasons.

    What nobody says is left out: middleware that compacts a conversation at a part of the window then asks for a figure
    instead of trusting an invented one. JSON schemas are promised for OpenAI's models alone: others take them where
    their gateway translates.
    """
    profile: ModelProfile = {"text_inputs": True, "text_outputs": True, "tool_calling": True}
    facts, window = facts_of(model), listed_context_window(model, provider)
    if facts is not None:
        profile["max_input_tokens"] = facts.context_window
        profile["max_output_tokens"] = facts.max_output_tokens
        profile["reasoning_output"] = facts.reasons
        profile["image_inputs"] = profile["image_url_inputs"] = "image" in facts.inputs
        profile["pdf_inputs"] = "pdf" in facts.inputs
        profile["audio_inputs"] = "audio" in facts.inputs
        profile["video_inputs"] = "video" in facts.inputs
    if window is not None:
        profile["max_input_tokens"] = window
    if takes_schema(model):
        profile["structured_output"] = True
    return profile
