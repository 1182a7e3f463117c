"""Requests described as data, and checked before anything is sent.

A :class:`Call` says what is asked, not how it travels: whether the wire is streamed is decided in ``flow``. Bounds are
those of the gateways' documented parameters; words of open lists (efforts, tiers, voices) and ``extra_body`` are
never checked, for gateways add their own.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import InvalidRequestError
from ..model_names import is_o_series, refuses_stop
from ..wire import ChatParams

CHAT_PATH = "/chat/completions"
MODELS_PATH = "/models"
EMBEDDINGS_PATH = "/embeddings"

_MAX_STOP, _MAX_TOOLS = 4, 128
_MAX_PAIRS, _MAX_KEY, _MAX_VALUE = 16, 64, 512


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        path: below the base URL, with its leading slash.
        body: the JSON body without ``stream`` and ``stream_options``; None for a GET.
        model: the model asked for, or None.
        stream: whether the caller wants the answer in pieces.
        stream_options: what the caller set, beside ``include_usage``.
        ask_usage: whether a stream asks for usage; not where the caller disabled ``stream_options``.
        headers: headers of this call alone.
        query: query parameters of this call alone.
        first: the position of the first of its texts in the caller's list.
        chosen: facts that change what the caller chose himself: learned and applied with his leave alone.
    """

    path: str
    body: dict[str, Any] | None = None
    model: str | None = None
    stream: bool = False
    stream_options: Mapping[str, Any] = field(default_factory=dict)
    ask_usage: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # keys may be among them
    query: Mapping[str, Any] = field(default_factory=dict, repr=False)
    first: int = 0
    chosen: frozenset[str] = frozenset()

    @property
    def may_stream(self) -> bool:
        """Whether there is a streamed form of it."""
        return self.path == CHAT_PATH

    @property
    def dimensions(self) -> int | None:
        """How long vectors were asked to be."""
        wanted = self.asked("dimensions")
        return wanted if isinstance(wanted, int) else None

    def asked(self, name: str) -> Any:
        """What the body says under a name, or None."""
        return (self.body or {}).get(name)


_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = 60


def show(value: Any) -> str:
    """A value as errors show it: prompts and images are long."""
    return _shown.repr(value)


def _number(low: float, high: float) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidRequestError(f"{name} must be a number from {low:g} to {high:g}, not {show(value)}")
        if not low <= value <= high:
            raise InvalidRequestError(f"{name} must be from {low:g} to {high:g}, not {show(value)}")

    return check


