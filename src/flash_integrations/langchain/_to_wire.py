"""Messages outward: every role LangChain has, as the chat completions endpoint takes it.

Content blocks are made parts in ``_content``. An earlier answer goes back as what the endpoint takes from an assistant:
text, images and files, calls, a refusal, the id of audio; its reasoning is carried. Calls that ran on a provider's
side and their results, and what else other APIs put into answers, have no form here and stay behind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolCall,
    ToolMessage,
    convert_to_messages,
)

from .._adapters.past_answers import past_answer
from .._adapters.tool_calls import wire_call
from .._core.wire import SIGNED_REASONING
from ..errors import InvalidRequestError
from ._content import to_part, to_parts, to_standard

CALL_EXTRA = "tool_call_extra"
"""Where an AI message keeps what gateways send beside a call, such as Gemini's thought signatures: by call id."""

REASONING_FIELD = "reasoning_field"
"""Where an AI message keeps the name its reasoning came under, unless that is ``reasoning_content``."""

_OF_AN_ASSISTANT = frozenset({"text", "image_url", "video_url", "file"})
_NOT_IN_A_NAME = re.compile(r"[\s<|\\/>]+")


def to_wire(messages: Sequence[BaseMessage], *, system_role: str = "system") -> list[dict[str, Any]]:
    """Messages in the wire's form; earlier answers carry their reasoning, for the core to send or not.

    Args:
        messages: LangChain's messages, or anything its ``convert_to_messages`` takes.
        system_role: the role system messages go out under.

    Raises:
        InvalidRequestError: a message or block that the endpoint has no form for.
    """
    known = convert_to_messages(messages)
    answered = {message.tool_call_id for message in known if isinstance(message, ToolMessage)}
    answered |= {str(block.get("tool_use_id")) for message in known for block in _tool_results(message)}
    bodies: list[dict[str, Any]] = []
    for position, message in enumerate(known):
        try:
            if isinstance(message, AIMessage):
                bodies.append(_answer(message, answered=answered))
            else:
                bodies += _said(message, system_role)
        except InvalidRequestError as error:
            raise InvalidRequestError(f"messages[{position}]: {error}") from error.__cause__
    return bodies


def _said(message: BaseMessage, system_role: str) -> Iterator[dict[str, Any]]:
    """What is no answer. Results of tools in a user's content, as Anthropic has them, are messages of their own."""
    results = list(_tool_results(message))
    for block in results:
        content = to_parts(block.get("content") or "")
        yield {"role": "tool", "content": content, "tool_call_id": str(block.get("tool_use_id"))}
    content = message.content
    if results and isinstance(content, list):
        content = [block for block in content if block not in results]
        if not content:
            return
    body = {"role": _role(message, system_role), "content": to_parts(content), **_name(message)}
    if isinstance(message, ToolMessage):
        body["tool_call_id"] = message.tool_call_id
    yield body


def _tool_results(message: BaseMessage) -> Iterator[dict[str, Any]]:
    if isinstance(message, HumanMessage) and isinstance(message.content, list):
        blocks = (block for block in message.content if isinstance(block, dict))
        yield from (block for block in blocks if block.get("type") == "tool_result")


def _role(message: BaseMessage, system_role: str) -> str:
    match message:
        case HumanMessage():
            return "user"
        case SystemMessage():
            return str(message.additional_kwargs.get("__openai_role__") or system_role)
        case ToolMessage():
            return "tool"
        case FunctionMessage():
            return "function"
        case ChatMessage():
            return message.role
        case _:
            raise InvalidRequestError(f"messages of type {type(message).__name__} have no role on the wire")


def _name(message: BaseMessage) -> dict[str, str]:
    """A message's name, in the letters OpenAI takes: agents' names often have blanks."""
    name = message.name or message.additional_kwargs.get("name")
    return {"name": _NOT_IN_A_NAME.sub("_", str(name))[:64]} if name else {}


# --- earlier answers --------------------------------------------------------------------------------------------------


