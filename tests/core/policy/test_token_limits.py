"""Limits on tokens, as values: windows in tokens, estimates, and what answers told."""

from __future__ import annotations

import random
from heapq import heappop, heappush
from itertools import count

import pytest

from flash_integrations._core.completion.completion import Completion
from flash_integrations._core.completion.usage import Usage
from flash_integrations._core.endpoints.embeddings.result import Embeddings
from flash_integrations._core.policy.rate_limiter import GRANTED, USUAL_ANSWER, RateLimiter
from flash_integrations._core.policy.token_use import answer_limit, counted_tokens, request_tokens
from flash_integrations.catalogue import RateLimit, get_provider
from flash_integrations.testing._scripted_model.text import tokens
from flash_integrations.testing._server.rate_limits import Quota

TEN = RateLimit(tokens_per_minute=10)


def enter(limiter, size, now=0.0, *, rate_limit=TEN, answer=0):
    """A ticket of so many tokens that has asked once, and what it was told."""
    reservation = limiter.enqueue(rate_limit, label="", now=now, tokens=size, answer=answer)
    return reservation, limiter.acquire(reservation, now)


def serve(limiter, size, now, *, told=None, rate_limit=TEN):
    """A request that goes at once and is answered at once."""
    reservation, wait = enter(limiter, size, now, rate_limit=rate_limit)
    assert wait == GRANTED
    limiter.answered(reservation, now)
    if told is not None:
        limiter.record_usage(reservation, now, asked=told[0], answered=told[1])
    limiter.release(reservation, now)


def test_a_window_of_tokens_slides():
    """A request waits until so many tokens have left the window that its own fit."""
    limiter = RateLimiter()
    serve(limiter, 4, 0.0)
    serve(limiter, 4, 10.0)
    reservation, wait = enter(limiter, 5, 20.0)
    assert wait == 40.0
    assert limiter.acquire(reservation, 60.0) == GRANTED


def test_several_may_have_to_leave():
    """The wait is for the last of those that must go."""
    limiter = RateLimiter()
    for now in (0.0, 10.0, 20.0):
        serve(limiter, 3, now)
    assert enter(limiter, 7, 30.0)[1] == 40.0


def test_live_requests_count_by_their_estimate():
    """Two that together are too many do not go at once; the second waits to be woken."""
    limiter = RateLimiter()
    first, _ = enter(limiter, 6)
    second, wait = enter(limiter, 6)
    assert wait is None
    limiter.answered(first, 1.0)
    assert limiter.acquire(second, 1.0) == 60.0


def test_what_the_answer_told_corrects_the_estimate():
    """An estimate that was too high gives room back; an answer's tokens count from its end."""
    limiter = RateLimiter()
    serve(limiter, 9, 0.0, told=(2, 3))
    assert enter(limiter, 5, 1.0)[1] == GRANTED


def test_an_estimate_that_was_too_low_is_corrected_too():
    """The window holds what the gateway counted."""
    limiter = RateLimiter()
    serve(limiter, 1, 0.0, told=(8, 2))
    assert enter(limiter, 1, 1.0)[1] == 59.0


def test_a_request_larger_than_the_window_goes_through_an_empty_one():
    """It waits for the window to be empty and is then the gateway's to judge."""
    limiter = RateLimiter()
    serve(limiter, 1, 0.0)
    reservation, wait = enter(limiter, 500, 5.0)
    assert wait == 55.0
    assert limiter.acquire(reservation, 60.0) == GRANTED


def test_answers_of_unknown_length_are_set_aside_for():
    """As much as answers took lately; at first a usual amount."""
    limiter, rate_limit = RateLimiter(), RateLimit(tokens_per_minute=2 * USUAL_ANSWER - 1)
    enter(limiter, 0, rate_limit=rate_limit, answer=None)
    assert enter(limiter, 0, rate_limit=rate_limit, answer=None)[1] is None


def test_calls_without_the_limit_are_counted_when_told():
    """One record of use: what others took of the same key's tokens counts for those who keep the limit."""
    limiter = RateLimiter()
    serve(limiter, 0, 0.0, told=(7, 2), rate_limit=None)
    assert enter(limiter, 2, 1.0)[1] == 59.0


