"""Keys cross to worker processes of multiprocessing, and are in no other pickle."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.reduction import ForkingPickler

import pytest
from pydantic import SecretStr
from replay import WHOLE, replay

from flash_integrations import AsyncFlashClient, FlashClient
from flash_integrations._config.worker_pickles import key_for_worker
from flash_integrations.errors import ConfigurationError
from flash_integrations.langchain import ChatFlash, FlashEmbeddings
from flash_integrations.llama_index import FlashEmbedding, FlashLLM

KEY = "sk-made-up-0123456789"
OWN = "https://own.example/v1"
CLIENTS = [FlashClient, AsyncFlashClient]
MODELS = [ChatFlash, FlashEmbeddings, FlashEmbedding, FlashLLM]


class OwnClient(FlashClient):
    """A user's own client."""


class OwnLLM(FlashLLM):
    """A user's own LLM."""


def top_level_key():
    """A function that a worker can call."""
    return KEY


async def top_level_async_key():
    """The same for async code."""
    return KEY


def made(kind, **params):
    """An object of a class, whose constructors differ in the model alone."""
    return kind(**params) if issubclass(kind, FlashClient | AsyncFlashClient) else kind(model="m", **params)


def in_worker(value):
    """What a worker makes of a value."""
    return pickle.loads(ForkingPickler.dumps(value))  # noqa: S301 - our own


def client_of(value):
    """The client that an object calls by."""
    return value._flash() if hasattr(value, "_flash") else value


def bearer_of(value):
    """The header that an object would send."""
    return client_of(value)._endpoint.credential.bearer()


@pytest.mark.parametrize(
    "source", [KEY, SecretStr(KEY), top_level_key, lambda: KEY], ids=["str", "SecretStr", "function", "lambda"]
)
@pytest.mark.parametrize("kind", [*CLIENTS, OwnClient, *MODELS, OwnLLM])
def test_a_key_reaches_a_worker(kind, source):
    """In whatever form it was given, with headers and query; pickled in any other way it is left out."""
    secret = {"default_headers": {"X-Api-Key": KEY, "X-Team": "red"}, "default_query": {"token": KEY}}
    value = made(kind, base_url=OWN, api_key=source, **secret)
    for sent in (value, in_worker(value), in_worker(in_worker(value))):
        assert bearer_of(sent) == f"Bearer {KEY}"
        assert client_of(sent)._headers == secret["default_headers"]
        assert client_of(sent)._query == secret["default_query"]
    assert KEY not in repr(in_worker(value))
    assert KEY.encode() not in pickle.dumps(value)
    assert KEY.encode() not in pickle.dumps(in_worker(value))


@pytest.mark.parametrize("kind", MODELS)
def test_a_shared_clients_key_reaches_a_worker(kind):
    """An object over a client takes it along, key included."""
    value = made(kind, client=FlashClient(base_url=OWN, api_key=KEY))
    assert bearer_of(in_worker([{"llm": value}])[0]["llm"]) == f"Bearer {KEY}"


@pytest.mark.parametrize("name", ["model_kwargs", "extra_body"])
def test_secrets_of_a_body_reach_a_worker(name):
    """Keys among further parameters go along; a saved pickle leaves them out."""
    body = {"tools": [{"authorization": KEY}], "top_k": 5}
    value = ChatFlash(model="m", base_url=OWN, **{name: body})
    assert getattr(in_worker(value), name) == body
    assert KEY.encode() not in pickle.dumps(value)


async def test_an_async_function_reaches_a_worker():
    """One at the top level of a module goes by its name."""
    client = in_worker(AsyncFlashClient(base_url=OWN, api_key=top_level_async_key))
    assert await client._endpoint.credential.abearer() == f"Bearer {KEY}"


def test_an_async_function_that_cannot_cross_is_refused():
    """Nobody can await it while pickling; the error says where it must stand."""

    async def nested():
        return KEY

    with pytest.raises(ConfigurationError, match="top level of a module"):
        key_for_worker(nested)


def test_a_key_of_the_environment_is_read_by_the_worker(monkeypatch):
    """It is not copied: what the worker's environment holds counts."""
    monkeypatch.setenv("FLASH_API_KEY", KEY)
    data = bytes(ForkingPickler.dumps(FlashClient()))
    assert KEY.encode() not in data
    assert bearer_of(pickle.loads(data)) == f"Bearer {KEY}"  # noqa: S301 - our own


@pytest.mark.parametrize("kind", [FlashClient, *MODELS])
@pytest.mark.parametrize(
    ("params", "variables"),
    [
        ({"provider": "openai"}, "set OPENAI_API_KEY, or give"),
        ({"base_url": OWN}, f"set FLASH_BASE_URL={OWN} and FLASH_API_KEY, or give"),
    ],
    ids=["a provider's", "a URL of one's own"],
)
def test_a_key_that_a_pickle_left_out_names_the_variable(monkeypatch, kind, params, variables):
    """Also a pickle's pickle, and once an environment that follows the advice is there, calls have the key."""
    lost = pickle.loads(pickle.dumps(made(kind, api_key=KEY, **params)))  # noqa: S301 - our own
    for value in (lost, in_worker(lost), pickle.loads(pickle.dumps(lost))):  # noqa: S301 - our own
        with pytest.raises(ConfigurationError) as caught:
            bearer_of(value)
        assert f"{variables} api_key= (pickles do not keep it)" in str(caught.value)
    if "base_url" in params:
        monkeypatch.setenv("FLASH_BASE_URL", OWN)
    monkeypatch.setenv("FLASH_API_KEY" if "base_url" in params else "OPENAI_API_KEY", "of-the-other-side")
    assert bearer_of(lost) == "Bearer of-the-other-side"


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_real_workers_call_with_the_key(method):
    """Pools and executors, spawned and forked, send the key."""
    with replay(WHOLE) as server:
        llm = ChatFlash(model="m", base_url=server.base_url, api_key=lambda: KEY)
        with ProcessPoolExecutor(1, mp_context=get_context(method)) as executor:
            assert executor.submit(llm.invoke, "Hi").result(60).text == "Hello"
        with get_context(method).Pool(1) as pool:
            assert pool.apply(llm.invoke, ("Hi",)).text == "Hello"
        assert [f"bearer {KEY}" in head.lower() for head in server.heads] == [True, True]
