"""Calls as values: one table of scenarios, run by both drivers without network, clock or chance.

Each row says what the gateway does and what must come of it: the same sends, the same waits and the same outcome in
both sync and async.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from flows import KEY, MODES, URL, Gateway, Silence, exchange, run
from replay import DONE, USAGE, USAGE_EVENT, WHOLE, Answer, chunk, plain, refuse

from flash_integrations import RateLimit, errors
from flash_integrations._core.policy.timeout import Timeout

ROLE = chunk({"role": "assistant", "content": ""})
HELLO = chunk({"content": "Hello"})
STOP = chunk({}, "stop")
PING = b": PING\n\n"
HEARTBEAT = chunk({"content": ""})
JSON = {"content-type": "application/json"}
EMPTY = Answer([b""], headers=JSON)
HOLLOW = plain(None)
HTML = Answer([b"<!doctype html><html><title>Dashboard</title></html>"])
MUST = refuse(400, "Stream must be set to true")
MUST_NOT = refuse(400, "streaming is not supported by this model")
NO_OPTIONS = refuse(400, "Unknown parameter: 'stream_options'")
LOST = errors.APIConnectionError("the line broke")
BUSY = refuse(503, "try later")
PLAIN_ROW = {"stream_whole": False}
ONCE = {"max_retries": 0}


def in_band(message: str, **error: Any) -> bytes:
    """An error inside a stream."""
    return b"data: " + json.dumps({"error": {"message": message, **error}}).encode() + b"\n\n"


@dataclass(frozen=True)
class Scenario:
    """What the gateway does, and what must come of it."""

    name: str
    script: Sequence[Any]
    streamed: Sequence[bool]
    outcome: str | type[errors.FlashError]
    waits: Sequence[float] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


S = Scenario
SCENARIOS = [
    S("a plain answer", [plain()], [False], "Hello", options=PLAIN_ROW),
    S("a row that wants streams", [WHOLE], [True], "Hello"),
    S("force_stream=True over a plain row", [WHOLE], [True], "Hello", options={**PLAIN_ROW, "force_stream": True}),
    S("force_stream=False over a streamed row", [plain()], [False], "Hello", options={"force_stream": False}),
    S("stream=False from the caller", [WHOLE], [True], "Hello", options={"params": {"stream": False}}),
    S(
        "stream=True asked of a whole answer",
        [plain()],
        [False],
        "Hello",
        options={"params": {"stream": True}, **PLAIN_ROW},
    ),
    S("a caller's stream on a plain row", [WHOLE], [True], "Hello", options={**PLAIN_ROW, "stream": True}),
    S("a caller's stream never streamed", [plain()], [False], "Hello", options={"force_stream": False, "stream": True}),
    # learning: plain, though it must be streamed
    S("must stream", [MUST, WHOLE], [False, True], "Hello", facts={"stream": True}, options=PLAIN_ROW),
    S("an empty 200", [EMPTY, WHOLE], [False, True], "Hello", facts={"stream": True}, options=PLAIN_ROW),
    S("a hollow 200", [HOLLOW, WHOLE], [False, True], "Hello", facts={"stream": True}, options=PLAIN_ROW),
    S("a stream for a plain request", [WHOLE], [False], "Hello", facts={"stream": True}, options=PLAIN_ROW),
    S("must stream, but forced plain", [MUST], [False], errors.BadRequestError, options={"force_stream": False}),
    S("a hollow 200, forced plain", [HOLLOW], [False], "", options={"force_stream": False}),
    S("a stream, forced plain", [WHOLE], [False], "Hello", options={"force_stream": False}),
    # learning: streamed, though it must not be
    S("must not stream", [MUST_NOT, plain()], [True, False], "Hello", facts={"stream": False}),
    S(
        "a stream that must not",
        [MUST_NOT, plain()],
        [True, False],
        "Hello",
        facts={"stream": False},
        options={"stream": True},
    ),
    S("must not stream, but forced", [MUST_NOT], [True], errors.BadRequestError, options={"force_stream": True}),
    # one flip for each fact
    S(
        "must, then must not",
        [MUST, MUST_NOT],
        [False, True],
        errors.BadRequestError,
        facts={"stream": True},
        options=PLAIN_ROW,
    ),
    S("must not, then must", [MUST_NOT, MUST], [True, False], errors.BadRequestError, facts={"stream": False}),
    S(
        "empty plain, then empty streamed",
        [EMPTY, EMPTY],
        [False, True],
        errors.MalformedResponseError,
        facts={"stream": True},
        options={**PLAIN_ROW, **ONCE},
    ),
    S("no stream_options", [NO_OPTIONS, WHOLE], [True, True], "Hello", facts={"stream_options": False}),
    S(
        "no stream_options, twice",
        [NO_OPTIONS, NO_OPTIONS],
        [True, True],
        errors.BadRequestError,
        facts={"stream_options": False},
    ),
    S(
        "neither stream_options nor stream",
        [NO_OPTIONS, MUST_NOT, plain()],
        [True, True, False],
        "Hello",
        facts={"stream_options": False, "stream": False},
    ),
    S(
        "learning is no re-send",
        [MUST, WHOLE],
        [False, True],
        "Hello",
        facts={"stream": True},
        options={**PLAIN_ROW, **ONCE},
    ),
    # without usage asked for, gateways drop the finish reason (new-api)
    S(
        "no finish reason after stream_options were dropped",
        [NO_OPTIONS, Answer([ROLE, HELLO, DONE])],
        [True, True],
        "Hello",
        facts={"stream_options": False},
    ),
    # re-sends
    S("one lost connection", [LOST, WHOLE], [True, True], "Hello", waits=[0.5]),
    S("two refusals", [BUSY, BUSY, WHOLE], [True] * 3, "Hello", waits=[0.5, 1.0]),
    S("one refusal too many", [BUSY] * 3, [True] * 3, errors.ServerError, waits=[0.5, 1.0]),
    S("max_retries=0", [BUSY], [True], errors.ServerError, options=ONCE),
    S("max_retries=5", [BUSY] * 6, [True] * 6, errors.ServerError, waits=[0.5, 1, 2, 4, 8], options={"max_retries": 5}),
    S("a cut whole answer, sent again", [Answer([ROLE, HELLO]), WHOLE], [True, True], "Hello", waits=[0.5]),
    S("429 without a hint", [refuse(429), refuse(429), WHOLE], [True] * 3, "Hello", waits=[30.0, 40.0]),
    # the end of a stream
    S("finish reason and no [DONE]", [Answer([ROLE, HELLO, STOP])], [True], "Hello"),
    S("lost after the finish reason", [Answer([ROLE, HELLO, STOP, LOST])], [True], "Hello"),
    S("lost after [DONE]", [Answer([ROLE, HELLO, STOP, DONE, LOST])], [True], "Hello"),
    S("[DONE] alone", [Answer([ROLE, HELLO, DONE])], [True], errors.StreamInterruptedError, options=ONCE),
    S(
        "[DONE] alone, accepted",
        [Answer([ROLE, HELLO, DONE])],
        [True],
        "Hello",
        options={"require_finish_reason": False},
    ),
    S(
        "not even [DONE]",
        [Answer([ROLE, HELLO])],
        [True],
        errors.StreamInterruptedError,
        options={**ONCE, "require_finish_reason": False},
    ),
    S("cut after text", [Answer([ROLE, HELLO])], [True], errors.StreamInterruptedError, options=ONCE),
    S("lost after text", [Answer([ROLE, HELLO, LOST])], [True], errors.StreamInterruptedError, options=ONCE),
    S("cut after the role", [Answer([ROLE])], [True], errors.StreamInterruptedError, options=ONCE),
    S(
        "usage and [DONE] after a cut",
        [Answer([ROLE, HELLO, USAGE_EVENT, DONE])],
        [True],
        errors.StreamInterruptedError,
        options=ONCE,
    ),
    S(
        "one of two choices unfinished",
        [Answer([chunk({"content": "a"}, "stop"), chunk({}).replace(b'"index": 0', b'"index": 1'), DONE])],
        [True],
        errors.StreamInterruptedError,
        options={**ONCE, "params": {"n": 2}},
    ),
    S("an empty body", [Answer([b""])], [True], errors.MalformedResponseError, options=ONCE),
    S("only pings", [Answer([PING, PING])], [True], errors.MalformedResponseError, options=ONCE),
    S("only [DONE]", [Answer([DONE])], [True], errors.MalformedResponseError, options=ONCE),
    S("only usage", [Answer([USAGE_EVENT, DONE])], [True], errors.MalformedResponseError, options=ONCE),
    S("an HTML page", [HTML], [True], errors.MalformedResponseError, options=ONCE),
    S("lost before anything", [Answer([PING, LOST])], [True], errors.APIConnectionError, options=ONCE),
    S("an error in the stream", [Answer([ROLE, in_band("Overloaded")])], [True], errors.ServerError, options=ONCE),
    S(
        "a 200 that is an error",
        [Answer([b'{"error": {"message": "boom"}}'])],
        [True],
        errors.ServerError,
        options=ONCE,
    ),
    # time
    S("silence before the head", [[Silence(301), WHOLE]], [True], errors.APITimeoutError, options=ONCE),
    S("a patient head", [[Silence(299), WHOLE]], [True], "Hello", options=ONCE),
    S(
        "silence before the first event",
        [Answer([PING, Silence(301), HELLO])],
        [True],
        errors.APITimeoutError,
        options=ONCE,
    ),
    S(
        "head and first event share first_byte",
        [[Silence(200), Answer([Silence(200), HELLO])]],
        [True],
        errors.APITimeoutError,
        options=ONCE,
    ),
    S("pings before the first event", [Answer([PING, Silence(100)] * 4)], [True], errors.APITimeoutError, options=ONCE),
    S("silence between events", [Answer([ROLE, Silence(61), HELLO])], [True], errors.APITimeoutError, options=ONCE),
    S(
        "heartbeats while the model writes a call that is held back",
        [Answer([ROLE, *[Silence(50), HEARTBEAT] * 5, HELLO, STOP, DONE])],
        [True],
        "Hello",
        options=ONCE,
    ),
    S(
        "heartbeats of a dead stream",
        [Answer([ROLE, *[Silence(50), HEARTBEAT] * 9])],
        [True],
        errors.APITimeoutError,
        options=ONCE,
    ),
    S("pings between events", [Answer([ROLE, *[Silence(25), PING] * 3])], [True], errors.APITimeoutError, options=ONCE),
    S(
        "blank lines between events",
        [Answer([ROLE, *[Silence(25), b"\n"] * 3])],
        [True],
        errors.APITimeoutError,
        options=ONCE,
    ),
    S("slow but steady", [Answer([ROLE, *[Silence(59), HELLO] * 9, STOP])], [True], "Hello" * 9, options=ONCE),
    S(
        "a lingering connection after [DONE]",
        [Answer([ROLE, HELLO, STOP, DONE, Silence(9999)])],
        [True],
        "Hello",
        options=ONCE,
    ),
    S(
        "pings after [DONE]",
        [Answer([ROLE, HELLO, STOP, DONE, *[Silence(0.15), PING] * 9])],
        [True],
        "Hello",
        options=ONCE,
    ),
    S(
        "only [DONE] on a lingering connection",
        [Answer([DONE, Silence(99)])],
        [True],
        errors.MalformedResponseError,
        options=ONCE,
    ),
    S(
        "pings through a transport that keeps no time",
        [Answer([ROLE, *[Silence(25), PING] * 9])],
        [True],
        errors.APITimeoutError,
        options={**ONCE, "keeps_time": False},
    ),
    S("a stall after the finish reason", [Answer([ROLE, HELLO, STOP, Silence(9999)])], [True], "Hello", options=ONCE),
    S(
        "blank lines before a plain answer",
        [Answer([b"\n", Silence(100)] * 4)],
        [False],
        errors.APITimeoutError,
        options={**PLAIN_ROW, **ONCE},
    ),
    S(
        "total_timeout ends reading",
        [Answer([ROLE, *[Silence(4), HELLO] * 9])],
        [True],
        errors.APITimeoutError,
        options={"total_timeout": 30},
    ),
    S(
        "total_timeout ends waiting for the head",
        [[Silence(31), WHOLE]],
        [True],
        errors.APITimeoutError,
        options={"total_timeout": 30},
    ),
    S("no time left to send again", [refuse(429)], [True], errors.RateLimitError, options={"total_timeout": 20}),
    S(
        "time left to send again",
        [refuse(429), WHOLE],
        [True, True],
        "Hello",
        waits=[30],
        options={"total_timeout": 31},
    ),
    S(
        "no time limits at all",
        [[Silence(1e6), WHOLE]],
        [True],
        "Hello",
        options={"timeout": Timeout(None, None, None)},
    ),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_call_comes_to_what_the_table_says(mode, scenario):
    """Each scenario takes the written sends and waits, and ends in the written answer or error, sync and async."""
    gateway = Gateway()
    outcome = run(mode, scenario.script, gateway, **scenario.options)
    if isinstance(scenario.outcome, str):
        assert outcome.error is None
        assert outcome.text == scenario.outcome
    else:
        assert type(outcome.error) is scenario.outcome
    assert outcome.streamed == list(scenario.streamed)
    assert outcome.port.sleeps == list(scenario.waits)
    assert gateway.facts() == scenario.facts
    assert gateway.limiter.holders(gateway.clock()) == []
    assert set(outcome.port.slots_at_close[: len(scenario.streamed)]) == {1}  # closed first, released after


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_a_streamed_request_asks_for_usage():
    """A stream is asked for with its usage, beside whatever stream option the caller set."""
    asked = run("sync", [WHOLE], params={"stream_options": {"include_obfuscation": False}}).bodies[0]
    assert asked["stream"] is True
    assert asked["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_a_plain_request_does_not_speak_of_streams():
    """A plain request carries neither the flag nor its options."""
    assert run("sync", [plain()], stream_whole=False).bodies[0].keys() == {"model", "messages"}


def test_dropped_stream_options_stay_dropped():
    """A refused stream_options is sent no more, neither in that call nor in the next."""
    gateway = Gateway()
    first = run("sync", [NO_OPTIONS, WHOLE], gateway)
    second = run("sync", [WHOLE], gateway)
    assert ["stream_options" in body for body in [*first.bodies, *second.bodies]] == [True, False, False]


def test_a_body_without_a_json_form_is_refused_before_sending():
    """What JSON cannot say is the caller's error; nothing is sent and no slot is taken."""
    outcome = run("sync", [], params={"extra_body": {"x": object()}})
    assert isinstance(outcome.error, errors.InvalidRequestError)
    assert outcome.port.sends == []


