"""How the tests on a real model are run: live, recorded from it into ``cassettes/``, or from there.

A test marked ``vcr`` runs from its cassette, with sockets blocked, in ``make test``, and on the model in
``make integration`` (``--disable-recording``); ``make record`` (``--record-mode=rewrite``) writes its cassette anew.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flash_integrations.testing import LocalGateway, cassettes

from .model_packages import MODELS
from .model_server import Endpoint

FOLDER = Path(__file__).parents[2] / "cassettes"
RECORDED = Endpoint(base_url="http://model-server/v1", api_key="sk-of-no-worth", model=MODELS[0].name)
"""The model server that the cassettes were recorded from."""

_numbers = itertools.count(1)


def is_replaying(config: pytest.Config) -> bool:
    """Whether marked tests run from their cassettes."""
    return not config.getoption("disable_recording") and config.getoption("record_mode") in {None, "none"}


@dataclass(frozen=True)
class Replay:
    """What stands in for a local gateway where answers come from a cassette."""

    base_url: str
    api_key: str
    cassette: Any

    @property
    def requests(self) -> list[Any]:
        """The requests that were answered, as far as tests ask: whether they streamed, and the status."""
        played = [pair for pair in self.cassette._played_interactions if pair[0].host == "gateway"]
        return [
            SimpleNamespace(stream=json.loads(asked.body).get("stream") is True, status=answer["status"]["code"])
            for asked, answer in played
        ]

    def clear(self) -> None:
        """Nothing has been asked yet where tests call this."""

    def fault(self, *_: object, **__: object) -> None:
        """The cassette has the answer that a fault made."""


@pytest.fixture
def server(request):
    """The model server: a live one, or the one that the cassettes were recorded from."""
    if is_replaying(request.config):
        return RECORDED
    server = request.getfixturevalue("model_server")
    if not request.config.getoption("disable_recording") and server.model != RECORDED.model:
        pytest.fail(f"cassettes are recorded from {RECORDED.model}, not from {server.model}", pytrace=False)
    # Cassettes tell hosts apart by their names: a test asks the server by one, the gateway's relay by another.
    return replace(server, base_url=server.base_url.replace("//127.0.0.1:", "//localhost:"))


@pytest.fixture
def _live_gateway(request):
    """The stream-only gateway before the model, or None where answers come from a cassette."""
    if is_replaying(request.config):
        yield None
        return
    server = request.getfixturevalue("model_server")
    params = {"upstream_key": server.api_key or None, "upstream_model": server.model}
    with LocalGateway(upstream=server.base_url, **params) as gateway:
        yield gateway


@pytest.fixture
def _gateway_url(_live_gateway):
    """Its URL; a new one for each test, for what a client learns of one gateway is not known of the next."""
    return _live_gateway.base_url if _live_gateway else f"http://gateway-{next(_numbers)}/v1"


@pytest.fixture
def gateway(_live_gateway, _gateway_url, vcr):
    """A gateway that answers GPT models only with streams, before the real model."""
    return _live_gateway or Replay(_gateway_url, "sk-of-no-worth", vcr)


@pytest.fixture
def vcr_config(request, _live_gateway, _gateway_url, server):
    """What cassettes keep: requests to the gateway, and to the model server itself."""
    places = {_gateway_url: "gateway", server.base_url: "model-server"}
    settings = cassettes.settings(places, secrets=[_live_gateway.api_key] if _live_gateway else [])
    # A benchmark plays its recording as often as it likes.
    return settings | {"allow_playback_repeats": request.node.get_closest_marker("benchmark") is not None}


@pytest.fixture
def vcr_cassette_dir(request):
    """A folder for each module."""
    return str(FOLDER / request.path.stem.removeprefix("test_"))


@pytest.fixture
def default_cassette_name(request):
    """The test's name, with its class's where it has one."""
    return request.node.name if request.cls is None else f"{request.cls.__name__}.{request.node.name}"


@pytest.fixture(autouse=True)
def _all_played(request, vcr):
    """A recording that is not asked for any more is an error: the cassette is to be recorded anew."""
    yield
    if vcr is not None and is_replaying(request.config) and not vcr.all_played:
        left = len(vcr) - len(vcr.play_counts)
        raise AssertionError(f"{left} of {len(vcr)} recorded answers were not asked for; `make record` records anew")


def note() -> str:
    """What stands at the head of a cassette."""
    return (
        f"Recorded on {datetime.now(UTC).date()} by `make record`, on loopback: {RECORDED.model} on llama.cpp's\n"
        "server, behind this project's LocalGateway, which answers GPT models only with streams. No vendor was asked."
    )
