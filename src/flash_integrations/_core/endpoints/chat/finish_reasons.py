"""Other vendors' words for why an answer ended, and what each means in OpenAI's: one row a word.

A word that is in no row stays as it came. To teach one, add a row.
"""

from __future__ import annotations

from typing import Final, NamedTuple

FAILED: Final = "failed"
"""What the words mean that say there is no answer: the call ends in an error, with what had come as its ``partial``."""


class FinishReason(NamedTuple):
    """One row.

    Attributes:
        word: as it stands on the wire, in lower case.
        means: one of OpenAI's reasons, or :data:`FAILED`.
        source: who sends it, and where that was seen.
    """

    word: str
    means: str
    source: str


FINISH_REASONS: tuple[FinishReason, ...] = (
    FinishReason("stop", "stop", "OpenAI; Gemini's STOP"),
    FinishReason("length", "length", "OpenAI"),
    FinishReason("tool_calls", "tool_calls", "OpenAI"),
    FinishReason("content_filter", "content_filter", "OpenAI"),
    FinishReason("function_call", "function_call", "OpenAI, before tools"),
    FinishReason("complete", "stop", "Cohere"),
    FinishReason("eos", "stop", "Together AI"),
    FinishReason("eos_token", "stop", "Hugging Face text-generation-inference"),
    FinishReason("end_turn", "stop", "Anthropic, relayed as it is"),
    FinishReason("stop_sequence", "stop", "Anthropic, relayed as it is"),
    FinishReason("max_tokens", "length", "Anthropic; Gemini's MAX_TOKENS"),
    FinishReason("max_output_tokens", "length", "OpenAI's Responses wire, translated by relays"),
    FinishReason("model_length", "length", "Mistral"),
    FinishReason("model_context_window_exceeded", "length", "Anthropic since Claude 4.5, relayed as it is"),
    FinishReason("tool_use", "tool_calls", "Anthropic, relayed as it is"),
    FinishReason("safety", "content_filter", "Gemini"),
    FinishReason("recitation", "content_filter", "Gemini"),
    FinishReason("prohibited_content", "content_filter", "Gemini"),
    FinishReason("blocklist", "content_filter", "Gemini"),
    FinishReason("spii", "content_filter", "Gemini"),
    FinishReason("language", "content_filter", "Gemini"),
    FinishReason("image_safety", "content_filter", "Gemini"),
    FinishReason("image_prohibited_content", "content_filter", "Gemini"),
    FinishReason("image_recitation", "content_filter", "Gemini"),
    FinishReason("sensitive", "content_filter", "Z.ai, anomalyco/opencode#44092"),
    FinishReason("content_filtered", "content_filter", "Bedrock, relayed as it is"),
    FinishReason("guardrail_intervened", "content_filter", "Bedrock, relayed as it is"),
    FinishReason("refusal", "content_filter", "Anthropic since Claude 4, relayed as it is"),
    FinishReason("error", FAILED, "OpenRouter, whose choice then holds the error"),
    FinishReason("network_error", FAILED, "Z.ai, gethouston/houston#1211"),
    FinishReason("abort", FAILED, "SGLang and vLLM, for a request that was given up"),
    FinishReason("aborted", FAILED, "from memory"),
    FinishReason("cancelled", FAILED, "from memory"),
    FinishReason("insufficient_system_resource", FAILED, "DeepSeek's API reference"),
    FinishReason("malformed_function_call", FAILED, "Gemini, whose answer is then empty"),
    FinishReason("unexpected_tool_call", FAILED, "Gemini, whose answer is then empty"),
)

_MEANINGS = {row.word: row.means for row in FINISH_REASONS}


def read_finish_reason(word: str) -> str:
    """What a word for the end means: one of OpenAI's reasons, :data:`FAILED`, or the word itself."""
    return _MEANINGS.get(word) or _MEANINGS.get(word.rpartition(".")[2].lower(), word)
