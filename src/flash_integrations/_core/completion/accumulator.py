"""Chunks added up to a completion.

A plain answer and a stream go the same way: each is a sequence of chunks (of one chunk, for a plain answer) added up.
So what comes of a stream equals what the plain endpoint would have answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..framing import json_codec
from .chunk import Chunk, Part
from .completion import ChatDelta, Choice, Completion, Usage
from .merging import largest, merge, with_new
from .one_message import OneMessage
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
        """What a text that is told whole adds to these pieces, if it repeats them."""
        so_far = str(self)
        if not so_far or not whole.startswith(so_far):
            return whole
        self._seam.flush()
        return whole[len(so_far) :]


class _ChoiceState:
    """One choice being put together."""

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
        "text",
        "wants_deltas",
    )

    def __init__(self, new_id: Callable[[], str], *, wants_deltas: bool) -> None:
        self.wants_deltas = wants_deltas
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
        refusal = self.refusal.append(part.refusal) if part.refusal else ""
        if not (self.wants_deltas and (text or reasoning or refusal or pieces or part.logprobs or part.audio)):
            return None
        return ChatDelta(part.index, text, reasoning, refusal, tuple(pieces), part.logprobs, part.audio, raw=raw)

    def _news(self, part: Part) -> Part:
        """What of a message is new that came after pieces: the message so far, or at the end all of it once more."""
        text, reasoning = self.text.rest_of(part.text), self.reasoning.rest_of(part.reasoning)
        refusal = self.refusal.rest_of(part.refusal)
        if part.finish_reason is None:
            # Equal texts are two pieces; a longer one says again what was said.
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
            logprobs=None if self.logprobs else part.logprobs,
        )

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
        return ChatDelta(
            index,
            self.text.flush(),
            self.reasoning.flush(),
            self.refusal.flush(),
            tuple(pieces),
            finish_reason=self.finish_reason(),
            usage=usage,
        )

    def fields_said(self) -> list[str]:
        """The fields of a part that have said something."""
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
        return "tool_calls" if self.finish == "stop" and self.calls else self.finish

    def result(self, index: int) -> Choice:
        call = self.call.calls()
        message = self.message
        return Choice(
            index=index,
            text=str(self.text),
            reasoning=str(self.reasoning),
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


class Accumulator:
    """Adds up chunks to a :class:`Completion`.

    :meth:`add_chunk` gives the deltas a caller of a stream gets at once; :meth:`finish` the last ones, which carry each
    choice's finish reason and, on the very last, the usage. Texts, tool calls, logprobs and audio of all deltas are
    those of the completion; ``function_call``, annotations and extra fields are the completion's alone.

    Args:
        new_id: gives an id to a tool call that came without one.
        choices: how many choices were asked for; where it is one, all that come are one message.
        deltas: whether :meth:`add_chunk` gives any.
    """

    __slots__ = (
        "_asked",
        "_beside",
        "_choices",
        "_created",
        "_extra",
        "_fingerprint",
        "_first",
        "_id",
        "_model",
        "_new_id",
        "_one_message",
        "_tier",
        "_usage",
        "_wants_deltas",
    )

    def __init__(self, *, new_id: Callable[[], str], choices: int = 1, deltas: bool = True) -> None:
        self._new_id = new_id
        self._wants_deltas = deltas
        self._asked = choices
        self._first: int | None = None  # the index of the choice that came first
        self._one_message: OneMessage | None = None  # where other choices came than the one asked for
        self._choices: dict[int, _ChoiceState] = {}
        self._id = self._model = ""
        self._created: int | None = None
        self._fingerprint: str | None = None
        self._tier: str | None = None
        self._beside: Chunk | None = None  # the first chunk without choices: its id counts where no other has one
        self._extra: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}

    @property
    def began(self) -> bool:
        """Whether any choice has begun; a role alone counts."""
        return bool(self._choices)

    @property
    def finished(self) -> bool:
        """Whether every choice that began has its finish reason."""
        if self._one_message is not None and not self._one_message.is_finished:
            return False
        return self.began and all(state.finish is not None for state in self._choices.values())

    def add_chunk(self, chunk: Chunk, raw: dict[str, Any] | None = None) -> list[ChatDelta]:
        """Take a chunk; give what it adds that a caller waits for."""
        # The first id, model and time count; fingerprint and tier may come late and change.
        if not chunk.parts:
            self._beside = self._beside or chunk
        else:
            if not self._id and chunk.id:
                self._id = chunk.id
            if not self._model and chunk.model:
                self._model = chunk.model
            if self._created is None:
                self._created = chunk.created
        if chunk.system_fingerprint:
            self._fingerprint = chunk.system_fingerprint
        if chunk.service_tier:
            self._tier = chunk.service_tier
        if chunk.usage:
            self.add_usage(chunk)
        if chunk.extra:
            self._extra |= chunk.extra
        deltas = []
        for part in chunk.parts if self._asked > 1 else self._one_choice(chunk.parts):
            state = self._choices.get(part.index)
            if state is None:
                state = self._choices[part.index] = _ChoiceState(self._new_id, wants_deltas=self._wants_deltas)
            delta = state.add_part(part, {} if raw is None else raw)
            if delta is not None:
                deltas.append(delta)
        return deltas

    def _one_choice(self, parts: Sequence[Part]) -> Iterable[Part]:
        """The parts of the one choice that was asked for, under index 0."""
        if self._first == 0 and self._one_message is None and len(parts) == 1 and parts[0].index == 0:
            return parts  # nearly always
        return self._parts_of_one(parts)

    def _parts_of_one(self, parts: Sequence[Part]) -> Iterator[Part]:
        for part in parts:
            if self._first is None:
                self._first = part.index
            if part.index != self._first and self._one_message is None:
                state = self._choices[0]
                self._one_message = OneMessage(
                    self._first, fields_said=state.fields_said(), finished=state.finish is not None
                )
            own = part if self._one_message is None else self._one_message.own(part)
            if own is not None:
                own.index = 0
                yield own

    def add_usage(self, chunk: Chunk) -> None:
        """Take only a chunk's usage. Counts may come again and again and grow: the largest of each stands."""
        if not chunk.usage:
            return
        if not self._usage:
            self._usage = dict(chunk.usage)
            return
        usage = self._usage = largest(self._usage, chunk.usage)
        if "prompt_tokens" in usage and "completion_tokens" in usage:
            total = usage["prompt_tokens"] + usage["completion_tokens"]
            usage["total_tokens"] = max(usage.get("total_tokens", 0), total)

    def finish(self) -> list[ChatDelta]:
        """End the answer; give each choice's last delta, the usage on the very last."""
        last = max(self._choices, default=0)
        usage = Usage(self._usage) if self._usage else None
        return [
            state.finish_choice(index, usage if index == last else None)
            for index, state in sorted(self._choices.items())
        ]

    def result(
        self,
        *,
        request_id: str | None = None,
        streamed: bool = False,
        retries: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> Completion:
        """The completion as it stands."""
        beside = self._beside or Chunk()
        return Completion(
            id=self._id or beside.id or "",
            model=self._model or beside.model or "",
            created=beside.created if self._created is None else self._created,
            choices=tuple(state.result(index) for index, state in sorted(self._choices.items())),
            usage=Usage(self._usage) if self._usage else None,
            system_fingerprint=self._fingerprint,
            service_tier=self._tier,
            extra=dict(self._extra),
            request_id=request_id,
            streamed=streamed,
            retries=retries,
            headers=headers or {},
        )
