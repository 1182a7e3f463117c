"""What the package shows: a written list of names, and two clients that differ in async alone."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import is_dataclass
from importlib import import_module
from typing import get_type_hints

import pytest
from pydantic import TypeAdapter

import flash_integrations

PUBLIC = {
    "flash_integrations": {
        "AsyncChatStream",
        "AsyncFlashClient",
        "ChatDelta",
        "ChatParams",
        "ChatStream",
        "Choice",
        "Completion",
        "EmbedParams",
        "Embeddings",
        "FlashClient",
        "ModelCard",
        "Provider",
        "RateLimit",
        "Timeout",
        "ToolCall",
        "ToolCallDelta",
        "Usage",
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
        "MissingExtraError",
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


ASYNC_NAMES = {"aclose": "close", "to_sync": "to_async"}
SENDING = {"chat", "close", "embed", "models"}
NOT_SENDING = {"stream_chat"}  # it gives an iterator, which sends when it is entered


def public_members(cls):
    """A client's public members, under the names of the sync one."""
    return {ASYNC_NAMES.get(name, name): getattr(cls, name) for name in dir(cls) if not name.startswith("_")}


def without_async(member):
    """A signature without what differs between sync and async, as ``Async`` in annotations."""
    signature = inspect.signature(member)
    return [
        (each.name, each.kind, each.default, str(each.annotation).replace("Async", ""))
        for each in signature.parameters.values()
    ]


def clients():
    """Both clients."""
    return flash_integrations.FlashClient, flash_integrations.AsyncFlashClient


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_name_a_public_module(name):
    """What a repr, a pickle or a traceback says of them can be imported."""
    module = import_module(name)
    assert [each for each in PUBLIC[name] if "._" in getattr(module, each).__module__] == []


def test_hints_of_public_classes_resolve():
    """Though they stand in another module than they say; so they can be fields of Pydantic models."""
    kinds = [getattr(flash_integrations, name) for name in flash_integrations.__all__]
    assert [kind for kind in kinds if is_dataclass(kind) and not get_type_hints(kind)] == []
    assert TypeAdapter(flash_integrations.RateLimit).validate_python({"concurrent": 3}).concurrent == 3


def test_both_clients_have_the_same_names():
    """What one client can do, the other can."""
    sync, async_ = clients()
    assert public_members(sync).keys() == public_members(async_).keys()


def test_both_clients_take_the_same_words():
    """Constructors and verbs of both clients agree in names, kinds, defaults and types of their parameters."""
    sync, async_ = clients()
    others = public_members(async_)
    pairs = {name: (member, others[name]) for name, member in public_members(sync).items() if callable(member)}
    pairs["__init__"] = (sync, async_)
    assert [name for name, (one, other) in pairs.items() if without_async(one) != without_async(other)] == []


def test_both_clients_differ_in_await_only():
    """Verbs that send are coroutines in the async client and in it alone; a stream is made by a plain call in both."""
    sync, async_ = map(public_members, clients())
    assert {name for name in SENDING if inspect.iscoroutinefunction(async_[name])} == SENDING
    assert {name for name in NOT_SENDING if inspect.iscoroutinefunction(async_[name])} == set()
    assert {name for name, member in sync.items() if inspect.iscoroutinefunction(member)} == set()
