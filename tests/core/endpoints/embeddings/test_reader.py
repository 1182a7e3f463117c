"""Embedding answers read: forms, order, and what is no vector."""

from __future__ import annotations

import base64
import gzip
import json
import struct

import pytest

from flash_integrations._core.endpoints.embeddings.base64_floats import PLAIN_NUMBERS
from flash_integrations._core.endpoints.embeddings.reader import EmbeddingReader
from flash_integrations._core.endpoints.reader import AnswerContext
from flash_integrations._core.environment import Environment
from flash_integrations.errors import (
    APIConnectionError,
    APIStatusError,
    BadRequestError,
    MalformedResponseError,
    RateLimitError,
)

ENV = Environment(clock=lambda: 0.0, unix_time=lambda: 0.0, random=lambda: 0.0, new_id=str)
ONE, TWO, THREE = [1.0, 0.5], [0.25, -2.0], [0.0, 4.0]


def read(body, count=2, *, headers=None, pieces=None, first=0):
    """The embeddings in a body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    reading = EmbeddingReader(
        AnswerContext(headers or {}, streamed=False, accepts_done=False, env=ENV),
        count=count,
        first=first,
        model="asked",
    )
    for piece in pieces(data) if pieces else [data]:
        reading.feed(piece)
    reading.close(None)
    return reading.result(retries=0)


def rows(*vectors, indexes=None):
    """An answer as OpenAI writes it."""
    places = indexes or range(len(vectors))
    data = [{"object": "embedding", "index": at, "embedding": each} for at, each in zip(places, vectors, strict=True)]
    return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}}


def coded(vector):
    """A vector as base64 of 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def test_the_plain_form_is_read_whole():
    """Vectors, model, usage, length and request id."""
    answer = read(rows(ONE, TWO), headers={"x-request-id": "r1"})
    assert (answer.vectors, answer.model, answer.dimensions) == ([ONE, TWO], "m", 2)
    assert (answer.usage, answer.request_ids, answer.requests) == ({"prompt_tokens": 3, "total_tokens": 3}, ("r1",), 1)


def test_the_form_is_told_by_the_value():
    """Base64 and floats are taken as they come, even beside each other."""
    assert read(rows(coded(ONE), TWO)).vectors == [ONE, TWO]


def test_base64_gives_the_floats_it_holds():
    """A 32-bit float becomes the Python float of the same value."""
    (vector,) = read(rows(coded([0.1])), 1).vectors
    assert vector == [struct.unpack("<f", struct.pack("<f", 0.1))[0]]
    assert type(vector[0]) is float


def test_whole_numbers_become_floats():
    """Some servers write 0 and 1 without a point."""
    (vector,) = read(rows([1, 0]), 1).vectors
    assert [type(number) for number in vector] == [float, float]


@pytest.mark.parametrize(
    ("indexes", "order"),
    [
        ([2, 0, 1], [TWO, THREE, ONE]),
        ([3, 1, 2], [TWO, THREE, ONE]),  # counted from 1
        ([0, 0, 0], [ONE, TWO, THREE]),
        ([0, 1, 1], [ONE, TWO, THREE]),
        ([0, 1, 7], [ONE, TWO, THREE]),
        ([None, None, None], [ONE, TWO, THREE]),
        ([0, True, 2], [ONE, TWO, THREE]),
        (["2", "0", "1"], [TWO, THREE, ONE]),
        ([2.0, 0.0, 1.0], [TWO, THREE, ONE]),
        (["c", "a", "b"], [ONE, TWO, THREE]),
    ],
)
def test_vectors_are_placed_by_index_where_it_names_each_place_once(indexes, order):
    """Shuffled rows are put in order; indexes that say nothing leave the order as it came."""
    assert read(rows(ONE, TWO, THREE, indexes=indexes), 3).vectors == order


