"""What LangChain may know of a model beforehand."""

from __future__ import annotations

import pytest
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.language_models.model_profile import ModelProfile

from flash_integrations.catalogue import get_provider
from flash_integrations.langchain import ChatFlash
from flash_integrations.langchain._profiles import MODELS, facts_of, profile_of

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


def test_a_window_that_no_provider_lists_is_the_makers():
    """The gateway's own figure counts before it."""
    assert profile_of("gpt-4.1", CUSTOM)["max_input_tokens"] == 1_047_576
    assert profile_of("claude-opus-4-6", FLASHAPI)["max_input_tokens"] == 200_000


def test_a_fraction_of_an_unknown_window_is_asked_for():
    """LangChain's middleware compacts at a part of a known window, and says what to give where it is unknown."""
    given = {"base_url": "https://host.test/v1", "api_key": "k"}
    SummarizationMiddleware(ChatFlash(model="gpt-4.1", **given), trigger=("fraction", 0.8))
    with pytest.raises(ValueError, match="max_input_tokens"):
        SummarizationMiddleware(ChatFlash(model="house-model", **given), trigger=("fraction", 0.8))


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("gpt-4o-2024-08-06", 16_384),
        ("anthropic/claude-opus-4.5", 64_000),
        ("Claude-Sonnet-4-5-20250929", 64_000),
        ("claude-sonnet-4-6", 128_000),
        ("gemini-2.5-flash", 65_536),
        ("gpt-5-chat-latest", None),
        ("o1-mini", None),
        ("gemini-2.5-flash-image", None),
    ],
)
def test_a_model_is_known_by_its_whole_name(model, limit):
    """In any case, behind a vendor's name, with a date; what only begins alike is another model."""
    facts = facts_of(model)
    assert (facts and facts.max_output_tokens) == limit


@pytest.mark.parametrize(("model", "images", "structured"), [("o3-mini", False, True), ("gpt-4-turbo", True, None)])
def test_models_that_differ_from_their_like_say_so(model, images, structured):
    """No images for o3-mini, no JSON schemas for GPT-4 Turbo."""
    profile = profile_of(model, CUSTOM)
    assert (profile["image_inputs"], profile.get("structured_output")) == (images, structured)


def test_every_model_stands_once_and_has_a_source():
    """No row is hidden by another."""
    names = [name for facts in MODELS for name in facts.names.split()]
    assert len(names) == len(set(names))
    assert [facts_of(name) for name in names] == [facts for facts in MODELS for _ in facts.names.split()]
    assert all(facts.source for facts in MODELS)


def test_profiles_have_langchains_own_keys():
    """What others look up is spelt as LangChain spells it."""
    assert profile_of("gpt-5.2", FLASHAPI).keys() <= ModelProfile.__annotations__.keys()
