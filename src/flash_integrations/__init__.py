"""Whole answers from OpenAI-format gateways, also from models that answer only to streaming requests.

The transport core is here; the adapters are in ``flash_integrations.langchain`` and
``flash_integrations.llama_index``, errors in ``flash_integrations.errors``. Importing this loads neither framework.
"""

from ._core.completion.completion import ChatDelta, Completion
from ._core.endpoints.embeddings.result import Embeddings
from ._core.policy.timeout import Timeout
from .catalogue import Provider, RateLimit, get_provider, list_models, register_model, register_provider
from .client import AsyncFlashClient, FlashClient

__version__ = "0.1.0"

__all__ = [
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
]
