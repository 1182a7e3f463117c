"""Sentences by which a refusal wants earlier answers otherwise: with their reasoning, or without images."""

from __future__ import annotations

from ..failures.text_rows import FROM_MEMORY, TextRow, TextTable

_TEXT = ("reasoning_content",)
_BLOCKS = ("thinking_blocks", "reasoning_details")
_SIGNATURES = ("reasoning_details", "extra_content")

REASONING_WANTED = TextTable(
    [
        TextRow(
            r"reasoning_content.{0,60}must be passed back",
            "DeepSeek V4, earendil-works/pi#3636",
            "The `reasoning_content` in the thinking mode must be passed back to the API.",
            _TEXT,
        ),
        TextRow(
            r"missing .?reasoning_content",
            "DeepSeek V3.2, abhigyanpatwari/GitNexus#43",
            "Missing `reasoning_content` field in the assistant message at message index 2. For more information, "
            "please refer to https://api-docs.deepseek.com/guides/thinking_mode#tool-calls",
            _TEXT,
        ),
        TextRow(
            r"reasoning_content.{0,3} is missing",
            "Moonshot, labring/FastGPT#6357",
            "thinking is enabled but reasoning_content is missing in assistant tool call message at index 3",
            _TEXT,
        ),
        TextRow(
            r"reasoning_content.{0,60}(?:is required|must be (?:provided|included|present))",
            FROM_MEMORY,
            "reasoning_content is required for assistant messages in thinking mode",
            _TEXT,
        ),
        TextRow(r"reasoning_content.{0,10}必须", FROM_MEMORY, "思考模式下 reasoning_content 必须回传", _TEXT),
        TextRow(r"必须.{0,12}reasoning_content", FROM_MEMORY, "必须回传 reasoning_content", _TEXT),
        TextRow(r"缺少.{0,3}reasoning_content", FROM_MEMORY, "assistant 消息缺少 reasoning_content", _TEXT),
        TextRow(
            r"expected .?thinking.? or .?redacted_thinking.?",
            "Claude behind LiteLLM, anomalyco/opencode#3077",
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.",
            _BLOCKS,
        ),
        TextRow(
            r"must start with a thinking block",
            "Claude behind OpenRouter, OpenRouterTeam/ai-sdk-provider#162",
            "When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the "
            "lastmost set of `tool_use` and `tool_result` blocks).",
            _BLOCKS,
        ),
        TextRow(
            r"missing a .?thought_?signature",
            "Gemini, openai/openai-python#2758",
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
            "correctly, and missing thought_signature may lead to degraded model performance.",
            _SIGNATURES,
        ),
        TextRow(
            r"reasoning_details.{0,60}(?:must be|is required|is missing|are missing)",
            FROM_MEMORY,
            "reasoning_details must be passed back unmodified",
            ("reasoning_details",),
        ),
    ]
)
"""The reasoning of earlier answers must go back; a row means the fields that do, the likeliest first."""

USER_IMAGES_ONLY = TextTable.of(
    (
        r"only allowed for messages with role '?user",
        "OpenAI, OpenHands/OpenHands#7700",
        "Image URLs are only allowed for messages with role 'user', but this message with role 'tool' contains one.",
    ),
    (
        r"supported in user messages only",
        "DeepSeek's vision server, MiaAI-Lab/DeepSeek-v4-Flash-DSpark-2x-DGX-Spark#178",
        "Images are supported in user messages only: images in 'tool' messages return a 400 error.",
    ),
    (
        r"tool messages?.{0,20} only supports? text",
        "vLLM, vllm-project/vllm#43203",
        "Tool message content only supports text content",
    ),
    (
        r"not support image tool results",
        "DeepSeek's clients, Stack-Cairn/LiveAgent#729",
        "DeepSeek Responses does not support image tool results.",
    ),
    (
        r"you have uploaded an unsupported image",
        "DeepSeek, NousResearch/hermes-agent#109707",
        ".messages[565].image[0]: You have uploaded an unsupported image. Please make sure your image is valid",
    ),
    (
        r"invalid 'messages' in payload",
        "LM Studio, QwenLM/qwen-code#3616",
        "Invalid 'messages' in payload. Please check the structure of your 'messages' and try again.",
    ),
    (
        r"invalid input.{0,40}messages\.\d+\.content",
        "Z.ai's GLM, CommandCodeAI/command-code#795",
        "Invalid input messages.12.content",
    ),
    (
        r"image\w*(?: urls?| content| parts?)? (?:is|are) (?:not|only) (?:supported|allowed).{0,30}(?:role|messages)",
        FROM_MEMORY,
        "image_url is not supported in tool messages",
    ),
    (
        r"(?:tool|assistant)\b.{0,80}(?:must be|expected) (?:a )?string",
        FROM_MEMORY,
        "messages[2] with role 'tool': content must be a string",
    ),
)
"""Images outside users' messages are refused; they are moved where the request has some."""