@pytest.mark.parametrize("options", [{}, PLAIN_ROW], ids=["streamed", "plain"])
def test_both_ways_give_the_same_answer(options):
    """Streamed or plain, the answer is the same in text, finish reason, usage and as a dict."""
    body = json.loads(plain().segments[0])
    answer = run("sync", [plain() if options else WHOLE], **options).answer
    assert answer.as_dict() == body


# --- learning -------------------------------------------------------------------------------------------------------

MUST_TEXTS = [
    {"detail": "Stream must be set to true"},
    {"error": {"message": "Stream must be set to true", "type": "upstream_error", "code": ""}},
    {
        "error": {
            "message": "This model only support stream mode, please enable the stream parameter to access the model.",
            "code": "invalid_parameter_error",
        }
    },
    {"error": {"message": "parameter.enable_thinking must be set to false for non-streaming calls"}},
    {"error": {"message": "enable thinking can not be support when `stream=False`."}},
    {"error": {"message": "[{'expected': 'true', ...}] expected true at path `stream`"}},
    {"error": {"message": "current user api does not support http call"}},
    {"message": "this model does not support non-streaming"},
    {"error": {"message": "all GPT models MUST be called with stream:true"}},
    {"error": {"message": "该模型仅支持流式调用"}},
    {"error": {"message": "只支持流式输出"}},
    {"error": {"message": "当前渠道不支持非流式请求"}},
]
MUST_NOT_TEXTS = [
    "stream must be set to false",
    "Streaming is not supported for this model",
    "streaming responses are not available",
    "This endpoint does not support streaming",
    "Unsupported parameter: 'stream'",
    "该接口不支持流式输出",
    "仅支持非流式调用",
]


@pytest.mark.parametrize("status", [400, 422, 500])
@pytest.mark.parametrize("body", MUST_TEXTS, ids=lambda body: json.dumps(body, ensure_ascii=False)[:60])
def test_every_known_word_for_must_stream_is_understood(body, status):
    """A refusal that says streaming is required flips the call, whichever software or status says so."""
    told = Answer([json.dumps(body).encode()], status, JSON)
    gateway = Gateway()
    assert run("sync", [told, WHOLE], gateway, **PLAIN_ROW, **ONCE).streamed == [False, True]
    assert gateway.facts() == {"stream": True}


@pytest.mark.parametrize("text", MUST_NOT_TEXTS)
def test_every_known_word_for_must_not_stream_is_understood(text):
    """A refusal that says streaming is not allowed flips the other way."""
    assert run("sync", [refuse(400, text), plain()], **ONCE).streamed == [True, False]


@pytest.mark.parametrize("text", [*MUST_NOT_TEXTS, "the stream broke", "no", "Unsupported parameter: 'stream_options'"])
def test_a_plain_call_learns_nothing_from_other_words(text):
    """A refusal that does not ask for a stream is raised as it is."""
    gateway = Gateway()
    assert run("sync", [refuse(400, text)], gateway, **PLAIN_ROW).streamed == [False]
    assert gateway.facts() == {}


