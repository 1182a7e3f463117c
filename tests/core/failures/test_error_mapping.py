"""From (status, headers, body) to the error: gateway by gateway, and row by row of docs/wire-quirks.md (H1-H24)."""

from __future__ import annotations

import json
import pickle

import pytest

from flash_integrations._core.failures.error_mapping import refusal
from flash_integrations._core.failures.known_codes import CODES, TYPES
from flash_integrations.errors import (
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


def refused(status, body=b"", **headers):
    """The error for an answer; header names with underscores, the body as bytes or as what JSON it holds."""
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False).encode()
    return refusal(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, now=0.0)


def nested(message, **error):
    """OpenAI's form of an error."""
    return {"error": {"message": message, **error}}


KINDS = {
    # the same events at different gateways
    "new-api bad key": (401, nested("无效的令牌 (request id: 1)", type="new_api_error", code=""), AuthenticationError),
    "one-api bad key": (401, nested("x", type="one_api_error"), AuthenticationError),
    "sub2api bad key": (401, {"code": "INVALID_API_KEY", "message": "x"}, AuthenticationError),
    "sub2api key disabled": (401, {"code": "API_KEY_DISABLED", "message": "x"}, AuthenticationError),
    "CLIProxyAPI bad key": (401, {"error": "Invalid API key"}, AuthenticationError),
    "CLIProxyAPI no key": (401, {"error": "Missing API key"}, AuthenticationError),
    "LiteLLM bad key": (401, nested("Authentication Error, x", type="auth_error", code="401"), AuthenticationError),
    "OpenRouter bad key": (401, nested("No auth", code=401), AuthenticationError),
    "bad key as 400": (400, nested("API key not valid. Please pass a valid API key."), AuthenticationError),
    "bad key under 200": (200, {"code": 401, "msg": "invalid", "success": False}, AuthenticationError),
    "new-api no money": (403, nested("用户额度不足, 剩余额度: ¥0", code="insufficient_user_quota"), QuotaExceededError),
    "new-api token used up": (403, nested("x", code="pre_consume_token_quota_failed"), QuotaExceededError),
    "new-api text alone": (403, nested("预扣费额度失败"), QuotaExceededError),
    "one-api no money": (403, nested("user quota is not enough"), QuotaExceededError),
    "one-hub no money": (402, nested("x", code="insufficient_user_quota"), QuotaExceededError),
    "sub2api no money": (403, {"code": "INSUFFICIENT_BALANCE", "message": "x"}, QuotaExceededError),
    "sub2api billing": (403, nested("x", type="billing_error"), QuotaExceededError),
    "sub2api plan used up": (429, {"code": "USAGE_LIMIT_EXCEEDED", "message": "x"}, QuotaExceededError),
    "sub2api no plan": (403, {"code": "SUBSCRIPTION_NOT_FOUND", "message": "x"}, QuotaExceededError),
    "LiteLLM budget": (422, nested("Budget has been exceeded!", type="budget_exceeded"), QuotaExceededError),
    "OpenAI no money": (429, nested("You exceeded your current quota", code="insufficient_quota"), QuotaExceededError),
    "MiniMax no money": (
        200,
        {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
        QuotaExceededError,
    ),
    "402 of any kind": (402, nested("x"), QuotaExceededError),
    "new-api too fast": (429, nested("您已达到请求数限制：1分钟内最多请求60次", code=""), RateLimitError),
    "new-api at once": (429, nested("您已达到并发请求限制：最多同时进行 5 个请求"), RateLimitError),
    "one-api too fast": (429, b"", RateLimitError),
    "sub2api too fast": (
        429,
        nested("Too many pending requests, please retry later", type="rate_limit_error"),
        RateLimitError,
    ),
    "CLIProxyAPI cooling": (
        429,
        nested("All credentials for model X are cooling down", code="model_cooldown"),
        RateLimitError,
    ),
    "Gemini too fast": (
        429,
        [nested("You exceeded your current quota. Please retry in 20s.", code=429, status="RESOURCE_EXHAUSTED")],
        RateLimitError,
    ),
    "too fast in band": (200, nested("x", type="rate_limit_error", code="429"), RateLimitError),
    "new-api no channel": (503, nested("x", code="model_not_found"), NotFoundError),
    "new-api no channel, again": (
        500,
        nested("分组 x 下模型 y 的可用渠道不存在（retry）", code="get_channel_failed"),
        NotFoundError,
    ),
    "one-api no channel": (503, nested("当前分组 default 下对于模型 x 无可用渠道"), NotFoundError),
    "one-hub no model": (404, nested("x"), NotFoundError),
    "CLIProxyAPI no model": (
        400,
        nested("unknown provider for model X", type="invalid_request_error", code="model_not_found"),
        NotFoundError,
    ),
    "LiteLLM no model": (
        400,
        nested("/chat/completions: Invalid model name passed in model=X.", code="400"),
        NotFoundError,
    ),
    "LiteLLM nobody serves it": (429, nested("No deployments available for selected model"), NotFoundError),
    "LiteLLM all cooling": (
        429,
        nested("No deployments available for selected model, Try again in 60 seconds."),
        RateLimitError,
    ),
    "OpenAI no model": (404, nested("The model `x` does not exist", code="model_not_found"), NotFoundError),
    "OpenRouter no model": (400, nested("x/y is not a valid model ID", code=400), NotFoundError),
    "403 no model": (403, nested("x", code="model_not_found"), NotFoundError),
    "404": (404, b"", NotFoundError),
    "405": (405, b"", NotFoundError),
    "new-api model not for this token": (403, nested("该令牌无权访问模型 x", code=""), PermissionDeniedError),
    "new-api address": (403, nested("x", code="access_denied"), PermissionDeniedError),
    "403": (403, b"", PermissionDeniedError),
    "new-api overloaded": (503, nested("x", code="system_cpu_overloaded"), ServerError),
    "Codex overloaded": (200, nested("x", code="server_is_overloaded"), ServerError),
    "Anthropic overloaded": (
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        ServerError,
    ),
    "MiniMax's 500": (500, nested("x", type="api_error"), ServerError),
    "sub2api no account": (503, nested("No available accounts: x", type="api_error"), ServerError),
    "text in a stream": (200, b"unexpected EOF", ServerError),
    # too long for the model, or filtered
    "context by code": (400, nested("x", code="context_length_exceeded"), ContextLengthError),
    "context at 500": (500, nested("This model's maximum context length is 8192 tokens."), ContextLengthError),
    "context, llama.cpp": (
        400,
        nested("the request exceeds the available context size", type="exceed_context_size_error"),
        ContextLengthError,
    ),
    "context, new models": (
        400,
        nested("Input tokens exceed the configured limit of 272000 tokens."),
        ContextLengthError,
    ),
    "context, Anthropic": (400, nested("prompt is too long: 210000 tokens > 200000 maximum"), ContextLengthError),
    "context, vendor": (400, nested("Request would exceed context limit"), ContextLengthError),
    "context, Together": (400, nested("prompt is longer than the model's context length"), ContextLengthError),
    "context, TGI": (422, nested("`inputs` tokens + `max_new_tokens` must be <= 4096"), ContextLengthError),
    "context, Gemini": (
        400,
        nested("The input token count exceeds the maximum number of tokens allowed"),
        ContextLengthError,
    ),
    "context, Cerebras": (400, nested("Current length is 9000 while limit is 8192"), ContextLengthError),
    "context, Bedrock": (400, nested("The maximum input length is 8192 tokens."), ContextLengthError),
    "context, LiteLLM": (400, nested("litellm.ContextWindowExceededError: x"), ContextLengthError),
    "context, Mistral": (400, nested("exceeds the model's maximum context limit"), ContextLengthError),
    "context, Codex": (400, nested("Your input exceeds the context window of this model."), ContextLengthError),
    "context, deep in a text": (400, nested("x" * 1000 + " exceeds the context window"), ContextLengthError),
    "no context: a long user": (
        400,
        nested("Invalid 'user': maximum context length", code="string_above_max_length"),
        BadRequestError,
    ),
    "filter, new-api": (500, nested("sensitive_words_detected", code="sensitive_words_detected"), ContentFilterError),
    "filter, blocked": (400, nested("x", code="prompt_blocked"), ContentFilterError),
    "filter, Azure": (400, nested("x", code="content_filter"), ContentFilterError),
    "filter, OpenAI": (400, nested("x", code="content_policy_violation"), ContentFilterError),
    "filter, text": (400, nested("triggering Azure OpenAI's content management policy"), ContentFilterError),
    # any status with any body
    "H1 429 empty": (429, b"", RateLimitError),
    "H4 429 that is quota": (429, nested("x", code="insufficient_quota"), QuotaExceededError),
    "H5 403 that is quota": (403, nested("x", code="insufficient_user_quota"), QuotaExceededError),
    "H6 402": (402, nested("x"), QuotaExceededError),
    "H7 503 that is the model": (503, nested("x", code="model_not_found"), NotFoundError),
    "H8 500 that is the request": (500, nested("x", code="invalid_request"), BadRequestError),
    "H8 500 of that type": (500, nested("x", type="invalid_request_error"), BadRequestError),
    "H9 529": (529, b"", ServerError),
    "H9 599": (599, b"", ServerError),
    "H9 900": (900, b"", ServerError),
    "H9 520": (520, b"", ServerError),
    "H10 page": (502, b"<html><title>502 Bad Gateway</title></html>", ServerError),
    "H11 text": (524, b"error code: 524", ServerError),
    "H12 detail": (400, {"detail": "Stream must be set to true"}, BadRequestError),
    "H12 details of FastAPI": (422, {"detail": [{"loc": ["body"], "msg": "x"}]}, BadRequestError),
    "H13 text": (401, {"error": "no"}, AuthenticationError),
    "H15 list": (400, [nested("x", status="INVALID_ARGUMENT")], BadRequestError),
    "H16 code as a number": (400, nested("x", code=1234), BadRequestError),
    "H17 type 'None'": (400, nested("x", type="None"), BadRequestError),
    "H18 JSON whatever its type": (400, nested("x"), BadRequestError),
    "H19 redirect": (301, b"<html><title>301 Moved</title></html>", APIStatusError),
    "H21 firewall": (403, b"<html><title>Attention Required! | Cloudflare</title></html>", PermissionDeniedError),
    "H22 other clients only": (
        403,
        nested("This account only allows Codex official clients", type="forbidden_error"),
        PermissionDeniedError,
    ),
    "H23 masked": (429, nested("当前分组上游负载已饱和，请稍后再试"), ServerError),
    "H24 budget": (422, nested("x", type="budget_exceeded"), QuotaExceededError),
    "400": (400, b"", BadRequestError),
    "408": (408, b"", ServerError),
    "409": (409, b"", ServerError),
    "413": (413, b"", BadRequestError),
    "422": (422, b"", BadRequestError),
    "499": (499, b"", ServerError),
    "500": (500, b"", ServerError),
    "501": (501, nested("x", code="api_not_implemented"), ServerError),
    "Responses: invalid_prompt": (200, nested("x", code="invalid_prompt"), BadRequestError),
    "Responses: bio_policy": (200, nested("x", code="bio_policy"), BadRequestError),
    "Responses: a picture": (200, nested("x", code="invalid_image_url"), BadRequestError),
    "Responses: a filtered picture": (200, nested("x", code="image_content_policy_violation"), ContentFilterError),
    "Responses: another account's reasoning": (200, nested("x", code="invalid_encrypted_content"), BadRequestError),
    "the same without a code": (
        200,
        nested("The encrypted content gAAA could not be verified. Reason: x"),
        BadRequestError,
    ),
    "new-api: no such route": (500, nested("not implemented", code="convert_request_failed"), NotFoundError),
    "one-hub: no such route": (503, nested("channel not implemented"), NotFoundError),
    "error of a stream": (200, nested("upstream died", type="server_error"), ServerError),
    "request at fault in a stream": (200, nested("x", type="invalid_request_error"), BadRequestError),
    "CLIProxyAPI's stamp on any 403": (
        403,
        nested("Forbidden", type="permission_error", code="insufficient_quota"),
        PermissionDeniedError,
    ),
    "CLIProxyAPI's stamp where it is true": (
        403,
        nested("Insufficient balance", type="permission_error", code="insufficient_quota"),
        QuotaExceededError,
    ),
}


@pytest.mark.parametrize(("status", "body", "kind"), KINDS.values(), ids=KINDS)
def test_refusals_are_told_apart(status, body, kind):
    """By code first, then by text, then by type, by the status only last."""
    assert type(refused(status, body)) is kind


@pytest.mark.parametrize("table", [CODES, TYPES])
def test_words_of_the_tables_are_lower_case(table):
    """Codes and types are looked up in lower case, and can be found."""
    assert [word for word in table if word != word.lower()] == []


@pytest.mark.parametrize(("status", "body", "kind"), KINDS.values(), ids=KINDS)
def test_refusals_pickle(status, body, kind):
    """An error crosses a process border with all it knows."""
    error = refused(status, body, x_request_id="r", retry_after="3")
    error.retries = 2
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is kind
    assert (str(again), again.__dict__) == (str(error), error.__dict__)
