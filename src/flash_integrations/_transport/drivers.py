"""The two drivers of a flow: one blocks, the other runs on the event loop. They differ in ``await`` alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from .._core.completion.completion import ChatDelta
from .._core.flow import Flow
from ..errors import FlashError
from .ports import AsyncPort, SyncPort

T = TypeVar("T")


@dataclass(slots=True)
class Outcome(Generic[T]):
    """What a flow returned; None until it has ended. Asynchronous generators return nothing themselves."""

    value: T | None = None


def drive(flow: Flow[T], port: SyncPort, outcome: Outcome[T]) -> Generator[ChatDelta, None, None]:
    """Run a flow: carry out its commands, give its deltas; what it returns goes into ``outcome``."""
    step, value = flow.send, None
    try:
        while True:
            try:
                command = step(value)
            except StopIteration as stop:
                outcome.value = stop.value
                return
            step, value = flow.send, None
            if isinstance(command, ChatDelta):
                yield command
                continue
            try:
                value = command.run(port)
            except FlashError as error:
                step, value = flow.throw, error
    finally:
        try:
            port.close()
        finally:
            flow.close()  # gives the slot back


async def adrive(flow: Flow[T], port: AsyncPort, outcome: Outcome[T]) -> AsyncGenerator[ChatDelta, None]:
    """Run a flow: carry out its commands, give its deltas; what it returns goes into ``outcome``."""
    step, value = flow.send, None
    try:
        while True:
            try:
                command = step(value)
            except StopIteration as stop:
                outcome.value = stop.value
                return
            step, value = flow.send, None
            if isinstance(command, ChatDelta):
                yield command
                continue
            try:
                value = await command.run(port)
            except FlashError as error:
                step, value = flow.throw, error
    finally:
        try:
            await port.close()
        finally:
            flow.close()  # gives the slot back


def run(flow: Flow[T], port: SyncPort) -> T:
    """Run a flow to its end; gives what it returns."""
    outcome = Outcome[T]()
    for _ in drive(flow, port, outcome):
        pass
    return cast("T", outcome.value)


async def arun(flow: Flow[T], port: AsyncPort) -> T:
    """Run a flow to its end; gives what it returns."""
    outcome = Outcome[T]()
    async for _ in adrive(flow, port, outcome):
        pass
    return cast("T", outcome.value)
