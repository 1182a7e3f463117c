"""Refusals in the OpenAI shape: ``{"error": {"message", "type", "param", "code"}}`` under the documented status.

The statuses and codes 401 ``invalid_api_key``, 429 ``rate_limit_exceeded``, 500 ``server_error`` and
503 ``service_unavailable`` are those of the gateways' own pages; the others follow OpenAI's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..._core.wire import ErrorBody

__all__ = ["KINDS", "Refusal", "error_body"]

KINDS: Mapping[int, tuple[str, str | None, str]] = MappingProxyType(
    {
        400: ("invalid_request_error", None, "The request is not valid."),
        401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
        402: ("insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
        403: ("permission_error", "permission_denied", "This key may not do that."),
        404: ("invalid_request_error", "not_found", "There is no such thing here."),
        408: ("server_error", "request_timeout", "The request took too long."),
        429: ("rate_limit_error", "rate_limit_exceeded", "Rate limit exceeded, please slow down."),
        500: ("server_error", "server_error", "The server had an error while processing your request."),
        502: ("upstream_error", "bad_gateway", "The upstream could not be reached."),
        503: ("server_error", "service_unavailable", "The service is unavailable, please try again later."),
    }
)
"""Type, code and message by status."""


def error_body(
    status: int,
    message: str | None = None,
    *,
    type: str | None = None,  # noqa: A002 - the field's name on the wire
    code: str | int | None = None,
    param: str | None = None,
) -> dict[str, ErrorBody]:
    """The body of an error answer; what is not given follows from the status."""
    fallback = KINDS.get(status) or KINDS[500 if status >= 500 else 400]
    return {
        "error": {
            "message": fallback[2] if message is None else message,
            "type": fallback[0] if type is None else type,
            "param": param,
            "code": fallback[1] if code is None else code,
        }
    }


class Refusal(Exception):  # noqa: N818 - it says no; nothing went wrong
    """The gateway says no. Raised where the reason is found, answered in one place.

    Attributes:
        status: the HTTP status.
        body: the JSON body.
        headers: headers beside the usual ones.
    """

    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        type: str | None = None,  # noqa: A002 - the field's name on the wire
        code: str | int | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.body = error_body(status, message, type=type, code=code, param=param)
        self.headers = dict(headers or {})
        super().__init__(self.body["error"]["message"])
