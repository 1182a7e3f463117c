"""ChatFlash's constructor: words, keys, copies, serialisation, limits and shared clients."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import subprocess
import sys

import httpx
import pytest
from langchain_core.load import dumpd, dumps, loads
from langchain_core.runnables import ConfigurableField
from langchain_core.tracers.base import BaseTracer
from pydantic import SecretStr

from flash_integrations import AsyncFlashClient, FlashClient, RateLimit, Timeout, errors
from flash_integrations.langchain import ChatFlash

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def keyed(gateway):
    """A model with a key that can be looked for."""
    return ChatFlash(model="gpt-5.2", base_url=gateway.base_url, api_key=KEY)


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "hint"), [("temprature", "temperature"), ("baseurl", "base_url"), ("openai_api_key", "api_key")]
)
def test_unknown_words_are_refused(word, hint):
    """A misspelt word is an error that names the nearest known one."""
    with pytest.raises(errors.ConfigurationError, match=hint) as caught:
        ChatFlash(model="gpt-5.2", **{word: "x"})
    assert word in str(caught.value)


def test_a_model_must_be_named():
    """Without a model the error says what to write."""
    with pytest.raises(errors.ConfigurationError, match="model="):
        ChatFlash()


def test_the_peers_words_are_known():
    """``model_name``, ``request_timeout`` and ``stop_sequences`` mean what they mean to the peers."""
    llm = ChatFlash(model_name="gpt-5.2", request_timeout=3, stop_sequences=["x"])
    assert (llm.model, llm.model_name, llm.timeout, llm.stop) == ("gpt-5.2", "gpt-5.2", 3, ["x"])


@pytest.mark.parametrize(
    "params",
    [
        {"provider": "nobody"},
        {"base_url": "not a url"},
        {"base_url": "http://gateway.example/v1", "api_key": "x"},
        {"max_retries": -1},
        {"timeout": -1},
        {"rate_limit": "gold"},
    ],
    ids=str,
)
def test_a_wrong_set_up_is_told_at_once(params):
    """A connection that cannot work is a ConfigurationError in the constructor."""
    with pytest.raises(errors.ConfigurationError):
        ChatFlash(model="gpt-5.2", **params)


def test_a_missing_key_is_told_at_the_call():
    """Without a key the constructor is content; the call names the variable and the local gateway."""
    llm = ChatFlash(model="gpt-5.2")
    with pytest.raises(errors.ConfigurationError, match="FLASH_API_KEY") as caught:
        llm.invoke("Hello")
    assert "gateway" in str(caught.value)


def test_a_missing_framework_names_the_extra():
    """Without langchain-core, importing the adapter says which extra to install, by an ImportError that is ours too."""
    code = """
import sys
sys.modules["langchain_core"] = None
from flash_integrations.errors import ConfigurationError
try:
    import flash_integrations.langchain
