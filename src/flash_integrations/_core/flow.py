"""A call carried through: limits, sending, reading, learning and re-sends, as a generator that does no I/O.

:func:`exchange` yields what it wants done: a command, whose :meth:`run` a port carries out (``client`` has two, one for
each colour), or a :class:`ChatDelta` for the caller. What came of it is sent in, or thrown in if it is an error. All
decisions are taken here, once; see the scenario tests.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol, TypeAlias

from ..errors import APIConnectionError, APITimeoutError, FlashError, InvalidRequestError, MalformedResponseError
from . import json, learning
from .body import Inflater
from .call import Call
from .completion import ChatDelta, Completion
from .limits import GRANTED, Limiter, Ticket
from .reading import ChatReading, JSONReading
from .refusals import refusal
from .retry import delay
from .terms import Surroundings, Terms

log = logging.getLogger("flash_integrations")

DRAIN_SECONDS = 0.2
"""How long to wait after ``[DONE]`` for the body's own end, so that the connection can be used again."""

LONG_WAIT_SECONDS = 30.0
"""A wait for the limits that is longer is logged."""

MAX_ERROR_BYTES = 1024 * 1024
"""How much of a refusal's body is read."""


class Port(Protocol):
    """What carries commands out; the async one gives awaitables."""

    def send(self, command: Send) -> Any:
        """Send a request; gives its :class:`Head`."""

    def read(self, command: Read) -> Any:
        """Read on; gives bytes, b"" at the end of the body."""

    def sleep(self, command: Sleep) -> Any:
        """Wait."""

    def close(self) -> Any:
        """Let go of the answer, if there is one."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request and wait for the answer's head.

    Attributes:
        path: below the base URL.
        content: the JSON body, None for a GET.
        streamed: whether a stream is asked for.
        headers, query: of this call alone.
        connect: seconds for the connection.
        deadline: when, by the clock, the head must be there; None for ever.
    """

    path: str
    content: bytes | None
    streamed: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    connect: float | None = None
    deadline: float | None = None

    def run(self, port: Port) -> Any:
        """Carry it out."""
        return port.send(self)


@dataclass(frozen=True, slots=True)
class Read:
    """Read the next bytes of the answer; ``deadline`` as in :class:`Send`."""

    deadline: float | None = None

    def run(self, port: Port) -> Any:
        """Carry it out."""
        return port.read(self)


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait ``seconds`` (None: for ever), or less if ``ticket`` is woken."""

    seconds: float | None
    ticket: Ticket | None = None

    def run(self, port: Port) -> Any:
        """Carry it out."""
        return port.sleep(self)


@dataclass(frozen=True, slots=True)
class Close:
    """Let go of the answer."""

    def run(self, port: Port) -> Any:
        """Carry it out."""
        return port.close()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer: status, and headers with names in lower case."""

    status: int
    headers: Mapping[str, str]


Command: TypeAlias = Send | Read | Sleep | Close
Flow: TypeAlias = Generator[Command | ChatDelta, Any, Any]


