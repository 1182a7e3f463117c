"""The terms of a call: what users may give for times and counts, and what they get for it."""

from __future__ import annotations

import math

import pytest

from flash_integrations._core.policy.timeout import Timeout, check_at_least_0, check_seconds
from flash_integrations.errors import ConfigurationError


def test_the_defaults():
    """10 s for the connection, 300 s to the first event, 60 s between two."""
    assert Timeout() == Timeout(connect=10, first_byte=300, progress=60)
    assert Timeout.of(None) == Timeout()


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (5, Timeout(5, 5, 5)),
        (0.5, Timeout(0.5, 0.5, 0.5)),
        (120, Timeout(10, 120, 120)),
        ({"progress": 5}, Timeout(10, 300, 5)),
        ({"first_byte": None, "progress": None}, Timeout(10, None, None)),
        (Timeout(1, 2, 3), Timeout(1, 2, 3)),
    ],
)
def test_what_users_give_becomes_a_timeout(given, made):
    """A number sets all three, the connection at most 10 s; a dict sets what it names."""
    assert Timeout.of(given) == made


@pytest.mark.parametrize("given", [0, -1, True, "5", math.nan, {"read": 5}, {"progress": 0}, {"connect": "1"}])
def test_what_is_no_time_is_refused(given):
    """Zero, negative figures, texts and unknown names are told at once."""
    with pytest.raises(ConfigurationError, match="timeout"):
        Timeout.of(given)


@pytest.mark.parametrize("value", [None, 1, 0.001, math.inf])
def test_seconds_may_be_any_positive_number_or_none(value):
    """None is for ever."""
    check_seconds("total_timeout", value)


@pytest.mark.parametrize("value", [0, -0.5, False, "1", [1]])
def test_other_seconds_are_refused_by_name(value):
    """The error names the parameter."""
    with pytest.raises(ConfigurationError, match="total_timeout must be a number of seconds above 0"):
        check_seconds("total_timeout", value)


@pytest.mark.parametrize(
    ("value", "whole"), [(-1, True), (1.5, True), (True, True), (None, True), ("2", False), (-0.1, False)]
)
def test_counts_are_refused_by_name(value, whole):
    """What is no number of at least 0, or no int where one is wanted, is told with its name."""
    wanted = "an int" if whole else "a number"
    with pytest.raises(ConfigurationError, match=f"max_retries must be {wanted} of at least 0"):
        check_at_least_0("max_retries", value, whole=whole)


@pytest.mark.parametrize(("value", "whole"), [(0, True), (7, True), (0, False), (1.5, False)])
def test_good_counts_pass(value, whole):
    """Zero is a count."""
    check_at_least_0("max_retries", value, whole=whole)
