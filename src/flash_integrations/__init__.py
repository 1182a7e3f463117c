"""Whole answers from OpenAI-format gateways, also from models that answer only to streaming requests.

The transport core is here; the adapters are in ``flash_integrations.langchain`` and
``flash_integrations.llama_index``, errors in ``flash_integrations.errors``. Importing this loads neither framework.
"""

from dataclasses import fields, is_dataclass
from typing import get_type_hints

from ._core.completion.completion import ChatDelta, Choice, Completion
from ._core.completion.tool_calls import ToolCall, ToolCallDelta
from ._core.completion.usage import Usage
from ._core.endpoints.embeddings.result import Embeddings
from ._core.policy.timeout import Timeout
from ._core.wire import ChatParams, EmbedParams
from .catalogue import ModelCard, Provider, RateLimit, get_provider, list_models, register_model, register_provider
from .client import AsyncChatStream, AsyncFlashClient, ChatStream, FlashClient

__version__ = "0.1.0"

__all__ = [
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
]

# Pickles, reprs and tracebacks name the place users import from, not the room a class stands in. Type hints are
# resolved before: Pydantic and typing look their names up in a class's module.
for _name in __all__:
    _public = globals()[_name]
    if is_dataclass(_public):
        _public.__annotations__ = get_type_hints(_public)
        for _field in fields(_public):
            _field.type = _public.__annotations__[_field.name]
    _public.__module__ = __name__