@pytest.mark.parametrize(
    "body",
    [
        [ONE, TWO],
        [{"embedding": ONE}, {"embedding": TWO}],
        {"embeddings": [ONE, TWO]},
        {"embeddings": [{"values": ONE}, {"values": TWO}]},
        {"embeddings": {"float": [ONE, TWO]}},
        {"data": {"embeddings": [ONE, TWO]}},
        {"output": {"embeddings": [{"text_index": 1, "embedding": TWO}, {"text_index": 0, "embedding": ONE}]}},
        {"data": [{"embedding": [ONE]}, {"embedding": [TWO]}]},
        {"data": [{"vector": ONE}, {"vector": TWO}], "message": "success", "code": 0},
        {"data": [coded(ONE), coded(TWO)]},
        {"data": {"1": TWO, "0": ONE}},
        {"embeddings": {"1": {"embedding": TWO}, "0": {"embedding": ONE}}},
        {"predictions": [{"embeddings": {"values": ONE}}, {"embeddings": {"values": TWO}}]},
        {"response": {"data": [{"dense_embedding": ONE}, {"dense_embedding": TWO}]}},
        [rows(ONE), rows(TWO)],
        [rows(ONE, TWO)],
        rows(["1.0", "0.5"], ["0.25", -2]),
        rows({"1": 0.5, "0": 1.0}, TWO),
        rows(json.dumps(ONE), TWO),
        rows([ONE], [[TWO]]),
        {**rows(ONE, TWO), "error": {"message": "", "code": None}, "base_resp": {"status_code": 0}},
    ],
)
def test_other_shapes_are_taken(body):
    """Bare lists, the shapes of Ollama, TEI, Gemini, Vertex, Cohere and DashScope, numbers as texts, keys as places."""
    assert read(body).vectors == [ONE, TWO]


@pytest.mark.parametrize(
    "body",
    [
        ONE,
        [ONE],
        {"embedding": ONE},
        {"embedding": [ONE]},
        {"embedding": {"values": ONE}},
        {"embedding": coded(ONE)},
        {"data": {"embedding": ONE}},
        {"data": {"index": 0, "embedding": ONE}},
        {"data": [{"embedding": [ONE]}]},
    ],
)
def test_other_shapes_of_one_vector_are_taken(body):
    """One text's vector may come without any list around it."""
    assert read(body, 1).vectors == [ONE]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (rows(ONE), "1 of 2 vectors"),
        (rows(ONE, TWO, THREE), "3 of 2 vectors"),
        ({"data": []}, "0 of 2 vectors"),
        ({"data": None}, "0 of 2 vectors"),
        ({}, "0 of 2 vectors"),
        ([], "0 of 2 vectors"),
        ({"data": None, "usage": {"total_tokens": 1}}, "0 of 2 vectors"),
        (rows(ONE, [1.0]), r"texts\[1\] has 1 numbers, that of texts\[0\] 2"),
        (rows(ONE, []), r"texts\[1\] is missing or empty"),
        (rows(ONE, None), r"texts\[1\] is missing or empty"),
        (rows(ONE, ""), r"texts\[1\] is missing or empty|texts\[1\] is empty"),
        (rows(ONE, [1.0, None]), r"texts\[1\] holds None \(its entry 1\)"),
        (rows(ONE, [1.0, "x"]), r"texts\[1\] holds 'x'"),
        (rows(ONE, [True, False]), r"texts\[1\] holds True"),
        (rows(ONE, ["1", "NaN"]), r"texts\[1\] holds nan \(its entry 1\)"),
        (rows(ONE, "[1.0, "), r"texts\[1\] is a text of broken JSON"),
        (rows(ONE, "===="), rf"texts\[1\] is no base64 .*; {PLAIN_NUMBERS}"),
        (b'{"data":' * 600 + b"1" + b"}" * 600, "0 of 2 vectors|nested too deep"),
        (rows(ONE, "%%%"), rf"texts\[1\] is no base64 .*; {PLAIN_NUMBERS}"),
        (rows(ONE, base64.b64encode(b"12345").decode()), rf"texts\[1\] is no base64 .*; {PLAIN_NUMBERS}"),
        (rows(ONE, coded([1.0, float("inf")])), r"texts\[1\] holds inf \(its entry 1\)"),
        (rows(coded([float("nan"), 1.0]), TWO), r"texts\[0\] holds nan \(its entry 0\)"),
        (rows(ONE, [TWO, TWO]), r"2 vectors for texts\[1\] alone"),
        (b'{"data":[{"embedding":[NaN,1.0]},{"embedding":[1.0,1.0]}]}', r"texts\[0\] holds nan"),
        (b"<html><title>Welcome</title></html>", "HTML page.*Welcome.*base URL"),
        (b'{"data":[{"embedding":[1.0', "broken JSON"),
        (b"hello", "text in place of vectors: 'hello'"),
        (b"", "nothing in place of vectors"),
    ],
)
def test_what_cannot_be_trusted_is_refused(body, said):
    """Missing, unequal, empty, non-finite, or not there at all: each is an error that says what and where."""
    with pytest.raises(MalformedResponseError, match=said):
        read(body)


