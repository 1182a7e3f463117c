"""What a chat call asks for: the object's parameters, and over them what the call says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidRequestError

_WITH_TOOLS = ("tool_choice", "parallel_tool_calls")
"""Parameters that endpoints refuse where there are no tools."""


def merge_params(
    model: str,
    *,
    held: Mapping[str, Any],
    more: Mapping[str, Any],
    unchecked: Mapping[str, Any] | None,
    call: Mapping[str, Any],
) -> dict[str, Any]:
    """The core's parameters for a call. What comes later here wins.

    Args:
        model: the object's model.
        held: the object's sampling parameters. What they say about tools is for calls that have some.
        more: the object's further parameters.
        unchecked: what the object lays over the body; the call's own ``extra_body`` is laid over that.
        call: what the call says.
    """
    extra_body = {
        name: value
        for body in (more.get("extra_body"), unchecked, call.get("extra_body"))
        for name, value in (body or {}).items()
    }
    if not any(place.get("tools") for place in (call, more, extra_body)):
        held = {name: value for name, value in held.items() if name not in _WITH_TOOLS}
        more = {name: value for name, value in more.items() if name not in _WITH_TOOLS}
    request = {"model": model, **held, **more, **call}
    if extra_body or "extra_body" in request:
        request["extra_body"] = extra_body
    return request


def refuse_choices(request: Mapping[str, Any], *, instead: str) -> None:
    """Refuse to stream several choices.

    Args:
        request: the parameters.
        instead: what gives all of them.

    Raises:
        InvalidRequestError: ``n`` is above 1.
    """
    if ((request.get("extra_body") or {}).get("n") or request.get("n") or 1) > 1:
        raise InvalidRequestError(f"n > 1 cannot be streamed: a stream holds one choice. {instead}")
