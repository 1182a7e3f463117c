"""Dumps, pickles and copies of FlashLLM: without the key, and callable where they arrive."""

from __future__ import annotations

import copy
import json
import pickle

import httpx
import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager
from llama_index.core.rate_limiter import TokenBucketRateLimiter
from pydantic import BaseModel
from replay import WHOLE, replay

from flash_integrations import AsyncFlashClient, FlashClient, Provider, RateLimit, get_provider
from flash_integrations.llama_index import FlashLLM

KEY = "sk-sentinel-1234"
MESSAGES = [ChatMessage(role="user", content="hi")]


@pytest.fixture
def server():
    """Answers "Hello" as a stream."""
    with replay(WHOLE) as server:
        yield server


@pytest.fixture
def llm(server):
    """A FlashLLM with a key."""
    return FlashLLM(model="gpt-5.2", base_url=server.base_url, api_key=KEY, seed=7)


def arrived(data):
    """What a pickle comes to on the other side."""
    return pickle.loads(data)  # noqa: S301 - our own


def shown(llm):
    """Everything an object shows of itself, as one text."""
    return "".join(
        str(each)
        for each in (
            repr(llm),
            str(llm),
            llm.to_dict(),
            llm.to_json(),
            llm.dict(),
            llm.json(),
            llm.model_dump(),
            llm.model_dump_json(),
            llm.to_payload(),
            pickle.dumps(llm),
        )
    )


def test_the_key_shows_nowhere(llm):
    """No repr, dump, payload or pickle has the key, before a call or after."""
    assert "sentinel" not in shown(llm)
    llm.chat(MESSAGES)
    assert "sentinel" not in shown(llm)


def test_a_pickle_comes_back_callable(server, llm, monkeypatch):
    """A pickled object answers where it arrives, with a key from the environment, and its settings."""
    other = arrived(pickle.dumps(llm))
    monkeypatch.setenv("FLASH_BASE_URL", server.base_url)
    monkeypatch.setenv("FLASH_API_KEY", "sk-of-the-other-side")
    assert other.chat(MESSAGES).message.content == "Hello"
    assert server.bodies[-1]["seed"] == 7
    assert "sk-of-the-other-side" in server.heads[-1]


@pytest.mark.parametrize("kind", [FlashClient, AsyncFlashClient])
def test_a_pickle_calls_where_its_client_called(server, kind):
    """An object over a client keeps to that client's gateway, without its key."""
    llm = FlashLLM(model="gpt-5.2", client=kind(base_url=server.base_url, api_key=KEY))
    llm.chat(MESSAGES)
    data = pickle.dumps(llm)
    assert b"sentinel" not in data
    assert arrived(data).chat(MESSAGES).message.content == "Hello"
    assert "sentinel" not in server.heads[-1]


@pytest.mark.parametrize(
    ("params", "figures"),
    [({}, get_provider("flashapi").rate_limit), ({"rate_limit": None}, None)],
    ids=["the row's", "off"],
)
def test_a_limit_that_was_not_set_stays_the_rows(params, figures):
    """In pickles, copies and dumps, "not set" and "off" stay apart."""
    llm = FlashLLM(model="gpt-5.2", **params)
    for other in (
        llm,
        arrived(pickle.dumps(llm)),
        copy.deepcopy(llm),
        llm.model_copy(),
        FlashLLM.from_dict(llm.to_dict()),
    ):
        assert other._flash()._policy["rate_limit"] == figures


def test_pickling_leaves_the_object_as_it_is(server):
    """What does not pickle stays behind in the pickle, and stays in the living object."""
    key, client = (lambda: KEY), httpx.Client()
    llm = FlashLLM(
        model="gpt-5.2",
        base_url=server.base_url,
        api_key=key,
        http_client=client,
        rate_limiter=TokenBucketRateLimiter(requests_per_minute=100),
        completion_to_prompt=lambda prompt: f"<{prompt}>",
    )
    other = arrived(pickle.dumps(llm))
    assert other.rate_limiter is None
    assert other.completion_to_prompt("x") == "x"
    assert isinstance(other.callback_manager, CallbackManager)
    assert other.complete("hi").text == "Hello"
    assert (llm.api_key, llm.http_client, llm.rate_limiter is None) == (key, client, False)
    assert llm.complete("hi").text == "Hello"
    assert server.bodies[-1]["messages"][0]["content"] == "<hi>"
    client.close()


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, FlashLLM.model_copy])
def test_copies_keep_key_and_connections(server, make):
    """A copy answers with the same key, and waits at the same limiter."""
    with httpx.Client() as client:
        limiter = TokenBucketRateLimiter(requests_per_minute=100)
        llm = FlashLLM(model="m", base_url=server.base_url, api_key=KEY, http_client=client, rate_limiter=limiter)
        other = make(llm)
        assert other.complete("hi").text == "Hello"
        assert KEY in server.heads[-1]
        assert other.rate_limiter is limiter
        assert other.http_client is client


