"""Parameters of one vendor's own, in every class of both frameworks and in both clients."""

from __future__ import annotations

import pytest

from flash_integrations import AsyncFlashClient, FlashClient
from flash_integrations.errors import ConfigurationError, InvalidRequestError
from flash_integrations.langchain import ChatFlash, FlashEmbeddings
from flash_integrations.llama_index import FlashEmbedding, FlashLLM

ROUTING = {"order": ["azure"], "allow_fallbacks": False}
CLASSES = {
    ChatFlash: {"model": "gpt-5.2"},
    FlashEmbeddings: {"model": "text-embedding-3-small"},
    FlashLLM: {"model": "gpt-5.2"},
    FlashEmbedding: {"model_name": "text-embedding-3-small"},
    FlashClient: {},
    AsyncFlashClient: {},
}
CHATS = {
    ChatFlash: lambda llm, **params: llm.invoke("Hello", **params),
    FlashLLM: lambda llm, **params: llm.complete("Hello", **params),
}


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("name", ["top_k", "models", "thinking", "provider"])
def test_a_constructor_names_extra_body(cls, name):
    """The error says where the parameter goes, and not that another was meant."""
    given = {"top_k": 40, "models": ["a", "b"], "thinking": {"type": "enabled"}, "provider": ROUTING}
    with pytest.raises(ConfigurationError, match=rf'extra_body.*\{{"{name}": \.\.\.\}}') as caught:
        cls(api_key="k", **CLASSES[cls], **{name: given[name]})
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("cls", CHATS)
def test_a_call_sends_what_vendors_alone_know(flash_gateway, cls):
    """By name and by ``extra_body``; routing by the latter alone, as the error says."""
    llm = cls(model="gpt-5.2", provider=flash_gateway.provider, api_key=flash_gateway.api_key)
    ask = CHATS[cls]
    ask(llm, top_k=40, extra_body={"provider": ROUTING, "models": ["a"]})
    body = flash_gateway.requests[-1].body
    assert (body["top_k"], body["provider"], body["models"]) == (40, ROUTING, ["a"])
    with pytest.raises(InvalidRequestError, match=r'extra_body=\{"provider": \.\.\.\}'):
        ask(llm, provider=ROUTING)


def test_the_advice_works(flash_gateway):
    """What the errors say is sent, in both frameworks."""
    given = {"provider": flash_gateway.provider, "api_key": flash_gateway.api_key, "model": "gpt-5.2"}
    ChatFlash(**given, extra_body={"top_k": 40}).invoke("Hello")
    FlashLLM(**given, additional_kwargs={"extra_body": {"top_k": 40}}).complete("Hello")
    assert [request.body["top_k"] for request in flash_gateway.requests] == [40, 40]
