"""An earlier answer as it goes back to the endpoint: what an assistant's message may hold there, and how."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .._core.wire import CARRIED


def past_answer(
    content: str | list[Any],
    *,
    calls: Sequence[Mapping[str, Any]],
    answered: Collection[Any],
    function_call: Any = None,
    refusal: Any = None,
    audio_id: str | None = None,
    reasoning: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The message.

    Args:
        content: text, or parts.
        calls: tool calls in wire form.
        answered: ids of the calls that later messages answer.
        function_call: the call in the format before tools. It goes out unless the history answers its copy among
            ``calls`` as a tool call, and then that does.
        refusal: the refusal's words.
        audio_id: the id under which the gateway knows what was spoken; the sound itself is not sent again.
        reasoning: what is kept of its reasoning, by the wire's names; carried, for gateways that want it.
        fields: more fields, such as the name; empty ones are left out.
    """
    body: dict[str, Any] = {"role": "assistant", "content": content}
    if function_call and not any(call["id"] in answered for call in calls):
        body["function_call"] = function_call
    elif calls:
        body["tool_calls"] = list(calls)
    if refusal:
        body["refusal"] = refusal
    if audio_id:
        body["audio"] = {"id": audio_id}
    if not content and len(body) > 2:
        body["content"] = None
    kept = {name: value for name, value in (reasoning or {}).items() if value}
    if kept:
        body[CARRIED] = kept
    return body | {name: value for name, value in (fields or {}).items() if value}
