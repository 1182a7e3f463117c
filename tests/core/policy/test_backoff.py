"""Whether and when to send again."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations import errors
from flash_integrations._core.failures.retry_after import retry_after
from flash_integrations._core.policy.backoff import delay, is_passing

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


def status(kind, code=0, **params):
    """A status error, with what it knows of waiting."""
    error = kind("x", status_code=code)
    for name, value in params.items():
        setattr(error, name, value)
    return error


BUSY, LIMITED = status(errors.ServerError, 503), status(errors.RateLimitError, 429)

PASSING = [
    errors.APIConnectionError("x"),
    errors.APIConnectionError("x", reached=False),
    errors.APITimeoutError("x"),
    errors.MalformedResponseError("x"),
    errors.MalformedResponseError("x", empty=True),
    errors.StreamInterruptedError("x"),
    LIMITED,
    *(status(errors.ServerError, code) for code in (200, 408, 409, 499, 500, 502, 503, 504, 520, 529, 599)),
]
LASTING = [
    errors.ConfigurationError("x"),
    errors.InvalidRequestError("x"),
    errors.FlashError("x"),
    status(errors.ServerError, 501),
    status(errors.QuotaExceededError, 429),
    status(errors.NotFoundError, 503),
    status(errors.ContentFilterError, 500),
    *(
        status(kind, 400)
        for kind in (
            errors.APIStatusError,
            errors.BadRequestError,
            errors.ContextLengthError,
            errors.AuthenticationError,
            errors.PermissionDeniedError,
        )
    ),
]


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_may_pass_is_sent_again(error):
    """Lost lines, time-outs, limits, failing servers, cut or empty answers: the same request may succeed."""
    assert is_passing(error)
    assert delay(1, error, chance=0, max_retry_after=60) is not None


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_what_lasts_is_never_sent_again(error):
    """What the request, the key, the model or the account is at fault for is raised, whatever its status."""
    assert not is_passing(error)
    assert delay(1, error, chance=0, max_retry_after=60) is None


@pytest.mark.parametrize(
    ("resend", "error", "chance", "seconds"),
    [
        pytest.param(1, BUSY, 0, 0.5, id="half a second"),
        pytest.param(2, BUSY, 0, 1.0, id="then twice as long"),
        pytest.param(3, BUSY, 0, 2.0, id="and again"),
        pytest.param(5, BUSY, 0, 8.0, id="up to eight"),
        pytest.param(5000, BUSY, 0, 8.0, id="for ever"),
        pytest.param(1, BUSY, 1, 0.625, id="a quarter more by chance"),
        pytest.param(1, LIMITED, 0, 30.0, id="half a window"),
        pytest.param(2, LIMITED, 0, 40.0, id="two waits reach past the window"),
        pytest.param(3, LIMITED, 0, 45.0, id="a third"),
        pytest.param(1, LIMITED, 1, 37.5, id="a window, by chance"),
        pytest.param(1, status(errors.ServerError, 429), 0, 30.0, id="429 of an overloaded server"),
        pytest.param(1, status(errors.RateLimitError, 429, retry_after=7.0), 0, 7.0, id="as told"),
        pytest.param(
            1, status(errors.RateLimitError, 429, retry_after=7.0), 1, 8.0, id="as told, a second more at most"
        ),
        pytest.param(1, status(errors.RateLimitError, 429, retry_after=2.0), 1, 2.5, id="a quarter of a short wait"),
        pytest.param(1, status(errors.ServerError, 503, retry_after=60.0), 0, 60.0, id="as long as allowed"),
        pytest.param(1, status(errors.ServerError, 503, retry_after=0.0), 1, 0.0, id="at once"),
        pytest.param(1, status(errors.ServerError, 503, retry_after=60.1), 0, None, id="longer than allowed"),
    ],
)
def test_waits_are_arithmetic(resend, error, chance, seconds):
    """Back-off, windows and hints are what the module's docstring says."""
    assert delay(resend, error, chance=chance, max_retry_after=60) == pytest.approx(seconds)


@given(st.integers(1, 10**9), st.sampled_from(PASSING), st.floats(0, 1))
def test_a_wait_is_never_longer_than_a_window_and_a_quarter(resend, error, chance):
    """However often it is sent again, a wait without a hint is bounded."""
    assert 0 < delay(resend, error, chance=chance, max_retry_after=60) <= 75


@given(st.floats(0, 60), st.floats(0, 1))
def test_a_hint_is_never_undercut(hint, chance):
    """What the gateway asks for is waited, and at most a second more."""
    waited = delay(1, status(errors.RateLimitError, 429, retry_after=hint), chance=chance, max_retry_after=60)
    assert hint <= waited <= hint + 1


