"""Counting tokens for LlamaIndex: an estimate that needs no data, for everything that takes a tokenizer."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import llama_index.core
import pytest
from llama_index.core import Document, PromptHelper, Settings
from llama_index.core.callbacks import TokenCountingHandler
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer, Memory
from llama_index.core.node_parser import SentenceSplitter

from flash_integrations._core.policy.token_estimate import count_text
from flash_integrations.errors import ConfigurationError
from flash_integrations.llama_index import FlashLLM

TEXT = "Paris is the capital of France, 巴黎是法国的首都。 It has 2,100,000 people 🙂.\n\n"


@pytest.fixture
def llm():
    """A FlashLLM that is not called."""
    return FlashLLM(model="gpt-5.2")


@pytest.fixture
def _global_tokenizer(monkeypatch):
    """What a test sets for the whole framework is gone after it."""
    monkeypatch.setattr(llama_index.core, "global_tokenizer", None)


@pytest.mark.parametrize("text", ["", "Hello, world", TEXT, "🙂" * 3])
def test_the_default_counts_as_the_core_does(llm, text):
    """As many items as the estimate says, of a text in any script."""
    assert len(llm.tokenizer(text)) == count_text(text)


@pytest.mark.usefixtures("_global_tokenizer")
def test_it_serves_whatever_counts_tokens(llm):
    """Settings.tokenizer = llm.tokenizer, and splitters, memories, prompt helper and counters keep to the estimate."""
    Settings.tokenizer = llm.tokenizer
    nodes = SentenceSplitter(chunk_size=60, chunk_overlap=0).get_nodes_from_documents([Document(text=TEXT * 9)])
    assert len(nodes) > 1
    assert all(count_text(node.text) <= 60 for node in nodes)
    memory = ChatMemoryBuffer.from_defaults(token_limit=90)
    for _ in range(9):
        memory.put(ChatMessage(role="user", content=TEXT))
    assert 0 < sum(count_text(message.content) for message in memory.get()) <= 90
    assert Memory.from_defaults().tokenizer_fn is TokenCountingHandler().tokenizer is llm.tokenizer
    helper = PromptHelper.from_llm_metadata(llm.metadata)
    assert helper._token_counter.get_string_tokens(TEXT) == count_text(TEXT)


@pytest.mark.usefixtures("_global_tokenizer")
def test_without_that_line_nothing_is_downloaded_either():
    """LlamaIndex's own tokenizer comes from the tables in its package; these tests let no connection out."""
    memory = ChatMemoryBuffer.from_defaults(token_limit=90)
    memory.put(ChatMessage(role="user", content="hi"))
    assert [message.content for message in memory.get()] == ["hi"]


def test_a_tokenizer_of_ones_own_is_kept(llm):
    """A function, or an object with encode, is what the user gave; None is the default."""
    loaded = SimpleNamespace(encode=str.split)
    assert FlashLLM(model="m", tokenizer=str.split).tokenizer("a b") == ["a", "b"]
    assert FlashLLM(model="m", tokenizer=loaded).tokenizer is loaded
    assert FlashLLM(model="m", tokenizer=None).tokenizer is llm.tokenizer


@pytest.mark.parametrize(
    ("given", "said"), [("Qwen/Qwen2.5", "would be downloaded"), (7, "a function from a str to its tokens")]
)
def test_a_name_is_no_tokenizer(given, said):
    """What would have to be fetched, or cannot count, is refused with what to give."""
    with pytest.raises(ConfigurationError, match=said):
        FlashLLM(model="m", tokenizer=given)


def test_a_pickle_counts_where_it_arrives():
    """A tokenizer that does not pickle is replaced by the estimate, not by nothing."""
    other = pickle.loads(pickle.dumps(FlashLLM(model="m", tokenizer=lambda text: [])))  # noqa: S301 - our own
    assert len(other.tokenizer(TEXT)) == count_text(TEXT)
