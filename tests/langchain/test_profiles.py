"""What LangChain may know of a model beforehand."""

from __future__ import annotations

import pytest
from langchain_core.language_models.model_profile import ModelProfile

from flash_integrations.catalogue import get_provider
from flash_integrations.langchain._profiles import FAMILIES, family_of, profile_of

FLASHAPI, CUSTOM = get_provider("flashapi"), get_provider("custom")


def test_a_listed_model_has_a_full_profile():
    """Window, longest answer, what it reads, tools and reasoning: deepagents and summarisation look there."""
    assert profile_of("gpt-5.2", FLASHAPI) == {
        "max_input_tokens": 200_000,
        "max_output_tokens": 128_000,
        "text_inputs": True,
        "text_outputs": True,
        "image_inputs": True,
        "image_url_inputs": True,
        "pdf_inputs": True,
        "audio_inputs": False,
        "video_inputs": False,
        "tool_calling": True,
        "structured_output": True,
        "reasoning_output": True,
    }


def test_an_unknown_models_window_stays_unknown():
    """No invented figure: compaction at a part of it would come at the wrong time."""
    assert profile_of("house-model", CUSTOM) == {"text_inputs": True, "text_outputs": True, "tool_calling": True}


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-opus-4-6", 128_000),
        ("anthropic/claude-opus-4-1", 32_000),
        ("Gemini-2.5-Flash", 65_536),
        ("gpt-4", None),
    ],
)
def test_a_family_is_known_by_its_name(model, limit):
    """In any case, behind a vendor's name, and the longer beginning before the shorter."""
    family = family_of(model)
    assert (family and family.max_output_tokens) == limit


def test_every_family_can_be_reached_and_has_a_source():
    """No row is hidden by an earlier one."""
    assert [family_of(family.prefix) for family in FAMILIES] == list(FAMILIES)
    assert all(family.source for family in FAMILIES)


def test_profiles_have_langchains_own_keys():
    """What others look up is spelt as LangChain spells it."""
    assert profile_of("gpt-5.2", FLASHAPI).keys() <= ModelProfile.__annotations__.keys()