@pytest.mark.parametrize("text", ["upstream stream broke", "this model only support stream mode", "bad request"])
def test_a_streamed_call_learns_nothing_from_other_words(text):
    """A refusal that does not forbid streams is raised as it is."""
    gateway = Gateway()
    assert run("sync", [refuse(400, text)], gateway, **ONCE).streamed == [True]
    assert gateway.facts() == {}


def test_facts_hold_for_one_model():
    """What was learned for a model counts from the next call on, and for that model alone."""
    gateway = Gateway()
    run("sync", [MUST, WHOLE], gateway, model="one", **PLAIN_ROW)
    assert run("sync", [WHOLE], gateway, model="one", **PLAIN_ROW).streamed == [True]
    assert run("sync", [plain()], gateway, model="other", **PLAIN_ROW).streamed == [False]


def test_facts_hold_for_one_url():
    """What was learned at a gateway says nothing about another one."""
    gateway = Gateway()
    run("sync", [MUST, WHOLE], gateway, **PLAIN_ROW)
    assert run("sync", [plain()], gateway, base_url="https://other.test/v1", **PLAIN_ROW).streamed == [False]


def test_the_users_word_counts_over_what_was_learned():
    """force_stream is never overridden, neither by a refusal nor by a fact."""
    gateway = Gateway()
    run("sync", [MUST, WHOLE], gateway, **PLAIN_ROW)
    assert run("sync", [plain()], gateway, force_stream=False).streamed == [False]


