"""From (status, headers, body) to the error to raise: every table that tells refusals apart is here.

Gateways answer "no money" with 402, 403, 422 or 429, "no such model" with 400, 403, 404, 429 or 503, and anything at
all under 200. So an error is told by its code first, then by known texts, then by its type, and by the status last.
The tables hold what new-api, one-api, one-hub, sub2api, CLIProxyAPI, LiteLLM and the vendors behind them were seen to
send (sources read in 2026). To teach a new refusal, add a row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

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
from . import error_body
from .error_body import ErrorFacts, shorten
from .retry_after import retry_after

Kind = type[APIStatusError]

CODES: dict[str, Kind] = {
    **dict.fromkeys(
        (
            "invalid_api_key",
            "api_key_required",
            "api_key_disabled",
            "api_key_expired",
            "user_not_found",
            "user_inactive",
        ),
        AuthenticationError,
    ),
    **dict.fromkeys(
        (
            "insufficient_user_quota",
            "pre_consume_token_quota_failed",
            "insufficient_quota",
            "insufficient_balance",
            "subscription_not_found",
            "subscription_invalid",
            "usage_limit_exceeded",
            "budget_exceeded",
            "billing_error",
            "billing_hard_limit_reached",
            "billing_not_active",
        ),
        QuotaExceededError,
    ),
    **dict.fromkeys(("model_not_found", "get_channel_failed", "unknown_model"), NotFoundError),
    **dict.fromkeys(("context_length_exceeded", "exceed_context_size_error"), ContextLengthError),
    **dict.fromkeys(
        ("sensitive_words_detected", "prompt_blocked", "content_filter", "content_policy_violation"), ContentFilterError
    ),
    **dict.fromkeys(("invalid_request", "unsupported_parameter", "unsupported_value"), BadRequestError),
    **dict.fromkeys(("access_denied", "forbidden_error"), PermissionDeniedError),
    **dict.fromkeys(
        (
            "rate_limit_exceeded",
            "model_cooldown",
            "token_concurrency_limit_reached",
            "too_many_requests",
            "resource_exhausted",  # Gemini, whose words for it are those of an exhausted quota
        ),
        RateLimitError,
    ),
    **dict.fromkeys(
        (
            "server_error",
            "internal_server_error",
            "server_is_overloaded",
            "service_unavailable",
            "system_cpu_overloaded",
            "system_memory_overloaded",
            "system_disk_overloaded",
            "do_request_failed",
        ),
        ServerError,
    ),
}
"""Error codes, lower case. A number is no code but a status."""

TEXTS: tuple[tuple[re.Pattern[str], Kind], ...] = tuple(
    (re.compile("|".join(patterns), re.IGNORECASE), kind)
    for kind, *patterns in (
        (
            QuotaExceededError,
            r"余额|额度不足|额度失败|额度已|剩余额度|欠费|insufficient (?:account )?(?:balance|credits?|funds?|quota)",
            r"exceeded your current quota|quota is not enough|credit balance is too low|out of credits?",
            r"budget has been exceeded",
        ),
        (
            AuthenticationError,
            r"无效的令牌|令牌(?:已过期|状态不可用|不可用)|未提供令牌",
            r"(?:invalid|incorrect|missing|expired) api[ _-]?key",
            r"api[ _-]?key (?:is )?(?:invalid|disabled|expired|missing|not valid)|^authentication error",
        ),
        (
            NotFoundError,
            r"unknown provider for model|no available channel|无可用渠道|可用渠道不存在|模型不存在|invalid model name",
            r"model\b.{0,80}(?:does not exist|not found|is not available)|no such model|not a valid model",
            r"no deployments available(?!.*try again)",
        ),
        (
            ContextLengthError,
            r"exceed context limit|maximum context length|model's maximum context limit|exceeds the context window",
            r"is longer than the model's context length|input tokens exceed the configured limit",
            r"`inputs` tokens \+ `max_new_tokens` must be|exceeds the available context size|prompt is too long",
            r"exceeds the maximum number of tokens allowed|current length is .{1,40}while limit is",
            r"maximum input length is .{1,20}tokens|context[_ ]length[_ ]exceeded|contextwindowexceeded",
            r"上下文长度|超出.{0,10}(?:最大长度|上下文)",
            # Embeddings: llama.cpp, TEI, NIM, Jina, DashScope, Zhipu
            r"too large to process.{0,20}increase the physical batch size|must have (?:less|fewer) than \d+ tokens",
            r"exceeds maximum allowed token size|single text cannot exceed \d+ tokens|range of input length should be",
            r"单条(?:文本|输入).{0,12}(?:超过|超出|过长)",
        ),
        (
            ContentFilterError,
            r"sensitive_words_detected|敏感词|内容审核|违规内容",
            r"content[_ ](?:filter|policy)|content management policy",
        ),
        (
            RateLimitError,
            r"rate limit (?:reached|exceeded)|too many (?:pending |concurrent )?requests|concurrency limit exceeded",
            r"请求数限制|并发请求限制|请求过于频繁",
        ),
        (ServerError, r"overloaded|负载已饱和"),
    )
)
"""Texts by which an error is known, tried in this order on its message. (CN and EN; case does not count.)"""

TYPES: dict[str, Kind] = {
    "authentication_error": AuthenticationError,
    "auth_error": AuthenticationError,
    "permission_error": PermissionDeniedError,
    "budget_exceeded": QuotaExceededError,
    "billing_error": QuotaExceededError,
    "insufficient_quota": QuotaExceededError,
    "not_found_error": NotFoundError,
    "exceed_context_size_error": ContextLengthError,
    "rate_limit_error": RateLimitError,
    "rate_limit_exceeded": RateLimitError,
    "overloaded_error": ServerError,
}
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
    499: ServerError,
}
"""The last word. Other 4xx are the request's fault, 5xx (529, 599 and Cloudflare's 52x too) the server's."""

