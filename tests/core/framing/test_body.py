"""A body's first bytes say what it is."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.completion.accumulator import Accumulator
from flash_integrations._core.endpoints.chat.chunks import read_chunk
from flash_integrations._core.framing import body as body_module
from flash_integrations._core.framing.body import DONE, BodyDecoder, NonJSON
from flash_integrations._core.framing.content_coding import ContentDecoder
from flash_integrations.errors import MalformedResponseError

BOM = b"\xef\xbb\xbf"


def decode(*pieces):
    """All items of a body that arrives in these pieces."""
    decoder = BodyDecoder()
    items = [item for piece in pieces for item in decoder.feed(piece)]
    return items + decoder.close()


SNIFFED = {
    "stream": (b'data: {"a":1}\n\n', [{"a": 1}]),
    "stream without spaces": (b'data:{"a":1}\n\n', [{"a": 1}]),
    "stream that begins with a name": (b'event: x\ndata: {"a":1}\n\n', [{"a": 1}]),
    "events whose type stands in their name": (
        b'event: response.done\ndata: {"a":1}\n\nevent: response.x\ndata: {"a":\ndata: 1}\n\n',
        [{"a": 1, "type": "response.done"}, {"a": 1, "type": "response.x"}],
    ),
    "a typed event with a newline in its JSON": (
        b'event: response.x\ndata: {"a":"b\nc"}\n\n',
        [{"a": "b\nc", "type": "response.x"}],
    ),
    "events that have a type of their own": (
        b'event: response.x\ndata: {"type":"y"}\n\nevent: x\ndata: {"a":1}\n\n',
        [{"type": "y"}, {"a": 1}],
    ),
    "stream that begins with a ping": (b': PING\n\ndata: {"a":1}\n\n', [{"a": 1}]),
    "stream that begins with an id": (b'id: 1\ndata: {"a":1}\n\n', [{"a": 1}]),
    "stream that begins with retry": (b'retry: 1\n\ndata: {"a":1}\n\n', [{"a": 1}]),
    "stream after blanks": (b' \r\n\n\tdata: {"a":1}\n\n', [{"a": 1}]),
    "stream after a mark": (BOM + b'data: {"a":1}\n\n', [{"a": 1}]),
    "stream after a mark and blanks": (b"\n" + BOM + b'\ndata: {"a":1}\n\n', [{"a": 1}]),
    "JSON": (b'{"a":1}', [{"a": 1}]),
    "JSON after blank lines": (b'\n\n\n{"a":1}\n', [{"a": 1}]),
    "JSON after a mark": (BOM + b'{"a":1}', [{"a": 1}]),
    "a list": (b'[{"error":1}, null, [{"b":2}]]', [{"error": 1}, {"b": 2}]),
    "null": (b"null", [NonJSON("null")]),
    "an empty list": (b"[]", [NonJSON("[]")]),
    "a number": (b"7", [NonJSON("7")]),
    "a JSON text": (b'"boom"', [NonJSON("boom")]),
    "HTML": (b"<!doctype html><html></html>", [NonJSON("<!doctype html><html></html>")]),
    "text": (b"upstream connect error", [NonJSON("upstream connect error")]),
    "text like a field": (b"dat", [NonJSON("dat")]),
    "cut JSON": (b'{"a":', [NonJSON('{"a":', cut=True)]),
    "nothing": (b"", []),
    "blanks": (b"\n\n \r\n", []),
    "a lone mark": (BOM, []),
    "several marks": (BOM + b"\n" + BOM, []),
    "only pings": (b": PING\n\n: PING\n\n", []),
    "only the end mark": (b"data: [DONE]\n\n", [DONE]),
    "bare JSON after pings": (b': PING\n\n: PING\n\n{"error":{"message":"boom"}}', [{"error": {"message": "boom"}}]),
    "bare lines of JSON after pings": (b': PING\n\n{\n"error": "boom"\n}\n', [{"error": "boom"}]),
    "JSON lines": (b'{"a":1}\n{"b":2}\r\n\n{"c":"\xc3\xa9"}', [{"a": 1}, {"b": 2}, {"c": "é"}]),
    "JSON lines and the end mark": (b'{"a":1}\n[DONE]\n', [{"a": 1}, DONE]),
    "JSON lines of which some are data": (b'{"a":1}\ndata: {"b":2}\ndata: [DONE]\n', [{"a": 1}, {"b": 2}, DONE]),
    "JSON lines cut in the third": (
        b'{"a":1}\n{"b":2}\n{"c',
        [{"a": 1}, {"b": 2}, NonJSON('{"c', cut=True)],
    ),
    "JSON values without line ends": (b'{"a":1}{"b":2} {"c":3}', [{"a": 1}, {"b": 2}, {"c": 3}]),
    "one value a line longer": (b'{"a":1}\n\n \n', [{"a": 1}]),
    "JSON over several lines": (b'{\n"a":1}\n', [{"a": 1}]),
    "data framed twice": (b'data: data: {"a":1}\ndata: \ndata: \n\ndata: data: [DONE]\n\n', [{"a": 1}, DONE]),
    "two values in a data line": (b'data: {"a":1}{"b":2}\n\n', [{"a": 1}, {"b": 2}]),
    "a line that lost its data: above the end mark": (
        b'data: {"a":1}\n\n{"b":2}\ndata: [DONE]\n\n',
        [{"a": 1}, {"b": 2}, DONE],
    ),
    "a line that lost its data: below another": (b'data: {"a":1}\n{"b":2}\n\n', [{"a": 1}, {"b": 2}]),
    "an error field": (b'error: {"message":"boom"}\n\ndata: [DONE]\n\n', [{"error": {"message": "boom"}}, DONE]),
    "an error field below data": (b'data: {"a":1}\nerror: boom\n\n', [{"a": 1}, NonJSON("boom", named_error=True)]),
    "bare text after pings": (b": PING\n\nupstream died\n\n", [NonJSON("upstream died", cut=True)]),
}


@pytest.mark.parametrize(("body", "items"), SNIFFED.values(), ids=SNIFFED)
def test_the_first_bytes_say_what_a_body_is(body, items):
    """Stream, JSON, page or text: no header is asked."""
    assert decode(body) == items


@pytest.mark.parametrize(("body", "items"), SNIFFED.values(), ids=SNIFFED)
def test_a_cut_at_any_byte_changes_nothing(body, items):
    """A body is known for what it is wherever its reads are cut."""
    for at in range(len(body) + 1):
        assert decode(body[:at], b"", body[at:]) == items, at
    assert decode(*(body[at : at + 1] for at in range(len(body)))) == items


@pytest.mark.parametrize(
    "body",
    [b'{"a":1}\n{"b":2}\n', b'{"a":1}{"b":2}', b'data: data: {"a":1}\n\n'],
    ids=["JSON lines", "values in a row", "framed twice"],
)
def test_a_stream_without_its_framing_is_a_stream_all_the_same(body):
    """It must end as a stream ends, or it was cut."""
    decoder = BodyDecoder()
    decoder.feed(body)
    decoder.close()
    assert decoder.is_stream


def test_json_lines_come_out_while_they_run():
    """Each line is handed on when it is complete, from the second on."""
    decoder = BodyDecoder()
    assert decoder.feed(b'{"a":1}\n') == []
    assert decoder.feed(b'{"b":2}\n{"c"') == [{"a": 1}, {"b": 2}]
    assert decoder.feed(b":3}\n") == [{"c": 3}]


def test_a_packed_stream_comes_out_while_it_runs():
    """What a gateway has flushed of a packed stream is not held back."""
    packer = zlib.compressobj(wbits=31)
    decoder = BodyDecoder()
    first = packer.compress(b'data: {"a":1}\n\n') + packer.flush(zlib.Z_SYNC_FLUSH)
    assert decoder.feed(first) == [{"a": 1}]


def test_a_broken_gzip_stream_is_a_malformed_answer():
    """Bytes that only begin like gzip are refused."""
    with pytest.raises(MalformedResponseError, match="gzip stream is broken"):
        BodyDecoder().feed(b"\x1f\x8b" + b"x" * 40)


def test_an_answer_that_unpacks_without_end_is_refused():
    """A small packed piece cannot fill the memory."""
    with pytest.raises(MalformedResponseError, match="unpacks to more than"):
        ContentDecoder().decode(gzip.compress(b" " * (body_module.MAX_EVENT_BYTES + 1)))


def test_a_plain_body_past_the_bound_is_refused():
    """A plain answer is gathered up to 64 MB."""
    decoder, piece = BodyDecoder(), b"[" + b" " * (body_module.MAX_EVENT_BYTES // 2)
    decoder.feed(piece)
    with pytest.raises(MalformedResponseError, match="larger than"):
        decoder.feed(piece)


def test_blank_lines_of_a_waiting_gateway_are_not_gathered():
    """Minutes of keep-alive newlines take no memory."""
    decoder = BodyDecoder()
    for _ in range(100):
        decoder.feed(b"\n")
    assert decoder._head == b""


@pytest.mark.parametrize(
    ("body", "is_stream"), [(b"data: x", True), (b": ping", True), (b"{}", False), (b"<p>", False)]
)
def test_a_stream_is_known_before_its_first_event(body, is_stream):
    """Whether the body is a stream is told as soon as its first bytes do."""
    decoder = BodyDecoder()
    decoder.feed(body)
    assert decoder.is_stream is is_stream


ERRORS = {
    "an object": (b'event: error\ndata: {"code":400,"details":"x"}\n\n', {"error": {"code": 400, "details": "x"}}),
    "a nested error": (b'event: error\ndata: {"error":{"message":"x"}}\n\n', {"error": {"message": "x"}}),
    "an error that is null": (b'event: error\ndata: {"error":null,"x":1}\n\n', {"error": {"error": None, "x": 1}}),
    "text": (b"event: error\ndata: boom\n\n", NonJSON("boom", named_error=True)),
    "broken JSON": (b'event: error\ndata: {"error":"a "b""}\n\n', NonJSON('{"error":"a "b""}', named_error=True)),
    "cut JSON": (b'event: error\ndata: {"error":', NonJSON('{"error":', cut=True, named_error=True)),
    "text without data": (b"event: error\nboom\n\n", NonJSON("boom", cut=True, named_error=True)),
    "an empty object": (b"event: error\ndata: {}\n\n", NonJSON("", named_error=True)),
}


@pytest.mark.parametrize(("body", "item"), ERRORS.values(), ids=ERRORS)
def test_an_event_named_error_is_one_whatever_it_holds(body, item):
    """`event: error` gives an error object, or the text that came under that name."""
    assert decode(body) == [item]


@pytest.mark.parametrize("name", [b"ping", b"heartbeat", b"keepalive", b"keep-alive"])
def test_events_named_ping_say_nothing(name):
    """A ping's data is never an answer's."""
    assert decode(b"event: " + name + b'\ndata: {"message":"ping"}\n\n') == []


@pytest.mark.parametrize(
    ("body", "item"),
    [
        (b"data: unexpected EOF\n\n", NonJSON("unexpected EOF")),
        (b"data: unexpected EOF", NonJSON("unexpected EOF")),
        (b'data: {"choices":[{"del', NonJSON('{"choices":[{"del', cut=True)),
        (b'data: {"choices":[{"del\n\n', NonJSON('{"choices":[{"del')),
        (b"dat", NonJSON("dat", cut=True)),
    ],
    ids=["E14 text", "E14 text at the end", "E26 cut in JSON", "JSON that is broken", "E26 cut in a field"],
)
def test_text_in_a_stream_is_a_message_or_a_cut(body, item):
    """Words in place of JSON are a message, also where the body ends; JSON or a field that ends there was cut."""
    assert decode(b": ping\n\n" + body) == [item]


@given(
    st.lists(
        st.sampled_from([b"data: ", b"\n", b"\n\n", b"{", b"}", b'"error"', b":", b"[DONE]", b"null", BOM])
        | st.binary()
    )
)
def test_any_bytes_are_items(pieces):
    """Nothing but MalformedResponseError (of what looks like gzip) comes of any bytes, and cuts change nothing."""
    try:
        items = decode(*pieces)
    except MalformedResponseError:
        assert b"".join(pieces).startswith(b"\x1f\x8b")
    else:
        assert items == decode(b"".join(pieces))


# --- framing, row by row of docs/wire-quirks.md (F1-F26) ------------------------------------------------------------


def event(delta=None, finish=None, **top):
    """One chunk as JSON bytes."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return json.dumps({"id": "c1", "model": "m", "choices": choices, **top}, ensure_ascii=False).encode()