def _whole(low: int | None = None, high: int | None = None) -> Callable[[str, Any], None]:
    bounds = f" of at least {low}" if high is None else f" from {low} to {high}"
    bounds = "" if low is None else bounds

    def check(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidRequestError(f"{name} must be a whole number{bounds}, not {show(value)}")
        if (low is not None and value < low) or (high is not None and value > high):
            raise InvalidRequestError(f"{name} must be a whole number{bounds}, not {show(value)}")

    return check


def at_least(low: int) -> Callable[[str, Any], None]:
    """A check for whole numbers of at least ``low``."""
    return _whole(low)


def kind_of(kind: type | tuple[type, ...], said: str) -> Callable[[str, Any], None]:
    """A check for values of a kind, which errors call ``said``."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise InvalidRequestError(f"{name} must be {said}, not {show(value)}")

    return check


def _stop(name: str, value: Any) -> None:
    texts = [value] if isinstance(value, str) else value
    if not _is_list(texts) or not all(isinstance(text, str) for text in texts):
        raise InvalidRequestError(f"{name} must be a text or a list of texts, not {show(value)}")
    if len(texts) > _MAX_STOP:
        raise InvalidRequestError(f"{name} takes at most {_MAX_STOP} texts, not {len(texts)}")


def _tools(name: str, value: Any) -> None:
    if not _is_list(value) or not all(isinstance(tool, Mapping) for tool in value):
        raise InvalidRequestError(f"{name} must be a list of tool descriptions (dicts), not {show(value)}")
    if len(value) > _MAX_TOOLS:
        raise InvalidRequestError(f"{name} takes at most {_MAX_TOOLS} tools, not {len(value)}")


def _metadata(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"{name} must be a dict of texts, not {show(value)}")
    if len(value) > _MAX_PAIRS:
        raise InvalidRequestError(f"{name} takes at most {_MAX_PAIRS} pairs, not {len(value)}")
    for key, text in value.items():
        if not isinstance(key, str) or len(key) > _MAX_KEY:
            raise InvalidRequestError(f"{name}: a key must be a text of at most {_MAX_KEY} characters, not {show(key)}")
        if not isinstance(text, str) or len(text) > _MAX_VALUE:
            raise InvalidRequestError(f"{name}[{show(key)}] must be a text of at most {_MAX_VALUE} characters")


_text = kind_of(str, "a text")
_flag = kind_of(bool, "True or False")
_object = kind_of(Mapping, "a dict")
_words = kind_of((list, tuple), "a list")

CHECKS: dict[str, Callable[[str, Any], None]] = {
    "temperature": _number(0, 2),
    "top_p": _number(0, 1),
    "frequency_penalty": _number(-2, 2),
    "presence_penalty": _number(-2, 2),
    "max_tokens": _whole(1),
    "max_completion_tokens": _whole(1),
    "n": _whole(1, 128),
    "seed": _whole(),
    "top_logprobs": _whole(0, 20),
    "stop": _stop,
    "tools": _tools,
    "tool_choice": kind_of((str, Mapping), "a text or a dict"),
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
}
"""How each parameter of a chat call is checked. These names are :class:`~.wire.ChatParams`'."""

_NOT_BODY = frozenset({"stream", "stream_options", "extra_body", "extra_headers", "extra_query"})


def checked(
    model: str,
    params: Mapping[str, Any],
    checks: Mapping[str, Callable[[str, Any], None]],
    *,
    disabled: Collection[str],
    unchecked: Collection[str] = (),
) -> dict[str, Any]:
    """The parameters of a call that are set, checked; unknown ones as they are.

    Args:
        model: the model's id.
        params: what was given; None and what is empty is not set.
        checks: a check for each known parameter.
        disabled: names never to send.
        unchecked: names that are no parameter, and no misspelt one.

    Raises:
        InvalidRequestError: a wrong type, a value out of its bounds, a misspelt name.
    """
    kind_of(str, "a model's id")("model", model)
    if not model:
        raise InvalidRequestError(f"model must be a model's id, not {show(model)}")
    values = {name: value for name, value in params.items() if not is_unset(value) and name not in disabled}
    for name, value in values.items():
        check = checks.get(name)
        if check is not None:
            check(name, value)
        elif name not in unchecked:
            refuse_misspelt(name, checks)
    return values


def chat_call(
    model: str,
    messages: Sequence[Mapping[str, Any]],
    params: ChatParams | Mapping[str, Any],
    *,
    stream: bool = False,
    disabled: Collection[str] = (),
) -> Call:
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
    # The wire's stream flag is the flow's to set, wherever it was said.
    body.pop("stream", None)
    options = body.pop("stream_options", None)
    return Call(
        CHAT_PATH,
        body,
        str(body["model"]),
        stream=stream,
        stream_options=options if isinstance(options, Mapping) else values.get("stream_options", {}),
        ask_usage="stream_options" not in disabled,
        headers=values.get("extra_headers", {}),
        query=values.get("extra_query", {}),
    )


def is_unset(value: Any) -> bool:
    """Whether a parameter says nothing and is not sent."""
    return value is None or (isinstance(value, list | tuple | Mapping) and not value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def refuse_misspelt(name: str, known: Collection[str]) -> None:
    """Refuse a name that is nearly a known one; others are a gateway's own."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.88)
    if near:
        raise InvalidRequestError(
            f"unknown parameter {name!r}: did you mean {near[0]!r}? (a gateway's own parameters go by extra_body)"
        )


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
        raise InvalidRequestError(
            f"messages[{position}].content must be a text or a list of parts, not {show(content)}"
        )
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
