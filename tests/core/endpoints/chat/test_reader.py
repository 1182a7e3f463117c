"""When an answer is one: bodies read to a completion, or to the error they are."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace

import pytest
from replay import DONE, USAGE, USAGE_EVENT, WHOLE, chunk, plain

from flash_integrations._core.endpoints.chat.finish_reasons import FAILED, FINISH_REASONS
from flash_integrations._core.endpoints.chat.reader import ChatReader
from flash_integrations._core.endpoints.reader import AnswerContext
from flash_integrations._core.environment import Environment
from flash_integrations.errors import (
    APIConnectionError,
    APITimeoutError,
    MalformedResponseError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)

ENV = Environment(clock=lambda: 0.0, unix_time=lambda: 0.0, random=lambda: 0.0, new_id=lambda: "call_1")
ROLE, HELLO, STOP = chunk({"role": "assistant"}), chunk({"content": "Hello"}), chunk({}, "stop")
PING = b": PING\n\n"


def reading(*segments, headers=None, streamed=True, accepts_done=False):
    """A body read so far."""
    made = ChatReader(AnswerContext(headers or {}, streamed=streamed, accepts_done=accepts_done, env=ENV))
    for segment in segments:
        made.feed(segment)
    return made


def whole(*segments, lost=None, **params):
    """The answer a body is."""
    made = reading(*segments, **params)
    made.close(lost)
    return made.result(retries=0)


def test_a_stream_is_read_to_its_completion():
    """Text, finish reason and usage of all events together."""
    answer = whole(*WHOLE.segments)
    assert (answer.text, answer.finish_reason, answer.usage) == ("Hello", "stop", USAGE)
    assert answer.streamed


@pytest.mark.parametrize("streamed", [True, False])
def test_a_body_is_read_as_what_it_is(streamed):
    """Plain JSON for a stream and a stream for plain JSON are both read."""
    assert whole(*plain().segments, streamed=streamed).as_dict() == whole(*WHOLE.segments, streamed=streamed).as_dict()


def test_a_compressed_body_is_unpacked():
    """Known by its first bytes, whatever the headers say."""
    assert whole(gzip.compress(plain().segments[0]), streamed=False).text == "Hello"


def test_deltas_come_at_once():
    """What a chunk says to the caller is given as the chunk is fed."""
    made = reading(ROLE)
    assert [delta.text for delta in made.feed(HELLO)] == ["Hello"]


@pytest.mark.parametrize(
    "silence", [PING, b"\n\n", b": x\n\n", b'event: ping\ndata: {"type": "ping"}\n\n', b"data: {}\n\n"]
)
def test_pings_are_no_events(silence):
    """Comments, blank lines and ping objects move nothing."""
    made = reading(ROLE)
    before = made.events
    assert made.feed(silence) == []
    assert made.events == before


@pytest.mark.parametrize("event", [HELLO, STOP, USAGE_EVENT, DONE])
def test_chunks_with_something_to_say_are_events(event):
    """A delta, a finish reason, usage and [DONE] are progress."""
    made = reading(ROLE)
    before = made.events
    made.feed(event)
    assert made.events == before + 1


def test_only_usage_counts_after_done():
    """Gateways go on after [DONE]; text there is none of the answer's."""
    made = reading(ROLE, HELLO, STOP, DONE)
    assert made.done
    assert made.feed(chunk({"content": "more"})) == []
    made.feed(USAGE_EVENT)
    made.close(None)
    answer = made.result(retries=0)
    assert (answer.text, answer.usage) == ("Hello", USAGE)


LOST = APIConnectionError("the line broke")
LATE = APITimeoutError("too slow")


