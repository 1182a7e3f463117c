"""Sentences by which a refusal says what to send instead, one row a vendor's; what is learned by them: ``quirks``."""

from __future__ import annotations

from ..failures.text_rows import FROM_MEMORY, TextTable

MUST_STREAM = TextTable.of(
    (r"stream must be (?:set to )?true", "Codex, leookun/cursor-byok#14", "Stream must be set to true"),
    (
        r"only support(?:s|ed)? stream",
        "DashScope, labring/FastGPT#4738, infiniflow/ragflow#5912",
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
        r"expected true.{0,40}stream",
        "validators in zod's style, decolua/9router#1705",
        "Invalid literal value, expected true at path stream",
    ),
    (r"does not support http call", "DashScope's socket models", "current user api does not support http call"),
    (r"stream.{0,40}expected true", FROM_MEMORY, "stream: Invalid literal value, expected true"),
    (
        r"(?:must|has to|needs to) be (?:called |used )?(?:with )?stream(?:ed|ing|\W*true)",
        FROM_MEMORY,
        "all GPT models must be called with stream:true",
    ),
    (r"(?:does not|doesn't) support non-?stream", FROM_MEMORY, "the model does not support non-streaming"),
    (r"non-?stream\w* (?:\w+ ){0,3}not (?:supported|allowed)", FROM_MEMORY, "Non-streaming requests are not supported"),
    (r"[只仅]支持流式", FROM_MEMORY, "该模型仅支持流式调用"),
    (r"必须(?:使用)?流式", FROM_MEMORY, "必须使用流式调用"),
    (r"不支持非流式", FROM_MEMORY, "该模型不支持非流式调用"),
)
"""A plain request that must be a streamed one."""

MUST_NOT_STREAM = TextTable.of(
    (
        r"must be verified to stream",
        "OpenAI, BeehiveInnovations/pal-mcp-server#134",
        (
            "Your organization must be verified to stream this model. Please go to: "
            "https://platform.openai.com/settings/organization/general and click on Verify Organization."
        ),
    ),
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
        "OpenAI's o1, github/gh-models#31",
        "Unsupported value: 'stream' does not support true with this model. Supported values are: false.",
    ),
    (r"stream must be (?:set to )?false", FROM_MEMORY, "stream must be false"),
    (r"不支持流式", FROM_MEMORY, "该模型不支持流式输出"),
    (r"仅支持非流式", FROM_MEMORY, "该模型仅支持非流式调用"),
)
"""A streamed request that must be a plain one."""

NOT_TAKEN = TextTable.of(
    (r"unsupported", "OpenAI, Codex", "Unsupported parameter: 'temperature'"),
    (
        r"not (?:currently |yet |presently )?supported",
        "vLLM, Groq, LM Studio",
        "`parallel_tool_calls` is not currently supported",
    ),
    (
        r"n[o']t (?:currently |yet )?support(?!ed)",
        "DeepSeek, opencode#15226; DashScope, cloudwego/eino#994",
        (
            "<400> InternalError.Algo.InvalidParameter: The tool_choice parameter does not support being set to "
            "required or object in thinking mode"
        ),
    ),
    (r"unknown", "Gemini", "Invalid JSON payload received. Unknown name \"strict\" at 'tools[0].function'"),
    (r"unrecogni[sz]ed", "OpenAI", "Unrecognized request argument supplied: store"),
    (r"unexpected", "TypeErrors of Python servers", "got an unexpected keyword argument 'seed'"),
    (r"extra inputs?", "Mistral, void#128", "Extra inputs are not permitted: max_completion_tokens"),
    (r"extra fields?", "Pydantic 1", "seed: extra fields not permitted"),
    (r"extra_forbidden", "Pydantic 2's code", "seed: extra_forbidden"),
    (r"unavailable", "DeepSeek", "This response_format type is unavailable now"),
    (r"only the default", "OpenAI's o-series", "temperature: Only the default (1) value is possible."),
    (
        r"only \S+ is allowed",
        "Moonshot, opencyvis/opencyvis-phone#12",
        "invalid temperature: only 1 is allowed for this model",
    ),
    (r"不支持", "Zhipu, Baidu", "该模型不支持参数 top_p"),
    (
        r"not (?:currently |yet |presently )?(?:implemented|recogni[sz]ed|enabled)",
        FROM_MEMORY,
        "'parallel_tool_calls' is not implemented",
    ),
    (r"not (?:permitted|allowed|accepted|available)", FROM_MEMORY, "seed is not allowed"),
    (r"未知参数", FROM_MEMORY, "未知参数 seed"),
)
"""Words by which a refusal says that something is not taken at all, rather than that its value is off."""

