"""Answers as content blocks: citations, refusals, audio and images, in both output versions, whole and streamed."""

from __future__ import annotations

import json
from functools import reduce
from operator import add

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.block_translators import get_translator
from replay import DONE, Answer, chunk, plain, replay

from flash_integrations import Provider
from flash_integrations.langchain import ChatFlash
from flash_integrations.langchain._refusals import refusal_block

CITED = [
    {
        "type": "url_citation",
        "url_citation": {"url": "https://x.example", "title": "X", "start_index": 0, "end_index": 2, "content": "s"},
    },
    {"type": "file_citation", "file_id": "file-1", "filename": "a.pdf", "index": 3},
    {"type": "file_path", "file_id": "file-2"},
]
CITATIONS = [
    {
        "type": "citation",
        "url": "https://x.example",
        "title": "X",
        "start_index": 0,
        "end_index": 2,
        "cited_text": "s",
    },
    {"type": "citation", "title": "a.pdf", "extras": {"file_id": "file-1", "index": 3}},
    {"type": "non_standard_annotation", "value": {"type": "file_path", "file_id": "file-2"}},
]
WAV = "UklGRiQAAABXQVZF"
SAID = [
    ({"content": "so", "annotations": CITED}, [{"type": "text", "text": "so", "annotations": CITATIONS}]),
    (
        {"content": None, "refusal": "I will not."},
        [refusal_block("I will not.")],
    ),
    (
        {"content": None, "audio": {"id": "audio_1", "data": WAV, "transcript": "hi", "expires_at": 1700000000}},
        [
            {
                "type": "audio",
                "id": "audio_1",
                "base64": WAV,
                "mime_type": "audio/wav",
                "extras": {"transcript": "hi", "expires_at": 1700000000},
            }
        ],
    ),
    (
        {"content": "4", "reasoning_content": "2+2"},
        [{"type": "reasoning", "reasoning": "2+2"}, {"type": "text", "text": "4"}],
    ),
    (
        {"content": "", "images": [{"type": "image_url", "image_url": {"url": "data:image/webp;base64,aGk="}}]},
        [{"type": "image", "base64": "aGk=", "mime_type": "image/webp"}],
    ),
    (
        {"content": "", "images": [{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]},
        [{"type": "image", "url": "https://x.example/a.png"}],
    ),
]
IDS = ["citations", "refusal", "audio", "reasoning", "image", "image by URL"]


def model(server, **params):
    """A model at a replay server, streamed wire by default."""
    return ChatFlash(**{"model": "m", "base_url": server.base_url, "rate_limit": None, "max_retries": 0, **params})


def bare(message):
    """A message's blocks without the indexes pieces need."""
    return [{key: value for key, value in block.items() if key != "index"} for block in message.content_blocks]


def streamed(message):
    """A message as a stream: its reasoning, its content, then what is beside them, a delta each."""
    order = sorted(message, key=("reasoning_content", "content").index) if "reasoning_content" in message else message
    deltas = [chunk({name: message[name]}) for name in order if message[name]]
    return Answer([chunk({"role": "assistant"}), *deltas, chunk({}, "stop"), DONE])


@pytest.mark.parametrize("output_version", ["v0", "v1"])
@pytest.mark.parametrize("form", [lambda message: plain(message.pop("content"), **message), streamed])
@pytest.mark.parametrize(("message", "blocks"), SAID, ids=IDS)
async def test_every_way_to_call_shows_the_same_blocks(message, blocks, form, output_version):
    """invoke, stream, their async forms and v3 events show what was said as LangChain's content blocks."""
    with replay(form(dict(message))) as server:
        llm = model(server, output_version=output_version)
        answers = [
            llm.invoke("Hello"),
            await llm.ainvoke("Hello"),
            reduce(add, llm.stream("Hello")),
            reduce(add, [part async for part in llm.astream("Hello")]),
            llm.stream_events("Hello", version="v3").output,
        ]
    for answer in answers:
        assert bare(answer) == blocks
    content = [answer.content for answer in answers[:4]]
    assert all(isinstance(each, list if output_version == "v1" else str) for each in content)


@pytest.mark.parametrize("name", ["custom", "local", "flashapi", "a-gateway-of-ones-own"])
def test_every_providers_answers_have_their_blocks(name):
    """Content blocks do not depend on whether langchain-core knows the provider, a registered one or not."""
    with replay(plain("so", annotations=CITED)) as server:
        row = Provider(name, server.base_url)
        message = model(server, base_url=None, provider=row).invoke("Hello")
    assert message.response_metadata["model_provider"] == name
    assert bare(message)[0]["annotations"] == CITATIONS


@pytest.mark.parametrize("output_version", ["v0", "v1"])
def test_pieces_show_what_they_add(output_version):
    """A chunk's blocks are what it adds, with an index by which pieces of one kind are added up."""
    with replay(streamed({"content": "4", "reasoning_content": "2+2"})) as server:
        pieces = list(model(server, output_version=output_version).stream("Hello"))
    said = [block for piece in pieces for block in piece.content_blocks]
    assert [(block["type"], block.get("reasoning") or block.get("text")) for block in said] == [
        ("reasoning", "2+2"),
        ("text", "4"),
    ]


def test_text_and_a_call_stay_apart_in_a_sum():
    """In output version v1 the pieces of text and of the first call have different indexes."""
    call = {"index": 0, "id": "call_1", "function": {"name": "add", "arguments": '{"a": 1}'}}
    answer = Answer([chunk({"content": "so"}), chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), DONE])
    with replay(answer) as server:
        sum_ = reduce(add, model(server, output_version="v1").stream("Hello"))
    assert bare(sum_) == [
        {"type": "text", "text": "so"},
        {"type": "tool_call", "id": "call_1", "name": "add", "args": {"a": 1}},
    ]


