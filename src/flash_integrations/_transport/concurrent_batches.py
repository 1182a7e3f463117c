"""Batches sent side by side: the two drivers of :class:`~.batching.Batches`, threads and tasks.

Both send so many at once and no more, in order; the next request is made when one has ended, so that memory holds the
vectors and a few bodies. The first error ends the others: nothing is left running when the caller gets it, but for
threads that a gateway keeps waiting for an answer's head. Those keep their slots, for the gateway is at work for them,
and end when the head comes or their time is over; an interpreter that exits does not wait for them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial

from .._core.endpoints.embeddings.batching import Batches, Piece
from .._core.endpoints.embeddings.result import Embeddings
from .._core.flow import Flow
from ..errors import FlashError
from .ports import SyncPort

PATIENCE = 1.0
"""Seconds an error waits for the other threads of its call; a gateway that keeps one waiting does not hold it up."""


@dataclass(frozen=True, slots=True)
class EmbeddingJob:
    """One call for vectors.

    Attributes:
        batches: what is to be sent.
        flow: makes the flow for a piece.
        at_once: how many pieces may be under way.
        on_batch: told the position of a batch's first text, and its vectors; None: nobody listens.
    """

    batches: Batches
    flow: Callable[[Piece], Flow[Embeddings]]
    at_once: int
    on_batch: Callable[[int, list[list[float]]], None] | None = None

    def accept(self, piece: Piece, answer: Embeddings) -> None:
        """A piece was answered."""
        if self.batches.accept(piece, answer) and self.on_batch is not None:
            self.on_batch(piece.start, answer.vectors)

    @contextmanager
    def judging(self, piece: Piece) -> Generator[None, None, None]:
        """Lets the batches judge the error a piece came to."""
        try:
            yield
        except FlashError as error:
            self.batches.fail(piece, error)


def gather(
    job: EmbeddingJob, run: Callable[[Flow[Embeddings], SyncPort], Embeddings], new_port: Callable[[], SyncPort]
) -> None:
    """Carry a job out. A single request goes out in this thread, several in threads of this call.

    Raises:
        FlashError: the first that ends the call.
    """
    while job.batches.waiting() == 1 or (job.at_once == 1 and job.batches.waiting()):
        _one(job, lambda flow: run(flow, new_port()))
    if not job.batches.waiting():
        return
    in_flight: dict[Future[Embeddings], _Flight] = {}
    try:
        while True:
            while len(in_flight) < job.at_once and (piece := job.batches.next_piece()) is not None:
                port = new_port()
                flight = _Flight(piece, port, partial(run, job.flow(piece), port))
                in_flight[flight.answer] = flight
            if not in_flight:
                return
            for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
                piece = in_flight.pop(future).landed()
                with job.judging(piece):
                    answer = future.result()
                    job.accept(piece, answer)
    finally:
        for flight in in_flight.values():
            flight.port.abandon()
        for future in wait(in_flight, PATIENCE).done:
            in_flight[future].landed()


class _Flight:
    """A piece under way in a thread of its own. Not an executor's: at its end Python waits for those."""

    def __init__(self, piece: Piece, port: SyncPort, work: Callable[[], Embeddings]) -> None:
        self.answer: Future[Embeddings] = Future()
        self.port = port
        self._piece = piece
        context = copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._fly, work), name="flash-integrations-embed", daemon=True
        )
        self._thread.start()

    def landed(self) -> Piece:
        """The piece, once its thread has ended too."""
        self._thread.join()
        return self._piece

    def _fly(self, work: Callable[[], Embeddings]) -> None:
        try:
            answer = work()
        except BaseException as error:  # noqa: BLE001 - raised where the answer is asked for
            self.answer.set_exception(error)
        else:
            self.answer.set_result(answer)


def _one(job: EmbeddingJob, run: Callable[[Flow[Embeddings]], Embeddings]) -> None:
    piece = job.batches.next_piece()
    if piece is not None:
        with job.judging(piece):
            answer = run(job.flow(piece))
            job.accept(piece, answer)


async def agather(job: EmbeddingJob, run: Callable[[Flow[Embeddings]], Awaitable[Embeddings]]) -> None:
    """:func:`gather` with tasks of the running loop."""
    in_flight: dict[asyncio.Task[Embeddings], Piece] = {}

    async def send(piece: Piece) -> Embeddings:
        return await run(job.flow(piece))

    try:
        while True:
            while len(in_flight) < job.at_once and (piece := job.batches.next_piece()) is not None:
                in_flight[asyncio.ensure_future(send(piece))] = piece
            if not in_flight:
                return
            done, _ = await asyncio.wait(in_flight, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                piece = in_flight.pop(task)
                with job.judging(piece):
                    answer = task.result()
                    job.accept(piece, answer)
    finally:
        for task in in_flight:
            task.cancel()
        await asyncio.gather(*in_flight, return_exceptions=True)
