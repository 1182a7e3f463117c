"""Server-sent events by the HTML standard, and where gateways leave it."""

from __future__ import annotations

import re

import pytest
from httpx_sse._decoders import SSEDecoder as PeerDecoder
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.framing.sse import Event, SSEDecoder
from flash_integrations.errors import MalformedResponseError

BOM = b"\xef\xbb\xbf"


def decode(*pieces):
    """All events of a body that arrives in these pieces."""
    decoder = SSEDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close()


def data_of(*pieces):
    """The events' data."""
    return [event.data for event in decode(*pieces)]


STANDARD = {
    "line feed": (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    "carriage return": (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "both": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "mixed": (b"data: a\n\r\ndata: b\r\n\rdata: c\r\r\n", [b"a", b"b", b"c"]),
    "byte order mark": (BOM + b"data: a\n\n", [b"a"]),
    "one mark only": (BOM + BOM + b"data: a\n\n", [b""]),
    "one space is taken off": (b"data:  a\n\n", [b" a"]),
    "no space": (b"data:a\n\n", [b"a"]),
    "lines are joined": (b"data: a\ndata: b\n\n", [b"a\nb"]),
    "lines that end in both are joined": (b"data: a\r\ndata: b\r\n\r\n", [b"a\nb"]),
    "field without a colon": (b"data: a\ndata\ndata: b\n\n", [b"a\n\nb"]),
    "comments": (b": hi\n\n:\n\ndata: a\n: there\ndata: b\n\n", [b"a\nb"]),
    "id and retry": (b"id: 1\nretry: 3000\ndata: a\nid\nretry\n\n", [b"a"]),
    "no data, no event": (b"event: ping\n\nid: 1\n\n\n\ndata: a\n\n", [b"a"]),
    "separators of Unicode": (
        "data: a\u2028b\u2029c\u0085d\x0b\x0ce\n\n".encode(),
        ["a\u2028b\u2029c\u0085d\x0b\x0ce".encode()],
    ),
    "NUL": (b"data: a\x00b\n\n", [b"a\x00b"]),
    "empty": (b"", []),
}


@pytest.mark.parametrize(("body", "data"), STANDARD.values(), ids=STANDARD)
def test_events_are_those_of_the_standard(body, data):
    """Line ends, fields, comments and the byte order mark mean what the HTML standard says."""
    assert data_of(body) == data


@pytest.mark.parametrize(("body", "data"), STANDARD.values(), ids=STANDARD)
def test_a_cut_at_any_byte_changes_nothing(body, data):
    """A body gives the same events wherever one read ends and the next begins."""
    for at in range(len(body) + 1):
        assert data_of(body[:at], b"", body[at:]) == data, at


def test_the_event_field_names_its_event_alone():
    """A name holds for one event, also for one without data."""
    events = decode(b"event: error\ndata: a\n\ndata: b\n\nevent: x\n\ndata: c\n\ndata: d\nevent: late\n\n")
    assert [event.name for event in events] == ["error", "", "", "late"]


def test_the_last_event_needs_no_blank_line():
    """What the end of the body leaves open is given out, and marked."""
    assert decode(b"data: a\n\ndata: b") == [Event("", b"a", b"a"), Event("", b"b", b"b", ended=False)]


def test_closing_twice_gives_nothing_twice():
    """The last event is given out once."""
    decoder = SSEDecoder()
    decoder.feed(b"data: a")
    assert [len(decoder.close()), len(decoder.close())] == [1, 0]


def test_lines_of_no_known_field_are_kept_beside_the_data():
    """A newline written raw into the data loses nothing."""
    assert decode(b'data: {"a":1,\n"b":2}\n\n') == [Event("", b'{"a":1,', b'{"a":1,\n"b":2}')]


def test_a_body_without_fields_is_one_stray_event():
    """JSON that stands in a stream without `data:` is not lost."""
    assert decode(b': PING\n\n{"error":1}') == [Event("", b"", b'{"error":1}', ended=False)]


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b'data: {"a":1}\ndata: {"b":2}\ndata: [DONE]\n', [b'{"a":1}', b'{"b":2}', b"[DONE]"]),
        (b'data: {"a":1} \ndata: [{"b":2}]\n', [b'{"a":1} ', b'[{"b":2}]']),
        (b'data: [done]\ndata: {"a":1}\n', [b"[done]", b'{"a":1}']),
        (b'data: {"a":\ndata: {"b":2}}\n\n', [b'{"a":\n{"b":2}}']),
        (b'data: {"a":[1\ndata: ,2]}\n\n', [b'{"a":[1\n,2]}']),
        (b'data: {"a":[1]\ndata: ,"b":[2]}\n\n', [b'{"a":[1]\n,"b":[2]}']),
    ],
)
def test_whole_values_without_blank_lines_are_events_of_their_own(body, data):
    """A line that opens a JSON value after a line that was one begins a new event; half values are joined."""
    assert data_of(body) == data


