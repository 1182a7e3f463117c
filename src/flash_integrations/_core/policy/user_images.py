"""Images in tool results and earlier answers, moved into a user's message for gateways that take them there alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_STAYING = ("text", "refusal")
"""The kinds of parts that any message may have."""

_PLACEHOLDER = "(shown in the next user message)"


def has_images_elsewhere(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a message that is no user's has an image, or another part that is no text."""
    return any(message.get("role") != "user" and _moving(message) for message in messages)


def with_user_images(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages with all images in users' messages, each with a line that says where it is from.

    Those of a turn's tool results go behind the last of them, for each call needs its result next; into the user's
    message that follows, where one does, for some templates want the roles to take turns.
    """
    sent: list[dict[str, Any]] = []
    waiting: list[Any] = []
    for message in messages:
        role = message.get("role")
        if waiting and role == "user":
            sent.append({**message, "content": [*waiting, *_as_parts(message.get("content"))]})
            waiting = []
            continue
        if waiting and role not in ("tool", "function"):
            sent.append({"role": "user", "content": waiting})
            waiting = []
        if role != "user" and (moving := _moving(message)):
            waiting += [{"type": "text", "text": _origin(message)}, *moving]
            sent.append({**message, "content": _staying(message["content"])})
        else:
            sent.append(message)
    return [*sent, {"role": "user", "content": waiting}] if waiting else sent


def _moving(message: Mapping[str, Any]) -> list[Any]:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    return [part for part in parts if isinstance(part, Mapping) and part.get("type") not in _STAYING]


def _staying(content: list[Any]) -> str | list[Any]:
    """What stays of a content: a text, where nothing but text does."""
    parts = [part for part in content if not isinstance(part, Mapping) or part.get("type") in _STAYING]
    if all(isinstance(part, Mapping) and part.keys() == {"type", "text"} for part in parts):
        return "".join(part["text"] for part in parts) or _PLACEHOLDER
    return parts


def _origin(message: Mapping[str, Any]) -> str:
    """Where a message's images are from, in words for the model."""
    if message.get("role") == "assistant":
        return "From your answer:"
    name = message.get("tool_call_id") or message.get("name")
    return f"From the result of {name}:" if name else f"From the {message.get('role')} message:"


def _as_parts(content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []
