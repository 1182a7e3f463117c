"""What a refusal says about the size of a batch of texts: how many there may be, or only that they are too many.

The sentences are rows of ``batch_texts``.
"""

from __future__ import annotations

from ....errors import APIStatusError, AuthenticationError, BadRequestError, FlashError, QuotaExceededError, ServerError
from .batch_texts import BATCH_NAMED, BATCH_OF_ONE, BATCH_TOO_LARGE, BELOW, FIGURES, NOT_ABOUT_BATCH

PAYLOAD_TOO_LARGE = 413


def smaller_batch(error: FlashError, size: int) -> int | None:
    """The size at which a refused batch is worth sending again, or None: it was not refused for its size.

    The figure the refusal names, where it is smaller than what was sent; else half.

    Args:
        error: what the batch came to.
        size: how many texts it had.
    """
    if size < 2 or not isinstance(error, APIStatusError) or isinstance(error, AuthenticationError | QuotaExceededError):
        return None
    text = f"{error.message} {error.code or ''} {error.type or ''}"
    if NOT_ABOUT_BATCH.find(text):
        return None
    if isinstance(error, BadRequestError):
        if BATCH_OF_ONE.find(text):
            return 1
        about_batch = bool(BATCH_NAMED.find(text) or BATCH_TOO_LARGE.find(text))
    else:
        about_batch = isinstance(error, ServerError) and BATCH_NAMED.find(text) is not None
    if error.status_code != PAYLOAD_TOO_LARGE and not about_batch:
        return None
    named = [_number(match[1]) - 1 for _, match in BELOW.matches(text)]
    for _, match in FIGURES.matches(text):
        *sent, limit = map(_number, match.groups())
        named += [limit] if sent in ([], [size]) else []
    fitting = [number for number in named if 1 <= number < size]
    return max(fitting, default=(size + 1) // 2)


def _number(digits: str) -> int:
    return int(digits.replace(",", "")[:12] or 0)
