"""The contract of LlamaIndex's LLMs on a real model, behind a gateway that answers it only with streams."""

from __future__ import annotations

import pytest
from llm_contract import LLMContract

from flash_integrations.llama_index import FlashLLM


@pytest.mark.vcr
class TestFlashLLM(LLMContract):
    """The model under a GPT model's name: one of text alone, which shows no reasoning and makes one call at a time."""

    thinking = False
    images = False
    audio = False
    documents = False
    parallel_tool_calls = False
    engines = False  # long prompts, and no call that the other tests do not make; see tests/llama_index
    failures = True

    @pytest.fixture(autouse=True)
    def _gateway(self, server, gateway):
        self.server, self.gateway = server, gateway
        self.statuses = []
        yield
        assert all(request.stream for request in gateway.requests)
        assert [request.status for request in gateway.requests if request.status != 200] == self.statuses

    @pytest.fixture
    def llm(self):
        return FlashLLM(
            model="gpt-5.2",
            base_url=self.gateway.base_url,
            api_key=self.gateway.api_key,
            is_function_calling_model=self.tools,
            rate_limit=None,
            max_retries=0,
            temperature=0,
            seed=7,
            max_tokens=100,
            timeout=110,
        )

    @property
    def secret(self):
        return self.gateway.api_key

    @property
    def tools(self):
        return self.server.tools

    @property
    def understands(self):
        # The model without tools is the small one, which is not to be trusted with a question.
        return self.server.tools

    def make_it_fail(self):
        self.statuses = [500]
        self.gateway.fault(500)
