"""What an answer is: :class:`Completion`, whole, and :class:`ChatDelta`, what a stream adds to one.

``accumulator`` makes the one out of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .tool_calls import ToolCall, ToolCallDelta
from .usage import Usage

__all__ = ["ChatDelta", "Choice", "Completion", "ToolCall", "ToolCallDelta", "Usage"]


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """What a stream adds to one choice.

    Attributes:
        index: the choice; always 0 unless ``n`` was set.
        text: new text.
        reasoning: new reasoning text.
        refusal: new text of a refusal.
        tool_calls: new pieces of tool calls.
        logprobs: log probabilities of the new tokens, as on the wire.
        audio: the wire's audio object of this piece.
        finish_reason: on the choice's last delta only.
        usage: on the stream's last delta only.
        raw: the wire's chunk this came from; empty for what the core adds at the end.
    """

    index: int = 0
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    logprobs: dict[str, Any] | None = None
    audio: dict[str, Any] | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of an answer.

    Attributes:
        index: its number, from 0.
        text: the content; "" where there is none.
        reasoning: the reasoning text, "" where none was shown.
        refusal: the refusal's text, or None.
        tool_calls: the tool calls, in order.
        function_call: a call in the format before tools, or None.
        audio: the audio object, its data and transcript joined, or None.
        annotations: citations and the like.
        logprobs: log probabilities as on the wire, or None.
        finish_reason: "stop", "length", "tool_calls", "content_filter", "function_call", or the gateway's own word;
            "tool_calls" also where the wire said "stop" beside tool calls.
        raw_finish_reason: the wire's word.
        message_extra: other fields of the message.
        extra: other fields of the choice.
    """

    index: int = 0
    text: str = ""
    reasoning: str = ""
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    function_call: dict[str, str] | None = None
    audio: dict[str, Any] | None = None
    annotations: tuple[Any, ...] = ()
    logprobs: dict[str, Any] | None = None
    finish_reason: str | None = None
    raw_finish_reason: str | None = field(default=None, compare=False)
    message_extra: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    reasoning_field: str = field(default="reasoning_content", repr=False)

    @property
    def message(self) -> dict[str, Any]:
        """The message as the plain endpoint writes it; fields that have nothing to say are left out."""
        silent = not self.text and (self.tool_calls or self.function_call or self.refusal or self.audio)
        message: dict[str, Any] = {"role": "assistant", "content": None if silent else self.text}
        optional = {
            self.reasoning_field: self.reasoning,
            "refusal": self.refusal,
            "tool_calls": [call.as_dict() for call in self.tool_calls],
            "function_call": self.function_call,
            "audio": self.audio,
            "annotations": list(self.annotations),
        }
        return message | {name: value for name, value in optional.items() if value} | self.message_extra

    def as_dict(self) -> dict[str, Any]:
        """The choice as the plain endpoint writes it."""
        choice: dict[str, Any] = {"index": self.index, "message": self.message, "finish_reason": self.finish_reason}
        if self.logprobs is not None:
            choice["logprobs"] = self.logprobs
        return choice | self.extra


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer.

    Attributes:
        id: the gateway's id, "" where none came.
        model: the model that answered, as the gateway names it.
        created: Unix time in seconds, or None.
        choices: the choices by index; one unless ``n`` was set.
        usage: token counts, or None if the gateway sent none.
        system_fingerprint: the backend's fingerprint, or None.
        service_tier: the tier that served the call, or None.
        extra: other fields of the answer.
        request_id: the gateway's id for the request, from its headers, or None.
        streamed: whether the wire was streamed.
        retries: how many times the request was sent again.
        headers: the answer's headers, names in lower case, without cookies and keys.
    """

    id: str = ""
    model: str = ""
    created: int | None = None
    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    request_id: str | None = field(default=None, compare=False)
    streamed: bool = field(default=False, compare=False)
    retries: int = field(default=0, compare=False)
    headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The first choice's text."""
        return self.choices[0].text if self.choices else ""

    @property
    def reasoning(self) -> str:
        """The first choice's reasoning."""
        return self.choices[0].reasoning if self.choices else ""

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The first choice's tool calls."""
        return self.choices[0].tool_calls if self.choices else ()

    @property
    def finish_reason(self) -> str | None:
        """The first choice's finish reason."""
        return self.choices[0].finish_reason if self.choices else None

    @property
    def is_hollow(self) -> bool:
        """Whether no choice says anything at all, though tokens were counted that are no reasoning.

        A choice that hit its length or a filter may be empty by right.
        """
        if self.usage is None or any(choice.finish_reason not in ("stop", None) for choice in self.choices):
            return False
        if any(len(choice.message) > 2 or choice.message["content"] for choice in self.choices):
            return False
        details = self.usage.get("completion_tokens_details")
        thought = details.get("reasoning_tokens") if isinstance(details, dict) else None
        return self.usage.completion_tokens > (thought if isinstance(thought, int) else 0)

    def as_dict(self) -> dict[str, Any]:
        """The JSON of the plain endpoint, as a dict."""
        optional = {
            "usage": None if self.usage is None else dict(self.usage),
            "system_fingerprint": self.system_fingerprint,
            "service_tier": self.service_tier,
        }
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [choice.as_dict() for choice in self.choices],
            **{name: value for name, value in optional.items() if value is not None},
            **self.extra,
        }
