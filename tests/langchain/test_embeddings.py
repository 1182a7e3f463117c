"""FlashEmbeddings: LangChain's interface, its settings, and what is built on it."""

from __future__ import annotations

import copy
import pickle

import pytest
from langchain_classic.embeddings import CacheBackedEmbeddings
from langchain_core.exceptions import ContextOverflowError, ModelAuthenticationError, ModelInvalidRequestError
from langchain_core.stores import InMemoryByteStore
from langchain_core.vectorstores import InMemoryVectorStore

from flash_integrations import AsyncFlashClient, FlashClient, errors
from flash_integrations.langchain import ChatFlash, FlashEmbeddings
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
        return FlashEmbeddings(**{"provider": gateway.provider, "api_key": gateway.api_key, **params})

    return make


async def test_all_four_methods_give_the_same_vectors(make):
    """Documents and queries, sync and async."""
    embeddings = make(dimensions=32)
    wanted = [pytest.approx(embed(text, 32)) for text in TEXTS]
    assert embeddings.embed_documents(TEXTS) == wanted
    assert await embeddings.aembed_documents(TEXTS) == wanted
    assert embeddings.embed_query(TEXTS[0]) == wanted[0]
    assert await embeddings.aembed_query(TEXTS[0]) == wanted[0]


async def test_the_words_become_the_body(gateway, make):
    """Only what is set is sent; ``model_kwargs``, ``extra_body`` and a call's own words are laid over each other."""
    embeddings = make(
        model="m", dimensions=8, user="me", model_kwargs={"input_type": "passage", "a": 1}, extra_body={"b": 2}
    )
    embeddings.embed_documents(["x"], input_type="query", extra_body={"c": 3})
    assert gateway.requests[0].body == {
        "model": "m",
        "input": ["x"],
        "encoding_format": "base64",
        "dimensions": 8,
        "user": "me",
        "input_type": "query",
        "a": 1,
        "b": 2,
        "c": 3,
    }
    await make().aembed_query("x")
    assert gateway.requests[1].body == {
        "model": "text-embedding-3-large",
        "input": ["x"],
        "encoding_format": "base64",
    }


async def test_queries_may_go_to_another_model(gateway, make):
    """Asymmetric models have a name for each; a call's own ``model`` wins."""
    embeddings = make(model="e5-passage", query_model="e5-query")
    embeddings.embed_documents(["x"])
    await embeddings.aembed_query("x")
    embeddings.embed_query("x", model="other")
    assert [request.body["model"] for request in gateway.requests] == ["e5-passage", "e5-query", "other"]


async def test_chunk_size_is_the_batch(gateway, make):
    """On the object (``batch_size`` says the same) or for a call."""
    make(chunk_size=2).embed_documents(TEXTS)
    await make(batch_size=2).aembed_documents(TEXTS)
    make().embed_documents(TEXTS, chunk_size=1)
    sizes = [len(request.body["input"]) for request in gateway.requests]
    assert [sorted(part) for part in (sizes[:2], sizes[2:4], sizes[4:])] == [[1, 2], [1, 2], [1, 1, 1]]


def test_a_progress_bar_is_shown_when_asked_for(make, capsys):
    """Off by default; it counts documents."""
    make().embed_documents(TEXTS)
    assert capsys.readouterr().err == ""
    make(show_progress_bar=True, chunk_size=1).embed_documents(TEXTS)
    assert "3/3" in capsys.readouterr().err


