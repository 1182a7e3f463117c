"""Content that is not text: what goes in as blocks, and what a model is not to see."""

from __future__ import annotations

import io
import struct
import wave
import zlib

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

from .scenario import CAT, WHICH_CAT, Scenarios, last_of, said


def png():
    """A picture of one grey pixel."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\x80")),
        (b"IEND", b""),
    ]
    sealed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(sealed)


def wav():
    """A tenth of a second of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 800, "NONE", ""))
        sound.writeframes(bytes(1600))
    return file.getvalue()


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


def describe(*blocks):
    """A message that shows something and asks what it is."""
    return [ChatMessage(role="user", blocks=[TextBlock(text="Describe this in one word."), *blocks])]


class ContentScenarios(Scenarios):
    """One scenario for each kind of block."""

    @pytest.mark.parametrize("name", ["chat", "stream_chat"])
    @pytest.mark.parametrize("detail", [None, "low"])
    def test_images(self, llm, call, name, detail):
        """A picture of which the bytes are given is taken."""
        self.need("images")
        assert said(last_of(call(llm, name, describe(ImageBlock(image=png(), detail=detail)))))

    def test_image_files(self, llm, call, tmp_path):
        """A picture on the disk is taken."""
        self.need("images")
        (tmp_path / "a.png").write_bytes(png())
        assert said(call(llm, "chat", describe(ImageBlock(path=tmp_path / "a.png"))))

    def test_audio(self, llm, call):
        """Sound is taken."""
        self.need("audio")
        assert said(call(llm, "chat", describe(AudioBlock(audio=wav(), format="wav"))))

    def test_documents(self, llm, call):
        """A file is taken."""
        self.need("documents")
        assert said(call(llm, "chat", describe(DocumentBlock(data=PDF, title="a.pdf"))))

    def test_videos(self, llm, call):
        """A film is taken, or refused as a value that is wrong."""
        messages = describe(VideoBlock(video=b"\x00\x00\x00\x18ftypmp42"))
        if self.videos:
            assert said(call(llm, "chat", messages))
        else:
            with pytest.raises(ValueError, match=r"[Vv]ideo"):
                call(llm, "chat", messages)

    @pytest.mark.parametrize("name", ["chat", "stream_chat"])
    def test_citable_texts_are_read(self, llm, call, name):
        """What may be cited is part of the question."""
        source = CitableBlock(title="Pets", source="page 3", content=CAT)
        text = said(last_of(call(llm, name, [ChatMessage(role="user", blocks=[source, TextBlock(text=WHICH_CAT)])])))
        assert "Banana" in text if self.understands else text

    def test_what_is_no_content_does_no_harm(self, llm, call):
        """Cache points, and the thoughts and citations of earlier answers, leave the question as it is."""
        self.need("deterministic")
        cited = CitationBlock(cited_content="x", source="s", title="t", additional_location_info={})
        earlier = [TextBlock(text="I see.")]
        asked = [TextBlock(text=WHICH_CAT)]
        thought = [ThinkingBlock(content="A cat."), *earlier, cited]
        cached = [*asked, CachePoint(cache_control=CacheControl(type="ephemeral"))]

        def ask(answered, question):
            blocks = [("user", [TextBlock(text=CAT)]), ("assistant", answered), ("user", question)]
            return call(llm, "chat", [ChatMessage(role=role, blocks=each) for role, each in blocks])

        assert ask(thought, cached).message == ask(earlier, asked).message