def test_a_forgotten_fact_is_learned_anew():
    """After forget() the row's rule is tried again."""
    gateway = Gateway()
    run("sync", [MUST, WHOLE], gateway, **PLAIN_ROW)
    gateway.quirks.forget(URL)
    assert run("sync", [MUST, WHOLE], gateway, **PLAIN_ROW).streamed == [False, True]


def test_what_is_learned_when_the_time_is_over_is_for_the_next_call():
    """A refusal whose body outlasts total_timeout teaches, but nothing more is sent for this call."""
    gateway = Gateway()
    late = Answer([*MUST.segments, Silence(30), b" "], 400, JSON)
    outcome = run("sync", [late], gateway, total_timeout=20, **PLAIN_ROW)
    assert isinstance(outcome.error, errors.BadRequestError)
    assert (len(outcome.port.sends), gateway.clock()) == (1, 1020.0)
    assert gateway.facts() == {"stream": True}


def test_learning_is_told_once(caplog):
    """What was learned and from which words stands in the log at INFO, once."""
    gateway = Gateway()
    with caplog.at_level(logging.INFO):
        for script in ([MUST, WHOLE], [WHOLE]):
            run("sync", script, gateway, **PLAIN_ROW)
    told = [record.getMessage() for record in caplog.records if "learned" in record.getMessage()]
    assert len(told) == 1
    assert "stream=True" in told[0]
    assert "Stream must be set to true" in told[0]


# --- what is sent again ---------------------------------------------------------------------------------------------

PASSING = {
    "no connection": LOST,
    "a time-out": errors.APITimeoutError("too slow"),
    **{str(status): refuse(status) for status in (408, 409, 429, 500, 502, 503, 504, 520, 524, 529)},
    "an empty 429": Answer([b""], 429, {}),
    "an in-band server error": Answer([ROLE, in_band("boom", code=500)]),
    "an in-band rate limit": Answer([ROLE, in_band("slow down", code="rate_limit_exceeded")]),
    "a cut answer": Answer([ROLE, HELLO, DONE]),
    "a lost line": Answer([ROLE, HELLO, LOST]),
    "an empty answer": Answer([b""]),
    "a broken answer": Answer([b'{"choices": [{"mess']),
    "a page": HTML,
}
LASTING = {
    **{str(status): refuse(status) for status in (400, 401, 402, 403, 404, 413, 422, 501)},
    "quota as 429": refuse(429, "You exceeded your current quota", code="insufficient_quota"),
    "no such model as 503": refuse(503, "no channel", code="model_not_found"),
    "context as 500": refuse(500, "This model's maximum context length is 8192 tokens"),
    "filter as 500": refuse(500, "sensitive_words_detected", code="sensitive_words_detected"),
    "a redirect": Answer([b""], 307, {"location": "https://elsewhere.test/v1"}),
    "no key": errors.ConfigurationError("no API key"),
    "an in-band quota error": Answer([ROLE, in_band("余额不足")]),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", PASSING)
def test_what_may_pass_is_sent_again(mode, kind):
    """Lost lines, time-outs, 408, 409, 429, 5xx but 501, the same in the answer; cut, empty and broken answers."""
    outcome = run(mode, [PASSING[kind], WHOLE])
    assert outcome.error is None
    assert outcome.answer.retries == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", LASTING)
def test_what_lasts_is_not_sent_again(mode, kind):
    """Refusals that the request, the key, the model or the account is at fault for are raised at once."""
    outcome = run(mode, [LASTING[kind]])
    assert outcome.error is not None
    assert len(outcome.port.sends) == 1
    assert outcome.port.sleeps == []


def hinted(seconds: object, status: int = 429) -> Answer:
    """A refusal with a Retry-After."""
    return Answer(refuse(status).segments, status, {**JSON, "retry-after": str(seconds)})


@pytest.mark.parametrize(("asked", "waited"), [(7, 7.0), (0, 0.0), (60, 60.0), ("0.25", 0.25)])
def test_retry_after_is_obeyed(asked, waited):
    """The wait a gateway asks for is kept, and none shorter."""
    assert run("sync", [hinted(asked), WHOLE]).port.sleeps == [waited]


def test_a_long_retry_after_is_raised_at_once():
    """A gateway that asks for more than max_retry_after is not waited for; the error says how long it wanted."""
    outcome = run("sync", [hinted(61)])
    assert isinstance(outcome.error, errors.RateLimitError)
    assert outcome.error.retry_after == 61
    assert outcome.port.sleeps == []


def test_max_retry_after_is_the_users():
    """Who raises the bound waits longer."""
    assert run("sync", [hinted(61), WHOLE], max_retry_after=90).port.sleeps == [61.0]


def test_chance_only_lengthens_a_wait():
    """Jitter adds up to a quarter to a wait and takes nothing from it."""
    assert run("sync", [BUSY, WHOLE], Gateway(chance=1.0)).port.sleeps == [0.625]


def test_no_slot_is_held_while_waiting_to_send_again():
    """Between two sendings the slot is free for others."""
    gateway, seen = Gateway(), []
    run("sync", [BUSY, WHOLE], gateway, on_sleep=[lambda: seen.extend(gateway.limiter.holders(0))])
    assert seen == []


def test_a_re_send_is_told(caplog):
    """Each re-send stands in the log: how long it waits, which it is, and why."""
    with caplog.at_level(logging.INFO):
        run("sync", [BUSY, WHOLE])
    assert "sending again in 0.5 s (1 of 2) after: try later (status 503)" in caplog.text


# --- delivered ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "end",
    [(), (DONE,), (LOST,), (in_band("boom", code=500),), (in_band("Stream must be set to true"),), (Silence(99),)],
)
def test_a_delivered_stream_is_never_sent_again(mode, end):
    """Once a piece has reached the caller the stream ends in an error with what had come."""
    outcome = run(mode, [Answer([ROLE, HELLO, *end])], stream=True)
    assert [delta.text for delta in outcome.deltas] == ["Hello"]
    assert len(outcome.port.sends) == 1
    assert outcome.error.partial.text == "Hello"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("end", [(), (DONE,), (LOST,), (in_band("boom", code=500),), (Silence(301),)])
