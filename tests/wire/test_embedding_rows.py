"""Rows of docs/wire-quirks.md about embeddings (V), over a socket: by the core and both frameworks, sync and async."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import struct

import pytest
from replay import Answer, refuse, replay

from flash_integrations import FlashClient, errors
from flash_integrations.langchain import FlashEmbeddings
from flash_integrations.llama_index import FlashEmbedding

JSON = {"content-type": "application/json"}
ONE, TWO = [1.0, 0.5], [0.25, -2.0]
TEXTS = ["one", "two"]

WAYS = {
    "core": lambda url, texts, **options: FlashClient(base_url=url, max_retries=0).embed(texts, **options).vectors,
    "core, async": lambda url, texts, **options: (
        asyncio.run(FlashClient(base_url=url, max_retries=0).to_async().embed(texts, **options)).vectors
    ),
    "LangChain": lambda url, texts, **options: FlashEmbeddings(base_url=url, max_retries=0, **options).embed_documents(
        texts
    ),
    "LangChain, async": lambda url, texts, **options: asyncio.run(
        FlashEmbeddings(base_url=url, max_retries=0, **options).aembed_documents(texts)
    ),
    "LlamaIndex": lambda url, texts, **options: FlashEmbedding(
        base_url=url, max_retries=0, **options
    ).get_text_embedding_batch(texts),
    "LlamaIndex, async": lambda url, texts, **options: asyncio.run(
        FlashEmbedding(base_url=url, max_retries=0, **options).aget_text_embedding_batch(texts)
    ),
}


@pytest.fixture(params=WAYS)
def embed(request):
    """Every row goes through six ways of asking."""
    return WAYS[request.param]


def body(value, **headers):
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Answer([content], headers={**JSON, **headers})


def rows(*pairs, **more):
    """OpenAI's form: (index, embedding) pairs."""
    return body({"data": [{"index": index, "embedding": vector} for index, vector in pairs], "model": "m", **more})


def coded(vector):
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


GOOD = [
    ("V1 base64 as asked", rows((0, coded(ONE)), (1, coded(TWO)))),
    ("V1 floats though base64 was asked", rows((0, ONE), (1, TWO))),
    ("V2 order shuffled", rows((1, TWO), (0, ONE))),
    ("V3 index all 0", rows((0, ONE), (0, TWO))),
    ("V3 index absent", body({"data": [{"embedding": ONE}, {"embedding": TWO}]})),
    ("V6 bare list", body([ONE, TWO])),
    ("V6 Ollama", body({"model": "m", "embeddings": [ONE, TWO], "prompt_eval_count": 4})),
    ("V7 nested once", rows((0, [ONE]), (1, [TWO]))),
    ("V13 usage absent", rows((0, ONE), (1, TWO))),
    ("V13 usage null", rows((0, ONE), (1, TWO), usage=None)),
    ("V2 order shuffled, index as a text", rows(("1", TWO), ("0", ONE))),
    ("V6 rows by number", body({"data": {"1": {"embedding": TWO}, "0": {"embedding": ONE}}})),
    ("V13 usage of nulls", rows((0, ONE), (1, TWO), usage={"prompt_tokens": None, "total_tokens": None})),
    ("a byte order mark", body(b"\xef\xbb\xbf" + json.dumps([ONE, TWO]).encode())),
    (
        "as events",
        body(b"data: " + json.dumps({"data": [{"embedding": each} for each in (ONE, TWO)]}).encode() + b"\n\n"),
    ),
    ("packed", Answer([gzip.compress(json.dumps([ONE, TWO]).encode())], headers={**JSON, "content-encoding": "gzip"})),
]


@pytest.mark.parametrize("answer", [answer for _, answer in GOOD], ids=[name for name, _ in GOOD])
def test_what_can_be_read_is(embed, answer):
    """The right vectors, in the order of the texts."""
    with replay(answer) as server:
        assert embed(server.base_url, TEXTS) == [ONE, TWO]