_NOT_CONTEXT = re.compile(r"string_above_max_length|invalid 'user'", re.IGNORECASE)
_REQUEST_ID_HEADERS = (
    "x-request-id",
    "x-oneapi-request-id",
    "x-litellm-call-id",
    "x-cpa-trace-id",
    "x-generation-id",
    "request-id",
    "cf-ray",
)
_WAF = re.compile(r"error code: 10\d\d|request was blocked|cloudflare|access denied", re.IGNORECASE)

BASE_URL_HINT = "The base URL probably lacks its /v1"


def find_request_id(headers: Mapping[str, str]) -> str | None:
    """The gateway's id for a request, from the first known header that has one. Header names are lower case."""
    return next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), None)


def classify(facts: ErrorFacts, status: int) -> Kind:
    """The kind of a refusal: by code, then by text, then by type, then by status."""
    code, kind_word = (facts.code or "").lower(), (facts.type or "").lower()
    text = f"{facts.message} {facts.param or ''}"
    by_text = next((kind for pattern, kind in TEXTS if pattern.search(text)), None)
    if by_text is ContextLengthError and _NOT_CONTEXT.search(f"{text} {code}"):
        by_text = BadRequestError
    by_code = CODES.get(code)
    if by_code is QuotaExceededError and status == HTTPStatus.FORBIDDEN and kind_word == "permission_error":
        by_code = None  # CLIProxyAPI stamps this code on every 403 that is not JSON
    strong = by_code or by_text or TYPES.get(kind_word)
    if strong is not None:
        return strong
    if (status < 300 or status >= 500) and kind_word in WEAK_TYPES:
        return WEAK_TYPES[kind_word]
    if status in STATUSES:
        return STATUSES[status]
    if 300 <= status < 400:
        return APIStatusError
    return BadRequestError if 400 <= status < 500 else ServerError


def refusal(status: int, headers: Mapping[str, str], body: Any, *, now: float) -> APIStatusError:
    """The error a refusal is.

    Args:
        status: the HTTP status; 200 for an error inside an answer.
        headers: the answer's headers, names in lower case.
        body: the body: bytes, or the JSON object found inside a stream.
        now: Unix time in seconds, against which a ``Retry-After`` date is read.
    """
    facts = error_body.read(body)
    if status < 400 and facts.status is not None:
        status = facts.status
    kind = classify(facts, status)
    error = kind(
        shorten(facts.message) or _no_message(status),
        status_code=status,
        code=facts.code,
        type=facts.type,
        param=facts.param,
        request_id=find_request_id(headers) or facts.request_id,
        hint=_hint(kind, status, facts, headers),
    )
    if isinstance(error, RateLimitError | ServerError):
        error.retry_after = retry_after(
            headers, facts.reset_seconds, facts.message, now=now, limited=isinstance(error, RateLimitError)
        )
    return error


def _no_message(status: int) -> str:
    if status < 300:
        return "the answer broke off with an error that has no message"
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    return f"the gateway answered {status}{phrase} with no message"


def _hint(kind: Kind, status: int, facts: ErrorFacts, headers: Mapping[str, str]) -> str | None:
    if 300 <= status < 400:
        target = headers.get("location", "elsewhere")
        return (
            f"The gateway redirects to {target}, and redirects are not followed with a key: set base_url to its target"
        )
    if kind is PermissionDeniedError and (facts.is_page or _WAF.search(facts.message)):
        return "A firewall before the gateway turned the request away, often for its User-Agent: see default_headers"
    if kind is QuotaExceededError:
        return "The account or plan has no credit left; sending again does not help"
    if status in (404, 405) and (facts.is_page or facts.message.startswith("Invalid URL")):
        return BASE_URL_HINT
    if status == 524:
        return "The proxy before the gateway gave up waiting: stream the answer (force_stream=True)"
    return None
