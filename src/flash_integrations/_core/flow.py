"""A call carried through: limits, sending, reading, learning and re-sends, as a generator that does no I/O.

:meth:`Exchange.flow` yields what it wants done: a command, which a port carries out (``_transport.ports`` has two: sync
and async), or a :class:`ChatDelta` for the caller. What came of it is sent in, or thrown in if it is an error. All
decisions are taken here, once; see the scenario tests.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass
from math import inf
from typing import Any, TypeAlias

from ..errors import APIConnectionError, APITimeoutError, FlashError, InvalidRequestError, MalformedResponseError
from .commands import Close, Command, Head, Read, Send, Sleep
from .completion.completion import ChatDelta, Completion
from .endpoints.call import EMBEDDINGS_PATH, Call
from .endpoints.chat.reader import ChatReading, JSONReading, Reading
from .endpoints.embeddings.reader import VectorReading
from .failures.error_mapping import refusal
from .framing import json_codec
from .framing.body import Inflater
from .policy import learned
from .policy.backoff import delay
from .policy.call_policy import Surroundings, Terms
from .policy.quirks import Shape
from .policy.rate_limiter import GRANTED, Limiter, Ticket, token_limit
from .policy.token_use import answer_limit, request_tokens, told_tokens

log = logging.getLogger("flash_integrations")

DRAIN_SECONDS = 0.2
"""How long to wait after ``[DONE]`` for the body's own end, so that the connection can be used again."""

LONG_WAIT_SECONDS = 30.0
"""A wait for the limits that is longer is logged, as soon as that is known."""

MAX_ERROR_BYTES = 1024 * 1024
"""How much of a refusal's body is read."""

_FOR_EVER = 1e9  # Seconds. Sockets and locks take no larger figure.

Flow: TypeAlias = Generator[Command | ChatDelta, Any, Any]


