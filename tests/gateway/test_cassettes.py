"""Settings for recording: what a cassette keeps, what it matches, and what it plays."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap

import pytest
import vcr as vcrpy
from vcr.errors import CannotOverwriteExistingCassetteException
from vcr.request import Request

from flash_integrations import AsyncFlashClient, FlashClient
from flash_integrations.errors import ConfigurationError
from flash_integrations.testing import LocalGateway, cassettes

ASK = {"model": "gpt-5.2", "messages": [{"role": "user", "content": "Say hello."}]}


@pytest.fixture
def gateway():
    with LocalGateway() as gateway:
        yield gateway


@pytest.fixture
def tape(gateway, tmp_path):
    """Opens the cassette of a test: ``tape("none")`` plays it."""
    recorder = vcrpy.VCR()
    cassettes.register(recorder, note="Recorded in a test.\nBy nobody.")
    params = cassettes.settings({gateway.base_url: "gateway"}, secrets=[gateway.api_key])
    path = tmp_path / "tape.yaml"

    def opened(record_mode):
        return recorder.use_cassette(str(path), record_mode=record_mode, **params)

    opened.path = path
    return opened


def client_of(gateway, **params):
    return FlashClient(base_url=gateway.base_url, api_key=gateway.api_key, rate_limit=None, max_retries=0, **params)


def test_what_was_recorded_is_played_without_the_gateway(gateway, tape):
    """A forced stream plays as it was recorded, in the other mode too, when nobody listens any more."""
    with tape("once"):
        recorded = client_of(gateway).chat(**ASK)
    client, twin = client_of(gateway), client_of(gateway).to_async()
    gateway.stop()
    with tape("none") as cassette:
        assert client.chat(**ASK) == recorded
        assert cassette.all_played
    assert isinstance(twin, AsyncFlashClient)


async def test_sync_and_async_play_the_same_cassette(gateway, tape):
    """What the sync client recorded the async client plays."""
    with tape("once"):
        recorded = client_of(gateway).chat(**ASK)
    with tape("none"):
        assert await client_of(gateway).to_async().chat(**ASK) == recorded


def test_no_key_is_written_down(gateway, tape):
    """Neither the header with the key nor a key that turns up in a body; of headers, only two kinds stay."""
    with tape("once"):
        client_of(gateway).chat(**{**ASK, "messages": [{"role": "user", "content": f"My key is {gateway.api_key}"}]})
    text = tape.path.read_text()
    assert gateway.api_key not in text
    assert "My key is ***" in text
    assert "authorization" not in text.lower()
    assert "date:" not in text.lower()
    assert str(gateway.base_url).removeprefix("http://").partition("/")[0] not in text


def test_a_cassette_says_where_it_comes_from_and_can_be_read(gateway, tape):
    """The note stands at the head, and a stream's events line by line."""
    with tape("once"):
        client_of(gateway).chat(**ASK)
    lines = tape.path.read_text().splitlines()
    assert lines[:2] == ["# Recorded in a test.", "# By nobody."]
    assert any(line.strip() == "data: [DONE]" for line in lines)
    assert "    uri: http://gateway/v1/chat/completions" in lines


def test_another_question_is_not_played(gateway, tape):
    """What was not recorded is refused, not answered with something near."""
    with tape("once"):
        client_of(gateway).chat(**ASK)
    other = {**ASK, "messages": [{"role": "user", "content": "Say goodbye."}]}
    with tape("none"), pytest.raises(CannotOverwriteExistingCassetteException):
        client_of(gateway).chat(**other)


def test_an_answer_is_played_once(gateway, tape):
    """A question asked twice was recorded twice or is refused the second time."""
    with tape("once"):
        client_of(gateway).chat(**ASK)
    with tape("none"):
        client_of(gateway).chat(**ASK)
        with pytest.raises(CannotOverwriteExistingCassetteException):
            client_of(gateway).chat(**ASK)


def test_other_places_are_left_alone(gateway, tape):
    """Requests to hosts that are not named go through, and are not written down."""
    with LocalGateway() as other, tape("once") as cassette:
        client_of(other).chat(**ASK)
        assert len(cassette) == 0
        assert len(other.requests) == 1


