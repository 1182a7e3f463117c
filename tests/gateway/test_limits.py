"""The limits, as values and over the wire."""

from __future__ import annotations

import threading

import pytest

from flash_integrations.catalogue import RateLimit
from flash_integrations.errors import ConfigurationError
from flash_integrations.testing import LocalGateway
from flash_integrations.testing._server.errors import Refusal
from flash_integrations.testing._server.rate_limits import Quota


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """A clock that goes when told to."""
    return Clock()


def test_a_window_slides(clock):
    """A request fits again exactly when the one that fills the window is 60 seconds old, and is told so."""
    quota = Quota(RateLimit(requests_per_minute=2), clock=clock)
    quota.admit()
    clock.now += 20
    quota.admit()
    clock.now += 39.5
    with pytest.raises(Refusal) as refused:
        quota.admit()
    assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "1"})
    clock.now += 0.5
    quota.admit()
    with pytest.raises(Refusal):
        quota.admit()


def test_an_hour_is_a_window_too(clock):
    """The hourly limit holds when the minute's has long passed."""
    quota = Quota(RateLimit(requests_per_minute=1, requests_per_hour=2), clock=clock)
    for _ in range(2):
        quota.admit()
        clock.now += 61
    with pytest.raises(Refusal, match="per hour"):
        quota.admit()
    clock.now += 3600 - 122
    quota.admit()


def test_slots_are_given_back(clock):
    """``concurrent`` counts what is not released; such a refusal names no time to wait."""
    quota = Quota(RateLimit(concurrent=1), clock=clock)
    quota.admit()
    with pytest.raises(Refusal) as refused:
        quota.admit()
    assert refused.value.headers == {}
    quota.release()
    quota.admit()


def test_tokens_count_in_the_minute(clock):
    """Prompts and answers share the tokens of a minute; an empty window lets any prompt through."""
    quota = Quota(RateLimit(tokens_per_minute=10), clock=clock)
    quota.ask(50)
    with pytest.raises(Refusal, match="tokens per minute"):
        quota.ask(1)
    clock.now += 60
    quota.ask(4)
    quota.spend(5)
    quota.ask(1)
    with pytest.raises(Refusal):
        quota.ask(1)


def test_the_rows_limits_are_enforced_on_request(caller_of, clock):
    """With ``enforce_limits`` the 61st request of a minute is the documented 429; a minute later it is answered."""
    with LocalGateway(enforce_limits=True, clock=clock) as gateway:
        call = caller_of(gateway)
        assert {call.chat().status_code for _ in range(60)} == {200}
        refused = call.chat()
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        assert refused.headers["retry-after"] == "60"
        clock.now += 60
        assert call.chat().status_code == 200


def test_limits_are_off_by_default(gateway, call):
    """Without asking for limits there are none."""
    assert {call.chat().status_code for _ in range(65)} == {200}


def test_each_key_has_its_own_limits(caller_of):
    """One key's use takes nothing from another's."""
    with LocalGateway(keys=["a", "b"], rate_limit=RateLimit(requests_per_minute=1)) as gateway:
        assert [caller_of(gateway, key=key).chat().status_code for key in ("a", "a", "b")] == [200, 429, 200]


def test_a_slot_is_held_until_the_stream_ends(caller_of):
    """A stream that stands still keeps its slot; whoever has read its end finds the slot free."""
    with LocalGateway(rate_limit=RateLimit(concurrent=1)) as gateway:
        gateway.fault(hold=1)
        call, other = caller_of(gateway), caller_of(gateway)
        with call.streaming() as response:
            assert gateway.wait_held()
            assert other.chat().status_code == 429
            gateway.release()
            response.read()
        assert [other.chat().status_code for _ in range(20)] == [200] * 20


def test_a_caller_that_leaves_frees_its_slot(caller_of):
    """Closing a stream early gives its slot back."""
    with LocalGateway(rate_limit=RateLimit(concurrent=1)) as gateway:
        gateway.fault(hold=1)
        call = caller_of(gateway)
        with call.streaming():
            assert gateway.wait_held()
        assert gateway.wait_idle()
        assert call.chat().status_code == 200


def test_many_at_once_never_exceed_the_slots(caller_of):
    """Threads together get no more than the slots there are; the peak tells."""
    with LocalGateway(rate_limit=RateLimit(concurrent=3)) as gateway:
        gateway.fault(hold="before_first_byte", times=None)
        callers = [caller_of(gateway) for _ in range(8)]
        got = []
        threads = [threading.Thread(target=lambda c=caller: got.append(c.chat().status_code)) for caller in callers]
        for thread in threads:
            thread.start()
        assert gateway.wait_held(3)
        gateway.release()
        for thread in threads:
            thread.join()
        assert got.count(200) >= 3
        assert set(got) <= {200, 429}


def test_limits_that_are_not_there_cannot_be_enforced():
    """Enforcing the limits of a row without any is a mistake that says what to pass."""
    with pytest.raises(ConfigurationError, match="rate_limit="):
        LocalGateway("openai", enforce_limits=True)
