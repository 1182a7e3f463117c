"""What refusals teach: one row a fact, with how it is learned and what it changes about a request.

A row learns only from a refusal that names the cause, and only where the request had what was refused. To teach a new
one, add a row to :data:`QUIRKS`; nothing else changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import BadRequestError, FlashError, MalformedResponseError, ServerError
from ..wire import PAST_REASONING
from .past_answer_texts import REASONING_WANTED, USER_IMAGES_ONLY
from .past_reasoning import (
    has_past_reasoning,
    lacks_reasoning,
    lacks_signature,
    with_reasoning_content,
    with_signature,
    without_reasoning,
)
from .refusal_texts import (
    MUST_NOT_STREAM,
    MUST_STREAM,
    NO_DEVELOPER,
    NO_REQUIRED_TOOL,
    NO_SUCH_FORMAT,
    NOT_TAKEN,
    WANTS_CONTENT,
    WANTS_TEXT,
)
from .refusals import blames_value, names, refuses, text_of
from .user_images import has_images_elsewhere, with_user_images
from .wire_request import WireRequest

DROPPABLE = frozenset(
    """temperature top_p frequency_penalty presence_penalty seed user store stop logprobs top_logprobs logit_bias
    reasoning_effort verbosity service_tier metadata prediction web_search_options""".split()
)
"""Parameters an answer can do without; dropped only where the user allows it (``drop_refused``)."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """One row.

    Attributes:
        fact: the fact's name, as ``learned()`` shows it.
        learn: the fact's value as a refusal of what was sent teaches it, or None.
        apply: changes a body (its own copy) by the fact's value.
        needs_permission: whether it is applied only for those who set ``drop_refused``: facts are the whole process's.
    """

    fact: str
    learn: Callable[[WireRequest, FlashError], Any]
    apply: Callable[[dict[str, Any], Any], None]
    needs_permission: bool = False


# --- streams --------------------------------------------------------------------------------------------------------


def _learn_stream(request: WireRequest, error: FlashError) -> bool | None:
    if request.forced or "input" in request.fields:  # texts to embed: there is no stream of vectors
        return None
    if request.streamed:
        return False if MUST_NOT_STREAM.find(text_of(error)) else None
    empty = isinstance(error, MalformedResponseError) and error.empty
    return True if empty or MUST_STREAM.find(text_of(error)) else None


def _learn_options(request: WireRequest, error: FlashError) -> bool | None:
    named = isinstance(error, BadRequestError) and names(error, r"stream[_ ]options|include_usage")
    return False if named and request.usage_asked else None


def _no_change(body: dict[str, Any], value: Any) -> None:
    """Applied where streams are decided."""


# --- names and parameters -------------------------------------------------------------------------------------------

_LIMITS = ("max_tokens", "max_completion_tokens")


def _learn_limit(request: WireRequest, error: FlashError) -> str | None:
    for name, other in (_LIMITS, _LIMITS[::-1]):
        if name in request.fields and refuses(error, name):
            return other
    return None


def _name_limit(body: dict[str, Any], name: str) -> None:
    for other in _LIMITS:
        if other != name and other in body:
            body[name] = body.pop(other)


def _dropping(name: str, *, freely: bool = False) -> Quirk:
    """A parameter that is refused is left out from then on; ``freely``: without being allowed to."""

    def learn(request: WireRequest, error: FlashError) -> bool | None:
        return False if name in request.fields and refuses(error, name) else None

    return Quirk(name, learn, lambda body, _: body.pop(name, None), needs_permission=not freely)


def _learn_choice(request: WireRequest, error: FlashError) -> str | None:
    asked = request.fields.get("tool_choice")
    return "auto" if asked not in (None, "auto", "none") and refuses(error, "tool_choice") else None


def _choose_freely(body: dict[str, Any], _: Any) -> None:
    if body.get("tool_choice") not in (None, "none"):
        del body["tool_choice"]


def _learn_required(request: WireRequest, error: FlashError) -> bool | None:
    asked = request.fields.get("tool_choice") == "required" and isinstance(error, BadRequestError)
    return False if asked and NO_REQUIRED_TOOL.find(text_of(error)) else None


def _choose_by_name(body: dict[str, Any], _: Any) -> None:
    """The only tool by its name; among several the model chooses."""
    if body.get("tool_choice") == "required":
        first, *others = body.get("tools") or [{}]
        name = (first.get("function") or {}).get("name")
        if others or not name:
            del body["tool_choice"]
        else:
            body["tool_choice"] = {"type": "function", "function": {"name": name}}


def _learn_strict(request: WireRequest, error: FlashError) -> bool | None:
    return False if any(map(bool, _strict_places(request.fields))) and refuses(error, "strict") else None


def _strict_places(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects of a body that have a ``strict``."""
    places = [tool.get("function") for tool in body.get("tools", ()) if isinstance(tool, Mapping)]
    places.append((body.get("response_format") or {}).get("json_schema"))
    return (place for place in places if isinstance(place, dict) and "strict" in place)


