"""The contract of LlamaIndex's LLMs before the scripted gateway: every call, on a stream-only wire and on a plain one.

What the contract asks of a model's wits the scripted model does by rule, so no capability is left out for want of a
model.
"""

from __future__ import annotations

import pytest
from llm_contract import LLMContract

from flash_integrations.llama_index import FlashLLM
from flash_integrations.testing import Answer, LocalGateway


class TestFlashLLM(LLMContract):
    """A GPT model at a gateway that answers it only with streams."""

    model = "gpt-5.2"
    handover = True
    failures = True

    @pytest.fixture(autouse=True)
    def _gateway(self):
        self.statuses = []
        with LocalGateway(provider="flashapi") as gateway:
            self.gateway = gateway
            yield
            if self.model.startswith("gpt-"):
                assert all(request.stream for request in gateway.requests)
            assert [request.status for request in gateway.requests if request.status != 200] == self.statuses

    @pytest.fixture
    def llm(self):
        return FlashLLM(
            model=self.model,
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

    def make_it_hand_over(self, agent):
        self.gateway.script(Answer(tool_calls=[("handoff", {"to_agent": agent, "reason": "it knows more"})]))

    def make_it_fail(self):
        self.statuses = [500]
        self.gateway.fault(500)


class TestFlashLLMPlainly(TestFlashLLM):
    """A model that the same gateway answers plainly, and that fills classes by calling a tool."""

    model = "claude-sonnet-4-6"
