"""What an answer's output items leave for the next turn: kept in its message, sent back in their order.

A gateway that stores nothing gets its reasoning back with each turn, encrypted. Reasoning goes before what followed
it, and never alone: "Item 'rs_…' of type 'reasoning' was provided without its required following item." Ids of
messages and calls are left out: "Items are not persisted when `store` is set to false." (opencode#7724).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...framing import json_codec

KEPT = "responses_output"
"""The message's field: ``{"model": the model that answered, "items": [...]}``, JSON only. No part of the chat wire."""

Item = dict[str, Any]

_CALLS = ("function_call", "custom_tool_call")
_FIELDS = {
    "reasoning": ("type", "id", "summary", "encrypted_content"),
    "message": ("type", "role", "content", "phase"),
    "function_call": ("type", "call_id", "name", "arguments"),
    "custom_tool_call": ("type", "call_id", "name", "input"),
}
"""What of an item is sent back. Others (``status``, ``content`` of reasoning) are refused by strict gateways
(LiveAgent#334, 9router#2497). Items of the provider's own tools go back as they came."""


def to_kept(items: Sequence[Item], *, model: str) -> Item | None:
    """What is kept of an answer's output, in its order; None where nothing among it is encrypted.

    Args:
        items: the output items, whole.
        model: the model that was asked: no other can open what it encrypted.
    """
    typed = (item for item in items if isinstance(item.get("type"), str))
    kept = [_kept(item) for item in typed if item["type"] != "reasoning" or _encrypted(item)]
    while kept and kept[-1]["type"] == "reasoning":
        kept.pop()
    call_ids = [item.get("call_id") for item in kept if item["type"] in _CALLS]
    if None in call_ids or not any(item["type"] == "reasoning" for item in kept):
        return None  # no reasoning; or a call without an id: the one in the message was made up elsewhere
    return {"model": model, "items": kept}


def to_sent(message: Mapping[str, Any], *, model: str) -> list[Item] | None:
    """The items to send in a message's place, or None: it has none, of this model, that say what it says.

    Users change messages: whoever trims an answer or edits a call's arguments wants that sent.
    """
    kept = message.get(KEPT)
    if not isinstance(kept, Mapping) or kept.get("model") != model or not isinstance(kept.get("items"), list):
        return None
    items = [dict(item) for item in kept["items"] if isinstance(item, Mapping) and isinstance(item.get("type"), str)]
    if not items or _text_of(message.get("content")) != "".join(map(_text_of_item, items)):
        return None
    calls = message.get("tool_calls")
    asked = {
        str(call.get("id")): call for call in (calls if isinstance(calls, list) else ()) if isinstance(call, Mapping)
    }
    answered = [item for item in items if item["type"] in _CALLS]
    if [*asked] != [item.get("call_id") for item in answered]:
        return None
    return items if all(_is_same(asked[item["call_id"]], item) for item in answered) else None


def without_kept(messages: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Messages for the chat wire, which knows no such field."""
    if not any(KEPT in message for message in messages):
        return messages
    return [{name: value for name, value in message.items() if name != KEPT} for message in messages]


def without_reasoning(items: Sequence[Any]) -> list[Any]:
    """An input without reasoning, for an account or model that cannot open it.

    Calls of the provider's own tools go with it: they are refused without the reasoning that they followed.
    """
    return [item for item in items if not (isinstance(item, Mapping) and _needs_reasoning(item))]


def _needs_reasoning(item: Mapping[str, Any]) -> bool:
    kind = str(item.get("type"))
    return kind == "reasoning" or (kind not in _CALLS and kind.endswith("_call") and "call_id" not in item)


def _encrypted(item: Item) -> bool:
    return isinstance(item.get("encrypted_content"), str) and bool(item["encrypted_content"])


def _kept(item: Item) -> Item:
    fields = _FIELDS.get(item["type"])
    if fields is None:
        return item
    kept = {name: item[name] for name in fields if item.get(name) is not None}
    return {**kept, "summary": item.get("summary") or []} if item["type"] == "reasoning" else kept


def _text_of(content: Any) -> str:
    """The text of a content, in the chat wire's form or in this one's."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, Sequence) else ()
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    return "".join(text for text in texts if isinstance(text, str))


def _text_of_item(item: Item) -> str:
    return _text_of(item.get("content")) if item["type"] == "message" else ""


def _is_same(call: Mapping[str, Any], item: Item) -> bool:
    """Whether a message's call is the one that was kept: the same function, and arguments that mean the same."""
    if item["type"] == "custom_tool_call":
        custom = call.get("custom")
        return not isinstance(custom, Mapping) or custom.get("input") == item.get("input")
    function = call.get("function")
    if not isinstance(function, Mapping) or function.get("name") != item.get("name"):
        return False
    return bool(_value(function.get("arguments")) == _value(item.get("arguments")))


def _value(arguments: Any) -> Any:
    try:
        return json_codec.loads_exact(arguments or "{}")
    except (TypeError, ValueError):
        return arguments