except ImportError as error:
    print(isinstance(error, ConfigurationError), error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("True ")
    assert "flash-integrations[langchain]" in done.stdout


# --- keys -------------------------------------------------------------------------------------------------------------


class Everything(BaseTracer):
    """A tracer that keeps all runs as text."""

    def __init__(self):
        super().__init__()
        self.text = ""

    def _persist_run(self, run):
        self.text += repr(run.__dict__)


def test_the_key_shows_nowhere(keyed, gateway):
    """The key is in no repr, dump, serialised form, pickle or identifying parameter."""
    shown = {
        "repr": repr(keyed),
        "str": str(keyed),
        "dump": repr(keyed.model_dump()),
        "json": keyed.model_dump_json(),
        "dumps": dumps(keyed),
        "dict": repr(keyed.asdict()),
        "identifying": repr(keyed._identifying_params),
        "pickle": pickle.dumps(keyed).decode("latin-1"),
        "bound": repr(keyed.bind(stop=["x"])),
        "config": repr(keyed.config_schema().model_json_schema()),
    }
    assert [name for name, text in shown.items() if KEY in text] == []


def test_the_key_shows_in_no_error_log_or_trace(keyed, gateway, caplog):
    """A refused call shows the key in no error, log line or trace, though the gateway repeats it."""
    caplog.set_level(logging.DEBUG)
    gateway.fault(401, message=f"Incorrect API key provided: {KEY}", times=None)
    tracer = Everything()
    with pytest.raises(errors.AuthenticationError) as caught:
        keyed.invoke("Hello", config={"callbacks": [tracer]})
    assert tracer.text
    assert KEY not in tracer.text
    assert KEY not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    assert KEY not in caplog.text


def test_a_pickle_takes_its_key_from_the_environment(gateway, monkeypatch):
    """What comes back from a pickle uses the environment's key, and without one says so."""
    pickled = pickle.dumps(ChatFlash(model="gpt-5.2", api_key=KEY))
    with pytest.raises(errors.ConfigurationError, match="FLASH_API_KEY"):
        pickle.loads(pickled).invoke("Hello")  # noqa: S301
    monkeypatch.setenv("FLASH_BASE_URL", gateway.base_url)
    monkeypatch.setenv("FLASH_API_KEY", gateway.api_key)
    assert pickle.loads(pickled).invoke("Hello").text  # noqa: S301


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda llm: llm.model_copy(), lambda llm: llm.model_copy(deep=True)]
)
def test_copies_keep_the_key(llm, copied):
    """A copy answers as its original does."""
    assert copied(llm).invoke("Hello").text


@pytest.mark.parametrize("kind", [str, SecretStr, lambda key: lambda: key], ids=["str", "SecretStr", "function"])
def test_a_key_may_be_a_text_a_secret_or_a_function(gateway, kind):
    """All forms of a key open the gateway."""
    llm = ChatFlash(model="gpt-5.2", base_url=gateway.base_url, api_key=kind(gateway.api_key))
    assert llm.invoke("Hello").text


async def test_a_key_may_be_an_async_function(gateway):
    """An async function gives the key to async calls."""

    async def key():
        return gateway.api_key

    llm = ChatFlash(model="gpt-5.2", base_url=gateway.base_url, api_key=key)
    assert (await llm.ainvoke("Hello")).text


# --- serialisation ----------------------------------------------------------------------------------------------------


pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")


def again(llm, **params):
    """A model dumped and loaded."""
    return loads(dumps(llm), allowed_objects=[ChatFlash], valid_namespaces=["flash_integrations"], **params)


def test_a_serialised_model_comes_back():
    """``loads`` with this class allowed gives the same model."""
    llm = ChatFlash(model="gpt-5.2", provider="supertoken", temperature=0, timeout=Timeout(progress=5), max_retries=0)
    assert again(llm).asdict() == llm.asdict()
    assert json.loads(dumps(llm))["id"] == ["flash_integrations", "langchain", "chat_models", "ChatFlash"]


def test_a_serialised_model_takes_its_key_from_the_environment(gateway, monkeypatch):
    """The key is serialised as the name of its variable, and read from there."""
    monkeypatch.setenv("FLASH_BASE_URL", gateway.base_url)
    monkeypatch.setenv("FLASH_API_KEY", gateway.api_key)
    llm = ChatFlash(model="gpt-5.2", api_key=KEY)
    assert dumpd(llm)["kwargs"]["api_key"] == {"lc": 1, "type": "secret", "id": ["FLASH_API_KEY"]}
    assert again(llm, secrets_from_env=True).invoke("Hello").text


@pytest.mark.parametrize("limit", [None, {"concurrent": 3}])
def test_limits_survive_serialisation(limit):
    """Limits that were set, or turned off, are so in what comes back."""
    llm = again(ChatFlash(model="gpt-5.2", rate_limit=limit))
    assert llm.rate_limit == limit
    assert "rate_limit" in llm.model_fields_set


# --- changing settings ------------------------------------------------------------------------------------------------


def test_configurable_fields_are_used(gateway, make):
    """A field made configurable is what the config says."""
    llm = make().configurable_fields(temperature=ConfigurableField(id="t"), model=ConfigurableField(id="m"))
    llm.invoke("Hello", config={"configurable": {"t": 0.5, "m": "gpt-5.1"}})
    assert gateway.requests[-1].body["temperature"] == 0.5
    assert gateway.requests[-1].model == "gpt-5.1"