ONE, TWO, END = event({"content": "你"}), event({"content": "好"}), event({}, "stop")
USAGE = event(usage={"prompt_tokens": 9, "completion_tokens": 2})
RAW = ONE.replace(b', "choices"', b',\n"choices"')
TWO_LINES = ONE.replace(b', "choices"', b',\ndata: "choices"')
SEPARATORS = event({"content": "你\u2028\u2029\u0085好"})
HALVES = [b'{"choices":[{"delta":{"content":"\\ud83d"}}]}', b'{"choices":[{"delta":{"content":"\\ude00"}}]}']


def stream(*events, end=b"\n\n", mark=b"data: "):
    """Events in a row."""
    return b"".join(mark + each + end for each in events)


WHOLE = stream(ONE, TWO, END, USAGE, b"[DONE]")
FRAMED = {
    "documented": WHOLE,
    "F1 CRLF": stream(ONE, TWO, END, USAGE, b"[DONE]", end=b"\r\n\r\n"),
    "F2 CR": stream(ONE, TWO, END, USAGE, b"[DONE]", end=b"\r\r"),
    "F3 byte order mark": BOM + WHOLE,
    "F4 no space": stream(ONE, TWO, END, USAGE, b"[DONE]", mark=b"data:"),
    "F5 comments": b": PING\n\n:\n\n"
    + stream(ONE)
    + b": keep-alive\n\n: OPENROUTER PROCESSING\n\n"
    + stream(TWO, END, USAGE),
    "F6 ping as data": stream(b'{"type": "ping"}', ONE, b'{"type": "ping"}', TWO, END, USAGE),
    "F7 ping as event": b"event: ping\ndata: {}\n\n" + WHOLE,
    "F8 event without data": b"event: ping\n\n" + stream(ONE) + b"event: ping\n\n" + stream(TWO, END, USAGE),
    "F9 empty data": b"data: \n\ndata:\n\n" + WHOLE,
    "F10 id, retry, blanks": b"retry: 3000\n\nid: 1\n"
    + stream(ONE, end=b"\n\n\n")
    + b"id: 2\n\n"
    + stream(TWO, END, USAGE),
    "F11 raw newline": stream(RAW, TWO, END, USAGE, b"[DONE]"),
    "F12 several lines": stream(TWO_LINES, TWO, END, USAGE, b"[DONE]"),
    "F13 no blank lines": stream(ONE, TWO, END, USAGE, b"[DONE]", end=b"\n"),
    "F17 huge event": stream(event({"content": ""}, obfuscation="y" * 200_000), ONE, TWO, END, USAGE),
    "F18 no end mark": stream(ONE, TWO, END, USAGE),
    "F19 end mark with blanks": stream(ONE, TWO, END, USAGE, b"[DONE] "),
    "F19 end mark at the end": stream(ONE, TWO, END, USAGE) + b"data:[DONE]",
    "F19 two end marks": stream(ONE, TWO, END, USAGE, b"[DONE]", b"[DONE]"),
    "F20 end mark in lower case": stream(ONE, TWO, END, USAGE, b"[done]"),
    "F21 usage after the end mark": stream(ONE, TWO, END, b"[DONE]", USAGE),
    "F22 no last blank line": stream(ONE, TWO, END) + b"data: " + USAGE,
    "F22 no last line end": (stream(ONE, TWO, END) + b"data: " + USAGE).rstrip(),
    "F23 the type is never asked": WHOLE,
    "F24 gzip": gzip.compress(WHOLE),
    "F25 gzip said and not so": WHOLE,
    "E24 null and lists": stream(b"null", b"[" + ONE + b"]", TWO, END, USAGE),
}


