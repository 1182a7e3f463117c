"""The gateway as an object: its life, its record, and what it tells about itself."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import httpx
import pytest

from flash_integrations.catalogue import RateLimit, get_provider
from flash_integrations.errors import ConfigurationError
from flash_integrations.testing import LocalGateway


def test_the_record_tells_what_came(gateway, call):
    """Every request is recorded in order, with body, status and time, and without its key."""
    call.chat(user="u")
    call.events()
    call.http.get("/models")
    call.chat(model="gpt-5.2")
    requests = gateway.requests
    assert [(r.method, r.path, r.status) for r in requests] == [
        ("POST", "/v1/chat/completions", 200),
        ("POST", "/v1/chat/completions", 200),
        ("GET", "/v1/models", 200),
        ("POST", "/v1/chat/completions", 400),
    ]
    assert [(r.model, r.stream) for r in requests[:3]] == [
        ("claude-sonnet-4-6", False),
        ("gpt-5.2", True),
        (None, False),
    ]
    assert requests[0].body["user"] == "u"
    assert requests[0].headers["authorization"] == "***"
    assert gateway.api_key not in repr(requests)
    assert sorted(r.at for r in requests) == [r.at for r in requests]


def test_each_answer_is_told_as_it_begins(caller_of):
    """``on_answer`` gets every request with its status, the refused ones included."""
    told = []
    with LocalGateway(on_answer=told.append) as gateway:
        caller = caller_of(gateway)
        caller.events()
        caller.chat(model="gpt-5.2")
        assert told == gateway.requests
    assert [(each.model, each.stream, each.status) for each in told] == [
        ("gpt-5.2", True, 200),
        ("gpt-5.2", False, 400),
    ]


def test_who_leaves_before_the_answer_is_told_without_a_status(hanging_up):
    """A request whose caller did not wait for the answer is told, too."""
    told = []
    with LocalGateway(on_answer=told.append) as gateway:
        gateway.fault(hold="before_first_byte")
        with hanging_up(gateway):
            assert gateway.wait_held()
            assert told == []
        assert gateway.wait_idle()
    assert [each.status for each in told] == [None]


def test_the_clock_is_the_tests(caller_of):
    """``at`` is read from the injected clock."""
    with LocalGateway(clock=lambda: 42.0) as gateway:
        caller_of(gateway).chat()
        assert gateway.requests[0].at == 42.0


def test_live_is_exact_for_whoever_has_read_the_end(gateway, call):
    """After the last byte of an answer its request is not live: no waiting, no race."""
    for _ in range(50):
        call.events()
        assert gateway.live == 0
        call.chat()
        assert gateway.live == 0


def test_peak_is_the_most_at_once(gateway, caller_of):
    """Three answers held together are a peak of three."""
    gateway.fault(hold="before_first_byte", times=3)
    threads = [threading.Thread(target=caller_of(gateway).chat) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert gateway.wait_held(3)
    assert (gateway.live, gateway.held) == (3, 3)
    gateway.release()
    for thread in threads:
        thread.join()
    assert (gateway.live, gateway.peak) == (0, 3)


@pytest.mark.parametrize("hold", ["before_first_byte", 1])
def test_a_caller_that_leaves_is_let_go(gateway, hanging_up, hold):
    """When a connection closes, its answer stops, before the first byte and in the middle."""
    gateway.fault(hold=hold)
    with hanging_up(gateway):
        assert gateway.wait_held()
    assert gateway.wait_idle()
    assert gateway.held == 0


def test_an_endless_answer_stops_when_its_caller_leaves(gateway, call):
    """Nothing goes on being generated for nobody."""
    gateway.script("word " * 200_000)
    with call.streaming() as response:
        next(response.iter_raw())
    assert gateway.wait_idle()


def test_wait_idle_tells_when_it_was_in_vain(gateway, call):
    """A wait that runs out says so."""
    gateway.fault(hold="before_first_byte")
    thread = threading.Thread(target=call.chat)
    thread.start()
    assert gateway.wait_held()
    assert gateway.wait_idle(timeout=0.01) is False
    gateway.release()
    thread.join()


def test_the_provider_is_the_row_at_this_address(gateway):
    """``provider`` keeps stream rule, limits and models, and reads no environment variable."""
    row = get_provider("flashapi")
    provider = gateway.provider
    assert (provider.name, provider.base_url, provider.key_variable) == ("local", gateway.base_url, None)
    assert (provider.stream, provider.rate_limit, provider.models) == (row.stream, row.rate_limit, row.models)
    limit = RateLimit(concurrent=2)
    with LocalGateway(rate_limit=limit) as other:
        assert other.provider.rate_limit == limit


def test_it_listens_on_loopback_only(gateway):
    """The address is 127.0.0.1 and a port that was free."""
    url = httpx.URL(gateway.base_url)
    assert (url.host, url.path) == ("127.0.0.1", "/v1")
    assert url.port


def test_starting_twice_is_starting_once(gateway):
    """``start`` on a running gateway changes nothing; after ``stop`` it serves again."""
    url = gateway.base_url
    assert gateway.start() is gateway
    assert gateway.base_url == url
    gateway.stop()
    gateway.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/models", trust_env=False)
    with gateway:
        headers = {"authorization": f"Bearer {gateway.api_key}"}
        assert httpx.get(f"{gateway.base_url}/models", headers=headers, trust_env=False).status_code == 200


def test_stopping_does_not_wait_for_open_streams(caller_of):
    """Open answers are cut when the gateway stops, held or not."""
    gateway = LocalGateway().start()
    gateway.fault(hold=1, times=2)
    with caller_of(gateway).streaming() as response:
        assert gateway.wait_held()
        gateway.stop()  # for ever, where it waited for what is held
        with pytest.raises(httpx.TransportError):
            response.read()
    assert gateway.live == 0


def test_before_the_start_there_is_no_address():
    """What needs an address says that the gateway is to be started; its repr shows no key."""
    gateway = LocalGateway(api_key="sk-secret")
    with pytest.raises(ConfigurationError, match="start"):
        _ = gateway.base_url
    assert "secret" not in repr(gateway)


def test_a_taken_port_is_named(gateway):
    """A port that cannot be bound ends in one clear error."""
    port = httpx.URL(gateway.base_url).port
    with pytest.raises(ConfigurationError, match=str(port)):
        LocalGateway(port=port).start()


@pytest.mark.parametrize(
    "params", [{"provider": "nobody"}, {"upstream_model": "m"}, {"upstream_key": "k"}, {"api_key": "a", "keys": ["b"]}]
)
def test_words_that_make_no_sense_are_refused(params):
    """Contradictory or unknown words are configuration errors."""
    with pytest.raises(ConfigurationError):
        LocalGateway(**params)


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_named(missing):
    """Without the extra, asking for the gateway says what to install; the package itself imports."""
    code = f"import sys; sys.modules[{missing!r}] = None\nfrom flash_integrations.testing import LocalGateway"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtraError" in done.stderr
    assert "pip install 'flash-integrations[gateway]'" in done.stderr


def test_the_plugin_gives_a_gateway(tmp_path):
    """The fixture is a started gateway, set up by the marker's words, and stopped after the test."""
    (tmp_path / "test_it.py").write_text(
        "import httpx, pytest\n"
        "gateways = []\n"
        "def test_a(flash_gateway):\n"
        "    gateways.append(flash_gateway)\n"
        "    assert flash_gateway.provider.stream == 'gpt'\n"
        "@pytest.mark.flash_gateway(provider='openai', api_key='k')\n"
        "def test_b(flash_gateway):\n"
        "    assert (flash_gateway.provider.stream, flash_gateway.api_key) == ('none', 'k')\n"
        "    with pytest.raises(Exception, match='start'):\n"
        "        gateways[0].base_url\n"
    )
    plugin = ["-p", "flash_integrations.testing.pytest_plugin", "-p", "no:cacheprovider", "--strict-markers"]
    command = [sys.executable, "-m", "pytest", "-q", *plugin, str(tmp_path)]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=alone)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