def test_a_deep_copys_settings_are_its_own(llm):
    """Changing a deep copy's additional_kwargs changes nothing in the original."""
    other = copy.deepcopy(llm)
    other.additional_kwargs["x"] = 1
    assert llm.additional_kwargs == {}


@pytest.mark.parametrize("data", [FlashLLM.to_dict, lambda llm: json.loads(llm.to_json())], ids=["dict", "json"])
def test_a_dump_makes_the_same_object(server, llm, data):
    """from_dict of a dump, which names its class, answers with the same settings."""
    dumped = data(llm)
    assert dumped["class_name"] == "FlashLLM" == FlashLLM.class_name()
    FlashLLM.from_dict(dumped).chat(MESSAGES)
    assert server.bodies[-1]["seed"] == 7


def test_a_dump_goes_with_a_client_of_ones_own(server):
    """A dump holds no connection words that were not set, so that it can be given a client."""
    dumped = FlashLLM(model="gpt-5.2", seed=7).to_dict()
    llm = FlashLLM.from_dict(dumped, client=FlashClient(base_url=server.base_url))
    assert llm.complete("hi").text == "Hello"


def test_rows_limits_and_timeouts_survive_a_dump():
    """A provider row, a RateLimit and a time-out come back from JSON as they were."""
    row = Provider("own", "https://host.test/v1", stream="all", rate_limit=RateLimit(concurrent=2))
    llm = FlashLLM(model="m", provider=row, rate_limit=RateLimit(requests_per_minute=5), timeout={"progress": 5})
    other = FlashLLM.from_json(llm.to_json())
    assert other.provider == row
    assert (other.rate_limit, other.timeout) == ({"requests_per_minute": 5}, {"progress": 5})
    assert other._flash().provider.streams("x")


SECRET_HEADERS = {"extra_headers": {"X-Api-Key": KEY, "X-Team": "red"}, "extra_query": {"token": KEY}, "top_k": 5}


@pytest.mark.parametrize(
    "params",
    [{"default_headers": {"X-Api-Key": KEY}}, {"additional_kwargs": SECRET_HEADERS}],
    ids=lambda params: next(iter(params)),
)
def test_keys_among_headers_show_nowhere(server, params):
    """A key in a header of the object's own is in no repr, dump or pickle, goes out with calls, and is not lost."""
    llm = FlashLLM(model="gpt-5.2", base_url=server.base_url, api_key="sk-other", **params)
    assert "sentinel" not in shown(llm)
    llm.chat(MESSAGES)
    assert f"x-api-key: {KEY}" in server.heads[-1].lower()


def test_what_is_no_key_among_additional_kwargs_stays(server):
    """Only what is secret is left out of a dump and a pickle."""
    llm = FlashLLM(model="gpt-5.2", base_url=server.base_url, api_key=KEY, additional_kwargs=SECRET_HEADERS)
    open_words = {"extra_headers": {"X-Team": "red"}, "extra_query": {}, "top_k": 5}
    for other in (FlashLLM.from_dict(llm.to_dict()), arrived(pickle.dumps(llm))):
        assert other.additional_kwargs == open_words
    assert llm.additional_kwargs == SECRET_HEADERS == copy.deepcopy(llm).additional_kwargs


class City(BaseModel):
    """A city."""

    name: str


def test_whatever_was_set_is_plain_data_in_json():
    """A class to answer in is its schema in a dump, and a set of names a list."""
    llm = FlashLLM(model="gpt-5.2", response_format=City, disabled_params={"stop", "seed"})
    data = json.loads(llm.to_json())
    assert data["response_format"]["json_schema"]["name"] == "City"
    assert data["disabled_params"] == ["seed", "stop"]
    assert FlashLLM.from_json(llm.to_json()).to_dict() == data


def test_the_payload_names_the_model_and_no_more(llm):
    """What observers get says which class and model answer, and what it can."""
    assert llm.to_payload() == {"class_name": "FlashLLM", **llm.metadata.model_dump()}


def test_a_dump_calls_with_the_key_of_its_environment(server, llm, monkeypatch):
    """An object made of a dump answers once the environment has the key, at the gateway that was dumped."""
    monkeypatch.setenv("FLASH_BASE_URL", server.base_url)
    monkeypatch.setenv("FLASH_API_KEY", "sk-of-the-other-side")
    assert FlashLLM.from_dict(llm.to_dict()).complete("hi").text == "Hello"
    assert "sk-of-the-other-side" in server.heads[-1]
