"""Error codes, types and statuses, and the error each means: one row a code, with who sends it."""

from __future__ import annotations

from ...errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextLengthError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)

Kind = type[APIStatusError]

CODE_ROWS: tuple[tuple[Kind, str, str], ...] = (
    (AuthenticationError, "OpenAI, CLIProxyAPI", "invalid_api_key"),
    (AuthenticationError, "sub2api", "api_key_required api_key_disabled api_key_expired user_not_found user_inactive"),
    (QuotaExceededError, "new-api, one-api, one-hub", "insufficient_user_quota pre_consume_token_quota_failed"),
    (QuotaExceededError, "OpenAI", "insufficient_quota billing_hard_limit_reached billing_not_active"),
    (QuotaExceededError, "sub2api", "insufficient_balance subscription_not_found subscription_invalid"),
    (QuotaExceededError, "sub2api", "usage_limit_exceeded billing_error"),
    (QuotaExceededError, "LiteLLM", "budget_exceeded"),
    (QuotaExceededError, "Codex", "usage_limit_reached usage_not_included"),
    (QuotaExceededError, "Moonshot", "exceeded_current_quota_error"),
    (QuotaExceededError, "Volcengine Ark", "setlimitexceeded accountoverdueerror"),
    # Zhipu: arrears; a plan used up for hours, run out, used up for the week or month, without this model
    (QuotaExceededError, "Zhipu, docs.z.ai/api-reference/api-code", "1113 1308 1309 1310 1311"),
    (QuotaExceededError, "MiniMax", "1008 2056"),
    (NotFoundError, "OpenAI, new-api", "model_not_found get_channel_failed"),
    (NotFoundError, "OpenRouter", "unknown_model"),
    (NotFoundError, "Zhipu", "1211"),
    (ContextLengthError, "OpenAI", "context_length_exceeded"),
    (ContextLengthError, "llama.cpp", "exceed_context_size_error"),
    (ContextLengthError, "Zhipu", "1261"),
    (ContextLengthError, "MiniMax", "1039"),
    (ContentFilterError, "new-api", "sensitive_words_detected prompt_blocked"),
    (ContentFilterError, "Azure, OpenAI", "content_filter content_policy_violation"),
    (ContentFilterError, "OpenAI's images", "moderation_blocked"),
    (ContentFilterError, "DashScope", "data_inspection_failed datainspectionfailed"),
    (ContentFilterError, "Zhipu", "1301"),
    (ContentFilterError, "MiniMax", "1026 1027"),
    (BadRequestError, "new-api", "invalid_request"),
    (BadRequestError, "OpenAI", "unsupported_parameter unsupported_value"),
    (PermissionDeniedError, "new-api", "access_denied"),
    (PermissionDeniedError, "sub2api", "forbidden_error"),
    (RateLimitError, "OpenAI", "rate_limit_exceeded"),
    (RateLimitError, "CLIProxyAPI", "model_cooldown"),
    (RateLimitError, "new-api", "token_concurrency_limit_reached"),
    (RateLimitError, "from memory", "too_many_requests"),
    (RateLimitError, "Gemini, whose words for it are those of an exhausted quota", "resource_exhausted"),
    (RateLimitError, "Zhipu: at once, too often, for the day, throttled", "1302 1303 1304 1305"),
    (ServerError, "OpenAI, CLIProxyAPI", "server_error internal_server_error"),
    (ServerError, "Codex", "server_is_overloaded"),
    (ServerError, "CLIProxyAPI, whose type calls it the request's fault", "request_timeout"),
    (ServerError, "new-api", "system_cpu_overloaded system_memory_overloaded system_disk_overloaded do_request_failed"),
    (ServerError, "from memory", "service_unavailable"),
    (ServerError, "Zhipu: the model is overloaded", "1312"),
    # On the Responses wire these come inside a 200, so that no status says whose fault they are.
    (BadRequestError, "OpenAI, openai-python 2.54 types/responses/response_error.py", "invalid_prompt bio_policy"),
    (BadRequestError, "as above", "invalid_image invalid_image_format invalid_image_mode invalid_image_url"),
    (BadRequestError, "as above", "invalid_base64_image image_too_large image_too_small image_parse_error"),
    (BadRequestError, "as above", "image_file_too_large image_file_not_found empty_image_file"),
    (BadRequestError, "as above", "unsupported_image_media_type failed_to_download_image"),
    (BadRequestError, "OpenAI, openai/codex#8145", "invalid_encrypted_content"),
    (BadRequestError, "sub2api#2863", "thinking_signature_invalid"),
    (ContentFilterError, "as response_error.py", "image_content_policy_violation"),
    (NotFoundError, "new-api#4534: a channel without this route, answered with 500", "convert_request_failed"),
    (ServerError, "as response_error.py", "vector_store_timeout"),
)

CODES: dict[str, Kind] = {code: kind for kind, _, codes in CODE_ROWS for code in codes.split()}
"""Error codes, lower case. A number of three digits is no code but a status."""

TYPE_ROWS: tuple[tuple[Kind, str, str], ...] = (
    (AuthenticationError, "Anthropic and its relays, OpenAI", "authentication_error"),
    (AuthenticationError, "LiteLLM", "auth_error"),
    (PermissionDeniedError, "Anthropic and its relays, CLIProxyAPI", "permission_error"),
    (QuotaExceededError, "LiteLLM", "budget_exceeded"),
    (QuotaExceededError, "Anthropic", "billing_error"),
    (QuotaExceededError, "OpenAI", "insufficient_quota"),
    (QuotaExceededError, "Codex", "usage_limit_reached"),
    (QuotaExceededError, "Moonshot, MoonshotAI/Kimi-K2#5", "exceeded_current_quota_error"),
    (NotFoundError, "Anthropic and its relays", "not_found_error"),
    (ContextLengthError, "llama.cpp, ggml-org/llama.cpp#16109", "exceed_context_size_error"),
    (ContextLengthError, "OpenAI", "context_length_exceeded"),
    (ContentFilterError, "DashScope, 666ghj/BettaFish#572", "data_inspection_failed"),
    (RateLimitError, "Anthropic and its relays, CLIProxyAPI", "rate_limit_error"),
    (RateLimitError, "OpenAI", "rate_limit_exceeded"),
    (ServerError, "Anthropic and its relays", "overloaded_error"),
)

TYPES: dict[str, Kind] = {name: kind for kind, _, types in TYPE_ROWS for name in types.split()}
"""Types that mean one thing. ``new_api_error``, ``upstream_error`` and the like say only who speaks."""

WEAK_TYPES: dict[str, Kind] = {"invalid_request_error": BadRequestError}
"""Types that count only where the status says nothing: under 2xx and 5xx."""

STATUSES: dict[int, Kind] = {
    401: AuthenticationError,
    402: QuotaExceededError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: NotFoundError,
    408: ServerError,
    409: ServerError,
    410: NotFoundError,
    425: ServerError,
    429: RateLimitError,
    451: ContentFilterError,
    499: ServerError,
}
"""The last word. Other 4xx are the request's fault, 5xx (529, 599 and Cloudflare's 52x too) the server's."""