def test_a_stream_without_a_piece_is_sent_again(mode, end):
    """A role alone is not delivered: whatever broke the stream, it is sent again."""
    outcome = run(mode, [Answer([ROLE, *end]), WHOLE], stream=True)
    assert outcome.error is None
    assert outcome.text == "Hello"
    assert outcome.answer.retries == 1


def test_a_whole_answer_is_sent_again_however_far_it_came():
    """Nobody has seen the pieces of a whole answer."""
    outcome = run("sync", [Answer([ROLE, HELLO, LOST]), Answer([ROLE, HELLO, LOST]), WHOLE])
    assert outcome.text == "Hello"
    assert outcome.deltas == []


def test_the_error_of_a_whole_answer_has_what_had_come():
    """An answer cut on its last sending shows how far it came, and how often it was sent."""
    outcome = run("sync", [BUSY, Answer([ROLE, HELLO])], max_retries=1)
    assert outcome.error.partial.text == "Hello"
    assert outcome.error.partial.retries == 1


def test_an_error_has_nothing_partial_where_nothing_began():
    """A refusal carries no empty answer."""
    assert run("sync", [BUSY], **ONCE).error.partial is None


def test_a_stream_tells_its_end_once():
    """Finish reason and usage come on the last delta, and nowhere else."""
    deltas = run("sync", [WHOLE], stream=True).deltas
    assert [delta.finish_reason for delta in deltas] == [None, None, "stop"]
    assert [delta.usage for delta in deltas] == [None, None, USAGE]


def test_an_unstreamed_stream_gives_the_answer_in_one_piece():
    """Where streaming is not allowed, stream() yields the whole text as one chunk, and then its end."""
    deltas = run("sync", [MUST_NOT, plain()], stream=True).deltas
    assert [(delta.text, delta.finish_reason) for delta in deltas] == [("Hello", None), ("", "stop")]


def test_a_slow_reader_is_not_the_gateways_fault():
    """Time that the caller takes over a piece does not count as the gateway's silence."""
    gateway = Gateway()

    def ponder(delta: object) -> None:
        gateway.clock.now += 500

    outcome = run("sync", [Answer([ROLE, HELLO, Silence(50), HELLO, STOP])], gateway, stream=True, take=ponder)
    assert outcome.error is None
    assert outcome.text == "HelloHello"


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_an_error_says_whose_it_is(mode):
    """Every error names row and model, and how often the request was sent again."""
    error = run(mode, [BUSY, BUSY, BUSY], model="gpt-x").error
    assert (error.provider, error.model, error.retries) == ("test", "gpt-x", 2)


ECHO = refuse(401, f"Incorrect API key provided: {KEY}", code=f"bad_{KEY}", type=KEY)


def test_an_echoed_key_is_taken_out_of_the_error():
    """A gateway that repeats the key does not bring it into the error's texts."""
    error = run("sync", [ECHO]).error
    shown = (str(error), repr(error), error.message, error.code, error.type, *error.args)
    assert [text for text in shown if KEY in text] == []
    assert "Incorrect API key provided" in error.message


