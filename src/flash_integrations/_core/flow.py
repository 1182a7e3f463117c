"""A call carried through: limits, sending, reading, learning and retries, as a generator that does no I/O.

:meth:`Exchange.flow` yields what it wants done: a command, which a port carries out (``_transport.ports`` has two: sync
and async), or a :class:`ChatDelta` for the caller. What came of it is sent in, or thrown in if it is an error. All
decisions are taken here, once; see the scenario tests.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, TypeAlias, TypeVar

from ..errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    FlashError,
    InvalidRequestError,
    MalformedResponseError,
)
from .commands import Close, Command, Head, Read, Send, Sleep
from .completion.completion import ChatDelta, Completion
from .endpoints.call import Call
from .endpoints.reader import AnswerContext, Reader
from .environment import Environment
from .failures.error_mapping import refusal
from .framing import json_codec
from .framing.content_coding import ContentDecoder
from .policy.backoff import delay
from .policy.call_policy import CallPolicy
from .policy.learned import LearnedQuirks
from .policy.past_reasoning import with_past_reasoning
from .policy.progress_deadline import ProgressDeadline
from .policy.quirks import QUIRKS, drop_hint, learn_quirk
from .policy.rate_limiter import RateLimiter, Reservation
from .policy.sliding_window import GRANTED
from .policy.token_use import answer_limit, counted_tokens, request_tokens
from .policy.wire_request import WireRequest

log = logging.getLogger("flash_integrations")

LONG_WAIT_SECONDS = 30.0
"""A wait for the limits that is longer is logged, as soon as that is known."""

MAX_ERROR_BYTES = 1024 * 1024
"""How much of a refusal's body is read."""

_FOR_EVER = 1e9  # Seconds. Sockets and locks take no larger figure.

T = TypeVar("T")
Flow: TypeAlias = Generator[Command | ChatDelta, Any, T]
"""Yields what it wants done and what its caller gets meanwhile; returns the answer."""


@dataclass(slots=True)
class _Attempt:
    """What became of one sending."""

    request: WireRequest
    reservation: Reservation | None = None
    delivered: bool = False
    partial: Completion | None = None