def test_token_vectors_are_not_taken_for_texts():
    """A server that does not pool gives a vector for each token; with one text that shows."""
    with pytest.raises(MalformedResponseError, match="must pool them"):
        read([ONE, TWO], 1)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "no token ids", "code": 400}}, BadRequestError),
        ({"error": {"message": "busy"}, "data": None}, APIStatusError),
        ({"error": "boom", "data": []}, APIStatusError),
        ({"code": 20015, "message": "length of input is wrong", "data": None}, APIStatusError),
        ({"detail": "Not Found"}, APIStatusError),
        (b'data: {"error":{"message":"boom"}}\n\n', APIStatusError),
        (b"event: error\ndata: boom\n\n", APIStatusError),
        ([{"error": {"message": "boom", "code": 429}}], RateLimitError),
        (b'"rate limit exceeded: boom"', RateLimitError),
        ({"message": "length of input is wrong", "data": None, "usage": {"total_tokens": 0}}, APIStatusError),
        ({**rows(ONE, TWO), "base_resp": {"status_code": 1004, "status_msg": "boom"}}, APIStatusError),
        ({**rows(ONE, TWO), "errors": [{"message": "boom"}]}, APIStatusError),
    ],
)
def test_an_error_under_200_is_read_first(body, kind):
    """Its own words are shown, not that vectors are missing."""
    with pytest.raises(kind, match=r"no token ids|busy|boom|length of input|Not Found"):
        read(body)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + json.dumps(rows(ONE, TWO)).encode(),
        b"\r\n \n" + json.dumps(rows(ONE, TWO)).encode(),
        b"data: " + json.dumps(rows(ONE, TWO)).encode() + b"\n\ndata: [DONE]\n\n",
        b": ping\n\nevent: message\ndata: " + json.dumps(rows(ONE, TWO)).encode() + b"\n\n",
        b"".join(b"data: " + json.dumps(rows(each)).encode() + b"\n\n" for each in (ONE, TWO)),
    ],
    ids=["mark", "blanks", "events", "ping", "an event each"],
)
def test_what_stands_around_an_answer_is_no_matter(data):
    """A byte order mark, blank lines, or events where plain JSON was asked for."""
    answer = read(data)
    assert (answer.vectors, answer.usage) == ([ONE, TWO], {"prompt_tokens": 3, "total_tokens": 3})


def test_a_text_is_named_by_its_place_in_the_callers_list():
    """Not by that in its batch."""
    with pytest.raises(MalformedResponseError, match=r"texts\[201\] holds None"):
        read(rows(ONE, [1.0, None]), first=200)
    with pytest.raises(MalformedResponseError, match=r"texts\[201\] has 1 numbers, that of texts\[200\] 2"):
        read(rows(ONE, [1.0]), first=200)


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": "3", "total_tokens": "3"}, {"prompt_tokens": 3, "total_tokens": 3}),
        ({"prompt_tokens": None, "total_tokens": 3}, {"total_tokens": 3}),
        ({"prompt_tokens": None}, None),
        ([], None),
        (None, None),
    ],
)
def test_usage_is_counts_or_none(usage, counts):
    """Counts may come as texts; nulls are none."""
    assert read({**rows(ONE, TWO), "usage": usage}).usage == counts


def test_usage_may_be_absent():
    """Many gateways tell none."""
    assert read({"data": [{"embedding": ONE}, {"embedding": TWO}]}).usage is None


def test_gzip_and_any_cut_are_read():
    """A packed body, however its bytes are cut."""
    packed = gzip.compress(json.dumps(rows(ONE, TWO)).encode())
    assert read(packed, pieces=lambda data: [data[at : at + 1] for at in range(len(data))]).vectors == [ONE, TWO]


def test_a_lost_connection_is_that():
    """Half an answer is none."""
    reading = EmbeddingReader(AnswerContext({}, streamed=False, accepts_done=False, env=ENV), count=1, model="m")
    reading.feed(b'{"data":')
    with pytest.raises(APIConnectionError, match="lost"):
        reading.close(APIConnectionError("lost"))
