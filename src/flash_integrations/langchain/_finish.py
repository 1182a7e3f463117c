"""Why an answer ended, in the words that langchain-core 1.8.4 shares among providers (``normalized_finish_reason``).

The words are stop, length, tool_call, content_filter, refusal, context_exceeded, error and other:
https://github.com/langchain-ai/langchainjs/releases/tag/@langchain%2Fcore@1.5.0, and the release notes of each of
LangChain's providers for what they say of their own reasons.
"""

from __future__ import annotations

import re
from typing import Any

from langchain_core.version import VERSION

from .._core.completion.completion import Choice

NORMALIZED = {
    # OpenAI: https://platform.openai.com/docs/api-reference/chat/object
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
    # Anthropic, as gateways pass it on: https://docs.anthropic.com/en/api/handling-stop-reasons
    "refusal": "refusal",
    "model_context_window_exceeded": "context_exceeded",
    # Gemini: https://ai.google.dev/api/generate-content#FinishReason
    "safety": "refusal",
    "prohibited_content": "refusal",
    "blocklist": "refusal",
    "malformed_function_call": "error",
    "malformed_response": "error",
    # OpenRouter: https://openrouter.ai/docs/api-reference/errors
    "error": "error",
}


def is_normalized(version: str = VERSION) -> bool:
    """Whether this langchain-core knows the shared words; older ones get the messages they always had."""
    return [int(number) for number in re.findall(r"\d+", version)[:3]] >= [1, 8, 4]


IS_NORMALIZED = is_normalized()
"""Of the langchain-core that is installed."""


def normalized(choice: Choice) -> str | None:
    """The shared word for a choice's end; None where the gateway named no reason.

    The gateway's own word comes first: what OpenAI's words call a content filter, Gemini's may call a refusal.
    """
    if choice.finish_reason is None:
        return None
    if choice.refusal:
        return "refusal"
    raw = NORMALIZED.get((choice.raw_finish_reason or "").lower())
    if raw is not None and raw != "stop":  # "stop" beside tool calls is the core's "tool_calls"
        return raw
    return NORMALIZED.get(choice.finish_reason, "other")


def finish_fields(metadata: dict[str, Any]) -> dict[str, str]:
    """What langchain-core's ``message-finish`` event says of the end, out of a message's ``response_metadata``."""
    if "normalized_finish_reason" not in metadata:
        return {}
    return {name: metadata[name] for name in ("finish_reason", "normalized_finish_reason")}
