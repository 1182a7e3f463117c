"""Embeddings without a model."""

from __future__ import annotations

import base64
import math
import struct

import pytest

from flash_integrations.catalogue import RateLimit
from flash_integrations.testing import LocalGateway
from flash_integrations.testing._scripted_model.hashed_embeddings import embed

MODEL = "text-embedding-3-large"


def likeness(one, other):
    """The cosine of two vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_vectors_come_in_order_with_usage(call):
    """Each text has its vector of length 1, in the order of the input."""
    answer = call.post("/embeddings", {"model": MODEL, "input": ["a cat", "一只猫"]}).json()
    assert [row["index"] for row in answer["data"]] == [0, 1]
    assert [row["embedding"] for row in answer["data"]] == [embed("a cat"), embed("一只猫")]
    assert answer["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
    assert answer["model"] == MODEL


def test_base64_holds_the_same_numbers(call):
    """``encoding_format: base64`` is the same vector as little-endian 32-bit floats."""
    body = {"model": MODEL, "input": "a cat", "dimensions": 64, "encoding_format": "base64"}
    coded = call.post("/embeddings", body).json()["data"][0]["embedding"]
    assert struct.unpack("<64f", base64.b64decode(coded)) == pytest.approx(embed("a cat", 64))


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("Where does the cat sleep?", ["The dog barks at night.", "Cats sleep on the sofa.", "Rain falls."]),
        ("长城是什么时候建的？", ["故宫在北京。", "长城建于明代。", "西湖在杭州。"]),
    ],
)
def test_the_nearest_text_is_the_one_that_shares_words(question, texts):
    """Retrieval works: the text about the question's subject lies nearest, in English and Chinese."""
    wanted = embed(question)
    assert max(texts, key=lambda text: likeness(embed(text), wanted)) == texts[1]


@pytest.mark.parametrize("text", ["a cat", "the", "。", " ", "x" * 5000])
def test_a_vector_has_length_one(text):
    """Even texts without a word of meaning have a direction."""
    assert math.hypot(*embed(text, 16)) == pytest.approx(1)


@pytest.mark.parametrize(
    "body",
    [
        {"input": [1, 2]},
        {"input": [[1, 2]]},
        {"input": []},
        {"input": ""},
        {"input": ["a", ""]},
        {"input": None},
        {"input": "a", "dimensions": 0},
        {"input": "a", "encoding_format": "hex"},
    ],
)
def test_what_cannot_be_embedded_is_refused(call, body):
    """Token ids, empty strings and unknown formats are a 400."""
    assert call.post("/embeddings", {"model": MODEL, **body}).status_code == 400


def test_an_empty_string_is_named_by_position(call):
    """The refusal says which text it was."""
    refused = call.post("/embeddings", {"model": MODEL, "input": ["a", ""]})
    assert "input[1]" in refused.json()["error"]["message"]


def test_more_texts_than_a_request_may_hold_are_refused(call):
    """2,048 texts are taken, one more is refused with the figure, as OpenAI does."""
    body = {"model": MODEL, "input": ["a"] * 2048, "dimensions": 1}
    assert call.post("/embeddings", body).status_code == 200
    refused = call.post("/embeddings", body | {"input": ["a"] * 2049})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "array_above_max_length")
    assert "maximum length 2048" in refused.json()["error"]["message"]


def test_an_upstream_embeds_in_the_gateways_place(caller_of):
    """With an upstream, its vectors come back, whatever model name it knows them by."""
    with (
        LocalGateway("openai") as behind,
        LocalGateway("openai", upstream=behind.base_url, upstream_key=behind.api_key, upstream_model="e5") as gateway,
    ):
        answer = caller_of(gateway).post("/embeddings", {"model": MODEL, "input": ["a cat"], "dimensions": 8}).json()
        assert answer["data"][0]["embedding"] == embed("a cat", 8)
        assert behind.requests[0].body["model"] == "e5"


def test_a_fault_meets_embeddings_too(gateway, call):
    """A status replaces the answer, a cut breaks it off in the middle."""
    gateway.fault(503)
    assert call.post("/embeddings", {"model": MODEL, "input": "a"}).status_code == 503
    gateway.fault(cut=1)
    with pytest.raises(ValueError, match=r"."):
        call.post("/embeddings", {"model": MODEL, "input": "a"}).json()


def test_tokens_of_texts_count_against_the_limit(caller_of):
    """The texts of a request take from the tokens of a minute."""
    with LocalGateway("openai", rate_limit=RateLimit(tokens_per_minute=10)) as gateway:
        call = caller_of(gateway)
        asked = [call.post("/embeddings", {"model": MODEL, "input": "字" * 6, "dimensions": 1}) for _ in range(2)]
        assert [each.status_code for each in asked] == [200, 429]
        assert "tokens per minute" in asked[1].json()["error"]["message"]


def test_a_text_beyond_the_models_window_is_refused(caller_of):
    """A text over the listed window is refused, by position."""
    with LocalGateway("openai") as gateway:
        refused = caller_of(gateway).post("/embeddings", {"model": MODEL, "input": ["a", "字" * 8192]})
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "context_length_exceeded")
        assert refused.json()["error"]["param"] == "input[1]"