VALUE_FAULTS = TextTable.of(
    (r"invalid schema", "OpenAI", "Invalid schema for function 'lookup': array schema missing items"),
    (r"in context=", "OpenAI", "In context=(), 'required' is required to be supplied"),
    (
        r"must contain the word",
        "OpenAI; DashScope, agno-agi/agno#5317",
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    ),
    (r"at most", "OpenAI", "max_tokens is too large: 100000. This model supports at most 16384 completion tokens."),
    (
        r"(?<!_)schema (?:has|must)",
        "Gemini",
        "The specified schema has too many states for serving. Unsupported complexity.",
    ),
    (r"only allowed when", "OpenAI", "'parallel_tool_calls' is only allowed when 'tools' are specified."),
    (r"tool.{0,60}not (?:found|in|among)", "OpenAI", "Tool choice 'lookup' not found in 'tools' parameter."),
    (r"nesting depth", FROM_MEMORY, "json_schema: nesting depth of 6 is not supported"),
    (r"recursive", FROM_MEMORY, "recursive json_schema is not supported"),
    (r"too (?:large|long|small|high|low|many)", FROM_MEMORY, "unsupported value: temperature is too high"),
    (r"(?:greater|less|more) than", FROM_MEMORY, "unsupported value: top_p must be less than 1"),
    (r"maximum", FROM_MEMORY, "unsupported value: the maximum of top_logprobs is 20"),
    (r"between \S+ and", FROM_MEMORY, "unsupported value: temperature must be between 0 and 2"),
    (
        r"when .{0,20}tools? (?:is|are) (?:not )?(?:specified|provided)",
        FROM_MEMORY,
        "tool_choice is not allowed when no tools are provided",
    ),
    (r"without tools", FROM_MEMORY, "tool_choice is not allowed without tools"),
    (r"no such tool", FROM_MEMORY, "tool_choice not allowed: no such tool"),
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

NO_DEVELOPER = TextTable.of(
    (
        r"unknown variant `developer`",
        "DeepSeek, num-scope/pix#34",
        (
            "Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, "
            "expected one of `system`, `user`, `assistant`, `tool`, `latest_reminder` at line 1 column 60"
        ),
    ),
    (
        r"developer'? is not one of",
        "DashScope, haru/redmine_ai_helper#242",
        "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.['0].role'",
    ),
    (
        r"does not support 'developer'",
        "OpenAI's o1-preview, Azure; agno-agi/agno#1770",
        "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
    ),
    (
        r"invalid value: `developer`",
        "Volcengine Ark, agno-agi/agno#6697",
        (
            "The parameter `messages.role` specified in the request are not valid: invalid value: `developer`, "
            "supported values are: `system`, `assistant`, `user`, `tool`."
        ),
    ),
    (
        r"invalid role 'developer'",
        "relays behind new-api, QuantumNous/new-api#5330",
        "invalid parameter 'messages[0].role': invalid role 'developer', must be one of: system, user, assistant, tool",
    ),
    (
        r"received 'developer'",
        "Vercel's AI Gateway, egoist/chatwise-releases#971",
        "Invalid enum value. Expected 'system' | 'user' | 'assistant' | 'tool', received 'developer'",
    ),
    (r"incorrect role information", "Zhipu's code 1214, PI-Desktop#30", "[1214] Incorrect role information"),
    (r"角色信息", "Zhipu's code 1214 in Chinese", "[1214] 角色信息不正确"),
    (r"\brole\b.{0,80}\bdeveloper\b", FROM_MEMORY, "no such role: developer"),
    (r"\bdeveloper\b.{0,80}\brole\b", FROM_MEMORY, "developer is no known role"),
    (r"one of\b.{0,120}\bdeveloper\b", FROM_MEMORY, "must be one of system, user, assistant, tool, not developer"),
    (
        r"\brole: input should be '",
        FROM_MEMORY,
        "body.messages.0.role: Input should be 'system', 'user', 'assistant' or 'tool'",
    ),
    (r"(?:unsupported|invalid|unexpected)\b.{0,40}\bdeveloper\b", FROM_MEMORY, "unexpected message of developer"),
    (
        r"\bdeveloper\b.{0,40}(?:support|invalid|unexpected|must be|one of)",
        FROM_MEMORY,
        "developer messages are not supported",
    ),
)
"""A role ``developer`` that is not known, where ``system`` is."""

WANTS_TEXT = TextTable.of(
    (
        r"invalid type: sequence, expected a string",
        "DeepSeek, lastmile-ai/mcp-agent#25",
        (
            "Failed to deserialize the JSON body into the target type: messages[2]: invalid type: sequence, expected a "
            "string at line 1 column 639"
        ),
    ),
    (
        r"cannot unmarshal array into .{0,60} of type string",
        "one-api and other relays in Go, labring/FastGPT#506",
        "json: cannot unmarshal array into Go struct field Message.messages.content of type string",
    ),
    (
        r"input should be a valid string",
        "Pydantic, before vLLM and others, vllm-project/vllm#18729",
        "messages.2.tool.content: Input should be a valid string",
    ),
    (r"expected (?:a )?string", FROM_MEMORY, "content: expected a string"),
    (r"must be (?:a )?(?:valid )?string", FROM_MEMORY, "messages[1].content must be a string"),
    (r"should be a string", FROM_MEMORY, "content should be a string"),
)
"""A message's content that must be a text: no list of parts, no null."""

WANTS_CONTENT = TextTable.of(
    (r"got null", "OpenAI, run-llama/llama_index#17555", "Invalid value for 'content': expected a string, got null."),
    (r"\bnull\b", FROM_MEMORY, "messages[1].content cannot be null"),
    (r"\bnone\b", FROM_MEMORY, "content is None"),
    (r"required", FROM_MEMORY, "messages[1].content is required"),
    (r"empty", FROM_MEMORY, "messages[1].content must not be empty"),
)
"""A message's content that must not be null, in other words."""

NO_SUCH_FORMAT = TextTable.of(
    (
        r"'response_format\.type' must be",
        "LM Studio, lmstudio-ai/lmstudio-bug-tracker#189",
        "'response_format.type' must be 'json_schema' or 'text'",
    ),
    (
        r"supported values are",
        "OpenAI's form, epuerta9/deep-research-py#19",
        "Invalid value: 'object'. Supported values are: 'json_object', 'json_schema', and 'text'.",
    ),
    (
        r"input should be '",
        "Pydantic's literal_error, before vLLM and others",
        "response_format.type: Input should be 'text' or 'json_object'",
    ),
    (r"invalid (?:type|value)", FROM_MEMORY, "invalid type of response_format"),
    (r"must be", FROM_MEMORY, "response_format must be text"),
    (r"one of", FROM_MEMORY, "response_format is not one of text, json_object"),
)
"""A response format that is not among those a gateway knows, where the text names it."""
