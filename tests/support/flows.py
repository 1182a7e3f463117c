"""Flows run as values: ports that do no I/O, answer from a script, and move a clock instead of waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from replay import Answer

from flash_integrations._core.commands import Head, Read, Send, Sleep
from flash_integrations._core.endpoints.chat.request import CHAT_PATH, chat_call
from flash_integrations._core.environment import Environment
from flash_integrations._core.flow import Exchange
from flash_integrations._core.policy.call_policy import CallPolicy
from flash_integrations._core.policy.learned import LearnedQuirks
from flash_integrations._core.policy.rate_limiter import RateLimiter
from flash_integrations._transport import drivers
from flash_integrations._transport.drivers import adrive, drive
from flash_integrations.errors import APITimeoutError, FlashError

KEY = "sk-made-up-key"
URL = "https://gateway.test/v1"
MESSAGES = [{"role": "user", "content": "Hi"}]
MODES = ("sync", "async")


class Clock:
    """Seconds that pass only when somebody waits."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Silence:
    """So many seconds in which nothing comes: before the head, or between two segments of an :class:`Answer`."""

    seconds: float


Step = Answer | FlashError | Sequence["Silence | Answer | FlashError"]


class FakePort:
    """Carries commands out by a script: an answer for each sending, or the error it meets.

    An answer's segments may be bytes, a :class:`Silence`, or an error that the reader meets.
    """

    def __init__(self, script: Sequence[Step], clock: Clock, limiter: RateLimiter) -> None:
        self._script = list(script)
        self._clock = clock
        self._limiter = limiter
        self._segments: list[Any] = []
        self.sends: list[Send] = []
        self.sleeps: list[float | None] = []
        self.slots_at_close: list[int] = []
        self.on_sleep: list[Callable[[], None]] = []
        self.keeps_time = True

    def send(self, command: Send) -> Head:
        self.sends.append(command)
        step = self._script.pop(0)
        for each in step if isinstance(step, list) else [step]:
            if isinstance(each, Silence):
                self._pass(each.seconds, command.deadline)
            elif isinstance(each, FlashError):
                raise each
            else:
                self._segments = [segment for segment in each.segments if segment]
                return Head(each.status, each.headers)
        raise AssertionError("a script's step ends in an answer or an error")

    def read(self, command: Read) -> bytes:
        while self._segments:
            segment = self._segments.pop(0)
            if isinstance(segment, FlashError):
                raise segment
            if isinstance(segment, bytes):
                return segment
            self._pass(segment.seconds, command.deadline)
        return b""

    def sleep(self, command: Sleep) -> None:
        self.sleeps.append(command.seconds)
        if self.on_sleep:
            self.on_sleep.pop(0)()
        elif command.seconds is None:
            raise AssertionError("nobody is there to wake this flow")
        else:
            self._clock.now += command.seconds

    def close(self) -> None:
        self._segments = []
        self.slots_at_close.append(len(self._limiter.holders(self._clock())))

    def _pass(self, seconds: float, deadline: float | None) -> None:
        if self.keeps_time and deadline is not None and self._clock.now + seconds > deadline:
            self._clock.now = max(self._clock.now, deadline)
            raise APITimeoutError("nothing came in time")
        self._clock.now += seconds


class AsyncFakePort(FakePort):
    """The same for ``adrive``."""

    async def send(self, command: Send) -> Head:
        return super().send(command)

    async def read(self, command: Read) -> bytes:
        return super().read(command)

    async def sleep(self, command: Sleep) -> None:
        super().sleep(command)

    async def close(self) -> None:
        super().close()


@dataclass
class Gateway:
    """What outlives a call: the clock, the record of use, what was learned."""

    clock: Clock = field(default_factory=Clock)
    limiter: RateLimiter = field(default_factory=RateLimiter)
    quirks: LearnedQuirks = field(default_factory=LearnedQuirks)
    chance: float = 0.0

    def facts(self, model: str = "m") -> dict[str, Any]:
        return dict(self.quirks.facts(URL, model, path=CHAT_PATH))


@dataclass
class Outcome:
    """What a call came to, and what it took."""

    port: FakePort
    deltas: list[Any]
    error: FlashError | None
    answer: Any = None

    @property
    def text(self) -> str:
        """The whole answer's text, which the deltas of a stream must add up to."""
        text: str = self.answer.text
        assert "".join(delta.text for delta in self.deltas) in ("", text)
        return text

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(sent.content) for sent in self.port.sends]

    @property
    def streamed(self) -> list[bool]:
        """For each sending, whether it asked for a stream; body and command must agree."""
        assert [body.get("stream", False) for body in self.bodies] == [sent.streamed for sent in self.port.sends]
        return [sent.streamed for sent in self.port.sends]


def exchange(
    gateway: Gateway, *, model: str = "m", stream: bool = False, params: Any = None, **policy: Any
) -> Exchange:
    """A chat call at a gateway."""
    call = chat_call(model, MESSAGES, params or {}, stream=stream)
    env = Environment(
        clock=gateway.clock,
        unix_time=lambda: 1_700_000_000.0,
        random=lambda: gateway.chance,
        new_id=lambda: "call_1",
        redact=lambda text: text.replace(KEY, "***"),
    )
    return Exchange(
        call, CallPolicy(**{"base_url": URL, "provider": "test", **policy}), gateway.limiter, gateway.quirks, env
    )


def run(mode: str, script: Sequence[Step], gateway: Gateway | None = None, **options: Any) -> Outcome:
    """Run a call by the real drivers over a scripted port."""
    gateway = gateway or Gateway()
    on_sleep = options.pop("on_sleep", ())
    take = options.pop("take", None)
    keeps_time = options.pop("keeps_time", True)
    flow = exchange(gateway, **options).flow()
    kind = FakePort if mode == "sync" else AsyncFakePort
    port = kind(script, gateway.clock, gateway.limiter)
    port.on_sleep.extend(on_sleep)
    port.keeps_time = keeps_time
    outcome, result = Outcome(port, [], None), drivers.Outcome()

    def keep(delta: Any) -> None:
        outcome.deltas.append(delta)
        if take is not None:
            take(delta)

    async def arun() -> None:
        async for delta in adrive(flow, port, result):
            keep(delta)

    try:
        if mode == "sync":
            for delta in drive(flow, port, result):
                keep(delta)
        else:
            asyncio.run(arun())
    except FlashError as error:
        outcome.error = error
    outcome.answer = result.value
    return outcome
