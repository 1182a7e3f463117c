"""Refusals as langchain-core knows them: since 1.7.5 a content block and an error of their own.

On older versions a refusal is a non-standard block, and structured output raises ``OutputParserException`` for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core import exceptions
from langchain_core.messages import BaseMessage

_ERROR: Any = getattr(exceptions, "ModelRefusalError", None)


def refusal_block(text: str) -> dict[str, Any]:
    """The content block of a refusal."""
    block = {"type": "refusal", "refusal": text}
    return block if _ERROR is not None else {"type": "non_standard", "value": block}


def is_refusal_block(block: Mapping[str, Any]) -> bool:
    """Whether a content block is a refusal, by either version's shape."""
    within = block.get("value") if block["type"] == "non_standard" else block
    return isinstance(within, Mapping) and within.get("type") == "refusal"


def refusal_error(text: str, message: BaseMessage) -> Exception:
    """The error for whoever needs what the model has withheld: what ``ModelRefusalMiddleware`` and fallbacks look for.

    Args:
        text: the model's words.
        message: the answer that holds them.
    """
    if _ERROR is None:
        return exceptions.OutputParserException(f"the model refused: {text}", llm_output=text)
    error: Exception = _ERROR.from_refusal({"type": "refusal", "refusal": text}, raw_message=message)
    return error
