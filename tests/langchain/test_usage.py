"""Token counts under LangChain's names, and who is told them."""

from __future__ import annotations

import pytest
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import HumanMessage

from flash_integrations._core.completion.usage import Usage
from flash_integrations.langchain._usage import to_usage
from flash_integrations.testing import Answer

COUNTS = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


@pytest.mark.parametrize(
    ("told", "details"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 30}}, {"cache_read": 30}),
        ({"prompt_tokens_details": {"cache_write_tokens": 7}}, {"cache_creation": 7}),
        ({"prompt_tokens_details": {"cache_creation_tokens": 7}}, {"cache_creation": 7}),
        ({"prompt_tokens_details": {"cached_creation_tokens": 7}}, {"cache_creation": 7}),
        ({"cache_read_input_tokens": 30, "cache_creation_input_tokens": 7}, {"cache_read": 30, "cache_creation": 7}),
        ({"prompt_cache_hit_tokens": 30, "prompt_cache_miss_tokens": 70}, {"cache_read": 30}),
        ({"prompt_tokens_details": {"audio_tokens": 5}}, {"audio": 5}),
        ({"prompt_tokens_details": {"cached_tokens": None}}, None),
        ({"prompt_tokens_details": "crooked"}, None),
    ],
    ids=str,
)
def test_details_of_the_request_go_by_langchains_names(told, details):
    """Cached, written and audio tokens count under every vendor's name for them; what is not told is not made up."""
    assert to_usage(Usage(COUNTS | told)).get("input_token_details") == details


@pytest.mark.parametrize("tier", ["priority", "flex"])
def test_tiers_with_prices_of_their_own_are_counted_apart(tier):
    """Under such a tier the details begin with its name, and the rest of the counts stands under it."""
    told = {"prompt_tokens_details": {"cached_tokens": 30}, "completion_tokens_details": {"reasoning_tokens": 8}}
    usage = to_usage(Usage(COUNTS | told), tier)
    assert usage["input_token_details"] == {f"{tier}_cache_read": 30, tier: 70}
    assert usage["output_token_details"] == {f"{tier}_reasoning": 8, tier: 12}


@pytest.mark.parametrize("tier", [None, "default", "auto"])
def test_other_tiers_change_nothing(tier):
    """The default tier's tokens are plain tokens."""
    assert to_usage(Usage(COUNTS), tier) == {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}


async def test_the_usage_callback_counts_every_way_to_call_once(gateway, make):
    """``get_usage_metadata_callback`` sums whole, streamed, async, batched and event calls, by model."""
    gateway.script(*[Answer("Hi", usage=COUNTS)] * 10)
    llm, other = make(), make("claude-sonnet-4-6")
    with get_usage_metadata_callback() as counter:
        llm.invoke("Hello")
        list(llm.stream("Hello"))
        await llm.ainvoke("Hello")
        assert [part async for part in llm.astream("Hello")]
        llm.batch(["Hello", "Hello"])
        assert llm.stream_events("Hello", version="v3").output.text == "Hi"
        llm.generate([[HumanMessage("Hello")]], n=2)
        other.invoke("Hello")
    totals = {name: usage["total_tokens"] for name, usage in counter.usage_metadata.items()}
    assert totals == {"gpt-5.2": 8 * 120, "claude-sonnet-4-6": 120}
