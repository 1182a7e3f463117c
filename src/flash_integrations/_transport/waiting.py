"""Waits for some seconds or for a slot within the rate limit, in a thread or on the event loop."""

from __future__ import annotations

import asyncio
import threading

from .._core.commands import Sleep


class Abandoned(Exception):  # noqa: N818 - nothing went wrong
    """Raised in a thread whose call was cancelled by :meth:`Waiter.abandon`."""


class Waiter:
    """Waits in the calling thread; another thread may end the wait."""

    def __init__(self) -> None:
        self._woken: threading.Event | None = None
        self._abandoned = False

    def wait(self, command: Sleep) -> None:
        """Wait for ``command.seconds``, or until the reservation is woken.

        Raises:
            Abandoned: :meth:`abandon` was called, before or during the wait.
        """
        self._woken = woken = threading.Event()
        self.check()
        if command.reservation is not None:
            command.reservation.on_wake(woken.set)
        woken.wait(command.seconds if command.reservation is not None else command.seconds or 0)
        self._woken = None
        self.check()

    def abandon(self) -> None:
        """End the current wait, and every later one, with :class:`Abandoned`. Called from another thread."""
        self._abandoned = True
        woken = self._woken
        if woken is not None:
            woken.set()

    def check(self) -> None:
        """Raise if the call was cancelled.

        Raises:
            Abandoned: :meth:`abandon` was called.
        """
        if self._abandoned:
            raise Abandoned


async def wait(command: Sleep) -> None:
    """Wait on the running event loop for ``command.seconds``, or until the reservation is woken."""
    if command.reservation is None:
        await asyncio.sleep(command.seconds or 0)
        return
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(woken.set)
        except RuntimeError:
            return  # the loop is closed, and with it the task that waited

    command.reservation.on_wake(wake)
    try:
        async with asyncio.timeout(command.seconds):
            await woken.wait()
    except TimeoutError:
        return
