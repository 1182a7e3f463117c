"""langchain-tests' integration suite on a real model, behind a gateway that answers it only with streams."""

from __future__ import annotations

import httpx
import pytest
import standard_files
from langchain_tests.integration_tests import ChatModelIntegrationTests

from flash_integrations.langchain import ChatFlash


@pytest.mark.vcr
@pytest.mark.filterwarnings(
    "ignore::langchain_core._api.LangChainBetaWarning", "ignore::pytest_benchmark.logger.PytestBenchmarkWarning"
)
class TestChatFlash(ChatModelIntegrationTests):
    """The model under a GPT model's name. It reads text alone: no images, PDFs or audio."""

    @pytest.fixture(autouse=True)
    def _gateway(self, server, gateway, vcr, monkeypatch):
        monkeypatch.setattr(httpx, "get", standard_files.given)
        self.server, self.gateway, self.has_cassette = server, gateway, vcr is not None
        yield
        assert all(request.stream for request in gateway.requests)

    @property
    def chat_model_class(self):
        return ChatFlash

    @property
    def chat_model_params(self):
        return {"model": "gpt-5.2", "base_url": self.gateway.base_url, "api_key": self.gateway.api_key, "seed": 7}

    @property
    def standard_chat_model_params(self):
        # The penalty breaks the loops into which small models fall inside a JSON text, now and then, until it is cut.
        given = {"temperature": 0, "max_tokens": 300, "frequency_penalty": 0.5, "api_key": self.gateway.api_key}
        return {**super().standard_chat_model_params, **given}

    @property
    def has_tool_calling(self):
        return self.server.tools

    @property
    def has_tool_choice(self):
        return self.server.tools

    @property
    def has_structured_output(self):
        return True

    @property
    def supports_json_mode(self):
        return True

    @property
    def supports_model_override(self):
        return True

    @property
    def model_override_value(self):
        # A relayed answer bears the model server's own name for its model, so that is the one to change to.
        return self.server.model

    @property
    def enable_vcr_tests(self):
        return self.has_cassette
