"""Messages as input items: every item with its type, every content a list of parts.

Strict gateways refuse ``null`` content, ``status`` on items, and ``name`` or ``tool_calls`` inside messages; ids of
more than 64 characters are refused or dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from .kept_items import KEPT, to_sent

MAX_CALL_ID = 64
_SYSTEM = ("system", "developer")

Item = dict[str, Any]


def to_input(messages: Sequence[Mapping[str, Any]], *, model: str) -> tuple[str | None, list[Item]]:
    """Turn messages into (instructions, items).

    Leading system and developer messages that are text are the instructions, joined by a blank line; None where there
    are none. Later ones are developer messages: Codex refuses the system role.

    Args:
        messages: in chat form, as checked by the chat request.
        model: the model asked for; what other models thought is not sent to it.
    """
    leading = 0
    while leading < len(messages) and messages[leading].get("role") in _SYSTEM:
        if not isinstance(messages[leading].get("content"), str):
            break
        leading += 1
    instructions = [str(message["content"]) for message in messages[:leading]]
    turned = _Items(model)
    for message in messages[leading:]:
        turned.add_message(message)
    return "\n\n".join(instructions) if instructions else None, turned.items


def as_developer(text: str) -> Item:
    """A system text as an item of the input."""
    return _message("developer", [{"type": "input_text", "text": text}])


def short_call_id(call_id: str) -> str:
    """A call's id in at most 64 characters; the same id gives the same one in the call and in its output."""
    if len(call_id) <= MAX_CALL_ID:
        return call_id
    digest = hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{call_id[: MAX_CALL_ID - 33]}_{digest}"


class _Items:
    """The items of a conversation, as its messages are added."""

    def __init__(self, model: str) -> None:
        self.items: list[Item] = []
        self._model = model
        self._custom: set[str] = set()  # ids of calls of custom tools, whose outputs have a type of their own
        self._functions = 0  # calls of the form before tools, which have no ids

    def add_message(self, message: Mapping[str, Any]) -> None:
        """Add what one message is."""
        role, content = message.get("role"), message.get("content")
        if role == "assistant":
            self._add_answer(message)
        elif role == "tool":
            self._add_output(str(message.get("tool_call_id") or ""), content)
        elif role == "function":
            self._add_output(f"call_function_{self._functions}", content)
        else:
            self.items.append(_message("developer" if role in _SYSTEM else str(role), _parts(content)))

    def _add_answer(self, message: Mapping[str, Any]) -> None:
        kept = to_sent(message, model=self._model)
        items = self._said(message) if kept is None else kept
        for item in items:
            if isinstance(item.get("call_id"), str):
                if item["type"] == "custom_tool_call":
                    self._custom.add(item["call_id"])
                item["call_id"] = short_call_id(item["call_id"])
        self.items += items

    def _said(self, message: Mapping[str, Any]) -> list[Item]:
        """What an answer's message says: its reasoning where that is to be sent, its text, its calls."""
        items: list[Item] = []
        reasoning = message.get("reasoning_content")
        if isinstance(reasoning, str) and reasoning and KEPT not in message:  # who encrypts it takes it so alone
            parts = [{"type": "reasoning_text", "text": reasoning}]
            items.append({"type": "reasoning", "summary": [], "content": parts})
        content = [_answer_part(part) for part in _as_list(message.get("content"))]
        refusal = message.get("refusal")
        if isinstance(refusal, str) and refusal:
            content.append({"type": "refusal", "refusal": refusal})
        if content:
            items.append(_message("assistant", content))
        calls = message.get("tool_calls")
        items += [_call(call) for call in (calls if isinstance(calls, list) else ()) if isinstance(call, Mapping)]
        function = message.get("function_call")
        if isinstance(function, Mapping):
            self._functions += 1
            items.append(_call({"id": f"call_function_{self._functions}", "function": function}))
        return items

    def _add_output(self, call_id: str, content: Any) -> None:
        kind = "custom_tool_call_output" if call_id in self._custom else "function_call_output"
        output = _parts(content) if isinstance(content, list) else content or ""
        self.items.append({"type": kind, "call_id": short_call_id(call_id), "output": output})


def _call(call: Mapping[str, Any]) -> Item:
    call_id = str(call.get("id") or "")
    custom = call.get("custom")
    if isinstance(custom, Mapping):
        name, text = str(custom.get("name", "")), str(custom.get("input", ""))
        return {"type": "custom_tool_call", "call_id": call_id, "name": name, "input": text}
    function = call.get("function")
    function = function if isinstance(function, Mapping) else {}
    name, arguments = str(function.get("name", "")), function.get("arguments") or "{}"
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def _message(role: str, content: list[Item]) -> Item:
    return {"type": "message", "role": role, "content": content}


def _as_list(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [content] if content else []
    return list(content) if isinstance(content, list | tuple) else []


def _parts(content: Any) -> list[Item]:
    """A content as parts of the input; None is an empty text."""
    return [_input_part(part) for part in _as_list(content)] or [{"type": "input_text", "text": ""}]


def _input_part(part: Any) -> Item:
    if not isinstance(part, Mapping):
        return {"type": "input_text", "text": str(part)}
    kind = part.get("type")
    if kind == "text":
        return {**part, "type": "input_text"}
    if kind == "image_url":
        image = part.get("image_url")
        image = image if isinstance(image, Mapping) else {"url": image}
        turned = {"type": "input_image", "image_url": image.get("url")}
        return turned | {name: value for name, value in image.items() if name != "url"}
    if kind == "file" and isinstance(part.get("file"), Mapping):
        return {"type": "input_file", **part["file"]}
    return dict(part)  # ``input_audio`` has one form on both wires, and so has what is in this wire's form already


def _answer_part(part: Any) -> Item:
    if not isinstance(part, Mapping):
        return {"type": "output_text", "text": str(part)}
    return {**part, "type": "output_text"} if part.get("type") in ("text", "input_text") else dict(part)