@dataclass(frozen=True, slots=True)
class Exchange(Generic[T]):
    """One call with all it needs: iterate :meth:`flow`.

    Attributes:
        call: what is asked.
        policy: time, retries, limits, the stream rule.
        limiter: the record of use of this gateway and key.
        quirks: what gateways taught so far.
        env: time and chance.
    """

    call: Call[T]
    policy: CallPolicy
    limiter: RateLimiter
    quirks: LearnedQuirks
    env: Environment

    def flow(self) -> Flow[T]:
        """Carry the call through. Returns the answer.

        Raises:
            FlashError: the one that is left when retries and learning are used up; with ``partial``, ``provider``,
                ``model`` and ``retries`` set.
        """
        total = self.policy.total_timeout
        give_up = self.env.clock() + total if total is not None else inf
        retries, guess, suspected = 0, dict[str, Any](), None
        while True:
            facts = self.quirks.facts(self.policy.base_url, self.call.model, path=self.call.path)
            attempt = _Attempt(wire_request(self.call, self.policy, {**facts, **guess} if guess else facts))
            try:
                answer = yield from self._send_once(attempt, give_up, retries)
            except FlashError as error:
                failure = error
            else:
                for name, value in guess.items():
                    self._keep(name, value, suspected)
                return answer
            failure.partial = attempt.partial
            if not attempt.delivered:
                if self._learn(attempt.request, failure) and self.env.clock() < give_up:
                    continue
                if suspected is None and self.env.clock() < give_up:
                    guess = {name: value for name, value in self.call.guess(failure).items() if name not in facts}
                    if guess:
                        suspected = failure
                        log.info("%s: trying %r after: %s", self._label, guess, self.env.redact(str(failure)))
                        continue
                wait = self._wait(retries, failure, give_up)
                if wait is not None:
                    retries += 1
                    cause, of = self._annotated(failure, retries), self.policy.max_retries
                    log.info("%s: sending again in %.1f s (%d of %d) after: %s", self._label, wait, retries, of, cause)
                    yield Sleep(wait)
                    continue
            if isinstance(failure, APIStatusError) and not failure.hint:
                failure.hint = drop_hint(attempt.request, failure)
            raise self._annotated(failure, retries)

    @property
    def _label(self) -> str:
        return f"{self.policy.provider} {self.call.model or self.call.path}"

    def _annotated(self, error: FlashError, retries: int) -> FlashError:
        """The error, with what the caller wants to know of the call, and without the key."""
        error.provider, error.model, error.retries = self.policy.provider, self.call.model, retries
        for name in ("message", "code", "type", "request_id", "hint"):
            # Gateways echo keys: "Incorrect API key provided: sk-…".
            if isinstance(text := getattr(error, name, None), str):
                setattr(error, name, self.env.redact(text))
        error.args = (error.message,)
        return error

    def _learn(self, sent: WireRequest, error: FlashError) -> bool:
        fact = learn_quirk(sent, error)
        if fact is None:
            return False
        self._keep(*fact, error)
        return True

    def _keep(self, name: str, value: Any, cause: object) -> None:
        self.quirks.learn(self.policy.base_url, self.call.model, name, value, path=self.call.path)
        log.info("%s: learned %s=%r from: %s", self._label, name, value, self.env.redact(str(cause)))

    def _wait(self, retries: int, error: FlashError, give_up: float) -> float | None:
        """Seconds until the request is sent again, or None: it is not, or not within the time that is left."""
        if retries >= self.policy.max_retries:
            return None
        wait = delay(retries + 1, error, chance=self.env.random(), max_retry_after=self.policy.max_retry_after)
        return wait if wait is not None and self.env.clock() + wait < give_up else None

    def _send_once(self, attempt: _Attempt, give_up: float, retries: int) -> Flow[T]:
        """One sending, from the queue of the limits to the end of the answer."""
        clock, timeout = self.env.clock, self.policy.timeout
        content = self._content(attempt.request)
        attempt.reservation = reservation = self._enter(attempt.request)
        counted = True
        try:
            yield from self._admit(reservation, give_up)
            first_byte = ProgressDeadline(timeout, give_up).first(clock())
            try:
                head = yield Send(
                    self.call.path,
                    content,
                    attempt.request.streamed,
                    self.call.headers,
                    self.call.query,
                    connect=_finite(timeout.connect or inf),
                    deadline=_finite(first_byte),
                )
            except FlashError as error:
                # What never left, for want of a connection or a key, stands in no window of the gateway's.
                counted = isinstance(error, APIConnectionError) and error.reached
                raise
            self.limiter.answered(reservation, clock())
            if head.status >= 300:
                raise refusal(
                    head.status, head.headers, (yield from self._drain(head, give_up)), now=self.env.unix_time()
                )
            answer = yield from self._read(attempt, head, first_byte, give_up, retries)
            if (counts := counted_tokens(answer)) is not None:
                self.limiter.record_usage(reservation, clock(), asked=counts[0], answered=counts[1])
            yield Close()
        except FlashError:
            yield Close()  # before the slot is free again
            raise
        finally:
            self.limiter.release(reservation, clock(), counted=counted)
        return answer

    def _enter(self, request: WireRequest) -> Reservation:
        rate_limit, now = self.policy.rate_limit, self.env.clock()
        if rate_limit is None or rate_limit.tokens_per_minute is None or request.body is None:
            return self.limiter.enqueue(rate_limit, label=self._label, now=now)
        tokens, answer = request_tokens(request.body), answer_limit(request.body)
        return self.limiter.enqueue(rate_limit, label=self._label, now=now, tokens=tokens, answer=answer)

    def _content(self, request: WireRequest) -> bytes | None:
        try:
            return None if request.body is None else json_codec.dumps(request.body)
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"the request has no JSON form: {error}") from error

    def _admit(self, reservation: Reservation, give_up: float) -> Flow[None]:
        """Wait until the limits let the request go."""
        clock, logged = self.env.clock, False
        while (wait := self.limiter.acquire(reservation, clock())) != GRANTED:
            now = clock()
            if now >= give_up:
                raise APITimeoutError("total_timeout ran out while waiting for the rate limit", reached=False)
            until = min(give_up, inf if wait is None else now + wait)
            if reservation.blocked_by is not None and not logged:
                # Whoever is behind the head of the queue waits for the same; one line does.
                due = max(now, reservation.queued_at + LONG_WAIT_SECONDS)
                if due == now or (wait is not None and until > due):
                    due = now + self._log_wait(reservation.blocked_by, reservation, wait, now)
                    logged = due == now
                until = until if logged else min(until, due)
            yield Sleep(_finite(until - now), reservation)

    def _log_wait(self, limit: str, reservation: Reservation, wait: float | None, now: float) -> float:
        """Log a long wait; gives the seconds for which the last line about this limit still stands, else 0."""
        stands = self.limiter.claim_log_line(limit, now, until=now + max(wait or 0.0, LONG_WAIT_SECONDS))
        if stands == GRANTED:
            so_far = f" for {now - reservation.queued_at:.0f} s" if now > reservation.queued_at else ""
            to_go = "until an answer ends or begins" if wait is None else f"{wait:.0f} s to go"
            waiting, held = self.limiter.waiting(), "; ".join(self.limiter.holders(now)) or "nobody"
            line = "%s: waiting for the rate limit %s%s, %s; in the queue: %d. Slots: %s"
            log.warning(line, self._label, limit, so_far, to_go, waiting, held)
        return stands

    def _drain(self, head: Head, give_up: float) -> Flow[bytes]:
        """The body of a refusal, as far as it comes."""
        body, content = b"", ContentDecoder(head.headers.get("content-encoding", ""))
        limit = self.env.clock() + (self.policy.timeout.progress or inf)
        try:
            while len(body) < MAX_ERROR_BYTES and (data := (yield Read(_finite(min(limit, give_up))))):
                body += content.decode(data)
        except (APIConnectionError, MalformedResponseError) as error:
            log.debug("%s: the refusal's body broke off: %s", self._label, error)
        return body + content.flush()

    def _read(self, attempt: _Attempt, head: Head, first_byte: float, give_up: float, retries: int) -> Flow[T]:
        """Read the answer, hand on what the caller waits for, and see that it is whole."""
        request = attempt.request
        reader = self.call.reader(
            AnswerContext(head.headers, request.streamed, self._accepts_done(request), self.env, self.call.stream)
        )
        clock, rule, deadline = self.env.clock, ProgressDeadline(self.policy.timeout, give_up), first_byte
        last_event = clock()
        try:
            data = b" "
            while data:
                events, heartbeats, lost = reader.events, reader.heartbeats, None
                try:
                    data = yield Read(_finite(deadline))
                except APIConnectionError as error:
                    data, lost = b"", error
                deltas = reader.feed(data) if data else []
                moved = reader.events != events or (not reader.is_stream and data.strip() != b"")
                now = clock()
                if data and not moved and now >= deadline:
                    data, lost = b"", APITimeoutError("nothing but pings came within the time allowed")
                if not data:
                    if lost is None and reader.decodes_slowly:
                        yield from self._let_go(attempt.reservation)
                    deltas += reader.close(None if reader.done else lost)
                for delta in deltas if self.call.stream else ():
                    # From here on the caller has seen part of the answer: it is not sent again.
                    attempt.delivered = True
                    yield delta
                if reader.done:
                    deadline = rule.after_done(clock(), deadline=deadline)
                elif moved:
                    last_event = clock()
                    deadline = rule.after_event(last_event, streamed=reader.is_stream)
                elif reader.heartbeats != heartbeats:
                    deadline = rule.after_heartbeat(now, last_event=last_event, deadline=deadline)
        except FlashError:
            attempt.partial = reader.partial(retries=retries)
            raise
        if self.call.may_stream and not request.streamed:
            self._notice(request, reader)
        return reader.result(retries=retries)

    def _let_go(self, reservation: Reservation | None) -> Flow[None]:
        """Give the slot back before vectors are decoded: that takes milliseconds in which the next batch can go."""
        yield Close()
        if reservation is not None:
            self.limiter.release(reservation, self.env.clock())
        yield Sleep(0)

    def _accepts_done(self, sent: WireRequest) -> bool:
        """Whether ``[DONE]`` is taken for a finish reason: gateways drop that with the usage nobody asked for."""
        return not self.policy.require_finish_reason or (sent.streamed and not sent.usage_asked)

    def _notice(self, sent: WireRequest, reader: Reader[T]) -> None:
        """See whether a plain request should have been a streamed one, though nothing was refused.

        A stream in answer needs no second sending. An answer without content whose tokens were counted all the same
        (CLIProxyAPI, ModelScope) is no answer.
        """
        if self.policy.force_stream is not None or "stream" in sent.facts:
            return
        if reader.is_stream:
            self._keep("stream", value=True, cause="a stream came in answer to a plain request")
        elif reader.is_hollow:
            raise MalformedResponseError("the answer is empty, though its tokens were counted", empty=True)