def _answer(message: AIMessage, *, answered: set[str]) -> dict[str, Any]:
    kwargs = message.additional_kwargs
    content = message.content
    blocks = [] if isinstance(content, str) else [to_standard(block) for block in content if isinstance(block, dict)]
    parts = content if isinstance(content, str) else [*_assistants_parts(content)] or ""
    calls = [_to_call(call, json.dumps(call["args"], ensure_ascii=False), message) for call in message.tool_calls]
    calls += [_to_call(call, call["args"] or "", message) for call in message.invalid_tool_calls]
    calls += _calls_in_content(blocks, answered - {call["id"] for call in calls})
    return past_answer(
        parts,
        calls=calls,
        answered=answered,
        function_call=kwargs.get("function_call"),
        refusal=kwargs.get("refusal") or "".join(_texts(blocks, {"refusal": "refusal"})),
        audio_id=_audio_id(kwargs.get("audio"), blocks),
        reasoning=_reasoning(kwargs, blocks),
        fields=_name(message),
    )


def _assistants_parts(content: list[str | dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for block in content:
        if isinstance(block, dict) and to_standard(block).get("type") == "audio":
            continue  # goes back by its id
        part = to_part(block)
        if part is not None and part.get("type") in _OF_AN_ASSISTANT:
            yield part


def _texts(blocks: Sequence[Mapping[str, Any]], keys: Mapping[str, str]) -> Iterator[str]:
    """The texts of blocks of some types, by the key each type has its text under."""
    for block in blocks:
        text = block.get(keys.get(str(block.get("type")), ""))
        if isinstance(text, Mapping):  # Bedrock's
            text = text.get("text")
        if isinstance(text, str):
            yield text
        elif isinstance(summary := block.get("summary"), list) and "reasoning" in keys:
            yield from (part["text"] for part in summary if isinstance(part, Mapping) and part.get("text"))


_REASONING = {"reasoning": "reasoning", "thinking": "thinking", "reasoning_content": "reasoning_content"}


def _reasoning(kwargs: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The reasoning of an answer, wherever it is kept, under the names it came under."""
    text = kwargs.get("reasoning_content") or "\n".join(_texts(blocks, _REASONING))
    found: dict[str, Any] = {str(kwargs.get(REASONING_FIELD) or "reasoning_content"): text}
    extras = (block.get("extras") for block in blocks if block.get("type") == "reasoning")
    places = [kwargs, *(extra for extra in extras if isinstance(extra, Mapping))]
    for name in SIGNED_REASONING:
        found[name] = next((place[name] for place in places if isinstance(place.get(name), list | dict)), None)
    if not found["thinking_blocks"]:
        found["thinking_blocks"] = list(_signed_blocks(blocks))
    return found


def _signed_blocks(blocks: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Claude's thinking in the content, as langchain-anthropic has it, in the form LiteLLM takes it back."""
    for block in blocks:
        extras = block.get("extras")
        signature = block.get("signature") or (extras.get("signature") if isinstance(extras, Mapping) else None)
        text = block.get(_REASONING.get(str(block.get("type")), ""))
        if signature and isinstance(text, str):
            yield {"type": "thinking", "thinking": text, "signature": signature}
        elif block.get("type") == "redacted_thinking":
            yield {"type": "redacted_thinking", "data": block.get("data")}


def _audio_id(audio: Any, blocks: Sequence[Mapping[str, Any]]) -> str | None:
    found = [audio] if isinstance(audio, Mapping) else [block for block in blocks if block.get("type") == "audio"]
    # Ids that LangChain made up name nothing at the gateway.
    ids = [str(block["id"]) for block in found if block.get("id")]
    return next((audio_id for audio_id in ids if not audio_id.startswith("lc_")), None)


def _calls_in_content(blocks: Sequence[Mapping[str, Any]], missing: set[str]) -> Iterator[dict[str, Any]]:
    """Calls that stand in the content alone; only those that were answered, for others may be gone on purpose."""
    for block in blocks:
        call_id = str(block.get("call_id") or block.get("id"))
        if block.get("type") in ("tool_use", "tool_call", "function_call") and call_id in missing:
            given: Any = next((block[name] for name in ("args", "input", "arguments") if name in block), {})
            arguments = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
            yield wire_call(call_id, block.get("name"), arguments, {})


def _to_call(call: ToolCall | InvalidToolCall, arguments: str, message: AIMessage) -> dict[str, Any]:
    extra = message.additional_kwargs.get(CALL_EXTRA, {}).get(call["id"], {})
    return wire_call(call["id"], call["name"], arguments, extra)