def test_the_names_of_this_machine_are_one_place(gateway, tape):
    """What is named by 127.0.0.1 is recorded under localhost too, and plays under either name."""
    by_name = gateway.base_url.replace("127.0.0.1", "localhost")
    with tape("once") as cassette, FlashClient(base_url=by_name, api_key=gateway.api_key) as client:
        client.chat(**ASK)
        assert len(cassette) == 1
    gateway_url = gateway.base_url
    gateway.stop()
    with tape("none"), FlashClient(base_url=gateway_url, api_key="sk-any") as client:
        assert client.chat(**ASK).text


@pytest.mark.parametrize(
    "place", ["api.supertoken.cc/v1", "https://", "ftp://host/v1", "", "http://host:port/v1", "localhost:8000"]
)
def test_a_place_without_a_host_is_refused(place):
    """What is no URL would never be recorded: it is refused, and shown."""
    with pytest.raises(ConfigurationError, match=re.escape(repr(place))):
        cassettes.settings({place: "somewhere"})


def test_the_docstrings_project_works_as_it_is_pasted(gateway, tmp_path):
    """Its two files record and play, once the address stands for a gateway of this machine."""
    conftest, tests, _ = (textwrap.dedent(each) for each in re.findall(r"::\n\n((?: {4}.*\n|\n)+)", cassettes.__doc__))
    url = "https://api.supertoken.cc/v1"
    assert url in conftest
    (tmp_path / "conftest.py").write_text(conftest.replace(url, gateway.base_url))
    here = f'provider="supertoken", base_url="{gateway.base_url}"'
    (tmp_path / "test_answers.py").write_text(tests.replace('provider="supertoken"', here))

    def outcome(key, *params):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *params],
            cwd=tmp_path,
            env={**os.environ, "SUPERTOKEN_API_KEY": key},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert "1 passed" in done.stdout, done.stdout + done.stderr

    outcome(gateway.api_key, "--record-mode=once")
    assert len(gateway.requests) == 1
    written = (tmp_path / "cassettes" / "test_answers" / "test_hello.yaml").read_text()
    assert written.startswith("# Recorded from supertoken.cc")
    assert gateway.api_key not in written
    gateway.stop()
    outcome("sk-played", "--block-network")


def request(**body):
    return Request("POST", "http://gateway/v1/chat/completions", json.dumps(body), {})


def round_trip(first, second, answered):
    calls = [{"id": first, "function": {"name": "a"}}, {"id": second, "function": {"name": "b"}}]
    return request(messages=[{"role": "assistant", "tool_calls": calls}, {"role": "tool", "tool_call_id": answered}])


def test_ids_of_tool_calls_are_told_by_their_place():
    """Two conversations with other ids are the same; one in which another call is answered is not."""
    cassettes.same_json(round_trip("call_1", "call_2", "call_2"), round_trip("x", "y", "y"))
    with pytest.raises(AssertionError):
        cassettes.same_json(round_trip("call_1", "call_2", "call_2"), round_trip("x", "y", "x"))


def test_the_order_of_keys_does_not_matter():
    """JSON is compared, not text."""
    cassettes.same_json(request(model="a", n=1), Request("POST", "http://gateway/", b'{"n": 1, "model": "a"}', {}))


def offering(description):
    return request(tools=[{"type": "function", "function": {"name": "add", "description": description}}])


def test_a_tools_docstring_is_the_same_on_every_python():
    """Python 3.13 keeps docstrings without their indentation; other words make another request."""
    cassettes.same_json(offering("Adds.\n\nTwo numbers."), offering("Adds.\n\n        Two numbers.\n    "))
    with pytest.raises(AssertionError):
        cassettes.same_json(offering("Adds.\n\nTwo numbers."), offering("Adds.\n\nThree numbers."))


def test_bodies_that_are_no_json_are_compared_as_they_are():
    """Form bodies match when they are equal."""
    one, other = (Request("POST", "http://gateway/", body, {}) for body in (b"--a\r\nx", b"--a\r\ny"))
    cassettes.same_json(one, one)
    with pytest.raises(AssertionError):
        cassettes.same_json(one, other)
