"""The reasoning of earlier answers: what of it goes back to a gateway.

Adapters carry with each past answer what the gateway sent of its reasoning, under :data:`~.wire.CARRIED`; it goes out
where the user, the provider's row or a refusal says so, for others refuse the fields (Groq, Cerebras: "property
'reasoning_content' is unsupported"). Fields that a caller wrote into a message himself are his to send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..wire import CARRIED, PAST_REASONING

_TEXTS = ("reasoning", "reasoning_text")
"""Where the text of reasoning stands, but for ``reasoning_content``."""

NO_SIGNATURE = "skip_thought_signature_validator"
"""What Gemini takes for the signature of a call it did not make (ai.google.dev/gemini-api/docs/thought-signatures)."""


def with_past_reasoning(
    messages: Sequence[Mapping[str, Any]], *, send: bool | None
) -> tuple[list[dict[str, Any]], frozenset[str]]:
    """Messages with the reasoning that is to go out; and the names of the carried fields that are held back.

    Args:
        messages: the messages of a call.
        send: True sends what is carried, False takes out also what the messages say themselves, None only the former.
    """
    sent, held_back = [], set[str]()
    for message in messages:
        body = {name: value for name, value in message.items() if name != CARRIED}
        carried = message.get(CARRIED) or {}
        if send:
            body |= carried
        else:
            held_back.update(carried)
        sent.append(without_reasoning(body) if send is False else body)
    return sent, frozenset(held_back)


def has_past_reasoning(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any earlier answer says something of its reasoning."""
    return any(name in answer for answer in _answers(messages) for name in PAST_REASONING)


def lacks_reasoning(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an earlier answer has no ``reasoning_content``, not even an empty one."""
    return any("reasoning_content" not in answer for answer in _answers(messages))


def lacks_signature(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an earlier answer has tool calls and no signature."""
    return any(_is_unsigned(answer) for answer in _answers(messages))


def without_reasoning(message: dict[str, Any]) -> dict[str, Any]:
    """An earlier answer without its reasoning."""
    if message.get("role") != "assistant":
        return message
    return {name: value for name, value in message.items() if name not in PAST_REASONING}


def with_reasoning_content(message: dict[str, Any]) -> dict[str, Any]:
    """An earlier answer whose reasoning stands in ``reasoning_content``; an empty one where it has none.

    DeepSeek V4 wants the field on every answer, Moonshot on those with tool calls; both take an empty one
    (MoonshotAI/kimi-cli#2141, Lapis0x0/obsidian-yolo#243).
    """
    if message.get("role") != "assistant" or "reasoning_content" in message:
        return message
    text = next((message[name] for name in _TEXTS if message.get(name)), "")
    return {**{name: value for name, value in message.items() if name not in _TEXTS}, "reasoning_content": text}


def with_signature(message: dict[str, Any]) -> dict[str, Any]:
    """An earlier answer whose first tool call has a thought signature, if only the one that stands for none."""
    if message.get("role") != "assistant" or not _is_unsigned(message):
        return message
    first, *others = message["tool_calls"]
    signed = {**first, "extra_content": {"google": {"thought_signature": NO_SIGNATURE}}}
    return {**message, "tool_calls": [signed, *others]}


def _answers(messages: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (message for message in messages if message.get("role") == "assistant")


def _is_unsigned(answer: Mapping[str, Any]) -> bool:
    calls = answer.get("tool_calls")
    if not isinstance(calls, Sequence) or not calls or answer.get("reasoning_details"):
        return False
    return not any(isinstance(call, Mapping) and call.get("extra_content") for call in calls)
