"""The words both adapters share: what copies keep, what dumps hide, what calls may say, how mistakes are told."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import threading

import httpx
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumps, loads
from langchain_core.runnables import ConfigurableField
from pydantic import ValidationError
from replay import WHOLE, refuse, replay

from flash_integrations import AsyncFlashClient, FlashClient, RateLimit, errors
from flash_integrations._transport import pools
from flash_integrations._transport.process import _MAX_LIMITERS, Process
from flash_integrations.langchain import ChatFlash, FlashEmbeddings
from flash_integrations.llama_index import FlashLLM
from flash_integrations.testing import LocalGateway

SECRET = "sk-very-secret-0123456789"
BOTH = pytest.mark.parametrize("adapter", [ChatFlash, FlashLLM])
DOCUMENTED = RateLimit(requests_per_minute=60, requests_per_hour=3_600, concurrent=10)


def ask(llm):
    return llm.invoke("hi").text if isinstance(llm, ChatFlash) else llm.complete("hi").text


def figures(llm):
    """The limits an adapter keeps."""
    return llm._flash()._policy["rate_limit"]


# --- copies ---------------------------------------------------------------------------------------------------------


def test_configured_copies_keep_the_rows_limits():
    """LangChain makes such a copy from all fields; an unset rate_limit stays the row's."""
    llm = ChatFlash(model="gpt-5.2").configurable_fields(temperature=ConfigurableField(id="t"))
    copy, _ = llm._prepare(config={"configurable": {"t": 0.5}})
    assert copy.temperature == 0.5
    assert figures(copy) == DOCUMENTED


@BOTH
def test_dumped_copies_keep_the_limits(adapter):
    """The row's limits, none, and figures of one's own all survive a dump."""
    for params, kept in [
        ({}, DOCUMENTED),
        ({"rate_limit": None}, None),
        ({"rate_limit": {"concurrent": 2}}, RateLimit(concurrent=2)),
    ]:
        llm = adapter(model="gpt-5.2", **params)
        data = json.loads(llm.model_dump_json(exclude={"callbacks", "callback_manager", "class_name", "profile"}))
        data.pop("class_name", None)
        assert figures(adapter(**data)) == kept


def test_configured_copies_keep_their_client():
    """An object over client= can be configured; what was not said is no conflict."""
    with replay(WHOLE) as server:
        llm = ChatFlash(model="m", client=FlashClient(base_url=server.base_url))
        llm = llm.configurable_fields(temperature=ConfigurableField(id="t"))
        assert llm.with_config(configurable={"t": 0.3}).invoke("hi").text == "Hello"
        assert server.bodies[0]["temperature"] == 0.3


@pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
def test_a_row_of_ones_own_survives_langchains_dump():
    """A Provider goes into the dump as plain data, and comes back."""
    with LocalGateway() as gateway:
        llm = ChatFlash(model="gpt-5.2", provider=gateway.provider, api_key=SECRET)
        again = loads(dumps(llm), allowed_objects=[ChatFlash], valid_namespaces=["flash_integrations"])
        assert again._flash().provider == gateway.provider


# --- the cache ------------------------------------------------------------------------------------------------------


def test_a_cache_knows_gateways_apart():
    """The same question at another gateway is another question, however the gateway was named."""
    cache = InMemoryCache()
    with LocalGateway() as one, LocalGateway() as other:
        one.script("from one")
        other.script("from other")
        clients = [FlashClient(base_url=each.base_url, api_key=each.api_key) for each in (one, other)]
        texts = [ChatFlash(model="m", client=client, cache=cache).invoke("hi").text for client in clients]
    assert texts == ["from one", "from other"]


