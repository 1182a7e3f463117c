"""Chat requests: parameters and messages checked, and put into a :class:`Call`.

Bounds are those of the gateways' documented parameters; words of open lists (efforts, tiers, voices) and ``extra_body``
are never checked, for gateways add their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from ....errors import InvalidRequestError
from ...completion.completion import Completion
from ...model_names import is_o_series, refuses_stop
from ...wire import ChatParams
from ..call import Call
from ..checks import checked, kind_of, number, show, whole_number
from .reader import ChatReader

CHAT_PATH = "/chat/completions"

_MAX_STOP, _MAX_TOOLS = 4, 128
_MAX_PAIRS, _MAX_KEY, _MAX_VALUE = 16, 64, 512


def _stop(name: str, value: Any) -> None:
    texts = [value] if isinstance(value, str) else value
    if not _is_list(texts) or not all(isinstance(text, str) for text in texts):
        raise InvalidRequestError(f"{name} must be a str or a list of str, not {show(value)}")
    if len(texts) > _MAX_STOP:
        raise InvalidRequestError(f"{name} takes at most {_MAX_STOP} strings, not {len(texts)}")


def _tools(name: str, value: Any) -> None:
    if not _is_list(value) or not all(isinstance(tool, Mapping) for tool in value):
        raise InvalidRequestError(f"{name} must be a list of tool descriptions (dicts), not {show(value)}")
    if len(value) > _MAX_TOOLS:
        raise InvalidRequestError(f"{name} takes at most {_MAX_TOOLS} tools, not {len(value)}")


def _metadata(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"{name} must be a dict of str, not {show(value)}")
    if len(value) > _MAX_PAIRS:
        raise InvalidRequestError(f"{name} takes at most {_MAX_PAIRS} pairs, not {len(value)}")
    for key, text in value.items():
        if not isinstance(key, str) or len(key) > _MAX_KEY:
            raise InvalidRequestError(f"{name}: a key must be a str of at most {_MAX_KEY} characters, not {show(key)}")
        if not isinstance(text, str) or len(text) > _MAX_VALUE:
            raise InvalidRequestError(f"{name}[{show(key)}] must be a str of at most {_MAX_VALUE} characters")


_text = kind_of(str, "a str")
_flag = kind_of(bool, "True or False")
_object = kind_of(Mapping, "a dict")
_words = kind_of((list, tuple), "a list")

CHECKS: dict[str, Callable[[str, Any], None]] = {
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "max_tokens": whole_number(1),
    "max_completion_tokens": whole_number(1),
    "n": whole_number(1, 128),
    "seed": whole_number(),
    "top_logprobs": whole_number(0, 20),
    "stop": _stop,
    "tools": _tools,
    "tool_choice": kind_of((str, Mapping), "a str or a dict"),
    "metadata": _metadata,
    "user": _text,
    "reasoning_effort": _text,
    "verbosity": _text,
    "service_tier": _text,
    "store": _flag,
    "parallel_tool_calls": _flag,
    "logprobs": _flag,
    "response_format": _object,
    "audio": _object,
    "logit_bias": _object,
    "web_search_options": _object,
    "stream_options": _object,
    "modalities": _words,
    "prediction": _object,
    "extra_body": _object,
    "extra_headers": _object,
    "extra_query": _object,
    "send_reasoning": _flag,
    "split_think_tags": _flag,
}
"""How each parameter of a chat call is checked. These names are :class:`~.wire.ChatParams`'."""

_NOT_BODY = frozenset(
    "stream stream_options extra_body extra_headers extra_query send_reasoning split_think_tags".split()
)


def chat_call(
    model: str,
    messages: Sequence[Mapping[str, Any]],
    params: ChatParams | Mapping[str, Any],
    *,
    stream: bool = False,
    disabled: Collection[str] = (),
) -> Call[Completion]:
    """A chat call. Parameters that are None or empty are not sent; unknown ones go out as they are.

    Args:
        model: the model's id.
        messages: at least one message in wire form.
        params: the parameters; ``extra_body`` is laid over the body unchecked.
        stream: whether the caller wants the answer in pieces.
        disabled: names never to send.

    Raises:
        InvalidRequestError: a wrong type, a value out of its bounds, a misspelt name.
    """
    given = {name: value for name, value in params.items() if not (name == "stop" and value == "")}
    values = checked(model, given, CHECKS, disabled=disabled, unchecked=("stream",))
    _check_together(model, values)
    if is_o_series(model) and "max_tokens" in values:
        limit = values.pop("max_tokens")
        if "max_completion_tokens" not in disabled:
            values.setdefault("max_completion_tokens", limit)
    body: dict[str, Any] = {"model": model, "messages": _check_messages(messages)}
    body |= {name: value for name, value in values.items() if name not in _NOT_BODY}
    body |= values.get("extra_body", {})
    # The wire's stream flag is the flow's to set, wherever it was set.
    body.pop("stream", None)
    options = body.pop("stream_options", None)
    choices, send_reasoning = body.get("n"), values.get("send_reasoning")
    return Call(
        CHAT_PATH,
        partial(
            ChatReader,
            choices=choices if isinstance(choices, int) else 1,
            split_think_tags=values.get("split_think_tags", False),
        ),
        body,
        str(body["model"]),
        may_stream=True,
        stream=stream,
        stream_options=options if isinstance(options, Mapping) else values.get("stream_options", {}),
        ask_usage="stream_options" not in disabled,
        headers=values.get("extra_headers", {}),
        query=values.get("extra_query", {}),
        chosen=frozenset({"past_reasoning"} if send_reasoning else ()),
        send_reasoning=send_reasoning,
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _check_together(model: str, values: dict[str, Any]) -> None:
    """Refuse what is wrong only beside something else."""
    if values.get("top_logprobs") is not None and not values.get("logprobs"):
        raise InvalidRequestError("top_logprobs needs logprobs=True")
    if "audio" in values and "audio" not in values.get("modalities", ()):
        raise InvalidRequestError('audio needs modalities=["text", "audio"]')
    if "stop" in values and refuses_stop(model):
        raise InvalidRequestError(f"stop is not taken by {model}; leave it out, or name it in disabled_params")


def _check_messages(messages: Any) -> list[dict[str, Any]]:
    if not _is_list(messages) or not messages:
        raise InvalidRequestError(f"messages must be a list of at least one message, not {show(messages)}")
    return [_check_message(position, message) for position, message in enumerate(messages)]


def _check_message(position: int, message: Any) -> dict[str, Any]:
    if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
        raise InvalidRequestError(f"messages[{position}] must be a dict with a role, not {show(message)}")
    content = message.get("content")
    if content is not None and not isinstance(content, str | list | tuple):
        raise InvalidRequestError(f"messages[{position}].content must be a str or a list of parts, not {show(content)}")
    checked = dict(message)
    if isinstance(content, list | tuple):
        checked["content"] = _flat(content)
    return checked


def _flat(content: Sequence[Any]) -> str | list[Any]:
    """Text-only content as one text: many upstreams take no lists. Bare texts beside other parts become parts."""
    texts = [part if isinstance(part, str) else _text_of(part) for part in content]
    if None not in texts:
        return "".join(text for text in texts if text is not None)
    return [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]


def _text_of(part: Any) -> str | None:
    """The text of a part that is nothing else."""
    if not isinstance(part, Mapping) or part.get("type") != "text" or not part.keys() <= {"type", "text"}:
        return None
    text = part.get("text")
    return text if isinstance(text, str) else None
