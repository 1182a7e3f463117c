"""Chunks added up to a completion.

A plain answer and a stream go the same way: each is a sequence of chunks (of one chunk, for a plain answer) added up.
So what comes of a stream equals what the plain endpoint would have answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .choice_state import ChoiceState
from .chunk import Chunk, Part
from .completion import ChatDelta, Completion, Usage
from .merging import largest
from .one_message import OneMessage


class Accumulator:
    """Adds up chunks to a :class:`Completion`.

    :meth:`add_chunk` gives the deltas a caller of a stream gets at once; :meth:`finish` the last ones, which carry each
    choice's finish reason and, on the very last, the usage. Texts, tool calls, logprobs and audio of all deltas are
    those of the completion; ``function_call``, annotations and extra fields are the completion's alone.

    Args:
        new_id: gives an id to a tool call that came without one.
        choices: how many choices were asked for; where it is one, all that come are one message.
        split_think_tags: whether reasoning between tags in the content is given as reasoning.
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
        "_split_think_tags",
        "_tier",
        "_usage",
        "_wants_deltas",
    )

    def __init__(
        self, *, new_id: Callable[[], str], choices: int = 1, split_think_tags: bool = False, deltas: bool = True
    ) -> None:
        self._new_id = new_id
        self._split_think_tags = split_think_tags
        self._wants_deltas = deltas
        self._asked = choices
        self._first: int | None = None  # the index of the choice that came first
        self._one_message: OneMessage | None = None  # where other choices came than the one asked for
        self._choices: dict[int, ChoiceState] = {}
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
                state = self._choices[part.index] = ChoiceState(
                    self._new_id, wants_deltas=self._wants_deltas, split_think_tags=self._split_think_tags
                )
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
                    self._first, filled_fields=state.filled_fields(), finished=state.finish is not None
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
