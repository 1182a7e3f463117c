"""Why this package is there: at the same gateway, before the same model, the peers' defaults fail."""

from __future__ import annotations

import openai
import pytest
from langchain_openai import ChatOpenAI
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

from flash_integrations.langchain import ChatFlash

pytestmark = pytest.mark.vcr


def test_chat_openai_is_refused(gateway):
    """ChatOpenAI with its defaults sends a plain request, which the gateway refuses; ChatFlash is answered."""
    params = {"model": "gpt-5.2", "base_url": gateway.base_url, "api_key": gateway.api_key, "max_tokens": 20}
    with pytest.raises(openai.BadRequestError, match="stream"):
        ChatOpenAI(max_retries=0, **params).invoke("Say hello.")
    assert ChatFlash(**params).invoke("Say hello.").text


def test_openai_like_is_refused(gateway):
    """OpenAILike sends a plain request as well, even when told that the model chats."""
    llm = OpenAILike(
        model="gpt-5.2", api_base=gateway.base_url, api_key=gateway.api_key, is_chat_model=True, max_retries=0
    )
    with pytest.raises(openai.BadRequestError, match="stream"):
        llm.chat([ChatMessage(role="user", content="Say hello.")])
