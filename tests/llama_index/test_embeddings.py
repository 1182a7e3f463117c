"""FlashEmbedding: LlamaIndex's interface, events, cache and serialisation, and what is built on it."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle

import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.callbacks.schema import EventPayload
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.embedding import EmbeddingEndEvent, EmbeddingStartEvent
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.rate_limiter import TokenBucketRateLimiter
from llama_index.core.storage.kvstore import SimpleKVStore

from flash_integrations import FlashClient, errors
from flash_integrations.llama_index import FlashEmbedding, FlashLLM
from flash_integrations.testing import LocalGateway
from flash_integrations.testing._scripted_model.hashed_embeddings import embed

TEXTS = ["The dog barks at night.", "Cats sleep on the sofa.", "长城建于明代。"]
KEY = "sk-made-up-key"


@pytest.fixture
def gateway():
    with LocalGateway("openai") as gateway:
        yield gateway


@pytest.fixture
def make(gateway):
    """Makes embeddings that ask the gateway."""

    def make(**params):
        return FlashEmbedding(**{"provider": gateway.provider, "api_key": gateway.api_key, "dimensions": 16, **params})

    return make


def batch_of(model, texts, mode, **params):
    """The vectors of many texts, by one mode."""
    if mode == "sync":
        return model.get_text_embedding_batch(texts, **params)
    return asyncio.run(model.aget_text_embedding_batch(texts, **params))


async def test_all_methods_give_the_same_vectors(make):
    """Texts, queries and batches, sync and async."""
    model = make()
    wanted = [pytest.approx(embed(text, 16)) for text in TEXTS]
    assert model.get_text_embedding_batch(TEXTS) == wanted
    assert await model.aget_text_embedding_batch(TEXTS) == wanted
    for vector in (
        model.get_text_embedding(TEXTS[0]),
        await model.aget_text_embedding(TEXTS[0]),
        model.get_query_embedding(TEXTS[0]),
        await model.aget_query_embedding(TEXTS[0]),
        model.get_agg_embedding_from_queries([TEXTS[0]]),
    ):
        assert vector == wanted[0]


def test_the_words_become_the_body(gateway, make):
    """Only what is set is sent; ``additional_kwargs`` go into the body, ``query_model`` names the model of queries."""
    model = make(model="e5-passage", query_model="e5-query", additional_kwargs={"truncate": True})
    model.get_text_embedding("x")
    model.get_query_embedding("x")
    passage = {"model": "e5-passage", "input": ["x"], "encoding_format": "base64", "dimensions": 16, "truncate": True}
    assert [request.body for request in gateway.requests] == [passage, passage | {"model": "e5-query"}]


@pytest.mark.parametrize("params", [{"model": "m"}, {"model_name": "m"}])
def test_model_and_model_name_say_the_same(params):
    """The framework's field is ``model_name``; both words work, and the default is SPEC's."""
    model = FlashEmbedding(api_base="http://127.0.0.1:1/v1", **params)
    assert (model.model, model.model_name, model.to_payload()["model_name"]) == ("m", "m", "m")
    assert FlashEmbedding().model_name == "text-embedding-3-large"
    assert FlashEmbedding().embed_batch_size == 100


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_batches_go_side_by_side_and_in_order(gateway, make, mode):
    """LlamaIndex's own sync loop sends one after the other; this one does not."""
    gateway.fault(delay=0.02, times=None)
    texts = [f"text {at}" for at in range(60)]
    vectors = batch_of(make(embed_batch_size=5), texts, mode)
    assert vectors == [pytest.approx(embed(text, 16)) for text in texts]
    assert (len(gateway.requests), gateway.peak > 1) == (12, True)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_num_workers_is_how_many_at_once(gateway, make, mode):
    """One worker: one at a time."""
    batch_of(make(embed_batch_size=1, num_workers=1), TEXTS, mode)
    assert gateway.peak == 1


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_events_come_for_each_batch(make, mode):
    """A start and an end each, with the batch's texts and vectors, to callbacks and instrumentation."""
    seen = []

    class Listener(BaseEventHandler):
        def handle(self, event, **_):
            seen.append(event)

    debug, dispatcher, listener = LlamaDebugHandler(print_trace_on_end=False), get_dispatcher(), Listener()
    dispatcher.add_event_handler(listener)
    try:
        vectors = batch_of(make(embed_batch_size=2, callback_manager=CallbackManager([debug])), TEXTS, mode)
    finally:
        dispatcher.event_handlers.remove(listener)
    pairs = debug.get_event_pairs(CBEventType.EMBEDDING)
    assert [pair[1].payload[EventPayload.CHUNKS] for pair in pairs] == [TEXTS[:2], TEXTS[2:]]
    assert [pair[1].payload[EventPayload.EMBEDDINGS] for pair in pairs] == [vectors[:2], vectors[2:]]
    ends = [event for event in seen if isinstance(event, EmbeddingEndEvent)]
    assert [event.chunks for event in ends] == [TEXTS[:2], TEXTS[2:]]
    assert sum(isinstance(event, EmbeddingStartEvent) for event in seen) == 2
    assert KEY not in str([event.model_dict for event in seen if isinstance(event, EmbeddingStartEvent)])


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_events_end_when_the_call_fails(make, mode):
    """A handler that counts open events is not left with one."""
    debug = LlamaDebugHandler(print_trace_on_end=False)
    model = make(callback_manager=CallbackManager([debug]))
    with pytest.raises(errors.InvalidRequestError, match=r"texts\[1\] must be a str"):
        batch_of(model, ["a", None], mode)
    (pair,) = debug.get_event_pairs(CBEventType.EMBEDDING)
    assert isinstance(pair[1].payload[EventPayload.EXCEPTION], errors.InvalidRequestError)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_texts_may_come_from_a_generator(make, mode):
    """It is read once."""
    assert batch_of(make(), (text for text in TEXTS), mode) == batch_of(make(), TEXTS, mode)


