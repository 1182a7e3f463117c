"""A tokenizer for LlamaIndex that needs no data: it estimates, so that budgets can be kept without a download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._core.policy.token_estimate import count_text
from ..errors import ConfigurationError


def estimate(text: str) -> list[int]:
    """As many numbers as the text has tokens, estimated; which numbers, means nothing.

    LlamaIndex's splitters, memories and counters take the length of such a list and nothing else.
    """
    return list(range(count_text(text)))


def to_tokenizer(given: Any) -> Callable[[str], Any]:
    """What a user gave as ``tokenizer``: a function, or an object with ``encode``; :func:`estimate` for None.

    Raises:
        ConfigurationError: it is neither. A name, which the peers take, would be downloaded.
    """
    if given is None:
        return estimate
    if isinstance(given, str):
        raise ConfigurationError(
            f"tokenizer={given!r} would be downloaded: load it yourself and give its encode method"
        )
    if callable(given) or callable(getattr(given, "encode", None)):
        kept: Callable[[str], Any] = given
        return kept
    raise ConfigurationError(f"tokenizer must be a function from a str to its tokens, not {type(given).__name__}")
