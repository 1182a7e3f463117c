"""Sends the batches of an embedding call concurrently: in threads (:func:`gather`) or in asyncio tasks.

At most ``max_concurrency`` requests are in flight. A request body is built only when a slot is free, so that memory
holds the vectors and a few bodies. The first error cancels the other requests before it is raised. A thread that still
waits for response headers cannot be interrupted: it keeps its slot (the gateway is working on it), ends with the
headers or its timeout, and does not keep the interpreter from exiting.
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

JOIN_SECONDS = 1.0
"""How long an error waits for the call's other threads to end before it is raised."""


@dataclass(frozen=True, slots=True)
class EmbeddingJob:
    """One ``embed`` call.

    Attributes:
        batches: decides which texts go into the next request, and what an error means for the rest.
        flow: builds the flow that sends one piece of the texts.
        max_concurrency: how many requests may be in flight.
        on_batch: called after each batch with the position of its first text and its vectors.
    """

    batches: Batches
    flow: Callable[[Piece], Flow[Embeddings]]
    max_concurrency: int
    on_batch: Callable[[int, list[list[float]]], None] | None = None

    def record_result(self, piece: Piece, embeddings: Embeddings) -> None:
        """Keep the vectors of a piece, and call ``on_batch``."""
        if self.batches.accept(piece, embeddings) and self.on_batch is not None:
            self.on_batch(piece.start, embeddings.vectors)

    @contextmanager
    def handling_errors(self, piece: Piece) -> Generator[None, None, None]:
        """Pass an error of this piece's request to ``batches``, which plans smaller requests or raises it."""
        try:
            yield
        except FlashError as error:
            self.batches.fail(piece, error)


def gather(
    job: EmbeddingJob, run: Callable[[Flow[Embeddings], SyncPort], Embeddings], new_port: Callable[[], SyncPort]
) -> None:
    """Send all batches of a job. A single request is sent from this thread, several from one thread each.

    Raises:
        FlashError: the first error that ends the call.
    """
    while job.batches.waiting() == 1 or (job.max_concurrency == 1 and job.batches.waiting()):
        piece = job.batches.next_piece()
        if piece is not None:
            with job.handling_errors(piece):
                job.record_result(piece, run(job.flow(piece), new_port()))
    if not job.batches.waiting():
        return
    in_flight: dict[Future[Embeddings], _PieceThread] = {}
    try:
        while True:
            while len(in_flight) < job.max_concurrency and (piece := job.batches.next_piece()) is not None:
                port = new_port()
                thread = _PieceThread(piece, port, partial(run, job.flow(piece), port))
                in_flight[thread.future] = thread
            if not in_flight:
                return
            for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
                piece = in_flight.pop(future).join()
                with job.handling_errors(piece):
                    job.record_result(piece, future.result())
    finally:
        for thread in in_flight.values():
            thread.port.abandon()
        for future in wait(in_flight, JOIN_SECONDS).done:
            in_flight[future].join()


class _PieceThread:
    """A daemon thread that sends one piece. No ThreadPoolExecutor: Python waits for its threads at exit."""

    def __init__(self, piece: Piece, port: SyncPort, send: Callable[[], Embeddings]) -> None:
        self.future: Future[Embeddings] = Future()
        self.port = port
        self._piece = piece
        context = copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._run, send), name="flash-integrations-embed", daemon=True
        )
        self._thread.start()

    def join(self) -> Piece:
        """Wait for the thread to end; return its piece."""
        self._thread.join()
        return self._piece

    def _run(self, send: Callable[[], Embeddings]) -> None:
        try:
            embeddings = send()
        except BaseException as error:  # noqa: BLE001 - raised by future.result()
            self.future.set_exception(error)
        else:
            self.future.set_result(embeddings)


async def agather(job: EmbeddingJob, run: Callable[[Flow[Embeddings]], Awaitable[Embeddings]]) -> None:
    """:func:`gather` with tasks of the running event loop."""
    in_flight: dict[asyncio.Task[Embeddings], Piece] = {}

    async def send(piece: Piece) -> Embeddings:
        return await run(job.flow(piece))

    try:
        while True:
            while len(in_flight) < job.max_concurrency and (piece := job.batches.next_piece()) is not None:
                in_flight[asyncio.ensure_future(send(piece))] = piece
            if not in_flight:
                return
            done, _ = await asyncio.wait(in_flight, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                piece = in_flight.pop(task)
                with job.handling_errors(piece):
                    job.record_result(piece, task.result())
    finally:
        for task in in_flight:
            task.cancel()
        await asyncio.gather(*in_flight, return_exceptions=True)