@pytest.mark.parametrize("given", ["abc", None])
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_what_is_no_list_of_texts_is_refused(gateway, make, mode, given):
    """A single text is not taken for a list of letters."""
    with pytest.raises(errors.InvalidRequestError, match="must be a list of str"):
        batch_of(make(), given, mode)
    assert gateway.requests == []


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_cache_is_asked_first(gateway, make, mode):
    """Only what it does not hold is sent, in full batches; it then holds that too, also for single texts."""
    model = make(embeddings_cache=SimpleKVStore())
    first = batch_of(model, TEXTS[:2], mode)
    assert batch_of(model, TEXTS, mode)[:2] == first
    assert model.get_text_embedding(TEXTS[2]) == pytest.approx(embed(TEXTS[2], 16))
    assert [request.body["input"] for request in gateway.requests] == [TEXTS[:2], TEXTS[2:]]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_an_error_names_the_callers_text_though_others_were_cached(make, mode):
    """Positions are those of the list that was given, not of what was sent."""
    model = make(embeddings_cache=SimpleKVStore())
    batch_of(model, TEXTS[:2], mode)
    with pytest.raises(errors.ContextLengthError, match=r"^texts\[3\] is too long"):
        batch_of(model, [*TEXTS, "字" * 9000], mode)
    with pytest.raises(errors.InvalidRequestError, match=r"^texts\[2\] must be a str"):
        batch_of(model, [*TEXTS[:2], 7], mode)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_blank_text_is_sent_as_a_space(gateway, make, mode):
    """It has its vector among the others, in a batch and alone; events and cache name the text as it was given."""
    model = make(embeddings_cache=SimpleKVStore())
    vectors = batch_of(model, ["a", "", "b", " \n"], mode)
    assert [len(vector) for vector in vectors] == [16] * 4
    assert batch_of(model, [""], mode) == [vectors[1]]
    assert make().get_text_embedding("") == vectors[1]
    assert [request.body["input"] for request in gateway.requests] == [["a", " ", "b", " \n"], [" "]]


async def test_a_blank_query_is_refused(gateway, make):
    """Nobody means to ask nothing; nothing is sent."""
    with pytest.raises(errors.InvalidRequestError, match="is empty"):
        make(query_instruction="query:").get_query_embedding("")
    with pytest.raises(errors.InvalidRequestError, match="is empty"):
        await make().aget_query_embedding("")
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("instructions", "sent_text", "sent_query"),
    [
        ({}, "a", "q"),
        ({"query_instruction": "query:"}, "a", "query: q"),
        ({"text_instruction": "passage: "}, "passage: a", "q"),
        ({"query_instruction": "Instruct: find\nQuery:\n", "text_instruction": ""}, "a", "Instruct: find\nQuery:\nq"),
    ],
    ids=["none", "query", "text", "lines"],
)
async def test_instructions_stand_before_texts_and_queries(gateway, make, instructions, sent_text, sent_query):
    """By every method; what is asked again with a cache is found under the text as it was given."""
    model = make(**instructions)
    assert model.get_text_embedding("a") == model.get_text_embedding_batch(["a"])[0]
    assert await model.aget_text_embedding("a") == (await model.aget_text_embedding_batch(["a"]))[0]
    assert model.get_query_embedding("q") == await model.aget_query_embedding("q")
    assert [request.body["input"] for request in gateway.requests] == [[sent_text]] * 4 + [[sent_query]] * 2
    assert FlashEmbedding.from_dict(model.to_dict()).query_instruction == instructions.get("query_instruction")


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_cache_keeps_what_was_done_before_an_error(gateway, make, mode):
    """Thousands of vectors are not paid for twice because the last batch failed."""
    params = {"num_workers": 1, "max_retries": 0, "additional_kwargs": {"encoding_format": "float"}}
    model = make(embeddings_cache=SimpleKVStore(), embed_batch_size=1, **params)
    gateway.fault(400, when=lambda request: request.body["input"] == [TEXTS[2]])
    with pytest.raises(errors.BadRequestError):
        batch_of(model, TEXTS, mode)
    batch_of(model, TEXTS, mode)
    assert [request.body["input"][0] for request in gateway.requests] == [*TEXTS, TEXTS[2]]


