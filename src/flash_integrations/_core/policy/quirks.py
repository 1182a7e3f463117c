"""What refusals teach: one row a fact, with how it is learned and what it changes about a request.

A row learns only from a refusal that names the cause, and only where the request had what was refused. To teach a new
one, add a row to :data:`QUIRKS`; nothing else changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import APIStatusError, BadRequestError, FlashError, MalformedResponseError, ServerError
from .wire_request import WireRequest

# Texts seen on the wire, with the software or vendor that sends them.
MUST_STREAM = re.compile(
    r"stream must be (?:set to )?true"  # Codex, and new-api and others before it
    r"|only support(?:s|ed)? stream"  # DashScope: "This model only support stream mode"
    r"|(?:must|has to|needs to) be (?:called |used )?(?:with )?stream(?:ed|ing|\W*true)"
    r"|must be set to false for non-streaming calls"  # DashScope Qwen3
    r"|can ?not be support when `?stream=false"  # ModelScope
    r"|expected true.{0,40}stream|stream.{0,40}expected true"  # zod-style validators
    r"|does not support http call|(?:does not|doesn't) support non-?stream"
    r"|non-?stream\w* (?:\w+ ){0,3}not (?:supported|allowed)"
    r"|只支持流式|仅支持流式|必须(?:使用)?流式|不支持非流式",
    re.IGNORECASE | re.DOTALL,
)
MUST_NOT_STREAM = re.compile(
    r"stream must be (?:set to )?false"
    r"|stream(?:ing)?(?: mode| output| requests?| responses?)? (?:is |are )?"
    r"(?:not|un)[ -]?(?:supported|allowed|available|enabled)"
    r"|(?:does not|doesn't|not) support (?:sse |server-sent )?stream"
    r"|unsupported (?:parameter|value)\W{1,4}stream\b(?!_)"
    r"|不支持流式|仅支持非流式",
    re.IGNORECASE,
)
NOT_TAKEN = re.compile(
    r"unsupported|not supported|n[o']t support|unknown|unrecogni[sz]ed|unexpected|extra (?:fields?|inputs?)"
    r"|extra_forbidden|not (?:permitted|allowed|accepted|available)|unavailable|only the default|不支持|未知参数",
    re.IGNORECASE,
)
"""Words by which a refusal says that something is not taken at all, rather than that its value is off."""

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


def _says(error: FlashError, *patterns: re.Pattern[str] | str) -> bool:
    """Whether a refusal's text holds all the patterns."""
    if not isinstance(error, APIStatusError):
        return False
    text = f"{error.message} {error.code or ''} {error.param or ''}"
    return all(
        (each if isinstance(each, re.Pattern) else re.compile(each, re.IGNORECASE)).search(text) for each in patterns
    )


def _refuses(error: FlashError, name: str) -> bool:
    """Whether the request was refused because it had ``name``."""
    return isinstance(error, BadRequestError) and _says(error, rf"(?<![\w]){re.escape(name)}(?![\w])", NOT_TAKEN)


# --- streams --------------------------------------------------------------------------------------------------------


def _learn_stream(sent: WireRequest, error: FlashError) -> bool | None:
    if sent.forced or "input" in sent.sent:  # texts to embed: there is no stream of vectors
        return None
    if sent.streamed:
        return False if _says(error, MUST_NOT_STREAM) else None
    empty = isinstance(error, MalformedResponseError) and error.empty
    return True if empty or _says(error, MUST_STREAM) else None


def _learn_options(sent: WireRequest, error: FlashError) -> bool | None:
    named = isinstance(error, BadRequestError) and _says(error, r"stream[_ ]options|include_usage")
    return False if named and sent.usage_asked else None


def _leave(body: dict[str, Any], value: Any) -> None:
    """Applied where streams are decided."""


# --- names and parameters -------------------------------------------------------------------------------------------

_LIMITS = ("max_tokens", "max_completion_tokens")


def _learn_limit(sent: WireRequest, error: FlashError) -> str | None:
    for name, other in (_LIMITS, _LIMITS[::-1]):
        if name in sent.sent and _refuses(error, name):
            return other
    return None


def _name_limit(body: dict[str, Any], name: str) -> None:
    for other in _LIMITS:
        if other != name and other in body:
            body[name] = body.pop(other)


def _dropping(name: str, *, freely: bool = False) -> Quirk:
    """A parameter that is refused is left out from then on; ``freely``: without being allowed to."""

    def learn(sent: WireRequest, error: FlashError) -> bool | None:
        return False if (freely or sent.drop_refused) and name in sent.sent and _refuses(error, name) else None

    return Quirk(name, learn, lambda body, _: body.pop(name, None), needs_permission=not freely)


def _learn_choice(sent: WireRequest, error: FlashError) -> str | None:
    asked = sent.sent.get("tool_choice")
    return "auto" if asked not in (None, "auto", "none") and _refuses(error, "tool_choice") else None


def _choose_freely(body: dict[str, Any], _: Any) -> None:
    if body.get("tool_choice") not in (None, "none"):
        del body["tool_choice"]


def _learn_strict(sent: WireRequest, error: FlashError) -> bool | None:
    return False if any(map(bool, _strict_places(sent.sent))) and _refuses(error, "strict") else None