BAD = [
    ("V4 rows missing", rows((0, ONE)), errors.MalformedResponseError, "1 of 2 vectors"),
    ("V5 empty data", body({"data": []}), errors.MalformedResponseError, "0 of 2 vectors"),
    ("V5 null data", body({"data": None}), errors.MalformedResponseError, "0 of 2 vectors"),
    ("V5 error in 200", body({"error": {"message": "no such thing", "code": 400}}), errors.BadRequestError, "no such"),
    ("V5 no credit in 200", body({"error": {"message": "余额不足"}}), errors.QuotaExceededError, "余额不足"),
    ("V7 a vector for each token", rows((0, [ONE, ONE]), (1, [TWO])), errors.MalformedResponseError, "must pool"),
    ("V10 dimensions refused", refuse(400, "bge-m3 does not support dimensions"), errors.BadRequestError, "bge-m3"),
    ("V14 NaN", body(b'{"data":[{"embedding":[NaN,1]},{"embedding":[1,1]}]}'), errors.MalformedResponseError, "nan"),
    ("V14 null", rows((0, ONE), (1, [1.0, None])), errors.MalformedResponseError, r"texts\[1\] holds None"),
    ("unequal", rows((0, ONE), (1, [1.0])), errors.MalformedResponseError, "not of one length"),
    ("a page", body(b"<html><title>Hi</title></html>"), errors.MalformedResponseError, "base URL"),
    ("cut", Answer([b'{"data":[{"embedding":[1.0'], headers=JSON, end="drop"), errors.APIConnectionError, "broke"),
]


@pytest.mark.parametrize(("answer", "kind", "said"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_cannot_be_trusted_is_an_error(embed, answer, kind, said):
    """Never a wrong vector; the error is of the true kind and says what it is."""
    with replay(answer) as server, pytest.raises(kind, match=said):
        embed(server.base_url, TEXTS)


def test_a_refused_encoding_is_done_without(embed):
    """V1: the gateway refuses ``encoding_format``; floats are read."""
    with replay(refuse(400, "Unrecognized request argument supplied: encoding_format"), rows((0, ONE))) as server:
        assert embed(server.base_url, ["one"]) == [ONE]
        assert [sent.get("encoding_format") for sent in server.bodies] == ["base64", None]


def test_texts_go_out_as_texts(embed):
    """V8, V10: strings, never token ids, and nothing that was not set."""
    with replay(rows((0, ONE), (1, TWO))) as server:
        embed(server.base_url, TEXTS)
        assert server.bodies == [{"model": "text-embedding-3-large", "input": TEXTS, "encoding_format": "base64"}]


def test_a_batch_limit_is_obeyed(embed):
    """V9: the figure in DashScope's refusal is the size from then on."""
    limit = refuse(400, "Value error, batch size is invalid, it should not be larger than 1.: input.contents")
    with replay(limit, rows((0, ONE))) as server:
        assert embed(server.base_url, TEXTS) == [ONE, ONE]
        assert sorted(len(sent["input"]) for sent in server.bodies) == [1, 1, 2]


@pytest.mark.parametrize("embed", [way for way in WAYS if "LlamaIndex" not in way], indirect=True)
def test_an_empty_text_is_named_before_sending(embed):
    """V11: upstreams refuse the whole batch for it."""
    with replay(rows((0, ONE))) as server:
        with pytest.raises(errors.InvalidRequestError, match=r"texts\[1\] is empty"):
            embed(server.base_url, ["one", ""])
        assert server.bodies == []


@pytest.mark.parametrize("embed", [way for way in WAYS if "LlamaIndex" in way], indirect=True)
def test_an_empty_text_of_llama_index_goes_out_as_a_space(embed):
    """V11: LlamaIndex makes nodes without text, and stops a whole pipeline for an error about one."""
    with replay(rows((0, ONE), (1, TWO))) as server:
        assert embed(server.base_url, ["one", ""]) == [ONE, TWO]
        assert server.bodies[0]["input"] == ["one", " "]


def test_a_text_that_is_too_long_is_named(embed):
    """V12: the refusal names no row; the error does, after the halves were tried."""
    long = refuse(400, "This model's maximum context length is 8192 tokens", code="context_length_exceeded")
    with replay(long, rows((0, ONE), (1, ONE)), long) as server:
        with pytest.raises(errors.ContextLengthError, match=r"texts\[2\] is too long for the model"):
            embed(server.base_url, ["a", "b", "c", "d"])
        assert [sent["input"] for sent in server.bodies] == [["a", "b", "c", "d"], ["a", "b"], ["c"]]