def test_something_that_is_no_limiter_is_refused():
    """In the constructor; LlamaIndex itself would fail at the first batch."""
    with pytest.raises(errors.ConfigurationError, match=r"rate_limiter must be a BaseRateLimiter of llama_index"):
        FlashEmbedding(rate_limiter=5)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_the_frameworks_rate_limiter_is_asked_for_each_batch(gateway, make, mode):
    """Its loop is used then, which asks before every batch."""

    class RateLimiter(TokenBucketRateLimiter):
        asked: int = 0

        def acquire(self, num_tokens=0):
            self.asked += 1

        async def async_acquire(self, num_tokens=0):
            self.asked += 1

    limiter = RateLimiter(requests_per_minute=60)
    batch_of(make(embed_batch_size=1, rate_limiter=limiter), TEXTS, mode)
    assert (limiter.asked, len(gateway.requests)) == (3, 3)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_progress_bar_is_shown_when_asked_for(make, capsys, mode):
    """It counts texts."""
    batch_of(make(), TEXTS, mode)
    assert capsys.readouterr().err == ""
    batch_of(make(embed_batch_size=1), TEXTS, mode, show_progress=True)
    assert "3/3" in capsys.readouterr().err


def test_no_texts_are_no_request(gateway, make):
    """An empty list gives one."""
    assert make().get_text_embedding_batch([]) == []
    assert gateway.requests == []


def test_the_key_is_nowhere_to_be_seen():
    """In no dict, JSON, repr or pickle; copies keep it."""
    model = FlashEmbedding(base_url="http://127.0.0.1:1/v1", api_key=KEY, default_headers={"x-api-key": KEY})
    assert KEY not in f"{model!r} {model!s} {model.to_dict()} {model.to_json()} {model.to_payload()}"
    assert KEY.encode() not in pickle.dumps(model)
    for copied in (copy.copy(model), copy.deepcopy(model)):
        assert copied.api_key.get_secret_value() == KEY


def test_what_was_saved_works_when_loaded(gateway, make, monkeypatch):
    """``to_dict``, JSON and pickle come back under the class's name, take their key anew, and embed."""
    model = make(model="m", embed_batch_size=7, query_model="q")
    saved = model.to_dict()
    assert saved["class_name"] == FlashEmbedding.class_name() == "FlashEmbedding"
    for loaded in (
        FlashEmbedding.from_dict(saved, api_key=gateway.api_key),
        FlashEmbedding.from_json(json.dumps(saved), api_key=gateway.api_key),
    ):
        assert (loaded.model, loaded.embed_batch_size, loaded.query_model) == ("m", 7, "q")
        assert loaded.get_text_embedding("x") == model.get_text_embedding("x")
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - its own
    again.api_key = gateway.api_key
    assert again.get_text_embedding_batch(["x"]) == [model.get_text_embedding("x")]


@pytest.mark.filterwarnings("ignore:.langchain-community. is being sunset:DeprecationWarning")  # LlamaIndex loads it
def test_an_index_finds_what_was_meant(gateway, make):
    """Pipeline, index and retriever, with one client for both classes."""
    client = FlashClient(provider=gateway.provider, api_key=gateway.api_key)
    model = FlashEmbedding(client=client)
    assert FlashLLM(model="gpt-5.2", client=client)._flash() is model._flash()
    pipeline = IngestionPipeline(transformations=[SentenceSplitter(chunk_size=64, chunk_overlap=0), model])
    nodes = pipeline.run(documents=[Document(text=text) for text in TEXTS])
    index = VectorStoreIndex(nodes, embed_model=model)
    retriever = index.as_retriever(similarity_top_k=1)
    assert retriever.retrieve("Where does the cat sleep?")[0].text == TEXTS[1]
    assert retriever.retrieve("长城是什么时候建的？")[0].text == TEXTS[2]
