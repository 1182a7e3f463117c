"""LlamaIndex's own ``rate_limiter``, which its classes take for anything and miss at the first call only."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigurationError


def check_rate_limiter(given: Any) -> Any:
    """The limiter, or None.

    Raises:
        ConfigurationError: it cannot be asked as a ``BaseRateLimiter`` is.
    """
    if given is None or all(callable(getattr(given, name, None)) for name in ("acquire", "async_acquire")):
        return given
    raise ConfigurationError(
        "rate_limiter must be a BaseRateLimiter of llama_index.core.rate_limiter"
        f" (our own limits go by rate_limit=), not {type(given).__name__}"
    )
