"""LlamaIndex's query and chat engines on FlashLLM, behind a gateway whose GPT models only stream."""

from __future__ import annotations

import asyncio
from importlib.metadata import version

import pytest
from llama_index.core import Document, MockEmbedding, Settings, SummaryIndex, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.memory import ChatMemoryBuffer
from pydantic import BaseModel

# llama-index-core 0.14 itself calls older names of Pydantic's.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ASK = "What is the weather in Paris?"
MODES = ["compact", "refine", "tree_summarize", "simple_summarize", "accumulate", "compact_accumulate"]


@pytest.fixture(autouse=True)
def _all_streamed(gateway):
    """Whatever is called, what went out was a stream, and was answered."""
    yield
    assert gateway.requests
    assert all(request.stream and request.status == 200 for request in gateway.requests)


@pytest.fixture(params=["summary", "vector"])
def index(request, llm, monkeypatch):
    """An index over one text, whose engines take the LLM from the settings."""
    monkeypatch.setattr(Settings, "_llm", None)
    monkeypatch.setattr(Settings, "_embed_model", None)
    Settings.llm = llm
    Settings.embed_model = MockEmbedding(embed_dim=4)
    kind = SummaryIndex if request.param == "summary" else VectorStoreIndex
    return kind.from_documents([Document(text="The weather: Paris is sunny, at 20 degrees. Rome is rainy.")])


def test_the_object_can_be_the_settings_llm(llm, monkeypatch):
    """Settings.llm takes it as it is."""
    monkeypatch.setattr(Settings, "_llm", None)
    Settings.llm = llm
    assert Settings.llm is llm
    assert Settings.llm.complete("hi").text


@pytest.mark.parametrize("mode", MODES)
def test_a_query_engine_answers_from_the_text(index, gateway, mode):
    """In every response mode the model is given the text and the question, and its answer is the engine's."""
    gateway.script("Sunny.")
    assert "Sunny." in str(index.as_query_engine(response_mode=mode).query(ASK))
    asked = gateway.requests[0].body["messages"][-1]["content"]
    assert ASK in asked
    assert "Paris is sunny, at 20 degrees." in asked


def is_piecewise():
    """Whether LlamaIndex's engines hand on what streams; before 0.14.25 they collect it first."""
    return [int(part) for part in version("llama-index-core").split(".")[:3]] >= [0, 14, 25]


def test_a_query_engine_streams(index, gateway):
    """The pieces of a streamed answer, in sync and async, come one by one and add up to the text."""
    gateway.script("It is sunny in Paris.", "It is sunny in Paris.")

    async def collected():
        engine = index.as_query_engine(streaming=True, use_async=True)
        return [piece async for piece in (await engine.aquery(ASK)).async_response_gen()]

    for pieces in (list(index.as_query_engine(streaming=True).query(ASK).response_gen), asyncio.run(collected())):
        assert "".join(pieces) == "It is sunny in Paris."
        if is_piecewise():
            assert len([piece for piece in pieces if piece]) > 3


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


def test_a_query_engine_answers_in_a_class(index, gateway):
    """output_cls makes the answer an object, asked for by schema."""
    gateway.script('{"city": "Paris", "degrees": 20}')
    response = index.as_query_engine(output_cls=Weather, response_mode="compact").query(ASK)
    assert response.response == Weather(city="Paris", degrees=20)
    assert gateway.requests[0].body["response_format"]["json_schema"]["name"] == "Weather"


@pytest.mark.parametrize("mode", ["simple", "context", "condense_question", "condense_plus_context", "best"])
def test_a_chat_engine_of_any_mode_answers(index, gateway, mode):
    """Every chat mode answers, whole and streamed, and remembers."""
    gateway.script("It is sunny.")
    memory = ChatMemoryBuffer.from_defaults(token_limit=3000)  # the default one leaves a database open
    engine = index.as_chat_engine(chat_mode=mode, memory=memory)
    assert str(engine.chat(ASK)) == "It is sunny."
    streamed = "".join(engine.stream_chat("And in Rome?").response_gen)
    assert streamed
    assert [message.content for message in engine.chat_history] == [ASK, "It is sunny.", "And in Rome?", streamed]


def test_a_chat_engine_sends_what_was_said_before(gateway, llm):
    """A chat engine streams an answer and sends it with the next question."""
    gateway.script("One.", "Two.")
    memory = ChatMemoryBuffer.from_defaults(token_limit=3000, tokenizer_fn=llm.tokenizer)
    engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory)
    assert "".join(engine.stream_chat("First?").response_gen) == "One."
    assert str(engine.chat("Second?")) == "Two."
    sent = [message["content"] for message in gateway.requests[-1].body["messages"]]
    assert sent == ["First?", "One.", "Second?"]


def test_tokens_of_an_engine_are_the_gateways(index, monkeypatch):
    """A counter in the settings counts for every call below an engine what the gateway reported."""
    counter = TokenCountingHandler(tokenizer=lambda text: [0] * 10_000)
    monkeypatch.setattr(Settings, "_callback_manager", CallbackManager([counter]))
    index.as_query_engine(response_mode="tree_summarize").query(ASK)
    list(index.as_query_engine(streaming=True).query(ASK).response_gen)
    assert len(counter.llm_token_counts) == 2
    assert 0 < counter.total_llm_token_count < 10_000