def _without_strict(body: dict[str, Any], _: Any) -> None:
    body.update(json.loads(json.dumps({key: body[key] for key in ("tools", "response_format") if key in body})))
    for place in list(_strict_places(body)):
        del place["strict"]


def _learn_encoding(request: WireRequest, error: FlashError) -> str | None:
    if "encoding_format" not in request.fields or not isinstance(error, BadRequestError | ServerError):
        return None
    if not names(error, r"encoding[_ ]?format|\bbase64\b"):
        return None
    takes_floats = request.fields["encoding_format"] != "float" and names(error, r"\bfloat")
    return "float" if takes_floats else ""


def _learn_no_encoding(request: WireRequest, error: FlashError) -> bool | None:
    """Floats were asked for by name, as a first refusal seemed to want, and that was refused too."""
    return True if "encoding_format" in request.facts and _learn_encoding(request, error) is not None else None


def _encode(body: dict[str, Any], value: str) -> None:
    """Ask for floats by name, or leave them to be the default they are everywhere."""
    if "encoding_format" in body:
        body["encoding_format"] = value
        if not value:
            del body["encoding_format"]


# --- messages -------------------------------------------------------------------------------------------------------


def _change(body: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    body["messages"] = [change(message) for message in body["messages"]]


def _learn_developer(request: WireRequest, error: FlashError) -> str | None:
    has = any(message.get("role") == "developer" for message in request.messages)
    return "system" if has and isinstance(error, BadRequestError) and NO_DEVELOPER.find(text_of(error)) else None


def _rename_developer(body: dict[str, Any], role: str) -> None:
    _change(body, lambda message: {**message, "role": role} if message["role"] == "developer" else message)


def _learn_lists(request: WireRequest, error: FlashError) -> bool | None:
    lists = [message["content"] for message in request.messages if isinstance(message.get("content"), list)]
    texts = all(isinstance(part, Mapping) and part.get("type") == "text" for parts in lists for part in parts)
    refused = isinstance(error, BadRequestError) and WANTS_TEXT.find(text_of(error))
    return False if lists and texts and refused else None


def _flatten(body: dict[str, Any], _: Any) -> None:
    def change(message: dict[str, Any]) -> dict[str, Any]:
        parts = message.get("content")
        if isinstance(parts, list) and all(isinstance(part, Mapping) and part.get("type") == "text" for part in parts):
            return {**message, "content": "".join(part["text"] for part in parts)}
        return message

    _change(body, change)


def _learn_null(request: WireRequest, error: FlashError) -> str | None:
    has = any("content" in message and message["content"] is None for message in request.messages)
    text = text_of(error) if isinstance(error, BadRequestError) and names(error, "content") else ""
    return "" if has and (WANTS_CONTENT.find(text) or WANTS_TEXT.find(text)) else None


def _fill_null(body: dict[str, Any], text: str) -> None:
    _change(body, lambda message: {**message, "content": text} if message.get("content", text) is None else message)


def _learn_images(sent: WireRequest, error: FlashError) -> str | None:
    has = has_images_elsewhere(sent.messages)
    return "user" if has and USER_IMAGES_ONLY.find(text_of(error)) else None


def _learn_reasoning(sent: WireRequest, error: FlashError) -> str | None:
    """The field that is wanted: one of those held back, or the text, which is empty where it was lost."""
    row = REASONING_WANTED.find(text_of(error))
    if row is None:
        return None
    if "reasoning_content" in row.means and lacks_reasoning(sent.messages):
        return "reasoning_content"
    return next((name for name in row.means if name in sent.held_back), None)


def _give_reasoning(body: dict[str, Any], field: str) -> None:
    """What is carried was put in when the request was made; the text goes where it is looked for."""
    if field == "reasoning_content":
        _change(body, with_reasoning_content)


def _learn_signature(sent: WireRequest, error: FlashError) -> bool | None:
    row = REASONING_WANTED.find(text_of(error))
    return True if row and "extra_content" in row.means and lacks_signature(sent.messages) else None


def _learn_no_reasoning(sent: WireRequest, error: FlashError) -> bool | None:
    refused = any(refuses(error, name) for name in PAST_REASONING) and not REASONING_WANTED.find(text_of(error))
    return False if refused and has_past_reasoning(sent.messages) else None


# --- structured output ----------------------------------------------------------------------------------------------


def _learn_format(kind: str) -> Callable[[WireRequest, FlashError], bool | None]:
    def learn(request: WireRequest, error: FlashError) -> bool | None:
        asked = request.response_format.get("type") == kind
        named = names(error, r"response[_ ]?format|json[_ ]?(?:schema|object|mode)")
        refused = NO_SUCH_FORMAT.find(text_of(error)) or NOT_TAKEN.find(text_of(error))
        about_kind = asked and named and refused and not blames_value(error)
        return False if about_kind and isinstance(error, BadRequestError) else None

    return learn


def _ask_for_schema(body: dict[str, Any], _: Any) -> None:
    """A JSON schema as JSON mode, with the schema in the prompt."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") != "json_schema":
        return
    schema = json.dumps((wanted.get("json_schema") or {}).get("schema", {}), ensure_ascii=False)
    text = f"Answer with one JSON object that matches this JSON schema, and with nothing else:\n{schema}"
    body["response_format"] = {"type": "json_object"}
    first, *rest = body["messages"]
    if first["role"] in ("system", "developer") and isinstance(first.get("content"), str):
        body["messages"] = [{**first, "content": f"{first['content']}\n\n{text}"}, *rest]
    else:
        body["messages"] = [{"role": "system", "content": text}, first, *rest]


def _without_format(body: dict[str, Any], _: Any) -> None:
    """JSON by the prompt alone."""
    if (body.get("response_format") or {}).get("type") == "json_object":
        del body["response_format"]


QUIRKS: tuple[Quirk, ...] = (
    Quirk("stream_options", _learn_options, _no_change),
    Quirk("stream", _learn_stream, _no_change),
    Quirk("max_tokens", _learn_limit, _name_limit),
    Quirk("encoding_format", _learn_encoding, _encode),
    Quirk("no_encoding_format", _learn_no_encoding, lambda body, _: body.pop("encoding_format", None)),
    Quirk("developer", _learn_developer, _rename_developer),
    Quirk("required_tool", _learn_required, _choose_by_name),
    Quirk("tool_choice", _learn_choice, _choose_freely),
    _dropping("parallel_tool_calls", freely=True),
    Quirk("strict", _learn_strict, _without_strict),
    Quirk("json_schema", _learn_format("json_schema"), _ask_for_schema),
    Quirk("json_object", _learn_format("json_object"), _without_format),
    Quirk("images", _learn_images, lambda body, _: body.update(messages=with_user_images(body["messages"]))),
    Quirk("send_reasoning", _learn_reasoning, _give_reasoning),
    Quirk("thought_signature", _learn_signature, lambda body, _: _change(body, with_signature)),
    Quirk("past_reasoning", _learn_no_reasoning, lambda body, _: _change(body, without_reasoning)),
    Quirk("content_list", _learn_lists, _flatten),
    Quirk("content_null", _learn_null, _fill_null),
    *(_dropping(name) for name in sorted(DROPPABLE)),
)
"""The rows, in the order they are tried and applied."""


def learn_quirk(request: WireRequest, error: FlashError) -> tuple[str, Any] | None:
    """The fact a refused sending teaches, or None. What was known when sending is not learned again."""
    unknown = [quirk for quirk in QUIRKS if quirk.fact not in request.facts and _is_allowed(quirk, request)]
    return _first_learned(unknown, request, error)


def drop_hint(request: WireRequest, error: FlashError) -> str | None:
    """What to do about a refused parameter that is left out for those alone who allow it; None for other refusals."""
    fact = _first_learned([quirk for quirk in QUIRKS if not _is_allowed(quirk, request)], request, error)
    if fact is None or fact[0] not in request.fields:
        return None
    return f"Leave {fact[0]} out, or let this package do so: drop_refused=True"


def _is_allowed(quirk: Quirk, request: WireRequest) -> bool:
    return quirk.fact not in request.chosen and (request.drop_refused or not quirk.needs_permission)


def _first_learned(quirks: Iterable[Quirk], request: WireRequest, error: FlashError) -> tuple[str, Any] | None:
    learned = ((quirk.fact, quirk.learn(request, error)) for quirk in quirks)
    return next((fact for fact in learned if fact[1] is not None), None)
