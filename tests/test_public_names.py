"""What the package shows: a written list of names, and two clients that differ in colour only."""

from __future__ import annotations

import inspect
from collections import Counter
from importlib import import_module

import pytest

import flash_integrations

PUBLIC = {
    "flash_integrations": {
        "AsyncFlashClient",
        "ChatDelta",
        "Completion",
        "Embeddings",
        "FlashClient",
        "Provider",
        "RateLimit",
        "Timeout",
        "get_provider",
        "list_models",
        "register_model",
        "register_provider",
    },
    "flash_integrations.errors": {
        "APIConnectionError",
        "APIStatusError",
        "APITimeoutError",
        "AuthenticationError",
        "BadRequestError",
        "ConfigurationError",
        "ContentFilterError",
        "ContextLengthError",
        "FlashError",
        "InvalidRequestError",
        "MalformedResponseError",
        "NotFoundError",
        "PermissionDeniedError",
        "QuotaExceededError",
        "RateLimitError",
        "ServerError",
        "StreamInterruptedError",
    },
    "flash_integrations.langchain": {"ChatFlash", "FlashEmbeddings"},
    "flash_integrations.llama_index": {"FlashEmbedding", "FlashLLM"},
    "flash_integrations.testing": {"Answer", "Fault", "LocalGateway", "ReceivedRequest"},
}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_the_written_ones(name):
    """A name becomes public, or ceases to be, only by a change to the list above."""
    module = import_module(name)
    assert Counter(module.__all__) == Counter(PUBLIC[name])
    assert [each for each in module.__all__ if not hasattr(module, each)] == []


ASYNC_NAMES = {"aclose": "close"}
SENDING = {"chat", "close", "embed", "models"}
NOT_SENDING = {"stream_chat"}  # it gives an iterator, which sends when it is entered


def public_members(cls):
    """A client's public members, under the names of the sync one."""
    return {ASYNC_NAMES.get(name, name): getattr(cls, name) for name in dir(cls) if not name.startswith("_")}


def uncoloured(member):
    """A signature's words without its colour: names, kinds, defaults, annotations less their ``Async``."""
    signature = inspect.signature(member)
    return [
        (each.name, each.kind, each.default, str(each.annotation).replace("Async", ""))
        for each in signature.parameters.values()
    ]


def twins():
    """Both clients."""
    return flash_integrations.FlashClient, flash_integrations.AsyncFlashClient


def test_the_twins_have_the_same_names():
    """What one client can do, the other can."""
    sync, coloured = twins()
    assert public_members(sync).keys() == public_members(coloured).keys()


def test_the_twins_take_the_same_words():
    """Constructors and verbs of both clients agree in names, kinds, defaults and types of their parameters."""
    sync, coloured = twins()
    others = public_members(coloured)
    pairs = {name: (member, others[name]) for name, member in public_members(sync).items() if callable(member)}
    pairs["__init__"] = (sync, coloured)
    assert [name for name, (one, other) in pairs.items() if uncoloured(one) != uncoloured(other)] == []


def test_the_twins_differ_in_colour_only():
    """Verbs that send are coroutines in the async client and in it alone; a stream is made by a plain call in both."""
    sync, coloured = map(public_members, twins())
    assert {name for name in SENDING if inspect.iscoroutinefunction(coloured[name])} == SENDING
    assert {name for name in NOT_SENDING if inspect.iscoroutinefunction(coloured[name])} == set()
    assert {name for name, member in sync.items() if inspect.iscoroutinefunction(member)} == set()
