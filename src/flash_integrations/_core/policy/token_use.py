"""What a request costs of a limit on tokens: estimated before it is sent, corrected by its answer's usage.

The estimate leans to the high side (see ``token_estimate``): a gateway counts by a tokenizer of its own. Nothing here
is done for calls without such a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..framing import json_codec
from .token_estimate import count_messages, count_text


def request_tokens(body: Mapping[str, Any]) -> int:
    """Tokens of what is sent: its texts, or its messages and tools."""
    texts = body.get("input")
    try:
        if isinstance(texts, list):
            return sum(count_text(text) for text in texts)
        return count_messages(body.get("messages", ()), body.get("tools", ()))
    except (KeyError, TypeError, AttributeError):
        # A form of messages that only this gateway knows.
        return count_text(json_codec.dumps(dict(body)).decode())


def answer_limit(body: Mapping[str, Any]) -> int | None:
    """The most tokens an answer may have, by what the request says; None where it says nothing."""
    if "input" in body:
        return 0
    most = body.get("max_completion_tokens", body.get("max_tokens"))
    choices = body.get("n") or 1
    return most * choices if isinstance(most, int) and isinstance(choices, int) else None


def counted_tokens(answer: Any) -> tuple[int, int] | None:
    """Tokens of request and answer as the gateway counted them; None where it did not tell."""
    usage = getattr(answer, "usage", None)
    if usage is None:
        return None
    try:
        asked, total = usage.prompt_tokens, usage.total_tokens
    except (TypeError, ValueError):
        return None
    return asked or total, max(0, total - asked) if asked else 0
