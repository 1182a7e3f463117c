"""Requests described as data: what is asked, and how its answer is read; not how it travels.

Whether the wire is streamed is decided in ``flow``, which knows no endpoint: a new one is a new room beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ...errors import FlashError
from .reader import AnswerContext, Reader

T = TypeVar("T")


def no_guess(_: FlashError) -> dict[str, Any]:
    """Nothing to try."""
    return {}


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request.

    Attributes:
        path: below the base URL, with its leading slash.
        reader: makes what reads the answer, from its head and the circumstances.
        body: the JSON body without ``stream`` and ``stream_options``; None for a GET.
        model: the model asked for, or None.
        stream: whether the caller wants the answer in pieces.
        may_stream: whether the endpoint has a streamed form.
        stream_options: what the caller set, beside ``include_usage``.
        ask_usage: whether a stream asks for usage; not where the caller disabled ``stream_options``.
        headers: headers of this call alone.
        query: query parameters of this call alone.
        send_reasoning: whether the reasoning of earlier answers goes back; None: where the gateway asks for it.
        chosen: facts that change what the caller chose himself: learned and applied with his leave alone.
        guess: facts to try once after a failure that names no cause; they are kept if the call then succeeds.
    """

    path: str
    reader: Callable[[AnswerContext], Reader[T]]
    body: dict[str, Any] | None = None
    model: str | None = None
    stream: bool = False
    may_stream: bool = False
    stream_options: Mapping[str, Any] = field(default_factory=dict)
    ask_usage: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # keys may be among them
    query: Mapping[str, Any] = field(default_factory=dict, repr=False)
    chosen: frozenset[str] = frozenset()
    guess: Callable[[FlashError], Mapping[str, Any]] = no_guess
    send_reasoning: bool | None = None