def test_the_requests_window_is_kept_beside_the_tokens():
    """The longer wait counts."""
    limiter, rate_limit = RateLimiter(), RateLimit(requests_per_minute=1, tokens_per_minute=10)
    serve(limiter, 1, 0.0, rate_limit=rate_limit)
    assert enter(limiter, 1, 20.0, rate_limit=rate_limit)[1] == 40.0


def test_an_old_record_tells_nothing():
    """After its windows have passed a record can be let go."""
    limiter = RateLimiter()
    serve(limiter, 5, 0.0)
    assert not limiter.is_idle(59.0)
    assert limiter.is_idle(3600.0)


@pytest.mark.parametrize(
    ("body", "asked", "answer"),
    [
        ({"input": ["hello there", "你好"]}, 4, 0),
        ({"messages": [{"role": "user", "content": "你好"}]}, 9, None),
        ({"messages": [{"role": "user", "content": "你好"}], "max_tokens": 50, "n": 2}, 9, 100),
        ({"messages": [{"role": "user", "content": "你好"}], "max_completion_tokens": 50}, 9, 50),
    ],
)
def test_what_a_request_costs(body, asked, answer):
    """Its texts or messages, estimated; its answer by its own limit."""
    assert (request_tokens(body), answer_limit(body)) == (asked, answer)


def test_an_odd_body_is_estimated_all_the_same():
    """A form of messages that only a gateway knows is counted as text."""
    assert request_tokens({"messages": [{"role": "assistant", "tool_calls": [{"custom": {"name": "x"}}]}]}) > 5


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Completion(usage=Usage(prompt_tokens=3, completion_tokens=4, total_tokens=7)), (3, 4)),
        (Completion(), None),
        (Embeddings([], usage=Usage(prompt_tokens=3, total_tokens=3)), (3, 0)),
        (Embeddings([], usage=Usage(total_tokens=3)), (3, 0)),
        (Embeddings([], usage=Usage(total_tokens="many")), None),
        (["models"], None),
    ],
)
def test_what_an_answer_tells(answer, told):
    """Request and answer apart, where the gateway counted."""
    assert counted_tokens(answer) == told


PARAMS = "the cat sat on a mat, and then it ran! 一只猫 在 沙发上 睡觉 (x=3.14) foo_bar extraordinarily".split()


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_through_a_tier_meets_no_refusal(seed):
    """OpenAI's free tier, as the local gateway keeps it: 60 prompts at once, of any size, answered in any order."""
    chance, limit = random.Random(seed), get_provider("openai").tiers["free"]
    limiter, agenda, order, clock = RateLimiter(), [], count(), [0.0]
    quota = Quota(limit, clock=lambda: clock[0])
    served = []

    def plan(at, act, *params):
        heappush(agenda, (at, next(order), act, params))

    def ask(number):
        if number in started:
            return
        wait = limiter.acquire(reservations[number], clock[0])
        if wait == GRANTED:
            started.add(number)
            plan(clock[0] + chance.random() * 5, receive, number)
            return
        reservations[number].on_wake(lambda: plan(clock[0], ask, number))
        if wait is not None:
            plan(clock[0] + wait, ask, number)

    def receive(number):
        quota.admit()
        quota.ask(len(tokens(prompts[number])))
        quota.spend(answers[number])
        quota.release()
        plan(clock[0] + chance.random() * 5, answer, number)

    def answer(number):
        limiter.answered(reservations[number], clock[0])
        limiter.record_usage(
            reservations[number], clock[0], asked=len(tokens(prompts[number])), answered=answers[number]
        )
        limiter.release(reservations[number], clock[0])
        served.append(number)

    prompts = [" ".join(chance.choices(PARAMS, k=chance.choice([5, 500, 9000]))) for _ in range(60)]
    answers = [chance.randint(1, 400) for _ in prompts]
    started, reservations = set(), {}
    for number, prompt in enumerate(prompts):
        size = request_tokens({"input": [prompt]})
        reservations[number] = limiter.enqueue(limit, label="", now=0.0, tokens=size, answer=400)
        plan(0.0, ask, number)
    while agenda:
        clock[0], _, act, params = heappop(agenda)
        act(*params)
    assert sorted(served) == list(range(60))