def test_without_blank_lines_a_name_belongs_to_the_data_after_it():
    """An error's name does not fall on the chunk before it."""
    events = decode(b'event: message\ndata: {"a":1}\nevent: error\ndata: {"b":2}\n\n')
    assert [(event.name, event.data) for event in events] == [("message", b'{"a":1}'), ("error", b'{"b":2}')]


@pytest.mark.parametrize("pieces", [[b"data: " + b"x" * 100], [b"data: x\n"] * 40, [b"stray line\n"] * 10, [b"x"] * 99])
def test_an_event_past_the_bound_is_refused(pieces):
    """An event cannot grow without end, in one line or in many."""
    decoder = SSEDecoder(max_event_bytes=64)
    with pytest.raises(MalformedResponseError, match="larger than 64 bytes"):
        list(map(decoder.feed, pieces))


def test_the_bound_is_one_events_not_the_streams():
    """A long stream of small events is no large event."""
    decoder = SSEDecoder(max_event_bytes=64)
    assert sum(len(decoder.feed(b"data: " + b"x" * 40 + b"\n\n")) for _ in range(100)) == 100


def test_a_large_event_is_joined_once():
    """8 MB in reads of 4 KB: no read touches again what came before it."""
    decoder, read = SSEDecoder(), b"x" * 4096
    decoder.feed(b"data: ")
    for count in range(2048):
        decoder.feed(read)
        assert decoder._tail[-1] is read
        assert len(decoder._tail) == count + 2
    assert [len(event.data) for event in decoder.feed(b"\n\n")] == [2048 * 4096]
    assert decoder._tail == []


def test_whether_a_line_is_a_value_is_asked_of_one_line_at_most():
    """Lines that look like JSON and are none are not decoded again and again."""
    decoder = SSEDecoder()
    decoder.feed(b"data: {x}\n" * 3)
    assert decoder.feed(b'data: {"a":1}\n\n') == [Event("", *[b'{x}\n{x}\n{x}\n{"a":1}'] * 2)]


# --- any bytes ------------------------------------------------------------------------------------------------------

WORDS = [b"data:", b"data", b"event:", b"id: 1", b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", BOM, b"\xef", b"[DONE]"]
WORDS += [b'{"a":1}', b'{"a":', b"1}", b"[", b"x", b"\xe2\x80\xa8", b"error"]
BODIES = st.lists(st.sampled_from(WORDS) | st.binary(max_size=4)).map(b"".join)


def cut(body, places):
    """A body in pieces."""
    ends = sorted({place % (len(body) + 1) for place in places})
    return [body[start:end] for start, end in zip([0, *ends], [*ends, len(body)], strict=True)]


@given(BODIES, st.lists(st.integers(0, 10_000)))
def test_any_cut_of_any_bytes_gives_the_same_events(body, places):
    """Whatever the bytes are and however they arrive, the events are the same."""
    assert decode(*cut(body, places)) == decode(body)


def by_the_book(body):
    """(name, data) of the events, straight off the standard's text; what the body leaves open is dropped."""
    text = body.removeprefix(BOM).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events, name, data = [], b"", b""
    for line in text.split(b"\n")[:-1]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            if data:
                events.append((name.decode("utf-8", "replace"), data.removesuffix(b"\n")))
            name, data = b"", b""
        elif field == b"event":
            name = value
        elif field == b"data":
            data += value + b"\n"
    return events


FIELDS = st.sampled_from([b"data: a", b"data:b", b"data", b"data:  c", b": d", b"id: e", b"event: f", b"retry: 1", b""])
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


@given(st.lists(st.tuples(FIELDS, ENDS)), st.booleans())
def test_known_fields_are_read_by_the_book(lines, mark):
    """Where a stream has known fields only, its events are exactly those of the standard."""
    body = BOM * mark + b"".join(line + end for line, end in lines)
    assert [(event.name, event.data) for event in decode(body) if event.ended] == by_the_book(body)


# Where both must agree: httpx-sse gives events without data too, and splits no JSON values that stand line by line.
WORDS = st.text(st.characters(exclude_characters="\r\n\x00{[", exclude_categories=("Cs",)), max_size=12)
LINES = st.one_of(
    WORDS.map(lambda text: f"data: {text}"),
    WORDS.map(lambda text: f"data:{text.lstrip()}"),
    WORDS.map(lambda text: f": {text}"),
    st.sampled_from(["event: error", "event: ping", "id: 1", "retry: 10"]),
)


@given(st.lists(st.lists(LINES, min_size=1, max_size=4), max_size=5), st.sampled_from(["\n", "\r\n"]), st.data())
def test_httpx_sse_reads_the_same(blocks, end, data):
    """Well-formed streams give the events that httpx-sse gives, names and data, however they are cut."""
    text = "".join(end.join([*block, "", ""]) for block in blocks)
    peer = PeerDecoder()
    told = [event for line in re.split(r"\r\n|\n", text) if (event := peer.decode(line)) is not None]
    body = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=3)))
    ours = decode(*(body[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True)))
    assert [(event.name or "message", event.data.decode()) for event in ours if event.data] == [
        (event.event, event.data) for event in told if event.data
    ]
