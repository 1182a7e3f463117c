"""LangChain on OpenAI-format gateways: :class:`ChatFlash`, :class:`FlashEmbeddings`."""

try:
    import langchain_core as _  # noqa: F401
except ImportError as error:
    from ..errors import MissingExtraError

    raise MissingExtraError(
        "flash_integrations.langchain needs langchain-core: pip install 'flash-integrations[langchain]'"
    ) from error

from .chat_models import ChatFlash
from .embeddings import FlashEmbeddings

__all__ = ["ChatFlash", "FlashEmbeddings"]