HINTS = {
    "nothing": ({}, None, "", None),
    "seconds": ({"retry-after": "7"}, None, "", 7),
    "half seconds": ({"retry-after": " 1.5 "}, None, "", 1.5),
    "below 0": ({"retry-after": "-3"}, None, "", 0),
    "milliseconds": ({"retry-after-ms": "1500", "retry-after": "9"}, None, "", 1.5),
    "a date": ({"retry-after": "Fri, 02 Jan 2026 03:04:25 GMT"}, None, "", 20),
    "an old date": ({"retry-after": "Fri, 02 Jan 2026 03:04:00 GMT"}, None, "", 0),
    "a date of RFC 850": ({"retry-after": "Friday, 02-Jan-26 03:04:25 GMT"}, None, "", 20),
    "a date of asctime": ({"retry-after": "Fri Jan  2 03:04:25 2026"}, None, "", 20),
    "a date with its zone": ({"retry-after": "Fri, 02 Jan 2026 04:04:25 +0100"}, None, "", 20),
    "a duration": ({"retry-after": "1m30s"}, None, "", 90),
    "words": ({"retry-after": "soon"}, None, "", None),
    "no number": ({"retry-after": "nan"}, None, "", None),
    "no end": ({"retry-after": "inf"}, None, "", None),
    "words, then another place": ({"retry-after": "soon"}, 5.0, "", 5),
    "reset of requests": ({"x-ratelimit-reset-requests": "1s"}, None, "", 1),
    "reset in minutes": ({"x-ratelimit-reset-requests": "6m0s"}, None, "", 360),
    "reset in milliseconds": ({"x-ratelimit-reset-requests": "120ms"}, None, "", 0.12),
    "reset of both": ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "20s"}, None, "", 20),
    "reset of the one that is used up": (
        {
            "x-ratelimit-reset-requests": "8h0m0s",
            "x-ratelimit-remaining-requests": "99",
            "x-ratelimit-reset-tokens": "20s",
            "x-ratelimit-remaining-tokens": "0",
        },
        None,
        "",
        20,
    ),
    "reset unreadable": ({"x-ratelimit-reset-requests": "1741305600000"}, None, "", None),
    "the body's figure": ({}, 60.0, "try again in 20s", 60),
    "text": ({}, None, "Rate limit reached. Please try again in 20s.", 20),
    "text before reset headers": ({"x-ratelimit-reset-requests": "1s"}, None, "Please try again in 20s", 20),
    "text in milliseconds": ({}, None, "Please try again in 120ms.", 0.12),
    "text in seconds": ({}, None, "Please retry after 26 seconds.", 26),
    "text in minutes": ({}, None, "try again in 2 minutes", 120),
    "text in both": ({}, None, "Please try again in 1m30.5s. Visit", 90.5),
    "text with hours": ({}, None, "wait for 1 hour, 2 min", 3720),
    "text of Gemini": ({}, None, "Please retry in 20.5s.", 20.5),
    "text of LiteLLM": ({}, None, "No deployments available, Try again in 60 seconds. Passed model=m", 60),
    "text in Chinese": ({}, None, "请求过于频繁，请 30 秒后再试", 30),
    "text in Chinese minutes": ({}, None, "请在1分钟后重试", 60),
    "text without a unit": ({}, None, "try again in 20", None),
    "text without a number": ({}, None, "Please try again later", None),
    "a number beside the words": ({}, None, "wait for 5 servers", None),
}


@pytest.mark.parametrize(("headers", "reset", "message", "seconds"), HINTS.values(), ids=HINTS)
def test_how_long_to_wait_is_read_from_wherever_it_stands(headers, reset, message, seconds):
    """H3: every form of Retry-After seen at gateways, the most precise one first."""
    assert retry_after(headers, reset, message, now=NOW) == (None if seconds is None else pytest.approx(seconds))


def test_dates_are_read_in_utc(monkeypatch):
    """A date without a zone is UTC's, wherever the machine stands."""
    monkeypatch.setenv("TZ", "XYZ-8")
    time.tzset()
    try:
        assert retry_after({"retry-after": "Fri Jan  2 03:04:25 2026"}, None, "", now=NOW) == 20
    finally:
        monkeypatch.undo()
        time.tzset()


def test_reset_headers_count_for_limits_alone():
    """OpenAI sends its reset headers with every answer: a failing server asks for no wait by them."""
    assert retry_after({"x-ratelimit-reset-requests": "6m0s"}, None, "", now=NOW, limited=False) is None


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset-requests"]),
        st.text(max_size=20) | st.text("0123456789.-+eE msh:,GMT", max_size=30) | st.datetimes().map(str),
    ),
    st.text() | st.from_regex(r"try again in \d+ ?[a-z]+"),
)
def test_no_hint_raises(headers, message):
    """Whatever stands in headers and text, it is a wait of 0 or more, or none."""
    seconds = retry_after(headers, None, message, now=NOW)
    assert seconds is None or seconds >= 0
