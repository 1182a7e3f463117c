"""Token counts of messages without a tokenizer."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, trim_messages
from langchain_core.tools import tool

from flash_integrations import errors
from flash_integrations.langchain import ChatFlash


@pytest.fixture
def llm():
    """A model that needs no gateway."""
    return ChatFlash(model="gpt-5.2")


def test_cjk_is_not_taken_for_one_word(llm):
    """A Chinese text of a thousand characters is about a thousand tokens, not a handful."""
    assert 800 <= llm.get_num_tokens("今天天气很好，我们去公园散步吧。" * 63) <= 1200


def test_messages_count_their_frames_calls_and_tools(llm):
    """Messages cost more than their texts; calls and tools count too."""

    @tool
    def look_up(word: str) -> str:
        """Look a word up."""
        return word

    texts = [SystemMessage("Be brief."), HumanMessage("Hello there")]
    plain = llm.get_num_tokens_from_messages(texts)
    assert plain > llm.get_num_tokens("Be brief.") + llm.get_num_tokens("Hello there")
    calling = AIMessage("", tool_calls=[{"name": "look_up", "args": {"word": "tree"}, "id": "1"}])
    assert llm.get_num_tokens_from_messages([*texts, calling]) > plain + 4
    assert llm.get_num_tokens_from_messages(texts, tools=[look_up]) > plain + 10


def test_images_and_files_have_a_flat_rate(llm):
    """An image costs the same whatever the size of its base64; low detail costs less."""

    def cost(block):
        return llm.get_num_tokens_from_messages([HumanMessage([block])])

    small = cost({"type": "image", "base64": "aGk=", "mime_type": "image/png"})
    large = cost({"type": "image", "base64": "aGkh" * 10_000, "mime_type": "image/png"})
    low = cost({"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "low"}})
    audio = cost({"type": "audio", "base64": "aGkh" * 10_000, "mime_type": "audio/wav"})
    assert small == large
    assert low < small
    assert audio < 2000


def test_ones_own_tokenizer_is_used():
    """``custom_get_token_ids`` counts texts and messages."""
    llm = ChatFlash(model="gpt-5.2", custom_get_token_ids=lambda text: list(text.encode()))
    assert llm.get_token_ids("ab") == [97, 98]
    assert llm.get_num_tokens("你") == 3
    assert llm.get_num_tokens_from_messages([HumanMessage("x" * 100)]) >= 100


def test_no_tokenizer_is_downloaded(llm):
    """Ids without a tokenizer are an error that says what to pass, rather than GPT-2's from the network."""
    with pytest.raises(errors.ConfigurationError, match="custom_get_token_ids"):
        llm.get_token_ids("Hello")


def test_messages_can_be_trimmed(llm):
    """``trim_messages`` works offline with the model as its counter."""
    messages = [HumanMessage(f"message {number} " + "word " * 50) for number in range(10)]
    kept = trim_messages(messages, max_tokens=200, token_counter=llm, strategy="last")
    assert kept
    assert kept == messages[-len(kept) :]
    assert llm.get_num_tokens_from_messages(kept) <= 200
