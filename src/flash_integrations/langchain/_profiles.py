"""What LangChain may know of a model beforehand: its profile, from the catalogue and from what its family can do."""

from __future__ import annotations

from dataclasses import dataclass

from langchain_core.language_models.model_profile import ModelProfile

from .._core.model_names import is_gpt, is_o_series
from ..catalogue import Provider, listed_context_window


@dataclass(frozen=True, slots=True)
class Family:
    """What models whose names begin alike can do.

    Attributes:
        prefix: how their names begin, behind a vendor's name and a slash, too.
        max_output_tokens: the longest answer, in tokens.
        inputs: what they read but for text: "image", "pdf", "audio", "video".
        reasons: whether they reason before they answer.
        source: where these facts were read.
    """

    prefix: str
    max_output_tokens: int
    inputs: tuple[str, ...]
    reasons: bool
    source: str


_SEEN = ("image", "pdf")
_OPENAI = "OpenAI's model pages, as models.dev has them (langchain-openai 1.7)"
_ANTHROPIC = "docs.anthropic.com, models overview"
_GOOGLE = "ai.google.dev, Gemini models"

FAMILIES = (
    Family("gpt-5", 128_000, _SEEN, reasons=True, source=_OPENAI),
    Family("gpt-4.1", 32_768, _SEEN, reasons=False, source=_OPENAI),
    Family("gpt-4o", 16_384, _SEEN, reasons=False, source=_OPENAI),
    Family("gpt-4-turbo", 4_096, ("image",), reasons=False, source=_OPENAI),
    Family("o1", 100_000, _SEEN, reasons=True, source=_OPENAI),
    Family("o3", 100_000, _SEEN, reasons=True, source=_OPENAI),
    Family("o4-mini", 100_000, _SEEN, reasons=True, source=_OPENAI),
    Family("claude-opus-4-6", 128_000, _SEEN, reasons=True, source=_ANTHROPIC),
    Family("claude-opus-4-5", 64_000, _SEEN, reasons=True, source=_ANTHROPIC),
    Family("claude-opus-4", 32_000, _SEEN, reasons=True, source=_ANTHROPIC),
    Family("claude-sonnet-4", 64_000, _SEEN, reasons=True, source=_ANTHROPIC),
    Family("claude-haiku-4", 64_000, _SEEN, reasons=True, source=_ANTHROPIC),
    Family("gemini-2.5", 65_536, (*_SEEN, "audio", "video"), reasons=True, source=_GOOGLE),
    Family("gemini-2.0", 8_192, (*_SEEN, "audio", "video"), reasons=False, source=_GOOGLE),
)
"""The families; of several that fit the first counts."""


def family_of(model: str) -> Family | None:
    """The family of a model by its name, or None."""
    name = model.rpartition("/")[2].lower()
    return next((family for family in FAMILIES if name.startswith(family.prefix)), None)


def profile_of(model: str, provider: Provider) -> ModelProfile:
    """The profile of a model at a provider: its window, its longest answer, what it reads, whether it reasons.

    What nobody knows is left out: middleware that compacts a conversation at a part of the window then asks for a
    figure instead of trusting an invented one. JSON schemas are promised for GPT and o-series models alone: others take
    them where their gateway translates.
    """
    profile: ModelProfile = {"text_inputs": True, "text_outputs": True, "tool_calling": True}
    window, family = listed_context_window(model, provider), family_of(model)
    if window is not None:
        profile["max_input_tokens"] = window
    if family is not None:
        profile["max_output_tokens"] = family.max_output_tokens
        profile["reasoning_output"] = family.reasons
        profile["image_inputs"] = profile["image_url_inputs"] = "image" in family.inputs
        profile["pdf_inputs"] = "pdf" in family.inputs
        profile["audio_inputs"] = "audio" in family.inputs
        profile["video_inputs"] = "video" in family.inputs
    if is_gpt(model) or is_o_series(model):
        profile["structured_output"] = True
    return profile