@pytest.mark.parametrize(
    ("segments", "lost", "accepts_done", "error"),
    [
        ([ROLE, HELLO, STOP], None, False, None),
        ([ROLE, HELLO, STOP], LOST, False, None),
        ([ROLE, HELLO, STOP], LATE, False, None),
        ([ROLE, HELLO, DONE], None, False, StreamInterruptedError),
        ([ROLE, HELLO, DONE], None, True, None),
        ([ROLE, HELLO], None, True, StreamInterruptedError),
        ([ROLE, HELLO], LOST, True, StreamInterruptedError),
        ([ROLE, HELLO], LATE, True, APITimeoutError),
        ([ROLE], None, False, StreamInterruptedError),
        ([], None, False, MalformedResponseError),
        ([PING], None, False, MalformedResponseError),
        ([DONE], None, True, MalformedResponseError),
        ([USAGE_EVENT, DONE], None, True, MalformedResponseError),
        ([PING], LOST, False, APIConnectionError),
        ([b'{"choices": [{"message": {"content": "Hel'], None, False, MalformedResponseError),
        ([b'{"choices": [{"message": {"content": "Hel'], LOST, False, APIConnectionError),
    ],
)
def test_the_end_of_an_answer(segments, lost, accepts_done, error):
    """The rule of the end, row by row: whole, cut, nothing at all, or the line's own error."""
    made = reading(*segments, accepts_done=accepts_done)
    if error is None:
        made.close(lost)
        assert made.result(retries=0).text == "Hello"
        return
    with pytest.raises(error) as caught:
        made.close(lost)
    assert type(caught.value) is error


def test_a_cut_names_the_done_that_covered_it_up():
    """The message says that [DONE] came all the same, for this is how gateways hide a dead upstream."""
    with pytest.raises(StreamInterruptedError, match=r"ended \(with \[DONE\]\) before a finish reason"):
        whole(ROLE, HELLO, DONE)


@pytest.mark.parametrize(
    ("body", "message", "empty"),
    [
        (b"", "nothing in place of a stream", True),
        (DONE, r"only \[DONE\] in place of a stream", True),
        (b'data: {"usage": {"total_tokens": 1}}\n\n', "an object without choices", True),
        (
            b"<html><title>New API</title></html>",
            "an HTML page in place of a stream: 'New API'. .*lacks its /v1",
            False,
        ),
        (b"upstream connect error", "text in place of a stream: 'upstream connect error'", False),
        (b'{"id": "c1", "choi', "broken JSON in place of a stream", False),
    ],
)
def test_what_is_no_answer_is_named(body, message, empty):
    """The error says what came instead, with a hint where one helps, and whether nothing was said at all."""
    with pytest.raises(MalformedResponseError, match=message) as caught:
        whole(body)
    assert caught.value.empty is empty


def test_an_error_in_the_answer_is_raised_as_it_is_read():
    """Later chunks are not waited for."""
    with pytest.raises(ServerError, match="boom"):
        reading(ROLE, b'data: {"error": {"message": "boom"}}\n\n')


def test_plain_text_in_a_stream_is_an_error():
    """one-hub writes the text of an error where JSON should be."""
    with pytest.raises(ServerError, match="unexpected EOF"):
        reading(ROLE, b"data: unexpected EOF\n\n")


def test_a_torn_last_event_is_a_cut():
    """An event that the end of the body leaves half-said is no error message."""
    with pytest.raises(StreamInterruptedError):
        whole(ROLE, HELLO, b'data: {"id": "c1", "cho')


def test_the_request_id_is_kept():
    """The gateway's id, from whichever header it uses."""
    assert whole(*WHOLE.segments, headers={"x-oneapi-request-id": "r1"}).request_id == "r1"


def test_partial_is_what_had_come():
    """Text and re-sends so far; nothing before anything began."""
    assert reading(PING).partial(retries=0) is None
    so_far = reading(ROLE, HELLO).partial(retries=2)
    assert (so_far.text, so_far.retries, so_far.finish_reason) == ("Hello", 2, None)


