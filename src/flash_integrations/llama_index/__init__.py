"""LlamaIndex on OpenAI-format gateways: :class:`FlashLLM`, :class:`FlashEmbedding`."""

try:
    import llama_index.core as _  # noqa: F401
except ImportError as error:
    from ..errors import MissingExtraError

    raise MissingExtraError(
        "flash_integrations.llama_index needs llama-index-core: pip install 'flash-integrations[llama-index]'"
    ) from error

from .embeddings import FlashEmbedding
from .llms import FlashLLM

__all__ = ["FlashEmbedding", "FlashLLM"]