def _strict_places(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects of a body that have a ``strict``."""
    places = [tool.get("function") for tool in body.get("tools", ()) if isinstance(tool, Mapping)]
    places.append((body.get("response_format") or {}).get("json_schema"))
    return (place for place in places if isinstance(place, dict) and "strict" in place)


def _without_strict(body: dict[str, Any], _: Any) -> None:
    body.update(json.loads(json.dumps({key: body[key] for key in ("tools", "response_format") if key in body})))
    for place in list(_strict_places(body)):
        del place["strict"]


def _learn_encoding(sent: WireRequest, error: FlashError) -> str | None:
    if "encoding_format" not in sent.sent or not isinstance(error, BadRequestError | ServerError):
        return None
    if not _says(error, r"encoding[_ ]?format|\bbase64\b"):
        return None
    takes_floats = sent.sent["encoding_format"] != "float" and _says(error, r"\bfloat")
    return "float" if takes_floats else ""


def _learn_no_encoding(sent: WireRequest, error: FlashError) -> bool | None:
    """Floats were asked for by name, as a first refusal seemed to want, and that was refused too."""
    return True if "encoding_format" in sent.facts and _learn_encoding(sent, error) is not None else None


def _encode(body: dict[str, Any], value: str) -> None:
    """Ask for floats by name, or leave them to be the default they are everywhere."""
    if "encoding_format" in body:
        body["encoding_format"] = value
        if not value:
            del body["encoding_format"]


# --- messages -------------------------------------------------------------------------------------------------------


def _change(body: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    body["messages"] = [change(message) for message in body["messages"]]


def _learn_developer(sent: WireRequest, error: FlashError) -> str | None:
    has = any(message.get("role") == "developer" for message in sent.messages)
    told = _says(error, r"\bdeveloper\b", r"role|variant|invalid|support|unexpected|must be|one of")
    told = told or _says(error, r"incorrect role information|角色信息")
    return "system" if has and isinstance(error, BadRequestError) and told else None


def _rename_developer(body: dict[str, Any], role: str) -> None:
    _change(body, lambda message: {**message, "role": role} if message["role"] == "developer" else message)


_WANTS_TEXT = (
    r"expected (?:a )?string|must be (?:a )?(?:valid )?string|should be a (?:valid )?string|sequence|\bnull\b|\bnone\b"
)


def _learn_lists(sent: WireRequest, error: FlashError) -> bool | None:
    lists = [message["content"] for message in sent.messages if isinstance(message.get("content"), list)]
    texts = all(isinstance(part, Mapping) and part.get("type") == "text" for parts in lists for part in parts)
    told = isinstance(error, BadRequestError) and _says(error, _WANTS_TEXT)
    return False if lists and texts and told else None


def _flatten(body: dict[str, Any], _: Any) -> None:
    def change(message: dict[str, Any]) -> dict[str, Any]:
        parts = message.get("content")
        if isinstance(parts, list) and all(isinstance(part, Mapping) and part.get("type") == "text" for part in parts):
            return {**message, "content": "".join(part["text"] for part in parts)}
        return message

    _change(body, change)


def _learn_null(sent: WireRequest, error: FlashError) -> str | None:
    has = any("content" in message and message["content"] is None for message in sent.messages)
    told = isinstance(error, BadRequestError) and _says(error, r"content", rf"{_WANTS_TEXT}|required|empty")
    return "" if has and told else None


def _fill_null(body: dict[str, Any], text: str) -> None:
    _change(body, lambda message: {**message, "content": text} if message.get("content", text) is None else message)


# --- structured output ----------------------------------------------------------------------------------------------


def _learn_format(kind: str) -> Callable[[WireRequest, FlashError], bool | None]:
    def learn(sent: WireRequest, error: FlashError) -> bool | None:
        asked = sent.format.get("type") == kind
        named = _says(error, r"response[_ ]?format|json[_ ]?(?:schema|object|mode)")
        told = named and _says(error, rf"{NOT_TAKEN.pattern}|invalid (?:type|value)|must be|one of")
        return False if asked and told and isinstance(error, BadRequestError) else None

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
    Quirk("stream_options", _learn_options, _leave),
    Quirk("stream", _learn_stream, _leave),
    Quirk("max_tokens", _learn_limit, _name_limit),
    Quirk("encoding_format", _learn_encoding, _encode),
    Quirk("no_encoding_format", _learn_no_encoding, lambda body, _: body.pop("encoding_format", None)),
    Quirk("developer", _learn_developer, _rename_developer),
    Quirk("tool_choice", _learn_choice, _choose_freely),
    _dropping("parallel_tool_calls", freely=True),
    Quirk("strict", _learn_strict, _without_strict),
    Quirk("json_schema", _learn_format("json_schema"), _ask_for_schema),
    Quirk("json_object", _learn_format("json_object"), _without_format),
    Quirk("content_list", _learn_lists, _flatten),
    Quirk("content_null", _learn_null, _fill_null),
    *(_dropping(name) for name in sorted(DROPPABLE)),
)
"""The rows, in the order they are tried and applied."""


def learn_quirk(sent: WireRequest, error: FlashError) -> tuple[str, Any] | None:
    """The fact a refused sending teaches, or None. What was known when sending is not learned again."""
    for row in QUIRKS:
        if row.fact not in sent.facts and row.fact not in sent.chosen:
            value = row.learn(sent, error)
            if value is not None:
                return row.fact, value
    return None