def test_a_cache_knows_changed_settings():
    """An answer is found again for the same settings only."""
    with replay(WHOLE) as server:
        llm = ChatFlash(model="m", base_url=server.base_url, cache=InMemoryCache())
        llm.invoke("hi")
        llm.invoke("hi")
        assert len(server.bodies) == 1
        llm.temperature = 1.5
        llm.invoke("hi")
        llm.model_copy(update={"model": "n"}).invoke("hi")
        llm.invoke("hi", seed=1)
        assert [body["model"] for body in server.bodies] == ["m", "m", "n", "m"]


# --- keys -----------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    "params",
    [
        {"api_key": [SECRET]},
        {"default_headers": f"Bearer {SECRET}"},
        {"default_headers": {"Authorization": [SECRET]}},
        {"default_query": SECRET},
        {"max_retries": SECRET},
    ],
)
def test_wrong_words_do_not_show_their_values(adapter, params):
    """An error names the word and never what was given."""
    with pytest.raises((errors.ConfigurationError, ValidationError)) as caught:
        adapter(model="m", **params)
    assert next(iter(params)) in str(caught.value)
    assert SECRET not in f"{caught.value} {caught.value!r}"


@BOTH
def test_secret_headers_are_not_dumped(adapter):
    """Headers and query parameters whose names speak of keys stay out of dumps and pickles; the others stay in."""
    headers = {"Authorization": f"Bearer {SECRET}", "x-goog-api-key": SECRET, "x-plain": "shown"}
    llm = adapter(model="m", base_url="http://127.0.0.1:9/v1", default_headers=headers, default_query={"key": SECRET})
    shown = [repr(llm), str(llm.model_dump()), repr(pickle.dumps(llm)), repr(pickle.dumps(llm._flash()))]
    shown.append(dumps(llm) if adapter is ChatFlash else llm.to_json())
    assert not [text for text in shown if SECRET in text]
    assert pickle.loads(pickle.dumps(llm)).default_headers == {"x-plain": "shown"}  # noqa: S301 - our own bytes
    assert llm.default_headers == headers


@pytest.mark.parametrize("how", ["default_headers", "extra_headers", "http_client"])
def test_keys_that_came_by_headers_are_redacted(how):
    """A gateway that echoes the key does not show it, whichever way the key went out."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    with replay(refuse(401, f"Incorrect API key provided: {SECRET}")) as server, httpx.Client(headers=headers) as own:
        made = {"default_headers": {"default_headers": headers}, "http_client": {"http_client": own}}.get(how, {})
        said = {"extra_headers": headers} if how == "extra_headers" else {}
        client = FlashClient(base_url=server.base_url, **made)
        with pytest.raises(errors.AuthenticationError) as caught:
            client.chat(model="m", messages=[{"role": "user", "content": "hi"}], **said)
        assert SECRET in server.heads[0]
    assert SECRET not in str(caught.value)


async def test_a_slow_key_function_does_not_hold_the_loop():
    """While a plain function looks for the key, other tasks go on."""
    asked, go_on = threading.Event(), threading.Event()

    def key():
        asked.set()
        assert go_on.wait(120)
        return SECRET

    with replay(WHOLE) as server:
        client = AsyncFlashClient(base_url=server.base_url, api_key=key)
        call = asyncio.create_task(client.chat(model="m", messages=[{"role": "user", "content": "hi"}]))
        await asyncio.to_thread(asked.wait, 20)
        go_on.set()  # only a loop that runs comes to this
        assert (await call).text == "Hello"


def test_one_key_has_one_record_of_use_whoever_gives_it():
    """A function's key counts with the same key given as text, once it has been given."""
    with replay(WHOLE) as server:
        text = FlashClient(base_url=server.base_url, api_key=SECRET)
        function = FlashClient(base_url=server.base_url, api_key=lambda: SECRET)
        function.chat(model="m", messages=[{"role": "user", "content": "hi"}])
        assert function._limiter() is text._limiter()


def test_a_function_without_a_key_is_told_so():
    """The function is at fault, not the argument."""
    client = FlashClient(base_url="http://127.0.0.1:9/v1", api_key=lambda: None)
    with pytest.raises(errors.ConfigurationError, match="function given as api_key returned None"):
        client.models()


