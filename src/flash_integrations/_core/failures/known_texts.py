"""Texts by which a refusal is known, where no code says what it is: one row a vendor's sentence.

The first row whose pattern is found in the message (or in the parameter it names) decides; case does not count. To
teach a new sentence, add a row with the whole message as its example: a test proves that each example is matched by
its own row and by no earlier one.
"""

from __future__ import annotations

from ...errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextLengthError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from .context_texts import CONTEXT_TEXTS
from .text_rows import FROM_MEMORY, TextRow, TextTable

Kind = type[APIStatusError]

_KINDS: tuple[tuple[Kind, tuple[tuple[str, str, str], ...]], ...] = (
    # What looks like another kind and is not comes first.
    (
        RateLimitError,
        (
            (
                r"quota exceeded for metric.*retry in \d",
                "Gemini's limit per minute, continuedev/continue#10062",
                (
                    "You exceeded your current quota, please check your plan and billing details. * Quota "
                    "exceeded for metric: generate_content_requests. Please retry in 26.5s."
                ),
            ),
            (
                r"\btokens? per (?:min(?:ute)?|hour|day)\b",
                "OpenAI, Groq; openai/openai-cookbook#822",
                (
                    "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, "
                    "Requested 45000. The input or output tokens must be reduced in order to run successfully."
                ),
            ),
            (r"current quota.*retry in \d", FROM_MEMORY, "You exceeded your current quota. Please retry in 26s."),
            (r"\(TP[MD]\)", FROM_MEMORY, "Limit 30000 (TPM): please reduce the length of the messages"),
        ),
    ),
    (
        BadRequestError,
        (
            (
                r"invalid 'user'",
                "OpenAI, as LiteLLM's exception_mapping_utils.py tells it apart",
                "Invalid 'user': string too long. Expected a string with maximum context length 64.",
            ),
            (
                r"string_above_max_length",
                "OpenAI's code, as LiteLLM's exception_mapping_utils.py tells it apart",
                (
                    "Invalid 'messages[0].content': string too long. Expected a string with maximum length 1048576, "
                    "but got a string with length 1200000 instead. messages[0].content string_above_max_length"
                ),
            ),
        ),
    ),
    (
        QuotaExceededError,
        (
            (r"余额", "new-api, AiHubMix's error list", "用户余额不足,需要充值"),
            (r"额度(?:不足|失败|已)", "new-api service/pre_consume_quota.go", "预扣费额度失败"),
            (r"欠费", "Zhipu, Volcengine", "您的账户已欠费，请充值后重试。"),
            (
                r"已达到.{0,20}使用上限",
                "Zhipu's coding plans, dirge-code/dirge#818",
                "已达到 5 小时的使用上限。您的限额将在 2099-08-25 07:41:44 重置。",
            ),
            (r"usage limit (?:has been )?reached", "Codex, CLIProxyAPI#1666", "The usage limit has been reached"),
            (r"(?:hit|reached) your usage limit", "Codex", "You've hit your usage limit. Upgrade to Pro."),
            (r"ly\S* limit exhausted", "Z.ai's error list, its code 1310", "Weekly/Monthly Limit Exhausted."),
            (
                r"set inference limit",
                "Volcengine Ark's SetLimitExceeded",
                (
                    "Your account 21 has reached the set inference limit for the doubao model, and the model "
                    "service has been paused."
                ),
            ),
            (
                r"insufficient (?:account )?(?:balance|credits?|funds?|quota)",
                "DeepSeek, MiniMax, OpenRouter",
                "Insufficient Balance",
            ),
            (
                r"exceeded (?:your |the )?current quota",
                "OpenAI; Moonshot, MoonshotAI/Kimi-K2#5",
                (
                    "Your account is not active, the organization exceeded current quota, please check your "
                    "plan and billing details"
                ),
            ),
            (r"quota is not enough", "one-api relay/controller/helper.go", "user quota is not enough"),
            (r"credit balance is too low", "Anthropic", "Your credit balance is too low to access the Anthropic API."),
            (r"out of credits?", FROM_MEMORY, "You are out of credits"),
            (r"budget has been exceeded", "LiteLLM proxy", "Budget has been exceeded! Current cost: 1.2"),
        ),
    ),
    (
        AuthenticationError,
        (
            (r"无效的令牌", "new-api middleware/auth.go", "无效的令牌 (request id: 1)"),
            (r"令牌(?:已过期|状态不可用|不可用)", "new-api, one-api", "该令牌已过期"),
            (r"未提供令牌", "new-api, one-api", "未提供令牌"),
            (
                r"(?:invalid|incorrect|missing|expired) api[ _-]?key",
                "OpenAI, CLIProxyAPI sdk/access/errors.go",
                "Incorrect API key provided: sk-1234.",
            ),
            (
                r"api[ _-]?key (?:is )?(?:invalid|disabled|expired|missing|not valid)",
                "Gemini",
                "API key not valid. Please pass a valid API key.",
            ),
            (r"^authentication error", "LiteLLM proxy", "Authentication Error, No api key passed in."),
        ),
    ),
    (
        NotFoundError,
        (
            (r"unknown provider for model", "CLIProxyAPI handlers_routing.go", "unknown provider for model X"),
            (
                r"no available channel",
                "new-api in English; laozhang.ai's list of withdrawn models",
                "no available channels for model whisper-1",
            ),
            (r"无可用渠道", "new-api, one-api middleware/distributor.go", "当前分组 default 下对于模型 x 无可用渠道"),
            (r"可用渠道不存在", "new-api controller/relay.go", "分组 x 下模型 y 的可用渠道不存在（retry）"),
            (r"模型不存在", "Zhipu", "模型不存在，请检查模型代码。"),
            (
                r"invalid model name",
                "LiteLLM proxy/route_llm_request.py",
                "/chat/completions: Invalid model name passed in model=X. Call `/v1/models` to view available models.",
            ),
            (
                r"model\b.{0,80}(?:does not exist|not found|is not available)",
                "OpenAI",
                "The model `gpt-9` does not exist or you do not have access to it.",
            ),
            (r"no such model", FROM_MEMORY, "No such model: x"),
            (r"not a valid model", "OpenRouter", "x/y is not a valid model ID"),
            (
                r"no deployments available(?!.*try again)",
                "LiteLLM proxy/_types.py",
                "No deployments available for selected model",
            ),
        ),
    ),
    (
        NotFoundError,
        ((r"channel not implemented", "one-hub: a channel without this route", "channel not implemented"),),
    ),
    (
        BadRequestError,
        (
            (
                r"encrypted content.{0,200}could not be (?:verified|decrypted)",
                "OpenAI, to another account than the one that encrypted it; sub2api#2863, openai/codex#8145",
                "The encrypted content gAAA… could not be verified. Reason: Encrypted content could not be decrypted.",
            ),
        ),
    ),
    (ContextLengthError, CONTEXT_TEXTS),
    (
        ContentFilterError,
        (
            (r"敏感词", "new-api", "检测到敏感词"),
            (r"sensitive_words_detected", "new-api's code", "sensitive_words_detected"),
            (r"内容审核", "SiliconFlow, Baidu", "内容审核未通过"),
            (r"违规内容", FROM_MEMORY, "输入包含违规内容"),
            (
                r"inappropriate content",
                "DashScope, 666ghj/BettaFish#572",
                "Output data may contain inappropriate content.",
            ),
            (
                r"unsafe or sensitive content",
                "Zhipu's code 1301",
                "System detected potentially unsafe or sensitive content in input or generation.",
            ),
            (r"不安全或敏感内容", "Zhipu's code 1301", "系统检测到输入或生成内容可能包含不安全或敏感内容"),
            (
                r"content management policy",
                "Azure",
                "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            ),
            (
                r"content[_ ](?:filter|policy)",
                "OpenAI's images",
                "This request has been blocked by our content filters.",
            ),
        ),
    ),
    (
        RateLimitError,
        (
            (r"rate limit (?:reached|exceeded)", "OpenAI, OpenRouter", "Rate limit exceeded: free-models-per-day"),
            (
                r"too many (?:pending |concurrent )?requests",
                "sub2api handler/openai_gateway_handler.go",
                "Too many pending requests, please retry later",
            ),
            (
                r"concurrency limit exceeded",
                "sub2api handler/openai_gateway_handler.go",
                "Concurrency limit exceeded for user, please retry later",
            ),
            (r"请求数限制", "new-api middleware/model-rate-limit.go", "您已达到请求数限制：1分钟内最多请求60次"),
            (r"并发请求限制", FROM_MEMORY, "您已达到并发请求限制"),
            (r"请求过于频繁", FROM_MEMORY, "请求过于频繁，请稍后再试"),
        ),
    ),
    (
        ServerError,
        (
            (
                r"stream (?:disconnected|closed) before",
                "CLIProxyAPI codex_executor_terminal.go, earendil-works/pi#9735",
                "stream error: stream disconnected before completion: stream closed before response.completed",
            ),
            (
                r"upstream (?:connection|stream).{0,30}(?:closed|ended|lost)",
                FROM_MEMORY,
                "upstream stream ended before its last event",
            ),
            (r"unexpected eof", "Go's own errors, passed on by one-hub", "unexpected EOF"),
            (
                r"connection reset by peer",
                "Go's own errors, passed on by new-api",
                "read tcp 10.0.0.1:443: connection reset by peer",
            ),
            (r"context deadline exceeded", "Go's own errors, passed on by new-api", "context deadline exceeded"),
            (r"overloaded", "Anthropic, Codex", "Our servers are currently overloaded. Please try again later."),
            (r"负载已饱和", "one-api controller/relay.go", "当前分组上游负载已饱和，请稍后再试"),
        ),
    ),
)

KNOWN_TEXTS = TextTable(TextRow(*row, means=kind) for kind, rows in _KINDS for row in rows)