@dataclass(slots=True)
class _Sending:
    """What became of one sending."""

    shape: learning.Shape
    delivered: bool = False
    partial: Any = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call with all it needs: iterate :meth:`flow`.

    Attributes:
        call: what is asked.
        terms: on which terms.
        limiter: the record of use of this gateway and key.
        memory: what gateways taught so far.
        world: time and chance.
    """

    call: Call
    terms: Terms
    limiter: Limiter
    memory: learning.Memory
    world: Surroundings

    def flow(self) -> Flow:
        """Carry the call through. Returns the answer.

        Raises:
            FlashError: the one that is left when re-sends and learning are used up; with ``partial``, ``provider``,
                ``model`` and ``resends`` set.
        """
        total = self.terms.total_timeout
        give_up = self.world.clock() + total if total is not None else inf
        resends = 0
        while True:
            facts = self.memory.facts(self.terms.base_url, self.call.model)
            sending = _Sending(learning.shape(self.call, self.terms, facts))
            try:
                return (yield from self._attempt(sending, give_up, resends))
            except FlashError as error:
                error.partial = sending.partial
                if not sending.delivered:
                    if self._learn(sending.shape, error):
                        continue
                    wait = self._wait(resends, error, give_up)
                    if wait is not None:
                        resends += 1
                        log.info(
                            "%s: sending again in %.1f s (%d of %d) after: %s",
                            self._label,
                            wait,
                            resends,
                            self.terms.max_retries,
                            self._told(error, resends),
                        )
                        yield Sleep(wait)
                        continue
                raise self._told(error, resends)  # noqa: B904 - the same error

    @property
    def _label(self) -> str:
        return f"{self.terms.provider} {self.call.model or self.call.path}"

    def _told(self, error: FlashError, resends: int) -> FlashError:
        """The error, with what the caller wants to know of the call, and without the key."""
        error.provider, error.model, error.resends = self.terms.provider, self.call.model, resends
        error.message = self.world.redact(error.message)
        error.args = (error.message,)
        return error

    def _learn(self, sent: learning.Shape, error: FlashError) -> bool:
        fact = learning.lesson(sent, error, self.terms)
        if fact is None:
            return False
        self._keep(*fact, error)
        return True

    def _keep(self, name: str, value: Any, cause: object) -> None:
        self.memory.learn(self.terms.base_url, self.call.model, name, value)
        log.info("%s: learned %s=%r from: %s", self._label, name, value, self.world.redact(str(cause)))

    def _wait(self, resends: int, error: FlashError, give_up: float) -> float | None:
        if resends >= self.terms.max_retries:
            return None
        wait = delay(
            resends + 1, error, chance=self.world.chance(), max_retry_after=self.terms.max_retry_after
        )
        return wait if wait is not None and self.world.clock() + wait < give_up else None

    def _attempt(self, sending: _Sending, give_up: float, resends: int) -> Flow:
        """One sending, from the queue of the limits to the end of the answer."""
        clock = self.world.clock
        send = self._send(sending.shape)
        ticket = self.limiter.enter(self.terms.figures, label=self._label, now=clock())
        counted = True
        try:
            yield from self._admit(ticket, give_up)
            first_byte = clock() + (self.terms.timeout.first_byte or inf)
            try:
                head = yield Send(*send, self.terms.timeout.connect, _finite(min(first_byte, give_up)))
            except APIConnectionError as error:
                counted = error.reached
                raise
            self.limiter.answered(ticket, clock())
            if head.status >= 300:
                raise refusal(head.status, head.headers, (yield from self._drain(give_up)), now=self.world.wall())
            answer = yield from self._read(sending, head, first_byte, give_up, resends)
            yield Close()
            return answer
        except FlashError:
            yield Close()  # before the slot is free again
            raise
        finally:
            self.limiter.release(ticket, clock(), counted=counted)

    def _send(self, shape: learning.Shape) -> tuple[str, bytes | None, bool, Mapping[str, str], Mapping[str, Any]]:
        try:
            content = None if shape.body is None else json.dumps(shape.body)
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"the request has no JSON form: {error}") from error
        return self.call.path, content, shape.streamed, self.call.headers, self.call.query

    def _admit(self, ticket: Ticket, give_up: float) -> Flow:
        """Wait until the limits let the request go."""
        clock, logged = self.world.clock, False
        while (wait := self.limiter.acquire(ticket, clock())) != GRANTED:
            now = clock()
            if now >= give_up:
                raise APITimeoutError("total_timeout ran out while waiting for the rate limit", reached=False)
            until = min(give_up, inf if wait is None else now + wait)
            if not logged:
                until = min(until, ticket.queued_at + LONG_WAIT_SECONDS)
                if now - ticket.queued_at >= LONG_WAIT_SECONDS:
                    logged = True
                    held = "; ".join(self.limiter.holders(now)) or "nobody: the window is full"
                    log.warning("%s: waiting for the rate limit for %.0f s. Slots: %s", self._label, LONG_WAIT_SECONDS, held)
                    continue
            yield Sleep(_finite(until - now), ticket)
        return None

    def _drain(self, give_up: float) -> Flow:
        """The body of a refusal, as far as it comes."""
        body, inflater, limit = b"", Inflater(), self.world.clock() + (self.terms.timeout.progress or inf)
        try:
            while len(body) < MAX_ERROR_BYTES and (data := (yield Read(_finite(min(limit, give_up))))):
                body += inflater.feed(data)
        except (APIConnectionError, MalformedResponseError) as error:
            log.debug("%s: the refusal's body broke off: %s", self._label, error)
        return body

    def _read(self, sending: _Sending, head: Head, first_byte: float, give_up: float, resends: int) -> Flow:
        """Read the answer, hand on what the caller waits for, and see that it is whole."""
        clock, timeout, sent = self.world.clock, self.terms.timeout, sending.shape
        reading: ChatReading | JSONReading
        if self.call.body is None:
            reading = JSONReading(head.headers, world=self.world)
        else:
            reading = ChatReading(head.headers, streamed=sent.streamed, world=self.world)
        lost: APIConnectionError | None = None
        deadline, drained_by, data = first_byte, 0.0, b" "
        try:
            while data:
                try:
                    data = yield Read(_finite(min(deadline, give_up)))
                    events = reading.events
                    deltas = reading.feed(data)
                except APIConnectionError as error:
                    lost, data, deltas = error, b"", []
                if data and reading.events == events and clock() >= min(deadline, give_up):
                    lost, data = APITimeoutError("nothing but pings came within the time allowed"), b""
                if not data:
                    lenient = not self.terms.require_finish_reason or "stream_options" in sent.facts
                    deltas += reading.close(None if reading.done else lost, lenient=lenient)
                for delta in deltas if self.call.stream else ():
                    # From here on the caller has seen part of the answer: it is not sent again.
                    sending.delivered = True
                    yield delta
                if reading.done:
                    drained_by = drained_by or clock() + DRAIN_SECONDS
                    deadline = drained_by
                elif reading.events != events or not reading.is_stream:
                    deadline = clock() + ((timeout.progress if reading.is_stream else timeout.first_byte) or inf)
        except FlashError:
            sending.partial = reading.partial()
            raise
        answer = reading.result(resends=resends)
        if isinstance(reading, ChatReading) and not sent.streamed:
            self._notice(sent, reading, answer)
        return answer

    def _notice(self, sent: learning.Shape, reading: ChatReading, answer: Completion) -> None:
        """See whether a plain request should have been a streamed one, though nothing was refused.

        A stream in answer needs no second sending. An answer without content whose tokens were counted all the same
        (CLIProxyAPI, ModelScope) is no answer.
        """
        if self.terms.force_stream is not None or "stream" in sent.facts:
            return
        if reading.is_stream:
            self._keep("stream", True, "a stream came in answer to a plain request")
        elif answer.is_hollow:
            raise MalformedResponseError("the answer is empty, though its tokens were counted", empty=True)


def _finite(seconds: float) -> float | None:
    return None if seconds == inf else seconds