@dataclass(slots=True)
class _Sending:
    """What became of one sending."""

    shape: Shape
    ticket: Ticket | None = None
    delivered: bool = False
    partial: Completion | None = None


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
    memory: learned.Memory
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
            facts = self.memory.facts(self.terms.base_url, self.call.model, path=self.call.path)
            sending = _Sending(learned.shape(self.call, self.terms, facts))
            try:
                return (yield from self._attempt(sending, give_up, resends))
            except FlashError as error:
                failure = error
            failure.partial = sending.partial
            if not sending.delivered:
                if self._learn(sending.shape, failure) and self.world.clock() < give_up:
                    continue
                wait = self._wait(resends, failure, give_up)
                if wait is not None:
                    resends += 1
                    told, of = self._told(failure, resends), self.terms.max_retries
                    log.info("%s: sending again in %.1f s (%d of %d) after: %s", self._label, wait, resends, of, told)
                    yield Sleep(wait)
                    continue
            raise self._told(failure, resends)

    @property
    def _label(self) -> str:
        return f"{self.terms.provider} {self.call.model or self.call.path}"

    def _told(self, error: FlashError, resends: int) -> FlashError:
        """The error, with what the caller wants to know of the call, and without the key."""
        error.provider, error.model, error.resends = self.terms.provider, self.call.model, resends
        for name in ("message", "code", "type", "request_id", "hint"):
            # Gateways echo keys: "Incorrect API key provided: sk-…".
            if isinstance(text := getattr(error, name, None), str):
                setattr(error, name, self.world.redact(text))
        error.args = (error.message,)
        return error

    def _learn(self, sent: Shape, error: FlashError) -> bool:
        fact = learned.lesson(sent, error)
        if fact is None:
            return False
        self._keep(*fact, error)
        return True

    def _keep(self, name: str, value: Any, cause: object) -> None:
        self.memory.learn(self.terms.base_url, self.call.model, name, value, path=self.call.path)
        log.info("%s: learned %s=%r from: %s", self._label, name, value, self.world.redact(str(cause)))

    def _wait(self, resends: int, error: FlashError, give_up: float) -> float | None:
        """Seconds until the request is sent again, or None: it is not, or not within the time that is left."""
        if resends >= self.terms.max_retries:
            return None
        wait = delay(resends + 1, error, chance=self.world.chance(), max_retry_after=self.terms.max_retry_after)
        return wait if wait is not None and self.world.clock() + wait < give_up else None

    def _attempt(self, sending: _Sending, give_up: float, resends: int) -> Flow:
        """One sending, from the queue of the limits to the end of the answer."""
        clock, timeout = self.world.clock, self.terms.timeout
        content = self._content(sending.shape)
        sending.ticket = ticket = self._enter(sending.shape)
        counted = True
        try:
            yield from self._admit(ticket, give_up)
            first_byte = clock() + (timeout.first_byte or inf)
            try:
                head = yield Send(
                    self.call.path,
                    content,
                    sending.shape.streamed,
                    self.call.headers,
                    self.call.query,
                    connect=_finite(timeout.connect or inf),
                    deadline=_finite(min(first_byte, give_up)),
                )
            except FlashError as error:
                # What never left, for want of a connection or a key, stands in no window of the gateway's.
                counted = isinstance(error, APIConnectionError) and error.reached
                raise
            self.limiter.answered(ticket, clock())
            if head.status >= 300:
                raise refusal(head.status, head.headers, (yield from self._drain(give_up)), now=self.world.wall())
            answer = yield from self._read(sending, head, first_byte, give_up, resends)
            if (told := told_tokens(answer)) is not None:
                self.limiter.told(ticket, clock(), asked=told[0], answered=told[1])
            yield Close()
        except FlashError:
            yield Close()  # before the slot is free again
            raise
        finally:
            self.limiter.release(ticket, clock(), counted=counted)
        return answer

    def _enter(self, shape: Shape) -> Ticket:
        figures, now = self.terms.figures, self.world.clock()
        if token_limit(figures) is None or shape.body is None:
            return self.limiter.enter(figures, label=self._label, now=now)
        tokens, answer = request_tokens(shape.body), answer_limit(shape.body)
        return self.limiter.enter(figures, label=self._label, now=now, tokens=tokens, answer=answer)

    def _content(self, shape: Shape) -> bytes | None:
        try:
            return None if shape.body is None else json_codec.dumps(shape.body)
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"the request has no JSON form: {error}") from error

    def _admit(self, ticket: Ticket, give_up: float) -> Flow:
        """Wait until the limits let the request go."""
        clock, told = self.world.clock, False
        while (wait := self.limiter.acquire(ticket, clock())) != GRANTED:
            now = clock()
            if now >= give_up:
                raise APITimeoutError("total_timeout ran out while waiting for the rate limit", reached=False)
            until = min(give_up, inf if wait is None else now + wait)
            if ticket.held_by is not None and not told:
                # Whoever is behind the head of the queue waits for the same; one line does.
                due = max(now, ticket.queued_at + LONG_WAIT_SECONDS)
                if due == now or (wait is not None and until > due):
                    due = now + self._tell_wait(ticket.held_by, ticket, wait, now)
                    told = due == now
                until = until if told else min(until, due)
            yield Sleep(_finite(until - now), ticket)
        return None

    def _tell_wait(self, limit: str, ticket: Ticket, wait: float | None, now: float) -> float:
        """Log a long wait; gives the seconds for which the last line about this limit still stands, else 0."""
        stands = self.limiter.tell(limit, now, until=now + max(wait or 0.0, LONG_WAIT_SECONDS))
        if stands == GRANTED:
            so_far = f" for {now - ticket.queued_at:.0f} s" if now > ticket.queued_at else ""
            to_go = "until an answer ends or begins" if wait is None else f"{wait:.0f} s to go"
            waiting, held = self.limiter.waiting(), "; ".join(self.limiter.holders(now)) or "nobody"
            line = "%s: waiting for the rate limit %s%s, %s; in the queue: %d. Slots: %s"
            log.warning(line, self._label, limit, so_far, to_go, waiting, held)
        return stands

    def _drain(self, give_up: float) -> Flow:
        """The body of a refusal, as far as it comes."""
        body, inflater, limit = b"", Inflater(), self.world.clock() + (self.terms.timeout.progress or inf)
        try:
            while len(body) < MAX_ERROR_BYTES and (data := (yield Read(_finite(min(limit, give_up))))):
                body += inflater.feed(data)
        except (APIConnectionError, MalformedResponseError) as error:
            log.debug("%s: the refusal's body broke off: %s", self._label, error)
        return body

    def _reading(self, sent: Shape, head: Head) -> Reading:
        """What reads an answer to this call."""
        if self.call.body is None:
            return JSONReading(head.headers, world=self.world)
        if self.call.path == EMBEDDINGS_PATH:
            return VectorReading(
                head.headers,
                count=len(self.call.body["input"]),
                first=self.call.first,
                model=self.call.model or "",
                dimensions=self.call.dimensions,
                world=self.world,
            )
        return ChatReading(head.headers, streamed=sent.streamed, world=self.world)

    def _read(self, sending: _Sending, head: Head, first_byte: float, give_up: float, resends: int) -> Flow:
        """Read the answer, hand on what the caller waits for, and see that it is whole."""
        reading = self._reading(sending.shape, head)
        clock, timeout, deadline = self.world.clock, self.terms.timeout, first_byte
        try:
            data = b" "
            while data:
                events, lost = reading.events, None
                try:
                    data = yield Read(_finite(min(deadline, give_up)))
                except APIConnectionError as error:
                    data, lost = b"", error
                deltas = reading.feed(data) if data else []
                moved = reading.events != events or (not reading.is_stream and data.strip() != b"")
                if data and not moved and clock() >= min(deadline, give_up):
                    data, lost = b"", APITimeoutError("nothing but pings came within the time allowed")
                if not data:
                    if lost is None and isinstance(reading, VectorReading):
                        yield from self._let_go(sending.ticket)
                    deltas += reading.close(None if reading.done else lost, lenient=self._is_lenient(sending.shape))
                for delta in deltas if self.call.stream else ():
                    # From here on the caller has seen part of the answer: it is not sent again.
                    sending.delivered = True
                    yield delta
                if reading.done:
                    deadline = min(deadline, clock() + DRAIN_SECONDS)
                elif moved:
                    deadline = clock() + ((timeout.progress if reading.is_stream else timeout.first_byte) or inf)
        except FlashError:
            sending.partial = reading.partial(resends=resends)
            raise
        if isinstance(reading, ChatReading) and not sending.shape.streamed:
            self._notice(sending.shape, reading.result(resends=resends))
        return reading.result(resends=resends)

    def _let_go(self, ticket: Ticket | None) -> Flow:
        """Give the slot back before vectors are decoded: that takes milliseconds in which the next batch can go."""
        yield Close()
        if ticket is not None:
            self.limiter.release(ticket, self.world.clock())
        yield Sleep(0)

    def _is_lenient(self, sent: Shape) -> bool:
        """Whether ``[DONE]`` is taken for a finish reason: gateways drop that with the usage nobody asked for."""
        return not self.terms.require_finish_reason or (sent.streamed and not sent.usage_asked)

    def _notice(self, sent: Shape, answer: Completion) -> None:
        """See whether a plain request should have been a streamed one, though nothing was refused.

        A stream in answer needs no second sending. An answer without content whose tokens were counted all the same
        (CLIProxyAPI, ModelScope) is no answer.
        """
        if self.terms.force_stream is not None or "stream" in sent.facts:
            return
        if answer.streamed:
            self._keep("stream", value=True, cause="a stream came in answer to a plain request")
        elif answer.is_hollow:
            raise MalformedResponseError("the answer is empty, though its tokens were counted", empty=True)


def _finite(seconds: float) -> float | None:
    return None if seconds >= _FOR_EVER else seconds