def _finite(seconds: float) -> float | None:
    return None if seconds >= _FOR_EVER else seconds


def wire_request(call: Call[Any], policy: CallPolicy, facts: Mapping[str, Any]) -> WireRequest:
    """Put a call into the form the gateway takes, by the policy and by what was learned."""
    if call.body is None or call.model is None:
        return WireRequest(call.body, streamed=False, usage_asked=False, facts=facts)
    if not call.may_stream:
        streamed = False
    elif policy.force_stream is not None:
        streamed = policy.force_stream
    else:
        streamed = facts.get("stream", call.stream or policy.stream_whole)
    body = dict(call.body)
    usage_asked = streamed and call.ask_usage and facts.get("stream_options", True)
    if streamed:
        body["stream"] = True
        if usage_asked:
            body["stream_options"] = {"include_usage": True, **call.stream_options}
    chosen, held_back = frozenset[str]() if policy.drop_refused else call.chosen, frozenset[str]()
    if "messages" in body:
        send = True if call.send_reasoning is None and "send_reasoning" in facts else call.send_reasoning
        body["messages"], held_back = with_past_reasoning(body["messages"], send=send)
        if send is False:
            chosen |= {"send_reasoning", "thought_signature"}
    for quirk in QUIRKS if facts else ():
        if quirk.fact in facts and quirk.fact not in chosen and (policy.drop_refused or not quirk.needs_permission):
            quirk.apply(body, facts[quirk.fact])
    forced = policy.force_stream is not None
    return WireRequest(body, streamed, usage_asked, facts, forced, policy.drop_refused, chosen, held_back)
