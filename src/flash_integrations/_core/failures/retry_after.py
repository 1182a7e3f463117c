"""How long a refusal asks to wait, from whichever of its places says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite

from .text_rows import FROM_MEMORY, TextTable

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "秒": 1.0, "分": 60.0}
_STEP = r"\d{1,9}(?:\.\d{1,9})? ?(?:ms|milliseconds?|h(?:ours?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)(?![a-z])[ ,]*"
_STEPS = rf"((?:{_STEP}){{1,4}})"

WAITS = TextTable.of(
    (
        rf"try again(?: in| after| for)?(?: about)? {_STEPS}",
        "OpenAI, Groq; Azure, microsoft/copilot-camp#551",
        "Rate limit is exceeded. Try again in 2 seconds.",
    ),
    (rf"retry after(?: about)? {_STEPS}", "Azure, alex-wolf-ps/dbchatprov2#2", "Please retry after 86400 seconds."),
    (rf"retry in(?: about)? {_STEPS}", "Gemini, continuedev/continue#10062", "Please retry in 26.5s."),
    (rf"retry(?: for)?(?: about)? {_STEPS}", FROM_MEMORY, "retry 5s later"),
    (rf"retrying(?: in| after| for)?(?: about)? {_STEPS}", FROM_MEMORY, "retrying in about 7 seconds"),
    (rf"wait(?:ing)?(?: in| after| for)?(?: about)? {_STEPS}", FROM_MEMORY, "Please wait 20 seconds"),
    (r"(\d{1,9} ?[秒分])钟?[之以]?后", FROM_MEMORY, "请 30 秒后重试"),
)
"""How long to wait, by the group, in the words of a message."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(ms|mil|[smhd]|秒|分)", re.IGNORECASE)
_WHOLE_DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|[smhd]))+")


def retry_after(
    headers: Mapping[str, str], reset_seconds: float | None, message: str, *, now: float, limited: bool = True
) -> float | None:
    """Seconds a refusal asks to wait, from whichever place says so; None where none does.

    In this order: ``retry-after-ms``, ``Retry-After`` (seconds, a date, or "1m30s"), the body's own figure, the words
    of the message ("try again in 20s"), and, if ``limited``, ``x-ratelimit-reset-requests`` and ``-tokens`` ("6m0s").

    Args:
        headers: names in lower case.
        reset_seconds: the figure in the error's body.
        message: the error's message.
        now: Unix time in seconds.
        limited: whether a limit was the cause. OpenAI sends the reset headers with every answer.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _seconds(headers.get(name, "").strip(), unit, now)
        if seconds is not None:
            return seconds
    if reset_seconds is not None:
        return max(0.0, reset_seconds)
    waits = [match for _, match in WAITS.matches(message)]
    if waits:
        return _duration(min(waits, key=lambda match: match.start())[1])
    resets = [
        _duration(headers[f"x-ratelimit-reset-{what}"])
        for what in ("requests", "tokens")
        if _WHOLE_DURATION.fullmatch(headers.get(f"x-ratelimit-reset-{what}", ""))
        and headers.get(f"x-ratelimit-remaining-{what}", "0") == "0"
    ]
    return max(resets) if limited and resets else None


def _seconds(value: str, unit: float, now: float) -> float | None:
    """What a header asks for; None where it says nothing that can be read."""
    if not value:
        return None
    try:
        seconds = float(value) * unit
    except ValueError:
        return _duration(value) if _WHOLE_DURATION.fullmatch(value) else _until(value, now)
    return max(0.0, seconds) if isfinite(seconds) else None


def _duration(text: str) -> float:
    return sum(
        float(number) * _UNITS["ms" if unit == "mil" else unit] for number, unit in _DURATION.findall(text.lower())
    )


def _until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
        return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None
