"""What was used of a limit within the last seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.policy.sliding_window import GRANTED, SlidingWindow


def window(*uses, span=60.0):
    """A window with these (amount, moment)."""
    made = SlidingWindow(span)
    for amount, now in uses:
        made.add_use(amount, now)
    return made


def test_a_request_goes_while_there_is_room():
    """What is live counts as if it stood in the window already."""
    used = window((1, 0.0), (1, 1.0))
    assert used.wait(4, live=1, wanted=1, now=2.0) == GRANTED
    assert used.wait(3, live=1, wanted=1, now=2.0) == 58.0


def test_it_waits_until_enough_has_left():
    """The oldest use leaves first, and so on until there is room."""
    used = window((10, 0.0), (20, 5.0), (30, 9.0))
    assert used.wait(60, live=0, wanted=25, now=10.0) == 55.0


def test_where_only_what_is_live_stands_in_the_way_no_time_helps():
    """Then an answer's end makes room."""
    assert window((1, 0.0)).wait(2, live=2, wanted=1, now=1.0) is None


def test_more_than_the_whole_limit_waits_for_an_empty_window():
    """And goes then."""
    used = window((1, 0.0))
    assert used.wait(10, live=0, wanted=99, now=1.0) == 59.0
    assert used.wait(10, live=0, wanted=99, now=60.0) == GRANTED


def test_an_amount_can_be_corrected():
    """An estimate makes room when the answer tells less."""
    used = SlidingWindow(60.0)
    used.correct(used.add_use(1, 0.0), 10)
    assert used.wait(100, live=0, wanted=90, now=1.0) == GRANTED
    assert used.wait(100, live=0, wanted=91, now=1.0) == 59.0


def test_a_use_leaves_at_the_end_of_the_span_and_not_before():
    """To the second."""
    used = window((1, 0.0))
    assert (used.wait(1, live=0, wanted=1, now=59.9) > 0, used.is_empty(59.9)) == (True, False)
    assert (used.wait(1, live=0, wanted=1, now=60.0), used.is_empty(60.0)) == (GRANTED, True)


def test_a_clock_read_too_early_does_not_shorten_the_window():
    """Threads read the clock before they get the lock."""
    used = window((1, 5.0), (1, 4.0))
    assert used.wait(1, live=0, wanted=1, now=6.0) == pytest.approx(59.0)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(0, 100)), max_size=20),
    st.integers(1, 8),
    st.integers(1, 3),
)
def test_whoever_waits_as_long_as_it_says_goes(uses, limit, wanted):
    """The wait is neither too short, nor is any shorter one enough."""
    used = window(*sorted(uses, key=lambda use: use[1]))
    wait = used.wait(limit, live=0, wanted=wanted, now=100.0)
    assert wait is not None
    if wait > GRANTED:
        assert used.wait(limit, live=0, wanted=wanted, now=100.0 + wait * 0.999 - 1e-6) > GRANTED
    assert used.wait(limit, live=0, wanted=wanted, now=100.0 + wait + 1e-6) == GRANTED
