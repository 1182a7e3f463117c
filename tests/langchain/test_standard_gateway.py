"""langchain-tests' integration suite before the scripted gateway: every translation, on a stream-only wire.

What the suite asks of a model's wits the scripted model does by rule, so no capability is left out for want of a model.
"""

from __future__ import annotations

import httpx
import pytest
import standard_files
from langchain_tests.integration_tests import ChatModelIntegrationTests

from flash_integrations.langchain import ChatFlash
from flash_integrations.testing import LocalGateway


@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
class TestChatFlash(ChatModelIntegrationTests):
    """A GPT model at a gateway that answers it only with streams."""

    @pytest.fixture(autouse=True)
    def _gateway(self, monkeypatch):
        monkeypatch.setattr(httpx, "get", standard_files.given)
        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "flash-integrations tests")
        with LocalGateway() as gateway:
            self.gateway = gateway
            yield
            asked = [request for request in gateway.requests if request.model.startswith("gpt-")]
            assert all(request.stream for request in asked)

    @property
    def chat_model_class(self):
        return ChatFlash

    @property
    def chat_model_params(self):
        return {"model": "gpt-5.2", "base_url": self.gateway.base_url, "api_key": self.gateway.api_key}

    @property
    def standard_chat_model_params(self):
        return {**super().standard_chat_model_params, "api_key": self.gateway.api_key}

    @property
    def supports_json_mode(self):
        return True

    @property
    def supports_image_inputs(self):
        return True

    @property
    def supports_image_urls(self):
        return True

    @property
    def supports_image_tool_message(self):
        return True

    @property
    def supports_pdf_inputs(self):
        return True

    @property
    def supports_pdf_tool_message(self):
        return True

    @property
    def supports_audio_inputs(self):
        return True

    @property
    def supports_anthropic_inputs(self):
        return True

    @property
    def supports_model_override(self):
        return True

    @property
    def model_override_value(self):
        return "gpt-5.1"


class TestChatFlashInBlocks(TestChatFlash):
    """The same with content blocks for content."""

    @property
    def chat_model_params(self):
        return {**super().chat_model_params, "output_version": "v1"}
