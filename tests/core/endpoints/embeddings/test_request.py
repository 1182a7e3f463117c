"""Embedding requests as data, checked before anything is sent."""

import pytest

from flash_integrations._core.endpoints.call import Call
from flash_integrations._core.endpoints.embeddings.reader import EmbeddingReader
from flash_integrations._core.endpoints.embeddings.request import check_texts, embedding_request
from flash_integrations._core.endpoints.reader import AnswerContext
from flash_integrations._core.environment import Environment
from flash_integrations.errors import InvalidRequestError

ENV = Environment(clock=float, unix_time=float, random=float, new_id=str)


def call(*texts, first=0, disabled=(), **params) -> Call:
    """The call for a batch of texts."""
    return embedding_request("m", params, disabled=disabled).call(texts, first)


def test_a_call_says_what_is_asked():
    """Texts go as texts, vectors come as base64 unless somebody said otherwise."""
    made = call("a", "b", dimensions=8, user="u")
    assert (made.path, made.model, made.may_stream) == ("/embeddings", "m", False)
    assert made.body == {"model": "m", "encoding_format": "base64", "dimensions": 8, "user": "u", "input": ["a", "b"]}


def test_its_reader_counts_the_texts_and_names_them_by_the_callers_positions():
    """A vector too few is seen; a bad one is named by where its text stands in the whole list."""
    reader = call("a", "b", first=40).reader(AnswerContext({}, streamed=False, accepts_done=False, env=ENV))
    assert isinstance(reader, EmbeddingReader)
    reader.feed(b'{"data":[{"embedding":[1.0]},{"embedding":["x"]}]}')
    with pytest.raises(Exception, match=r"texts\[41\]"):
        reader.close(None)


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ({"encoding_format": "float"}, "float"),
        ({"output_dtype": "int8"}, None),
        ({"embedding_types": ["int8"]}, None),
        ({"extra_body": {"encoding_format": "x"}}, "x"),
    ],
)
def test_a_form_of_vectors_that_was_chosen_is_kept(params, sent):
    """Ours is only a default; other numbers than floats are told apart in lists alone."""
    assert call("a", **params).body.get("encoding_format") == sent


def test_a_form_that_was_disabled_is_not_asked_for():
    """Some gateways refuse the word itself."""
    assert "encoding_format" not in call("a", disabled=["encoding_format"]).body


@pytest.mark.parametrize(("params", "chosen"), [({}, False), ({"encoding_format": "float"}, True)])
def test_what_the_caller_chose_is_not_unlearned(params, chosen):
    """A refusal of it is the caller's to answer."""
    assert ("encoding_format" in call("a", **params).chosen) is chosen


def test_extra_body_is_laid_over_unchecked():
    """Its model and texts win, too."""
    made = call("a", "b", extra_body={"model": "other", "input": ["c"], "x": 1})
    assert (made.model, made.body["model"], made.body["input"], made.body["x"]) == ("other", "other", ["c"], 1)


def test_headers_and_query_are_the_calls_own():
    """They go with it, and not into the body."""
    made = call("a", extra_headers={"x-a": "1"}, extra_query={"q": "2"})
    assert (made.headers, made.query) == ({"x-a": "1"}, {"q": "2"})
    assert made.body.keys() == {"model", "encoding_format", "input"}


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"dimensions": 0}, "dimensions"),
        ({"dimension": 8}, "dimensions"),
        ({"user": 1}, "user"),
        ({"extra_headers": "x"}, "extra_headers"),
    ],
)
def test_bad_parameters_are_refused_by_name(params, match):
    """Before anything is sent; misspelt ones with the right name."""
    with pytest.raises(InvalidRequestError, match=match):
        call("a", **params)


@pytest.mark.parametrize("texts", [["a"], ("a",), iter(["a"]), (text for text in ["a"])])
def test_texts_may_come_in_any_order_of_texts(texts):
    """Lists, tuples and whatever can be iterated."""
    assert check_texts(texts) == ["a"]


@pytest.mark.parametrize(
    ("texts", "match"),
    [
        ("a", r"give a list that holds it: \[text\]"),
        ({"a"}, "must be a list of str"),
        ({"a": 1}, "must be a list of str"),
        (b"a", "must be a list of str"),
        (7, "must be a list of str"),
        (["a", ""], r"texts\[1\] is empty"),
        (["a", None], r"texts\[1\] must be a str, not None$"),
        ([[1, 2]], r"texts\[0\] must be a str.*Token ids are not taken"),
        ([1], r"texts\[0\] must be a str.*Token ids are not taken"),
    ],
)
def test_what_is_no_list_of_texts_is_refused_by_place(texts, match):
    """The error says what to give instead."""
    with pytest.raises(InvalidRequestError, match=match):
        check_texts(texts)
