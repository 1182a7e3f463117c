"""Sentences by which a refusal says what to send instead, one row a vendor's; what is learned by them: ``quirks``."""

from __future__ import annotations

from ..failures.text_rows import FROM_MEMORY, TextRow, TextTable

MUST_STREAM = TextTable.of(
    (r"stream must be (?:set to )?true", "Codex, leookun/cursor-byok#14", "Stream must be set to true"),
    (
        r"only support(?:s|ed)? stream",
        "DashScope, labring/FastGPT#4738",
        "This model only support stream mode, please enable the stream parameter to access the model.",
    ),
    (
        r"must be set to false for non-streaming calls",
        "DashScope's Qwen3, langchain4j#3974",
        "parameter.enable_thinking must be set to false for non-streaming calls",
    ),
    (
        r"can ?not be support when `?stream=false",
        "ModelScope, musistudio/claude-code-router#948",
        "enable thinking can not be support when `stream=False`.",
    ),
    (
        r"expected true.{0,40}stream|stream.{0,40}expected true",
        "validators in zod's style, decolua/9router#1705",
        "Invalid literal value, expected true at path stream",
    ),
    (
        r"does not support http call",
        "DashScope's socket models",
        "current user api does not support http call",
    ),
    (
        r"(?:must|has to|needs to) be (?:called |used )?(?:with )?stream(?:ed|ing|\W*true)",
        FROM_MEMORY,
        "all GPT models must be called with stream:true",
    ),
    (r"(?:does not|doesn't) support non-?stream", FROM_MEMORY, "the model does not support non-streaming"),
    (
        r"non-?stream\w* (?:\w+ ){0,3}not (?:supported|allowed)",
        FROM_MEMORY,
        "Non-streaming requests are not supported",
    ),
    (r"只支持流式|仅支持流式|必须(?:使用)?流式|不支持非流式", FROM_MEMORY, "该模型仅支持流式调用"),
)
"""A plain request that must be a streamed one (GATEWAYS A7)."""

MUST_NOT_STREAM = TextTable.of(
    (r"stream must be (?:set to )?false", FROM_MEMORY, "stream must be false"),
    (
        (
            r"(?<!non-)(?<!non)stream(?:ing)?(?: mode| output| requests?| responses?)? (?:is |are )?"
            r"(?:not|un)[ -]?(?:supported|allowed|available|enabled)"
        ),
        "lightdash/lightdash#24129",
        "Streaming is not supported for this model",
    ),
    (
        r"(?:does not|doesn't|not) support (?:sse |server-sent )?stream",
        "Vertex, behind relays",
        "the model does not support streaming",
    ),
    (
        r"unsupported (?:parameter|value)\W{1,4}stream\b(?!_)",
        "OpenAI's form",
        "Unsupported value: 'stream' does not support true with this model.",
    ),
    (r"不支持流式|仅支持非流式", FROM_MEMORY, "该模型不支持流式输出"),
)
"""A streamed request that must be a plain one."""

NOT_TAKEN = TextTable.of(
    (r"unsupported", "OpenAI, Codex", "Unsupported parameter: 'temperature'"),
    (
        r"not (?:currently |yet |presently )?(?:supported|implemented|recogni[sz]ed|enabled)",
        "vLLM, Groq, LM Studio",
        "`parallel_tool_calls` is not currently supported",
    ),
    (
        r"n[o']t (?:currently |yet )?support",
        "DeepSeek, opencode#15226",
        "Thinking mode does not support this tool_choice",
    ),
    (r"unknown|unrecogni[sz]ed", "OpenAI, Gemini", "Unrecognized request argument supplied: store"),
    (r"unexpected", "TypeErrors of Python servers", "got an unexpected keyword argument 'seed'"),
    (
        r"extra (?:fields?|inputs?)|extra_forbidden",
        "Mistral, void#128",
        "Extra inputs are not permitted: max_completion_tokens",
    ),
    (
        r"not (?:permitted|allowed|accepted|available)|unavailable",
        "DeepSeek",
        "This response_format type is unavailable now",
    ),
    (r"only the default", "OpenAI's o-series", "temperature: Only the default (1) value is possible."),
    (r"不支持|未知参数", "Zhipu, Baidu", "该模型不支持参数 top_p"),
)
"""Words by which a refusal says that something is not taken at all, rather than that its value is off."""

VALUE_FAULTS = TextTable.of(
    (
        r"invalid schema",
        "OpenAI",
        "Invalid schema for response_format 'Made': In context=('properties', 'tags'), 'uniqueItems' is not permitted.",
    ),
    (r"in context=", "OpenAI", "In context=(), 'required' is required to be supplied"),
    (
        r"must contain the word",
        "OpenAI",
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    ),
    (
        r"(?<!_)schema (?:has|must)|nesting depth|recursive",
        "Gemini, Groq",
        "The specified schema has too many states for serving. Unsupported complexity.",
    ),
    (
        r"too (?:large|long|small|high|low|many)|at most|(?:greater|less|more) than|maximum|between \S+ and",
        "OpenAI, DashScope",
        "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
    ),
    (
        r"only allowed when|when .{0,20}tools? (?:is|are) (?:not )?(?:specified|provided)|without tools",
        "OpenAI",
        "'parallel_tool_calls' is only allowed when 'tools' are specified.",
    ),
    (
        r"tool.{0,60}not (?:found|in|among)|no such tool",
        "OpenAI",
        "Tool choice 'lookup' not found in 'tools' parameter.",
    ),
)
"""Words by which a refusal blames this value, not what it is a value of: nothing is learned from them."""

NO_REQUIRED_TOOL = TextTable.of(
    (
        r"must either be a named tool",
        "vLLM before 0.8, vllm-project/vllm#11700",
        'tool_choice must either be a named tool, "auto", or "none".',
    ),
    (
        r"invalid value: ?'required'",
        "Azure, LiteLLM#6091",
        "Invalid value: 'required'. Supported values are: 'none' and 'auto'.",
    ),
    (
        r"'?\"?required\"?'? (?:is not|isn't|not) (?:a )?(?:supported|valid|allowed)",
        "Ollama's relays",
        "tool_choice 'required' is not supported",
    ),
)
"""A choice of "required" that is not known, where a named tool may be."""

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
        TextRow(
            r"reasoning_content.{0,10}必须|(?:缺少|必须.{0,12}) ?.?reasoning_content",
            FROM_MEMORY,
            "思考模式下 reasoning_content 必须回传",
            _TEXT,
        ),
        TextRow(
            r"expected .?thinking.? or .?redacted_thinking.?",
            "Claude behind LiteLLM, anomalyco/opencode#3077",
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When "
            "`thinking` is enabled, a final `assistant` message must start with a thinking block",
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
