"""One choice of an answer, put together from the parts of its chunks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..framing import json_codec
from .chunk import Part
from .completion import ChatDelta, Choice, Usage
from .merging import merge, with_new, without_reasoning_in
from .think_tags import ThinkTags
from .tool_calls import ToolCallAssembler, ToolCallDelta


class _Text:
    """A text in pieces."""

    __slots__ = ("_parts", "_seam")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._seam = json_codec.SurrogateJoiner()

    def append(self, piece: str) -> str:
        """Take a piece; give what is whole of it."""
        piece = self._seam.join_piece(piece)
        if piece:
            self._parts.append(piece)
        return piece

    def flush(self) -> str:
        """Give what still waits for its other half."""
        rest = self._seam.flush()
        if rest:
            self._parts.append(rest)
        return rest

    def __str__(self) -> str:
        return "".join(self._parts)

    def rest_of(self, whole: str) -> str:
        """What a text that is sent whole adds to these pieces, if it repeats them."""
        so_far = str(self)
        if not so_far or not whole.startswith(so_far):
            return whole
        self._seam.flush()
        return whole[len(so_far) :]


class ChoiceState:
    """One choice being put together.

    Args:
        new_id: gives an id to a tool call that came without one.
        wants_deltas: whether :meth:`add_part` gives any.
        split_think_tags: whether reasoning between tags in the content is given as reasoning.
    """

    __slots__ = (
        "began",
        "call",
        "calls",
        "fields",
        "finish",
        "logprobs",
        "message",
        "raw_finish",
        "reasoning",
        "refusal",
        "tags",
        "text",
        "texts",
        "wants_deltas",
    )

    def __init__(self, new_id: Callable[[], str], *, wants_deltas: bool, split_think_tags: bool) -> None:
        self.wants_deltas = wants_deltas
        self.tags = ThinkTags() if split_think_tags else None
        self.texts: list[str] = []  # the text without reasoning, where tags are split
        self.began = False
        self.text, self.reasoning, self.refusal = _Text(), _Text(), _Text()
        self.calls, self.call = ToolCallAssembler(new_id), ToolCallAssembler(new_id)
        self.logprobs: dict[str, Any] = {}
        self.finish: str | None = None
        self.raw_finish: str | None = None
        self.message: dict[str, Any] = {}  # audio, annotations, extra, reasoning_field
        self.fields: dict[str, Any] = {}

    def add_part(self, part: Part, raw: dict[str, Any]) -> ChatDelta | None:
        """Take one chunk's part; give what it adds, or None where that is nothing a caller waits for."""
        if part.whole and self.began:
            part = self._news(part)
        self.began = True
        pieces: list[ToolCallDelta] = []
        for entry in part.tool_calls:
            pieces += self.calls.add_entry(entry)
        if part.function_call is not None:
            self.call.add_entry({"index": 0, "function": part.function_call})
        if part.audio is not None:
            self.message["audio"] = merge(self.message.get("audio", {}), part.audio)
        if part.annotations:
            self.message["annotations"] = with_new(self.message.get("annotations", []), part.annotations)
        if part.message_extra:
            self.message["extra"] = merge(self.message.get("extra", {}), part.message_extra)
        if part.reasoning_field:
            self.message.setdefault("reasoning_field", part.reasoning_field)
        if part.logprobs:
            self._add_logprobs(part.logprobs)
        if part.choice_extra:
            self.fields |= part.choice_extra
        if part.finish_reason and (self.finish is None or part.finish_reason != "stop"):
            # A late "stop" says only that the stream ended: what was cut stays cut.
            self.finish, self.raw_finish = part.finish_reason, part.raw_finish_reason
        text = self.text.append(part.text)
        reasoning = self.reasoning.append(part.reasoning) if part.reasoning else ""
        if self.tags is not None:
            text, thought = self._split(text, skips=bool(reasoning))
            reasoning += thought
        refusal = self.refusal.append(part.refusal) if part.refusal else ""
        if not (self.wants_deltas and (text or reasoning or refusal or pieces or part.logprobs or part.audio)):
            return None
        return ChatDelta(part.index, text, reasoning, refusal, tuple(pieces), part.logprobs, part.audio, raw=raw)

    def _news(self, part: Part) -> Part:
        """What of a message is new that came after pieces: the message so far, or at the end all of it once more."""
        text, reasoning = self.text.rest_of(part.text), self.reasoning.rest_of(part.reasoning)
        refusal = self.refusal.rest_of(part.refusal)
        if part.finish_reason is None:
            # Equal texts are two pieces; a longer one repeats what has come.
            return replace(part, text=text or part.text, reasoning=reasoning or part.reasoning)
        if part.audio is not None and "audio" in self.message:
            self.message["audio"] = part.audio
        return replace(
            part,
            text=text,
            reasoning=reasoning,
            refusal=refusal,
            audio=None if "audio" in self.message else part.audio,
            annotations=() if "annotations" in self.message else part.annotations,
            message_extra=without_reasoning_in(self.message.get("extra", {}), part.message_extra),
            logprobs=None if self.logprobs else part.logprobs,
        )

    def _split(self, text: str, *, skips: bool = False, ends: bool = False) -> tuple[str, str]:
        """The text and the reasoning in a piece of the content, where think tags are split."""
        if self.tags is None:
            return text, ""
        if skips:
            self.tags.skip_beginning()
        text, thought = self.tags.split(text)
        if ends:
            rest, more = self.tags.flush()
            text, thought = text + rest, thought + more
        self.texts.append(text)
        return text, self.reasoning.append(thought)

    def _add_logprobs(self, logprobs: dict[str, Any]) -> None:
        for key, tokens in logprobs.items():
            known = self.logprobs.get(key)
            if isinstance(known, list) and isinstance(tokens, list):
                known.extend(tokens)
            elif tokens is not None or known is None:
                self.logprobs[key] = list(tokens) if isinstance(tokens, list) else tokens

    def finish_choice(self, index: int, usage: Usage | None) -> ChatDelta:
        """End the choice: what was held back, and the finish reason."""
        cut = self.finish == "length"
        pieces = self.calls.finish(cut=cut)
        self.call.finish(cut=cut)
        text, thought = self._split(self.text.flush(), ends=True)
        return ChatDelta(
            index,
            text,
            thought + self.reasoning.flush(),
            self.refusal.flush(),
            tuple(pieces),
            finish_reason=self.finish_reason(),
            usage=usage,
        )

    def filled_fields(self) -> list[str]:
        """The names of the fields that hold something."""
        fields = {
            "text": str(self.text),
            "reasoning": str(self.reasoning),
            "refusal": str(self.refusal),
            "tool_calls": self.calls,
            "function_call": self.call,
            "audio": self.message.get("audio"),
        }
        return [name for name, value in fields.items() if value]

    def finish_reason(self) -> str | None:
        """The finish reason so far, in OpenAI's words."""
        return "tool_calls" if self.finish == "stop" and self.calls else self.finish

    def result(self, index: int) -> Choice:
        """The choice as it stands."""
        call = self.call.calls()
        message = self.message
        text, reasoning = str(self.text), str(self.reasoning)
        if self.tags is not None:
            rest, thought = self.tags.rest()  # of an answer that broke off
            text, reasoning = "".join([*self.texts, rest]), reasoning + thought
        return Choice(
            index=index,
            text=text,
            reasoning=reasoning,
            refusal=str(self.refusal) or None,
            tool_calls=self.calls.calls(),
            function_call={"name": call[0].name, "arguments": call[0].arguments} if call else None,
            audio=message.get("audio"),
            annotations=tuple(message.get("annotations", ())),
            logprobs={key: list(v) if isinstance(v, list) else v for key, v in self.logprobs.items()} or None,
            finish_reason=self.finish_reason(),
            raw_finish_reason=self.raw_finish,
            message_extra=message.get("extra", {}),
            extra=dict(self.fields),
            reasoning_field=message.get("reasoning_field", "reasoning_content"),
        )