def test_an_echoed_key_is_taken_out_of_the_log(caplog):
    """Nor into a line of the log, be it for a re-send or for what was learned."""
    with caplog.at_level(logging.DEBUG):
        run("sync", [refuse(500, f"boom {KEY}"), WHOLE])
        run("sync", [refuse(400, f"Stream must be set to true, {KEY}"), WHOLE], **PLAIN_ROW)
    assert len(caplog.records) == 2
    assert KEY not in caplog.text


def test_the_end_of_the_body_is_waited_for_a_moment_only():
    """After [DONE] a fifth of a second, however much the gateway still has to ping."""
    gateway = Gateway()
    run("sync", [Answer([*WHOLE.segments, *[Silence(0.125), PING] * 99])], gateway)
    assert gateway.clock() == 1000.2


def test_a_refusal_whose_body_breaks_off_is_still_a_refusal():
    """A lost line inside an error's body leaves the status to go by."""
    outcome = run("sync", [Answer([b'{"error": {"mess', LOST], 401, JSON)])
    assert isinstance(outcome.error, errors.AuthenticationError)


def test_a_refusal_that_pings_for_ever_is_given_up():
    """An error's body is waited for no longer than `progress`."""
    gateway = Gateway()
    run("sync", [Answer([*[Silence(20), b" "] * 99], 401, JSON)], gateway)
    assert gateway.clock() == 1060.0


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_full_window_is_waited_for(mode):
    """A call beyond the limit is held back until the window has room."""
    gateway = Gateway()
    for waits in ([], [], [60.0]):
        assert run(mode, [WHOLE], gateway, rate_limit=RateLimit(requests_per_minute=2)).port.sleeps == waits


def test_the_window_counts_from_the_first_byte():
    """A stream that ran longer than a minute has left the window when it ends."""
    gateway, rate_limit = Gateway(), RateLimit(requests_per_minute=1)
    run("sync", [Answer([ROLE, *[Silence(59), HELLO] * 2, STOP])], gateway, rate_limit=rate_limit)
    assert run("sync", [WHOLE], gateway, rate_limit=rate_limit).port.sleeps == []


@pytest.mark.parametrize("mode", MODES)
def test_a_slot_is_waited_for(mode):
    """A call waits until another's answer has ended, and is woken then."""
    gateway = Gateway()
    other = gateway.limiter.enqueue(None, label="other", now=0)
    gateway.limiter.acquire(other, 0)
    end = [lambda: gateway.limiter.release(other, 0)]
    outcome = run(mode, [WHOLE], gateway, rate_limit=RateLimit(concurrent=1), on_sleep=end)
    assert outcome.error is None
    assert outcome.port.sleeps == [30.0]


@pytest.mark.parametrize("mode", MODES)
def test_total_timeout_ends_waiting_for_limits(mode):
    """A call that may not go within its total time is given up unsent, and leaves the queue."""
    gateway = Gateway()
    run(mode, [WHOLE], gateway, rate_limit=RateLimit(requests_per_minute=1))
    outcome = run(mode, [], gateway, rate_limit=RateLimit(requests_per_minute=1), total_timeout=20)
    assert isinstance(outcome.error, errors.APITimeoutError)
    assert outcome.port.sends == []
    assert outcome.port.sleeps == [20.0]
    gateway.clock.now += 60
    assert run(mode, [WHOLE], gateway, rate_limit=RateLimit(requests_per_minute=1)).port.sleeps == []