# --- what a process keeps -------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_closed_loops_are_let_go():
    """Loops that were closed without a shut-down, their connections open, do not pile up."""
    with replay(WHOLE) as server:
        client = AsyncFlashClient(base_url=server.base_url)
        for _ in range(3):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(client.chat(model="m", messages=[{"role": "user", "content": "hi"}]))
            loop.close()
        gc.collect()
        assert len([loop for loop in pools._async_clients if loop.is_closed()]) <= 1


def test_idle_records_of_use_are_let_go():
    """A process that serves many keys does not keep a record of each for ever."""
    process = Process()
    for number in range(3 * _MAX_LIMITERS):
        process.limiter("https://gateway.test/v1", str(number))
    assert len(process._limiters) <= _MAX_LIMITERS


# --- calls and mistakes ---------------------------------------------------------------------------------------------


def test_calls_take_the_peers_words_too():
    """stop_sequences and model_name mean at a call what they mean on the object."""
    with replay(WHOLE) as server:
        llm = ChatFlash(model="m", base_url=server.base_url)
        llm.invoke("hi", model_name="n", stop_sequences=["a"], request_timeout=5)
        assert {**server.bodies[0], "messages": 0}.items() >= {"model": "n", "stop": ["a"]}.items()
        assert "request_timeout" not in server.bodies[0]


@BOTH
def test_words_of_the_object_are_refused_at_calls(adapter):
    """max_retries at a call is no part of the body."""
    llm = adapter(model="m", base_url="http://127.0.0.1:9/v1")
    call = llm.invoke if adapter is ChatFlash else llm.complete
    with pytest.raises(errors.InvalidRequestError, match="max_retries is for the object"):
        call("hi", max_retries=5)


def test_a_sampling_word_on_the_client_is_shown_its_place():
    """Clients take connection and policy; sampling belongs to the verb."""
    with pytest.raises(errors.ConfigurationError, match=r"belongs to the call, as in chat\(..., temperature=...\)"):
        FlashClient(temperature=1)


@BOTH
def test_the_peers_timeouts_are_understood(adapter):
    """An httpx.Timeout, as openai's clients take it, is one here."""
    llm = adapter(model="m", timeout=httpx.Timeout(3, connect=1))
    assert llm._flash()._timeout.connect == 1
    assert llm._flash()._timeout.first_byte == 3


@BOTH
def test_an_empty_stop_is_not_sent(adapter):
    """stop="" says nothing."""
    with replay(WHOLE) as server:
        ask(adapter(model="m", stop="", base_url=server.base_url))
        assert "stop" not in server.bodies[0]


@BOTH
def test_unknown_limits_are_told_the_known_ones(adapter):
    """rate_limit takes four words."""
    known = "requests_per_minute, requests_per_hour, tokens_per_minute, concurrent"
    with pytest.raises(errors.ConfigurationError, match=f"rate_limit takes {known}, not 'rpm'"):
        adapter(model="m", rate_limit={"rpm": 1})


@pytest.mark.parametrize("adapter", [FlashClient, ChatFlash, FlashEmbeddings])
def test_api_base_is_told_to_be_base_url(adapter):
    """A URL is not led to the place of the key."""
    with pytest.raises(errors.ConfigurationError, match="does not take 'api_base': use base_url"):
        adapter(**({} if adapter is FlashClient else {"model": "m"}), api_base="http://127.0.0.1:9/v1")


def test_langchains_limiter_is_one():
    """Something else in its place is refused in the constructor."""
    with pytest.raises(ValidationError, match=r"rate_limiter\n.*BaseRateLimiter"):
        ChatFlash(model="m", rate_limiter=5)


def test_an_upstream_that_is_no_url_is_refused():
    """The gateway says so when it is made, not at the first call."""
    with pytest.raises(errors.ConfigurationError, match="upstream must be a URL"):
        LocalGateway(upstream="foo")
