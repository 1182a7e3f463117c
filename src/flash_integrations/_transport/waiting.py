"""Waiting for a time or for a place within the limits, blocking and on the event loop."""

from __future__ import annotations

import asyncio
import threading

from .._core.commands import Sleep


class Abandoned(Exception):  # noqa: N818 - nothing went wrong
    """Whoever started a call wants its answer no more."""


class Waiter:
    """Waits, blocking, until another thread abandons what is waited for."""

    def __init__(self) -> None:
        self._woken: threading.Event | None = None
        self._abandoned = False

    def wait(self, command: Sleep) -> None:
        """Wait until the time is over or the reservation is woken.

        Raises:
            Abandoned: before or while it waits.
        """
        self._woken = woken = threading.Event()
        self.check()
        if command.reservation is not None:
            command.reservation.on_wake(woken.set)
        woken.wait(command.seconds if command.reservation is not None else command.seconds or 0)
        self._woken = None
        self.check()

    def abandon(self) -> None:
        """End the waiting, and refuse any more of it."""
        self._abandoned = True
        woken = self._woken
        if woken is not None:
            woken.set()

    def check(self) -> None:
        """See whether anybody still wants it.

        Raises:
            Abandoned: nobody does.
        """
        if self._abandoned:
            raise Abandoned


async def wait(command: Sleep) -> None:
    """Wait until the time is over or the reservation is woken, on the running event loop."""
    if command.reservation is None:
        await asyncio.sleep(command.seconds or 0)
        return
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(woken.set)
        except RuntimeError:
            return  # the loop is closed: nobody waits there any more

    command.reservation.on_wake(wake)
    try:
        async with asyncio.timeout(command.seconds):
            await woken.wait()
    except TimeoutError:
        return
