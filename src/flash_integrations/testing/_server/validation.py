"""Which request bodies the gateway accepts: the bounds of the documented interface, refused as OpenAI refuses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import Refusal

__all__ = ["check_chat", "check_embedding", "model_of"]

_BOUNDS: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}
_COUNTS: Mapping[str, tuple[int, int | None]] = {
    "n": (1, 128),
    "top_logprobs": (0, 20),
    "max_tokens": (1, None),
    "max_completion_tokens": (1, None),
}
MOST_TEXTS = 2048
"""How many texts an embedding request may hold."""

_ROLES = ("developer", "system", "user", "assistant", "tool", "function")


def _bad(message: str, param: str | None = None, code: str | None = None) -> Refusal:
    return Refusal(400, message, param=param, code=code)


def model_of(body: Any) -> str:
    """The model a body asks for.

    Raises:
        Refusal: the body is no JSON object, or names no model.
    """
    if not isinstance(body, dict):
        raise _bad("We could not parse the JSON body of your request. A JSON object is expected.")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise _bad("you must provide a model parameter", "model")
    return model


def check_chat(body: Mapping[str, Any]) -> None:
    """Check a chat request.

    Raises:
        Refusal: 400 with the parameter's name, at the first thing that is wrong.
    """
    _check_messages(body.get("messages"))
    for name, (low, high) in _BOUNDS.items():
        value = body.get(name)
        if value is not None and not (_is_number(value) and low <= value <= high):
            raise _bad(f"Invalid '{name}': expected a number from {low} to {high}, but got {value!r} instead.", name)
    for name, (least, most) in _COUNTS.items():
        value = body.get(name)
        if value is not None and not (_is_count(value) and least <= value and (most is None or value <= most)):
            span = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise _bad(f"Invalid '{name}': expected an integer {span}, but got {value!r} instead.", name)
    stop = body.get("stop")
    stops = [stop or ""] if isinstance(stop, str | None) else stop
    if not isinstance(stops, list) or len(stops) > 4 or not all(isinstance(stop, str) for stop in stops):
        raise _bad("Invalid 'stop': expected a string or an array of at most 4 strings.", "stop")
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise _bad("'logprobs' must be true when 'top_logprobs' is set.", "top_logprobs")
    if body.get("stream_options") is not None and body.get("stream") is not True:
        raise _bad("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    _check_tools(body)


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise _bad("Missing required parameter: 'messages', an array of at least one message.", "messages")
    called: set[str] = set()
    for at, message in enumerate(messages):
        where = f"messages[{at}]"
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise _bad(f"Invalid value for '{where}.role': supported values are {', '.join(_ROLES)}.", where)
        content = message.get("content")
        parts = content if isinstance(content, list) else []
        if not isinstance(content, str | list | None) or not all(isinstance(part, dict) for part in parts):
            raise _bad(f"Invalid type for '{where}.content': expected a string or an array of objects.", where)
        calls = message.get("tool_calls") or []
        if content is None and not calls and not {"refusal", "function_call", "audio"} & message.keys():
            raise _bad(f"Invalid value for '{where}.content': expected a string, got null.", where)
        if not isinstance(calls, list) or not all(isinstance(call, dict) and _is_call(call) for call in calls):
            raise _bad(f"Invalid '{where}.tool_calls': each needs an id and a function.", where)
        called |= {call["id"] for call in calls}
        if message["role"] == "tool" and message.get("tool_call_id") not in called:
            raise _bad(
                f"Invalid parameter: '{where}' with role 'tool' must be a response to a preceding message "
                "with 'tool_calls'.",
                where,
            )


def _is_call(call: Mapping[str, Any]) -> bool:
    function = call.get("function")
    return isinstance(call.get("id"), str) and isinstance(function, dict) and isinstance(function.get("name"), str)


def _check_tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools")
    if tools is not None:
        if not isinstance(tools, list) or not 1 <= len(tools) <= 128:
            raise _bad("Invalid 'tools': expected an array of 1 to 128 tools.", "tools")
        for at, tool in enumerate(tools):
            function = tool.get("function") if isinstance(tool, dict) else None
            if not isinstance(function, dict) or not isinstance(function.get("name"), str):
                raise _bad(f"Missing required parameter: 'tools[{at}].function.name'.", f"tools[{at}]")
    choice = body.get("tool_choice")
    if choice is not None and not tools:
        raise _bad("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")
    if isinstance(choice, dict):
        name = (choice.get("function") or {}).get("name")
        if all(tool["function"]["name"] != name for tool in tools or []):
            raise _bad(f"Tool choice {name!r} not found in 'tools' parameter.", "tool_choice")
    elif choice not in (None, "none", "auto", "required"):
        raise _bad(f"Invalid value for 'tool_choice': {choice!r}.", "tool_choice")


def check_embedding(body: Mapping[str, Any]) -> list[str]:
    """Check an embedding request; gives its texts.

    Raises:
        Refusal: 400 for token ids, empty strings, too many texts, an unknown format, or dimensions out of bounds.
    """
    texts = body.get("input")
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise _bad("'input' field must be a string or an array of strings", "input")
    if len(texts) > MOST_TEXTS:
        raise _bad(
            f"Invalid 'input': array too long. Expected an array with maximum length {MOST_TEXTS}, but got an array "
            f"with length {len(texts)} instead.",
            "input",
            "array_above_max_length",
        )
    for at, text in enumerate(texts):
        if not text:
            raise _bad(f"Invalid 'input[{at}]': input cannot be an empty string.", "input")
    if body.get("encoding_format") not in (None, "float", "base64"):
        raise _bad("Invalid value for 'encoding_format': supported values are float and base64.", "encoding_format")
    dimensions = body.get("dimensions")
    if dimensions is not None and not (_is_count(dimensions) and 1 <= dimensions <= 4096):
        raise _bad(f"Invalid 'dimensions': expected an integer from 1 to 4096, not {dimensions!r}.", "dimensions")
    return texts


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
