"""A gateway that answers GPT models only to streaming requests, and a FlashLLM before it."""

from __future__ import annotations

import pytest
from llama_index.core.tools import FunctionTool

from flash_integrations.llama_index import FlashLLM
from flash_integrations.testing import LocalGateway


@pytest.fixture(scope="module")
def shared_gateway():
    """One gateway for a module."""
    with LocalGateway() as gateway:
        yield gateway


@pytest.fixture
def gateway(shared_gateway):
    """A gateway without a past."""
    shared_gateway.clear()
    return shared_gateway


@pytest.fixture
def llm_of(gateway):
    """Makes FlashLLMs that call the gateway."""

    def make(**params):
        params = {"model": "gpt-5.2", "provider": gateway.provider, "api_key": gateway.api_key, **params}
        return FlashLLM(**{"rate_limit": None, "max_retries": 0, **params})

    return make


@pytest.fixture
def llm(llm_of):
    """A FlashLLM with the defaults."""
    return llm_of()


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


def get_time(city: str) -> str:
    """The time in a city."""
    return f"Noon in {city}"


@pytest.fixture
def tools():
    """Two tools that a prompt about weather and time in a city calls both."""
    return [FunctionTool.from_defaults(get_weather), FunctionTool.from_defaults(get_time)]