def test_headers_come_along():
    """A completion has its answer's headers; the key is taken out where it is echoed."""
    world = replace(ENV, redact=lambda text: text.replace("sk-1", "***"))
    headers = {"x-request-id": "r1", "x-echo": "key sk-1"}
    made = ChatReader(AnswerContext(headers, streamed=True, accepts_done=False, env=world))
    for segment in WHOLE.segments:
        made.feed(segment)
    answer = made.result(retries=0)
    assert answer.headers == {"x-request-id": "r1", "x-echo": "key ***"}
    assert answer.request_id == "r1"
    assert "x-echo" not in repr(answer)
    assert answer == whole(*WHOLE.segments)


@pytest.mark.parametrize("word", [row.word for row in FINISH_REASONS if row.means == FAILED])
def test_a_finish_reason_that_says_there_is_no_answer_is_an_error(word):
    """What had come is the partial answer; the word is in the message."""
    made = reading(chunk({"content": "Hel"}))
    with pytest.raises(ServerError, match=word):
        made.feed(chunk({}, word))
    assert made.partial(retries=0).text == "Hel"


@pytest.mark.parametrize(
    ("error", "kind", "params"),
    [
        ({"code": 502, "message": "upstream went away"}, ServerError, "upstream went away"),
        ({"code": 429, "message": "slow down"}, RateLimitError, "slow down"),
        ("gone", ServerError, "gone"),
    ],
)
def test_an_error_on_the_choice_is_the_error(error, kind, params):
    """genkit#6259: its code and words tell what it is."""
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error", "error": error}
    with pytest.raises(kind, match=params):
        reading(HELLO, b"data: %s\n\n" % json.dumps({"choices": [choice]}).encode())


def test_an_empty_error_on_the_choice_is_none():
    """Some gateways write every field."""
    choice = {"index": 0, "delta": {"content": "x"}, "finish_reason": "stop", "error": {"message": None}}
    assert whole(b"data: %s\n\n" % json.dumps({"choices": [choice]}).encode()).text == "x"


def test_an_answer_in_an_envelope_is_read():
    """A relay's own code and msg beside the answer are no error."""
    body = {"code": 0, "msg": "success", "data": json.loads(plain().segments[0])}
    assert whole(json.dumps(body).encode(), streamed=False).text == "Hello"


def test_deflate_is_decoded_by_the_header():
    """cita-777/metapi#335: a gateway that compresses though it was asked not to, without zlib's own header."""
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(plain().segments[0]) + packer.flush()
    assert whole(body, headers={"content-encoding": "deflate"}, streamed=False).text == "Hello"


EMPTY = chunk({"content": ""})


@pytest.mark.parametrize(
    "beat", [EMPTY, chunk({}), chunk({"role": "assistant", "content": None}), chunk({"content": "", "tool_calls": []})]
)
def test_an_empty_delta_is_a_heartbeat_and_no_event(beat):
    """It shows that the gateway is alive, not that the answer goes on."""
    made = reading(ROLE, beat, beat)
    assert (made.events, made.heartbeats) == (1, 2)


@pytest.mark.parametrize(
    "event",
    [
        HELLO,
        STOP,
        USAGE_EVENT,
        chunk({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]}),
        chunk({"reasoning_content": "so"}),
        chunk({"annotations": [{"type": "x"}]}),
        chunk({"images": [{"type": "image_url"}]}),
    ],
)
def test_whatever_says_something_is_an_event(event):
    """Arguments that are held back are told from silence."""
    made = reading(ROLE, event)
    assert (made.events, made.heartbeats) == (2, 0)


def test_nobody_who_waits_for_a_whole_answer_pays_for_its_pieces():
    """No delta is made, and the answer is the same."""
    made = ChatReader(AnswerContext({}, streamed=True, accepts_done=False, env=ENV, wants_deltas=False))
    assert [made.feed(segment) for segment in WHOLE.segments] == [[]] * len(WHOLE.segments)
    made.close(None)
    assert made.result(retries=0) == whole(*WHOLE.segments)
