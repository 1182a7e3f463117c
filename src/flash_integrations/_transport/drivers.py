"""Run a flow: carry out the commands it yields, and pass its deltas on. Sync and async, alike but for ``await``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from .._core.completion.completion import ChatDelta
from .._core.flow import Flow
from ..errors import FlashError
from .ports import AsyncPort, SyncPort

T = TypeVar("T")


@dataclass(slots=True)
class Outcome(Generic[T]):
    """Holds what a flow returned, None until it has ended: an asynchronous generator cannot return a value."""

    value: T | None = None


def drive(flow: Flow[T], port: SyncPort, outcome: Outcome[T]) -> Generator[ChatDelta, None, None]:
    """Run a flow on a port and yield its deltas; its return value is stored in ``outcome``."""
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
            flow.close()  # its `finally` frees the rate limit's slot


async def adrive(flow: Flow[T], port: AsyncPort, outcome: Outcome[T]) -> AsyncGenerator[ChatDelta, None]:
    """:func:`drive` for the event loop."""
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
            if sys.get_asyncgen_hooks().finalizer is None:
                # nest_asyncio's loops let Python collect a generator that was left early, and nothing can be awaited
                # then: connection and slot would stay taken.
                _close_later(port)
            else:
                await port.close()
        finally:
            flow.close()  # its `finally` frees the rate limit's slot


def _close_later(port: AsyncPort) -> None:
    """Close a port in a task of the running loop; without one, what held the connection is collected."""
    with suppress(RuntimeError):
        start_closing(asyncio.get_running_loop(), port.close())


def start_closing(loop: asyncio.AbstractEventLoop, closing: Coroutine[Any, Any, None]) -> None:
    """Close in a task that is held to its end: the loop itself holds tasks weakly."""
    task = loop.create_task(closing)
    _closing.add(task)
    task.add_done_callback(_closing.discard)


_closing: set[asyncio.Task[None]] = set()


def run(flow: Flow[T], port: SyncPort) -> T:
    """Run a flow to its end and return its value."""
    outcome = Outcome[T]()
    for _ in drive(flow, port, outcome):
        pass
    return cast("T", outcome.value)


async def arun(flow: Flow[T], port: AsyncPort) -> T:
    """:func:`run` for the event loop."""
    outcome = Outcome[T]()
    async for _ in adrive(flow, port, outcome):
        pass
    return cast("T", outcome.value)
