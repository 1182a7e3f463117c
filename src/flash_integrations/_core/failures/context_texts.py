"""Sentences that say messages are longer than the model's window: (pattern, source, example) as in ``known_texts``.

They have a file of their own for they are many: each vendor and each engine words it anew, and whoever misses one
breaks the compaction of an agent's history.
"""

from __future__ import annotations

from .text_rows import FROM_MEMORY

CONTEXT_TEXTS: tuple[tuple[str, str, str], ...] = (
    (
        r"maximum context length",
        "OpenAI, OpenRouter, vLLM, SGLang, Mistral, DeepSeek",
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 8545 tokens.",
    ),
    (r"model's maximum context limit", FROM_MEMORY, "the input is over this model's maximum context limit"),
    (r"exceed context limit", "Anthropic", "input length and `max_tokens` exceed context limit"),
    (
        r"exceeds? (?:the |this model's )?context (?:window|length|size)",
        "OpenAI since 2025",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
    ),
    (
        r"longer than the (?:model's |maximum )?context length",
        "Together AI, SGLang",
        "The input (300 tokens) is longer than the model's context length (200 tokens).",
    ),
    (
        r"input tokens exceed the configured limit",
        "OpenAI's gpt-5",
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens.",
    ),
    (
        r"`inputs` tokens \+ `max_new_tokens` must be",
        "Hugging Face text-generation-inference",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 20 `max_new_tokens`",
    ),
    (
        r"exceeds the available context size",
        "llama.cpp, ggml-org/llama.cpp#16109",
        "the request exceeds the available context size. try increasing it",
    ),
    (r"prompt is too long", "Anthropic", "prompt is too long: 213462 tokens > 200000 maximum"),
    (
        r"prompt too long",
        "Ollama, earendil-works/pi#2626",
        "prompt too long; exceeded max context length by 100918 tokens",
    ),
    (
        r"greater than the context length",
        "LM Studio, as pi's overflow.ts knows it",
        "The number of tokens to keep from the initial prompt is greater than the context length.",
    ),
    (
        r"loaded with context length of only",
        "LM Studio, as pi's overflow.ts knows it",
        (
            "Trying to keep the first 4988 tokens when context the overflows. However, the model is loaded with "
            "context length of only 4096 tokens, which is not enough."
        ),
    ),
    (
        r"maximum (?:allowed )?input length",
        "Poolside behind OpenRouter; Bedrock",
        "Input length 131393 exceeds the maximum allowed input length of 131040 tokens.",
    ),
    (r"prompt (?:exceeds max length|超长)", "Zhipu's code 1261", "Prompt exceeds max length"),
    (r"输入(?:内容)?超长", FROM_MEMORY, "输入内容超长"),
    (
        r"exceeded model token limit",
        "Moonshot, anomalyco/opencode#35920",
        "Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)",
    ),
    (r"context window exceeds limit", "MiniMax's code 2013", "invalid params, context window exceeds limit (2013)"),
    (
        r"maximum (?:prompt|model) length is",
        "xAI",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    ),
    (r"input is too long for (?:the )?requested model", "Bedrock", "Input is too long for requested model."),
    (
        r"token count\b.*\bexceeds the (?:maximum|limit)",
        "Gemini; Copilot",
        "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    ),
    (
        r"reduce the length of the (?:messages|prompt|input)",
        "Groq; Cerebras, cline/cline#5140",
        "Please reduce the length of the messages or completion. Current length is 42328 while limit is 40000",
    ),
    (
        r"configured context size is",
        "Docker Model Runner",
        "Prompt has 5000 tokens, but the configured context size is 4096 tokens",
    ),
    (r"context size (?:has been )?exceeded", "LM Studio, llamafile", "Context size has been exceeded."),
    (r"current length is .{1,40}while limit is", FROM_MEMORY, "Current length is 9000 while limit is 8192"),
    (r"maximum number of tokens allowed", FROM_MEMORY, "more than the maximum number of tokens allowed (1048575)"),
    (
        r"(?:input|prompt).{0,40}exceeds? (?:the |max(?:imum)? ).{1,20}context",
        "SiliconFlow, Fireworks",
        "The prompt of 9000 tokens exceeds the model's context of 8192",
    ),
    (r"contextwindowexceeded", "LiteLLM", "litellm.ContextWindowExceededError: too many"),
    (r"context[_ ](?:length|window)[_ ]exceeded", FROM_MEMORY, "upstream error: context_length_exceeded"),
    (r"超[出过].{0,10}(?:最大长度|上下文)", "Zhipu, Baidu", "输入超出模型最大长度"),
    (r"上下文长度", FROM_MEMORY, "上下文长度不足"),
    # ... of an embedding model
    (
        r"too large to process.{0,20}increase the physical batch size",
        "llama.cpp's embeddings",
        "input (600 tokens) is too large to process. increase the physical batch size (current batch size: 512)",
    ),
    (
        r"must have (?:less|fewer) than \d+ tokens",
        "Hugging Face text-embeddings-inference",
        "`inputs` must have less than 512 tokens. Given: 600",
    ),
    (r"exceeds maximum allowed token size", "NVIDIA NIM", "Input length 600 exceeds maximum allowed token size 512"),
    (r"single text cannot exceed \d+ tokens", "Jina", "Single text cannot exceed 8194 tokens. 9000 tokens given."),
    (r"range of input length should be", "DashScope", "Range of input length should be [1, 30000]"),
    (r"单条(?:文本|输入).{0,12}(?:超过|超出|过长)", "Zhipu", "单条文本长度超过 3072 个 tokens"),
)
