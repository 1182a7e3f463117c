"""Refusals as langchain-core knows them: since 1.7.5 a content block and an error of their own.

On older versions a refusal is a non-standard block, and structured output raises ``OutputParserException`` for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core import exceptions
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult

_ERROR: Any = getattr(exceptions, "ModelRefusalError", None)


def refusal_block(text: str) -> dict[str, Any]:
    """The content block of a refusal."""
    block = {"type": "refusal", "refusal": text}
    return block if _ERROR is not None else {"type": "non_standard", "value": block}


def event_block(text: str, *, alone: bool) -> dict[str, Any]:
    """A refusal as a block of a stream of events.

    langchain-core's stream objects drop a standard one (1.8.4). Beside other blocks it comes as a non-standard one,
    which they keep; alone nothing is lost, since a message without blocks shows what its ``additional_kwargs`` have.

    Args:
        text: the model's words.
        alone: whether the answer has no other block.
    """
    return refusal_block(text) if alone else {"type": "non_standard", "value": {"type": "refusal", "refusal": text}}


def with_standard_refusals(result: ChatResult) -> ChatResult:
    """The result of a stream of events, refusals as the block that middleware looks for."""
    for generation in result.generations:
        message = generation.message
        refusal = message.additional_kwargs.get("refusal")
        if not refusal or message.response_metadata.get("output_version") != "v1":
            continue
        if isinstance(message.content, list):
            message.content = [_standard(block) if isinstance(block, dict) else block for block in message.content]
        elif not message.content:
            message.content = [refusal_block(refusal)]
    return result


def _standard(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("type") != "non_standard" or not is_refusal_block(block):
        return block
    index = {"index": block["index"]} if "index" in block else {}
    return refusal_block(block["value"]["refusal"]) | index


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