def warned(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_long_wait_names_who_holds_the_slots(caplog):
    """After 30 seconds of waiting one line tells which limit holds, who holds its slots, and for how long."""
    gateway = Gateway()
    other = gateway.limiter.enqueue(None, label="test slow-model", now=990.0)
    gateway.limiter.acquire(other, 990.0)

    def wait() -> None:
        gateway.clock.now += 30

    waits = [wait, wait, lambda: gateway.limiter.release(other, gateway.clock())]
    run("sync", [WHOLE], gateway, rate_limit=RateLimit(concurrent=1), on_sleep=waits)
    [line] = warned(caplog)
    told, _, held = line.partition(". Slots: ")
    assert (
        told
        == "test m: waiting for the rate limit concurrent=1 for 30 s, until an answer ends or begins; in the queue: 1"
    )
    assert held == "test slow-model for 40 s"


@pytest.mark.parametrize(
    ("rate_limit", "limit", "seconds"),
    [
        (RateLimit(requests_per_minute=1), "requests_per_minute=1", 60),
        (RateLimit(requests_per_hour=1), "requests_per_hour=1", 3600),
        (RateLimit(tokens_per_minute=10), "tokens_per_minute=10", 60),
    ],
    ids=["minute", "hour", "tokens"],
)
def test_a_long_wait_for_a_window_is_told_at_once(rate_limit, limit, seconds, caplog):
    """A window tells when it has room: the line comes before the wait, with the limit and the seconds."""
    gateway = Gateway()
    run("sync", [WHOLE], gateway, rate_limit=rate_limit)
    flow = exchange(gateway, rate_limit=rate_limit).flow()
    assert next(flow).seconds == seconds
    line = f"test m: waiting for the rate limit {limit}, {seconds} s to go; in the queue: 1. Slots: nobody"
    assert warned(caplog) == [line]
    flow.close()


def test_a_short_wait_is_not_told(caplog):
    """A window that has room in 30 seconds is waited for in silence."""
    gateway, rate_limit = Gateway(), RateLimit(requests_per_minute=1)
    run("sync", [WHOLE], gateway, rate_limit=rate_limit)
    gateway.clock.now += 30
    assert run("sync", [WHOLE], gateway, rate_limit=rate_limit).port.sleeps == [30.0]
    assert warned(caplog) == []


def test_one_line_does_for_all_who_wait(caplog):
    """Eight calls wait for one window: only the first tells, also when the second takes its place."""
    gateway, rate_limit = Gateway(), RateLimit(requests_per_minute=1)
    run("sync", [WHOLE], gateway, rate_limit=rate_limit)
    first, *others = (exchange(gateway, rate_limit=rate_limit).flow() for _ in range(8))
    assert next(first).seconds == 60
    assert [next(flow).seconds for flow in others] == [None] * 7
    first.close()
    gateway.clock.now += 10
    # The line stands for 50 s more; then there is room, and nothing left to tell.
    assert others[0].send(None).seconds == 50
    assert len(warned(caplog)) == 1
    for flow in others:
        flow.close()


def test_who_waits_on_after_the_told_time_tells_again(caplog):
    """When the time that was told is over and the next call must wait on, there is a line for it, with the queue."""
    gateway, rate_limit = Gateway(), RateLimit(requests_per_minute=1)
    run("sync", [WHOLE], gateway, rate_limit=rate_limit)
    first, second, third = (exchange(gateway, rate_limit=rate_limit).flow() for _ in range(3))
    for flow in (first, second, third):
        next(flow)
    gateway.clock.now += 60
    first.send(None)  # granted: its request is out, and not answered yet
    assert second.send(None).reservation is not None
    assert [line.partition(": waiting for the rate limit ")[2] for line in warned(caplog)] == [
        "requests_per_minute=1, 60 s to go; in the queue: 1. Slots: nobody",
        "requests_per_minute=1 for 60 s, until an answer ends or begins; in the queue: 2. Slots: test m for 0 s",
    ]
    for flow in (first, second, third):
        flow.close()


def test_a_request_that_never_left_is_not_counted():
    """No connection and no key: the gateway has counted nothing, and neither do we."""
    gateway, rate_limit = Gateway(), RateLimit(requests_per_minute=1)
    unreached = errors.APIConnectionError("no route", reached=False)
    for failure in (unreached, errors.ConfigurationError("no API key")):
        run("sync", [failure], gateway, rate_limit=rate_limit, **ONCE)
    assert run("sync", [WHOLE], gateway, rate_limit=rate_limit).port.sleeps == []


def test_a_request_that_broke_is_counted():
    """A line that broke after sending: the gateway may have counted the request, so it stands in the window."""
    gateway, rate_limit = Gateway(), RateLimit(requests_per_minute=1)
    run("sync", [LOST], gateway, rate_limit=rate_limit, **ONCE)
    assert run("sync", [WHOLE], gateway, rate_limit=rate_limit).port.sleeps == [60.0]


def test_the_slot_is_free_after_an_error_that_is_not_ours():
    """A key function of the user's that raises does not cost a slot."""
    gateway = Gateway()
    flow = exchange(gateway).flow()
    next(flow)
    with pytest.raises(ZeroDivisionError):
        flow.throw(ZeroDivisionError())
    assert gateway.limiter.holders(0) == []


def test_the_slot_is_free_after_a_flow_was_closed():
    """A flow that is left in the middle gives its slot back."""
    gateway = Gateway()
    flow = exchange(gateway).flow()
    next(flow)
    assert len(gateway.limiter.holders(0)) == 1
    flow.close()
    assert gateway.limiter.holders(0) == []


def test_a_flow_that_is_closed_in_the_queue_leaves_it():
    """A call given up while it waits does not stand before the others."""
    gateway, rate_limit = Gateway(), RateLimit(concurrent=1)
    first, second, third = (exchange(gateway, rate_limit=rate_limit).flow() for _ in range(3))
    next(first)
    next(second)
    waiting = next(third)
    second.close()
    first.close()
    assert waiting.reservation.woken
    third.close()
