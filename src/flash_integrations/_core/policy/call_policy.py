"""How one call is made: time, retries, the stream rule, the limits."""

from __future__ import annotations

from dataclasses import dataclass

from .rate_limit import RateLimit
from .timeout import Timeout

_PATIENT = Timeout()


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """How one call is made.

    Attributes:
        base_url: the gateway; with the model the place where learned facts belong.
        provider: the row's name, for errors and log lines.
        stream_whole: whether the row wants whole answers of this model streamed.
        force_stream: the user's word over the row's; None leaves it to the row and to what was learned.
        timeout: see :class:`Timeout`.
        total_timeout: seconds for the whole call: waiting for limits, re-sends and learning included.
        max_retries: how many times to send again.
        max_retry_after: the longest wait a gateway may ask for, in seconds.
        rate_limit: the limits to keep, or None.
        require_finish_reason: False takes a stream for whole that ends with ``[DONE]`` alone.
        drop_refused: whether parameters that the gateway refuses are left out and the call sent again.
    """

    base_url: str
    provider: str = "custom"
    stream_whole: bool = True
    force_stream: bool | None = None
    timeout: Timeout = _PATIENT
    total_timeout: float | None = None
    max_retries: int = 2
    max_retry_after: float = 60.0
    rate_limit: RateLimit | None = None
    require_finish_reason: bool = True
    drop_refused: bool = False
