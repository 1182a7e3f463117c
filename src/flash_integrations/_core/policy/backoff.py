"""Whether and when to send again: arithmetic, nothing else.

``delay(k, error)`` is the wait before the k-th re-send (k = 1, 2, …), in seconds:

* the gateway named a wait: that long, if it is at most ``max_retry_after``; never shorter;
* a 429 that says nothing: :data:`WINDOW` · k/(k+1), so that the waits of two re-sends reach past the end of a
  per-minute window (30 s + 40 s). Half a second would only count against the limit once more;
* anything else that may pass: ``min(8, 0.5 · 2**(k-1))``;

each plus up to a quarter (of the wait, at most 1 s after a hint) by chance. None: do not send again.
"""

from __future__ import annotations

from ...errors import (
    APIConnectionError,
    FlashError,
    MalformedResponseError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)

WINDOW = 60.0
"""Seconds of the window that gateways count requests in (the documented limits are per minute)."""

FIRST, LARGEST = 0.5, 8.0
"""Seconds before the first re-send of a passing fault, and the most before any."""


def is_passing(error: FlashError) -> bool:
    """Whether the same request may succeed when sent again.

    True for lost connections, time-outs, 408, 409, 429, 5xx but 501, errors of those kinds inside an answer, and
    answers that were cut, empty or broken. False for what the request, the key, the model or the account is at fault
    for.
    """
    if isinstance(error, ServerError):
        return error.status_code != 501
    return isinstance(error, RateLimitError | APIConnectionError | MalformedResponseError | StreamInterruptedError)


def delay(resend: int, error: FlashError, *, chance: float, max_retry_after: float) -> float | None:
    """Seconds to wait before the ``resend``-th re-send (from 1), or None to raise ``error`` instead.

    Args:
        resend: 1 for the first.
        error: what the last sending came to.
        chance: a random number from 0 to 1.
        max_retry_after: the longest wait a gateway may ask for, in seconds.
    """
    if not is_passing(error):
        return None
    hint = getattr(error, "retry_after", None)
    if hint is not None:
        return None if hint > max_retry_after else hint + chance * min(1.0, hint / 4)
    if isinstance(error, RateLimitError) or getattr(error, "status_code", None) == 429:
        wait = WINDOW * resend / (resend + 1)
    else:
        wait = min(LARGEST, FIRST * 2 ** min(resend - 1, 10))
    return wait * (1 + chance / 4)