def read(*pieces):
    """The completion of a body in pieces."""
    answer = Accumulator(new_id=str)
    for item in decode(*pieces):
        if item is not DONE:
            answer.add_chunk(read_chunk(item))
    answer.finish()
    return answer.result()


@pytest.mark.parametrize("body", FRAMED.values(), ids=FRAMED)
def test_framing_changes_no_answer(body):
    """Each way of framing seen at gateways gives the documented answer."""
    assert read(body) == read(WHOLE)


@pytest.mark.parametrize("name", [name for name in FRAMED if not name.startswith("F17")])
def test_framing_is_read_byte_by_byte(name):
    """So it does when every byte comes alone (F15: inside a character too)."""
    body = FRAMED[name]
    assert read(*(body[at : at + 1] for at in range(len(body)))) == read(WHOLE)


def test_the_documented_stream_says_what_it_says():
    """The answer the others are compared with is the right one."""
    answer = read(WHOLE)
    assert (answer.text, answer.finish_reason, answer.usage["total_tokens"]) == ("你好", "stop", 11)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(stream(SEPARATORS), "你\u2028\u2029\u0085好", id="F14 separators of Unicode"),
        pytest.param(stream(ONE.replace("你".encode(), b"\xe4\xbd")), "\ufffd", id="F16 invalid UTF-8"),
        pytest.param(stream(*HALVES), "😀", id="F26 a character in two chunks"),
        pytest.param(stream(HALVES[0]), "\ufffd", id="F26 half a character"),
    ],
)
def test_characters_come_through(body, text):
    """Odd characters reach the text, cut anywhere."""
    assert {read(body[:at], body[at:]).text for at in range(len(body))} == {text}
