"""A stream-only gateway and models that ask it."""

import pytest
from langchain_core.callbacks import BaseCallbackHandler

from flash_integrations.langchain import ChatFlash
from flash_integrations.testing import LocalGateway


@pytest.fixture
def gateway():
    """A gateway whose GPT models answer only to streams, and a connection count to come back to."""
    with LocalGateway() as gateway:
        yield gateway


@pytest.fixture
def make(gateway):
    """Makes models that ask the gateway."""

    def make(model="gpt-5.2", **params):
        return ChatFlash(**{"model": model, "provider": gateway.provider, "api_key": gateway.api_key, **params})

    return make


@pytest.fixture
def llm(make):
    """A GPT model with nothing set."""
    return make()


class Tokens(BaseCallbackHandler):
    """Keeps what a plain handler is told."""

    def __init__(self):
        self.tokens = []
        self.chunks = []
        self.ends = []
        self.errors = []

    def on_llm_new_token(self, token, *, chunk=None, **told):
        self.tokens.append(token)
        self.chunks.append(chunk.message)

    def on_llm_end(self, response, **told):
        self.ends.append(response)

    def on_llm_error(self, error, **told):
        self.errors.append(error)


@pytest.fixture
def tokens():
    """A plain handler that takes tokens."""
    return Tokens()