async def test_errors_are_langchains_too(gateway, make):
    """Each is ours and the matching class of LangChain's, in all four methods."""
    with pytest.raises(ModelInvalidRequestError, match=r"texts\[1\] is empty") as raised:
        make().embed_documents(["a", ""])
    assert isinstance(raised.value, errors.InvalidRequestError)
    with pytest.raises(ContextOverflowError, match=r"texts\[3\]"):
        await make().aembed_documents([*TEXTS, "字" * 9000])
    wrong = FlashEmbeddings(base_url=gateway.base_url, api_key=KEY, max_retries=0)
    with pytest.raises(ModelAuthenticationError) as refused:
        wrong.embed_query("a")
    assert KEY not in f"{refused.value!s} {refused.value!r}"
    with pytest.raises(ModelAuthenticationError):
        await wrong.aembed_query("a")


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("check_embedding_ctx_length", "texts are always sent as texts, no tokenizer is loaded"),
        ("check_embedding_ctx_len", "texts are always sent as texts, no tokenizer is loaded"),
        ("tiktoken_enabled", "no tokenizer"),
        ("embedding_ctx_length", "names it"),
        ("deployment", "use model"),
        ("skip_empty", "leave out empty texts"),
        ("openai_api_key", "use api_key"),
        ("api_base", "use base_url"),
        ("headers", "use default_headers"),
        ("chunksize", "did you mean 'chunk_size'"),
        ("temperature", "not a known argument|did you mean"),
    ],
)
def test_unknown_words_are_told_what_to_use(word, advice):
    """The peers' words get a line of their own, misspelt ones the nearest."""
    with pytest.raises(errors.ConfigurationError, match=advice):
        FlashEmbeddings(**{word: 1})


def test_the_model_is_one():
    """It has a default; None and an empty text are no model."""
    assert FlashEmbeddings().model == FlashEmbeddings().model_name == "text-embedding-3-large"
    assert FlashEmbeddings(model_name="m").model == "m"
    for model in (None, ""):
        with pytest.raises(errors.ConfigurationError, match="model="):
            FlashEmbeddings(model=model)


def test_one_client_serves_chat_and_embeddings(gateway, make):
    """``client=`` of sync and async brings connection and limits; other connection words beside it are refused."""
    client = FlashClient(provider=gateway.provider, api_key=gateway.api_key)
    twin = AsyncFlashClient(provider=gateway.provider, api_key=gateway.api_key)
    assert len(FlashEmbeddings(client=client).embed_query("a")) == 512
    assert len(FlashEmbeddings(client=twin).embed_query("a")) == 512
    assert ChatFlash(model="gpt-5.2", client=client)._flash() is FlashEmbeddings(client=client)._flash()
    with pytest.raises(errors.ConfigurationError, match="max_retries"):
        FlashEmbeddings(client=client, max_retries=5)


def test_the_key_is_nowhere_to_be_seen():
    """In no repr, dump or pickle; copies keep it."""
    embeddings = FlashEmbeddings(base_url="http://127.0.0.1:1/v1", api_key=KEY, default_headers={"x-api-key": KEY})
    seen = f"{embeddings!r} {embeddings!s} {embeddings.model_dump()} {embeddings.model_dump_json()}"
    assert KEY not in seen
    assert KEY.encode() not in pickle.dumps(embeddings)
    assert pickle.loads(pickle.dumps(embeddings)).api_key is None  # noqa: S301 - its own
    for copied in (copy.copy(embeddings), copy.deepcopy(embeddings), embeddings.model_copy()):
        assert copied.api_key.get_secret_value() == KEY


def test_a_cache_asks_for_each_text_once(gateway, make):
    """``CacheBackedEmbeddings`` works, with queries cached as well."""
    cached = CacheBackedEmbeddings.from_bytes_store(
        make(dimensions=8), InMemoryByteStore(), namespace="m", query_embedding_cache=True, key_encoder="sha256"
    )
    first = cached.embed_documents(TEXTS)
    assert cached.embed_documents([*TEXTS, "new"])[:3] == first
    assert cached.embed_query("q") == cached.embed_query("q")
    assert [request.body["input"] for request in gateway.requests] == [TEXTS, ["new"], ["q"]]


@pytest.mark.parametrize(("question", "found"), [("Where does the cat sleep?", 1), ("长城是什么时候建的？", 2)])
async def test_a_vector_store_finds_what_was_meant(make, question, found):
    """Retrieval on the local gateway, in English and Chinese, sync and async."""
    store = InMemoryVectorStore(make())
    store.add_texts(TEXTS)
    assert store.similarity_search(question, k=1)[0].page_content == TEXTS[found]
    assert (await store.asimilarity_search(question, k=1))[0].page_content == TEXTS[found]
