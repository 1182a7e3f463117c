"""langchain-tests' embedding suites, unit and integration, on the local gateway."""

from __future__ import annotations

import pytest
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from flash_integrations.langchain import FlashEmbeddings
from flash_integrations.testing import LocalGateway

pytestmark = pytest.mark.filterwarnings("ignore::pytest_benchmark.logger.PytestBenchmarkWarning")


@pytest.fixture(scope="module")
def gateway():
    with LocalGateway("openai") as gateway:
        yield gateway


class TestFlashEmbeddingsUnit(EmbeddingsUnitTests):
    """What every LangChain embedding class promises without being called."""

    @property
    def embeddings_class(self):
        return FlashEmbeddings

    @property
    def embedding_model_params(self):
        return {"model": "text-embedding-3-large"}

    @property
    def init_from_env_params(self):
        # The key is looked for at the call: what the environment gives shows in no field.
        return {"FLASH_API_KEY": "a-key"}, {"model": "m"}, {"model_name": "m"}


class TestFlashEmbeddingsCalls(EmbeddingsIntegrationTests):
    """What every LangChain embedding class promises when called."""

    @pytest.fixture(autouse=True)
    def _with(self, gateway):
        self.gateway = gateway

    @property
    def embeddings_class(self):
        return FlashEmbeddings

    @property
    def embedding_model_params(self):
        return {"provider": self.gateway.provider, "api_key": self.gateway.api_key}
