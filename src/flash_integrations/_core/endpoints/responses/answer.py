"""The response object: who answered, why the answer ended, and what it counted."""

from __future__ import annotations

from math import isfinite
from typing import Any

from ...completion.chunk import Chunk
from ...completion.usage import read_usage
from ...failures import error_body

ENDS = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.done": "completed",  # new-api, CLIProxyAPI, as the two below
    "response.error": "failed",
    "response.cancelled": "cancelled",
    "error": "failed",
}
"""Terminal events, and the status that each stands for where the response in it names none."""

_ENVELOPES = ("response", "data", "result")
_STATUSES = ("completed", "incomplete", "failed", "cancelled")
_REASONS = {"content_filter": "content_filter"}  # any other, and none, is a length
_RENAMED = ("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details")


def read_status(response: dict[str, Any], event_type: str) -> str:
    """How the answer ended. The status inside counts, not the event's name; an empty one goes by the name."""
    status = response.get("status")
    return status if status in _STATUSES else ENDS.get(event_type, "completed")


def read_finish(response: dict[str, Any], status: str) -> tuple[str, str]:
    """(the chat wire's finish reason, the word it came from). Calls make a "stop" a "tool_calls" elsewhere."""
    if status != "incomplete":
        return "stop", status
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    reason = reason if isinstance(reason, str) and reason else status
    return _REASONS.get(reason, "length"), reason


def read_head(response: dict[str, Any]) -> Chunk:
    """A chunk with what the response object says of itself."""
    created = response.get("created_at")
    if isinstance(created, bool) or not isinstance(created, int | float) or not isfinite(created) or created <= 0:
        created = None
    return Chunk(
        id=_text(response.get("id")),
        model=_text(response.get("model")),
        created=None if created is None else int(created),
        service_tier=_text(response.get("service_tier")),
    )


def read_counts(response: dict[str, Any], event: dict[str, Any]) -> dict[str, Any] | None:
    """The usage under the chat wire's names, which a forgetful translator may have left as they were."""
    usage = read_usage(response.get("usage")) or read_usage(event.get("usage"))
    return usage and {name: value for name, value in usage.items() if name not in _RENAMED}


def whole_response(event: dict[str, Any]) -> dict[str, Any] | None:
    """A whole response object where there is no event around it, perhaps in an envelope of the relay's; else None."""
    for response in (event, *(event.get(key) for key in _ENVELOPES)):
        if isinstance(response, dict) and (response.get("object") == "response" or "output" in response):
            return None if response.get("status") in ("queued", "in_progress") else response
    return None


def error_of(event: dict[str, Any], response: dict[str, Any], status: str) -> dict[str, Any] | None:
    """The body of the error that a terminal event is: its own, or the response's, or words for what has none."""
    error = event.get("error") or response.get("error")
    says = bool(error) and (not isinstance(error, dict) or any(error.values()))
    if says:
        return {**event, "error": error}
    if status not in ("failed", "cancelled"):
        return None
    if error_body.read(event).has_content:
        return event
    return {"error": {"message": f"the gateway ended the answer with the status {status!r}"}}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