def test_audio_streams_as_it_comes():
    """Pieces of audio and its transcript reach the caller one by one; the rest comes with the last chunk."""
    pieces = [{"id": "audio_1", "transcript": "h"}, {"data": "UklGR"}, {"data": "iQAAA"}, {"expires_at": 1700000000}]
    answer = Answer([*(chunk({"audio": piece}) for piece in pieces), chunk({}, "stop"), DONE])
    with replay(answer) as server:
        heard = [part.additional_kwargs.get("audio") for part in model(server).stream("Hello")]
    assert heard == [
        {"transcript": "h"},
        {"data": "UklGR"},
        {"data": "iQAAA"},
        {"id": "audio_1", "expires_at": 1700000000},
    ]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (WAV, "audio/wav"),
        ("SUQzBAAA", "audio/mpeg"),
        ("T2dnUwAC", "audio/ogg"),
        ("ZkxhQwAA", "audio/flac"),
        ("AAAA", "audio/pcm"),
    ],
)
def test_the_type_of_audio_is_read_off_its_data(data, kind):
    """The wire does not say in which format audio comes; its first bytes do."""
    with replay(plain("", audio={"id": "audio_1", "data": data})) as server:
        assert bare(model(server).invoke("Hello"))[0]["mime_type"] == kind


def test_other_packages_messages_are_left_to_them():
    """A message with list content under a name of ours is read as langchain-core reads it."""
    content = [{"type": "text", "text": "so"}]
    for kind in (AIMessage, AIMessageChunk):
        message = kind(content=content, response_metadata={"model_provider": "custom"})
        assert message.content_blocks == content


@pytest.mark.parametrize("output_version", ["v0", "v1"])
def test_openai_itself_keeps_its_translator(output_version):
    """langchain-core's own translator for "openai" is not replaced; in output version v1 the blocks are ours."""
    with replay(plain("so", annotations=CITED)) as server:
        row = Provider("openai", server.base_url)
        message = model(server, base_url=None, provider=row, output_version=output_version).invoke("Hello")
    assert get_translator("openai")["translate_content"].__module__.startswith("langchain_core")
    assert ("annotations" in message.content_blocks[0]) == (output_version == "v1")


def test_audio_told_once_more_as_a_whole_is_not_doubled():
    """Where a gateway ends its pieces with the whole message, the last chunk adds what the pieces had not."""
    whole = {"index": 0, "message": {"audio": {"id": "audio_1", "data": "UklGRiQA"}}, "finish_reason": "stop"}
    last = b"data: " + json.dumps({"id": "c1", "model": "m", "choices": [whole]}).encode() + b"\n\n"
    with replay(Answer([chunk({"audio": {"id": "audio_1", "data": "UklGR"}}), last, DONE])) as server:
        sum_ = reduce(add, model(server).stream("Hello"))
    assert sum_.additional_kwargs["audio"] == {"id": "audio_1", "data": "UklGRiQA"}
