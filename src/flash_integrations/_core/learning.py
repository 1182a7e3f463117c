"""What a gateway taught about a model: facts per (base URL, model), for the life of the process.

A refusal that names its cause turns into a fact, once; the same call is then sent in the form the gateway takes. A
refusal after that is raised. A fact is one row of :data:`LESSONS`: when it is learned, and what it says. What a fact
changes about a request is in :func:`shape`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import APIStatusError, BadRequestError, FlashError, MalformedResponseError
from .call import Call
from .terms import Terms

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
_STREAM_OPTIONS = re.compile(r"stream[_ ]options|include_usage", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shape:
    """A call in the form it is sent in.

    Attributes:
        body: the whole body.
        streamed: whether it asks for a stream.
        usage_asked: whether it asks for usage in the stream.
        facts: what was known when it was made.
    """

    body: dict[str, Any] | None
    streamed: bool
    usage_asked: bool
    facts: Mapping[str, Any]


def shape(call: Call, terms: Terms, facts: Mapping[str, Any]) -> Shape:
    """Put a call into the form the gateway takes, by the terms and by what was learned."""
    if call.body is None or call.model is None:
        return Shape(call.body, streamed=False, usage_asked=False, facts=facts)
    if terms.force_stream is not None:
        streamed = terms.force_stream
    else:
        streamed = facts.get("stream", call.stream or terms.stream_whole)
    body = dict(call.body)
    usage_asked = streamed and facts.get("stream_options", True)
    if streamed:
        body["stream"] = True
        if usage_asked:
            body["stream_options"] = {"include_usage": True, **call.stream_options}
    return Shape(body, streamed, usage_asked, facts)


def _stream_wanted(sent: Shape, error: FlashError) -> bool | None:
    if sent.streamed:
        return None
    empty = isinstance(error, MalformedResponseError) and error.empty
    return True if empty or _said(error, MUST_STREAM) else None


def _stream_refused(sent: Shape, error: FlashError) -> bool | None:
    return False if sent.streamed and _said(error, MUST_NOT_STREAM) else None


def _options_refused(sent: Shape, error: FlashError) -> bool | None:
    refused = isinstance(error, BadRequestError) and sent.usage_asked and _said(error, _STREAM_OPTIONS)
    return False if refused else None


def _said(error: FlashError, pattern: re.Pattern[str]) -> bool:
    if not isinstance(error, APIStatusError):
        return False
    return pattern.search(f"{error.message} {error.code or ''}") is not None


Lesson = Callable[[Shape, FlashError], Any]

LESSONS: tuple[tuple[str, Lesson], ...] = (
    ("stream_options", _options_refused),
    ("stream", _stream_wanted),
    ("stream", _stream_refused),
)
"""Facts and how they are learned, tried in this order: (name, what a refused sending says about it, or None)."""


def lesson(sent: Shape, error: FlashError, terms: Terms) -> tuple[str, Any] | None:
    """The fact a refused sending teaches, or None.

    What the user said, and what was known when sending, teaches nothing: each fact is learned once.
    """
    for name, learn in LESSONS:
        if name in sent.facts or (name == "stream" and terms.force_stream is not None):
            continue
        value = learn(sent, error)
        if value is not None:
            return name, value
    return None


class Memory:
    """The facts of a process. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._facts: dict[tuple[str, str], dict[str, Any]] = {}

    def facts(self, base_url: str, model: str | None) -> Mapping[str, Any]:
        """What is known now; never changes after it was given out."""
        return self._facts.get((base_url, model or ""), {})

    def learn(self, base_url: str, model: str | None, name: str, value: Any) -> None:
        """Keep a fact."""
        with self._lock:
            place = (base_url, model or "")
            self._facts[place] = {**self._facts.get(place, {}), name: value}

    def learned(self, base_url: str) -> dict[str, dict[str, Any]]:
        """All facts of a gateway, by model."""
        with self._lock:
            return {model: dict(facts) for (url, model), facts in self._facts.items() if url == base_url}

    def forget(self, base_url: str, model: str | None = None) -> None:
        """Forget a gateway's facts, or those of one model there."""
        with self._lock:
            gone = [place for place in self._facts if place[0] == base_url and model in (None, place[1])]
            for place in gone:
                del self._facts[place]

    def renew_lock(self) -> None:
        """Take a new lock, in a process that forked while a thread held the old one."""
        self._lock = threading.Lock()
