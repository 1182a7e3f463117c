"""Until when the next event of an answer must be there."""

from math import inf

from flash_integrations._core.policy.progress_deadline import DRAIN_SECONDS, ProgressDeadline
from flash_integrations._core.policy.timeout import Timeout

RULE = ProgressDeadline(Timeout(connect=1, first_byte=300, progress=60), give_up=10_000)


def test_the_first_event_has_the_time_of_the_first_byte():
    """From the sending on."""
    assert RULE.first(100) == 400


def test_an_event_of_a_stream_gives_the_next_one_the_time_of_progress():
    """A plain answer is given the time of a first byte again."""
    assert (RULE.after_event(100, streamed=True), RULE.after_event(100, streamed=False)) == (160, 400)


def test_a_heartbeat_keeps_a_stream_alive_for_the_time_of_a_first_byte():
    """Counted from the last event that said something; then the stream is dead."""
    beats = [RULE.after_heartbeat(now, last_event=100, deadline=160) for now in (150, 350, 390)]
    assert beats == [210, 400, 400]


def test_a_heartbeat_takes_nothing_away():
    """A deadline that is later stands."""
    rule = ProgressDeadline(Timeout(first_byte=10, progress=60), give_up=inf)
    assert rule.after_heartbeat(20, last_event=0, deadline=60) == 60


def test_after_the_end_mark_the_body_is_not_waited_for():
    """A gateway may hold the connection open."""
    assert RULE.after_done(100, deadline=160) == 100 + DRAIN_SECONDS
    assert RULE.after_done(100, deadline=100.1) == 100.1


def test_nothing_lasts_longer_than_the_call():
    """total_timeout is the end of every wait."""
    rule = ProgressDeadline(Timeout(), give_up=110)
    waits = [
        rule.first(100),
        rule.after_event(100, streamed=True),
        rule.after_heartbeat(100, last_event=90, deadline=105),
    ]
    assert waits == [110, 110, 110]


def test_a_time_out_of_none_is_for_ever():
    """Nobody set a bound."""
    rule = ProgressDeadline(Timeout(first_byte=None, progress=None), give_up=inf)
    assert [rule.first(1), rule.after_event(1, streamed=True)] == [inf, inf]
