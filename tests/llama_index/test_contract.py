"""The contract of LlamaIndex's LLMs before the scripted gateway: every call, on a stream-only wire.

What the contract asks of a model's wits the scripted brain does by rule, so no capability is left out for want of a
model.
"""

from __future__ import annotations

import pytest
from llm_contract import LLMContract

from flash_integrations.llama_index import FlashLLM
from flash_integrations.testing import Answer, LocalGateway


class TestFlashLLM(LLMContract):
    """A GPT model at a gateway that answers it only with streams."""

    @pytest.fixture(autouse=True)
    def _gateway(self):
        with LocalGateway(provider="flashapi") as gateway:
            self.gateway = gateway
            yield
            assert all(request.stream and request.status == 200 for request in gateway.requests)

    @pytest.fixture
    def llm(self):
        return FlashLLM(
            model="gpt-5.2",
            base_url=self.gateway.base_url,
            api_key=self.gateway.api_key,
            rate_limit=None,
            max_retries=0,
        )

    @property
    def secret(self):
        return self.gateway.api_key

    def make_it_think(self):
        self.gateway.script(Answer(text="Hello.", reasoning="Let me see."))