def test_a_changed_url_is_used(gateway, make):
    """A copy with another URL calls there."""
    old = ChatFlash(model="gpt-5.2", base_url="http://127.0.0.1:9/v1", api_key=gateway.api_key)
    assert old.model_copy(update={"base_url": gateway.base_url}).invoke("Hello").text


def test_a_changed_limit_is_used():
    """A copy whose limits are turned off has none."""
    llm = ChatFlash(model="gpt-5.2", provider="flashapi")
    assert llm._flash()._policy["rate_limit"] is not None
    assert llm.model_copy(update={"rate_limit": None})._flash()._policy["rate_limit"] is None


@pytest.mark.parametrize(
    ("params", "figures"),
    [
        ({"provider": "flashapi"}, RateLimit(requests_per_minute=60, requests_per_hour=3600, concurrent=10)),
        ({"provider": "flashapi", "rate_limit": None}, None),
        ({"provider": "openai"}, None),
        ({"provider": "openai", "rate_limit": "tier1"}, RateLimit(requests_per_minute=500, tokens_per_minute=200_000)),
        ({"rate_limit": {"concurrent": 2}}, RateLimit(concurrent=2)),
        ({"rate_limit": RateLimit(concurrent=2)}, RateLimit(concurrent=2)),
    ],
    ids=str,
)
def test_limits_are_the_rows_or_ones_own(params, figures):
    """``rate_limit``: left out the row's, None off, or a dict, a tier's name, a RateLimit."""
    assert ChatFlash(model="gpt-5.2", **params)._flash()._policy["rate_limit"] == figures


def test_limits_hold_back_what_is_too_much(gateway, make):
    """With one slot, a batch of five is never two at once at the gateway."""
    make(rate_limit={"concurrent": 1}).batch(["Hello"] * 5)
    assert gateway.peak == 1


# --- shared clients ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FlashClient, AsyncFlashClient])
async def test_a_client_is_shared_in_both_colours(gateway, kind):
    """``client=`` takes either client and serves sync and async calls."""
    llm = ChatFlash(model="gpt-5.2", client=kind(provider=gateway.provider, api_key=gateway.api_key))
    assert llm.invoke("Hello").text == (await llm.ainvoke("Hello")).text
    assert copy.deepcopy(llm).invoke("Hello").text


def test_a_client_beside_its_own_words_is_refused(gateway):
    """``client=`` with a key or URL contradicts itself, and the error names the word."""
    client = FlashClient(provider=gateway.provider, api_key=gateway.api_key)
    with pytest.raises(errors.ConfigurationError, match="api_key"):
        ChatFlash(model="gpt-5.2", client=client, api_key="x")
    with pytest.raises(errors.ConfigurationError, match="FlashClient"):
        ChatFlash(model="gpt-5.2", client="client")


def test_an_injected_httpx_client_is_used_and_stays_open(gateway, make):
    """``http_client`` carries the calls and is not closed by us."""
    seen = []
    with httpx.Client(event_hooks={"request": [seen.append]}) as http:
        llm = make(http_client=http)
        assert llm.invoke("Hello").text
        del llm
        assert len(seen) == 1
        assert not http.is_closed


async def test_an_injected_async_httpx_client_is_used(make):
    """``http_async_client`` carries the async calls."""
    seen = []

    async def see(request):
        seen.append(request)

    async with httpx.AsyncClient(event_hooks={"request": [see]}) as http:
        assert (await make(http_async_client=http).ainvoke("Hello")).text
    assert len(seen) == 1


def test_default_headers_and_query_are_sent(gateway, make):
    """Headers and query parameters of the object go with every request."""
    make(default_headers={"x-team": "a"}, default_query={"q": "1"}).invoke("Hello")
    request = gateway.requests[-1]
    assert request.headers["x-team"] == "a"
    assert request.path.endswith("?q=1")
