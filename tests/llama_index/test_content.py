"""Content blocks as parts of a message's content, as values."""

from __future__ import annotations

import base64
import logging
from io import BytesIO

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    VideoBlock,
)

from flash_integrations._core.wire import CARRIED
from flash_integrations.errors import InvalidRequestError
from flash_integrations.llama_index._content import reads_files
from flash_integrations.llama_index._to_wire import to_wire

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(32)
PDF = b"%PDF-1.4\n" + bytes(32)


def encoded(data):
    """Bytes as base64 text."""
    return base64.b64encode(data).decode()


def wire_of(*blocks, role="user", **params):
    """One message's body."""
    return to_wire([ChatMessage(role=role, blocks=list(blocks))], **params)[0]


def test_text_blocks_become_one_string():
    """Text-only content is a string, for many upstreams take no lists."""
    assert wire_of(TextBlock(text="a"), TextBlock(text="b"))["content"] == "ab"


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (ImageBlock(url="https://host.test/a.png"), {"url": "https://host.test/a.png"}),
        (ImageBlock(url="https://host.test/a.png", detail="low"), {"url": "https://host.test/a.png", "detail": "low"}),
        (ImageBlock(image=PNG), {"url": f"data:image/png;base64,{encoded(PNG)}"}),
        (ImageBlock(image=BytesIO(PNG)), {"url": f"data:image/png;base64,{encoded(PNG)}"}),
        (ImageBlock(image=b"data:image/png;base64,AAAA"), {"url": "data:image/png;base64,AAAA"}),
        (ImageBlock(url="data:image/png;base64,AAAA"), {"url": "data:image/png;base64,AAAA"}),
    ],
    ids=["url", "detail", "bytes", "file object", "data URL as bytes", "data URL"],
)
def test_images_go_out_as_urls(block, part):
    """An image goes by its URL, or in a data URL of its own type."""
    content = wire_of(TextBlock(text="see"), block)["content"]
    assert content == [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": part}]


def test_audio_goes_out_with_its_format():
    """Sound goes out as base64 beside its format's name."""
    assert wire_of(AudioBlock(audio=WAV))["content"] == [
        {"type": "input_audio", "input_audio": {"data": encoded(WAV), "format": "wav"}}
    ]


def test_audio_of_unknown_format_is_refused():
    """Sound whose format cannot be told is refused with what to write, rather than sent as null."""
    with pytest.raises(InvalidRequestError, match="format="):
        wire_of(AudioBlock(audio=b"?"))


def test_documents_go_out_as_files(tmp_path):
    """A document goes out as a data URL, under its title or its file's name."""
    path = tmp_path / "report.pdf"
    path.write_bytes(PDF)
    data = f"data:application/pdf;base64,{encoded(PDF)}"
    assert wire_of(DocumentBlock(data=PDF, title="r.pdf"))["content"] == [
        {"type": "file", "file": {"filename": "r.pdf", "file_data": data}}
    ]
    assert wire_of(DocumentBlock(path=path))["content"] == [
        {"type": "file", "file": {"filename": "report.pdf", "file_data": data}}
    ]


def test_citable_blocks_say_where_they_are_from():
    """What may be cited goes out as text, after its title and source."""
    block = CitableBlock(title="Primes", source="p. 3", content="2 is prime.")
    assert wire_of(block)["content"] == "Primes (p. 3):\n2 is prime."


def test_video_is_refused_clearly():
    """Video has no form on the wire; the error names the message and what to do instead."""
    with pytest.raises(InvalidRequestError, match=r"messages\[0\]: video .* frames as images"):
        wire_of(VideoBlock(video=b"abc"))


def test_cache_points_citations_and_reasoning_stay_behind():
    """Blocks that are no content leave the text as it is."""
    behind = [
        CachePoint(cache_control=CacheControl(type="ephemeral")),
        CitationBlock(cited_content="x", source="s", title="t", additional_location_info={}),
        ThinkingBlock(content="hm"),
    ]
    body = wire_of(TextBlock(text="a"), *behind, role="assistant")
    assert {name: body[name] for name in body if name != CARRIED} == {"role": "assistant", "content": "a"}


def test_what_takes_time_to_read_is_known(tmp_path):
    """Files, and sound and documents behind URLs, are read away from the loop; an image's URL is only passed on."""
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    slow = [ImageBlock(path=path), AudioBlock(url="https://host.test/a.wav"), DocumentBlock(url="https://host.test/a")]
    quick = [ImageBlock(url="https://host.test/a.png"), TextBlock(text="x")]
    assert [reads_files([ChatMessage(blocks=[block])]) for block in slow] == [True, True, True]
    assert not reads_files([ChatMessage(blocks=quick)])


def test_files_of_the_disk_go_out_by_their_bytes(tmp_path):
    """A picture and a sound that are named by path go out as what the file holds, in the type its name says."""
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "a.mp3").write_bytes(b"ID3")
    image, sound = wire_of(ImageBlock(path=tmp_path / "a.png"), AudioBlock(path=tmp_path / "a.mp3"))["content"]
    assert image == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded(PNG)}"}}
    assert sound == {"type": "input_audio", "input_audio": {"data": encoded(b"ID3"), "format": "mp3"}}


def test_citable_blocks_take_their_pictures_and_papers_along(tmp_path):
    """What may be cited goes out whole, in its order, and is known to take time where it lies in a file."""
    path = tmp_path / "a.pdf"
    path.write_bytes(PDF)
    block = CitableBlock(title="T", source="S", content=[TextBlock(text="see"), DocumentBlock(path=path)])
    assert [part["type"] for part in wire_of(block)["content"]] == ["text", "text", "file"]
    assert reads_files([ChatMessage(blocks=[block])])


@pytest.mark.parametrize("block", [ImageBlock(), AudioBlock(format="wav"), DocumentBlock()], ids=repr)
def test_blocks_that_hold_nothing_are_refused(block):
    """An empty block is refused by its message's place and its kind."""
    with pytest.raises(InvalidRequestError, match=rf"messages\[0\]: the {type(block).__name__} holds nothing"):
        wire_of(block)


def test_the_message_at_fault_is_named():
    """Of several messages the error counts from 0 to the one that cannot be sent."""
    messages = [ChatMessage(content="a"), ChatMessage(role="user", blocks=[VideoBlock(video=b"abc")])]
    with pytest.raises(InvalidRequestError, match=r"messages\[1\]: video"):
        to_wire(messages)


def test_a_tool_may_answer_with_a_picture():
    """A tool's picture goes out as it does in a user's message; text alone stays one text."""
    parts = wire_of(TextBlock(text="a"), ImageBlock(image=PNG), role="tool")["content"]
    assert [part["type"] for part in parts] == ["text", "image_url"]
    assert wire_of(TextBlock(text="a"), TextBlock(text="b"), role="tool")["content"] == "ab"


def test_answers_of_functions_are_text_alone():
    """A picture of the role before tools is refused with what to do, neither dropped nor sent to be refused."""
    with pytest.raises(InvalidRequestError, match=r"messages\[0\]: function messages take text alone, not image_url"):
        wire_of(TextBlock(text="a"), ImageBlock(image=PNG), role="function")


def test_a_dropped_cache_point_is_told_to_who_debugs(caplog):
    """Leaving a cache point out is told at debug level, with the message's place."""
    with caplog.at_level(logging.DEBUG, logger="flash_integrations"):
        wire_of(TextBlock(text="a"), CachePoint(cache_control=CacheControl(type="ephemeral")))
    assert "messages[0]: a cache point is left out" in caplog.text
