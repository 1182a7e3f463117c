"""From (status, headers, body) to the error to raise.

Gateways answer "no money" with 402, 403, 422 or 429, "no such model" with 400, 403, 404, 429 or 503, and anything at
all under 200. An error is known by its code first, then by known texts, then by its type, and by the status last.
The tables are ``known_codes`` and ``known_texts``; to teach a new refusal, add a row there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ...errors import (
    APIStatusError,
    BadRequestError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from . import error_body
from .error_body import ErrorFacts, shorten
from .known_codes import CODES, STATUSES, TYPES, WEAK_TYPES, Kind
from .known_texts import KNOWN_TEXTS
from .retry_after import retry_after

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
    code, error_type = (facts.code or "").lower(), (facts.type or "").lower()
    by_code = CODES.get(code)
    if by_code is QuotaExceededError and status == HTTPStatus.FORBIDDEN and error_type == "permission_error":
        by_code = None  # CLIProxyAPI stamps this code on every 403 that is not JSON
    if by_code is not None:
        return by_code
    known = KNOWN_TEXTS.find(f"{facts.message} {facts.param or ''} {code}")
    if known is not None:
        kind: Kind = known.means
        return kind
    if error_type in TYPES:
        return TYPES[error_type]
    if (status < 300 or status >= 500) and error_type in WEAK_TYPES:
        return WEAK_TYPES[error_type]
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
            headers, facts.reset_seconds_at(now), facts.message, now=now, limited=isinstance(error, RateLimitError)
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
