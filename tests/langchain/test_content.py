"""Content blocks outward, also those of other vendors; what has no form is refused with advice."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from flash_integrations.errors import InvalidRequestError
from flash_integrations.langchain._to_wire import to_wire

DATA = "aGVsbG8="
PDF = {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{DATA}", "filename": "file.pdf"}}
PNG = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}}
LINK = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}


def text(said):
    """A text part."""
    return {"type": "text", "text": said}


def part_of(block):
    """The wire form of a block in a user's message."""
    (part,) = to_wire([HumanMessage([block])])[0]["content"]
    return part


LANGCHAIN = [
    ({"type": "image", "url": "https://x.example/a.png", "extras": {"detail": "low"}}, "low"),
    ({"type": "image", "url": "https://x.example/a.png", "detail": "high"}, "high"),
]


@pytest.mark.parametrize(("block", "detail"), LANGCHAIN)
def test_the_detail_of_an_image_is_sent(block, detail):
    """An image's detail goes along, as a field of the block or among its extras."""
    assert part_of(block) == {"type": "image_url", "image_url": {**LINK["image_url"], "detail": detail}}


@pytest.mark.parametrize(
    ("mime", "word"),
    [
        ("audio/wav", "wav"),
        ("audio/x-wav", "wav"),
        ("audio/mpeg", "mp3"),
        ("audio/mp3", "mp3"),
        ("audio/wave;r=1", "wav"),
    ],
)
def test_audio_formats_are_openais_words(mime, word):
    """The MIME type's second half where it is the wire's word, else that word."""
    part = part_of({"type": "audio", "base64": DATA, "mime_type": mime})
    assert part == {"type": "input_audio", "input_audio": {"data": DATA, "format": word}}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "text-plain", "text": "t", "mime_type": "text/plain"}, text("t")),
        ({"type": "text-plain", "text": "t", "title": "T", "context": "c"}, text("T\nc\nt")),
        ({"type": "text-plain", "base64": DATA}, text("hello")),
        ({"type": "text-plain", "file_id": "file-1"}, {"type": "file", "file": {"file_id": "file-1"}}),
        ({"type": "file", "source_type": "text", "text": "t"}, text("t")),
        (
            {"type": "video", "url": "https://x.example/a"},
            {"type": "video_url", "video_url": {"url": "https://x.example/a"}},
        ),
        (
            {"type": "video", "base64": DATA, "mime_type": "video/mp4"},
            {"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{DATA}"}},
        ),
        ({"type": "image_url", "image_url": "https://x.example/a.png"}, LINK),
        (
            {"type": "text", "text": "t", "extras": {"prompt_cache_breakpoint": {"mode": "x"}}},
            {"type": "text", "text": "t", "prompt_cache_breakpoint": {"mode": "x"}},
        ),
    ],
    ids=lambda value: value["type"],
)
def test_blocks_of_langchain_have_their_form(block, expected):
    """Text files go as text, videos as gateways take them, and marks for the prompt cache are kept."""
    assert part_of(block) == expected


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "input_text", "text": "t"}, text("t")),
        ({"type": "output_text", "text": "t", "annotations": []}, text("t")),
        ({"type": "input_image", "image_url": "https://x.example/a.png"}, LINK),
        ({"type": "input_file", "file_id": "file-1"}, {"type": "file", "file": {"file_id": "file-1"}}),
        ({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": DATA}}, PDF),
        ({"type": "document", "source": {"type": "text", "data": "t"}, "title": "T"}, text("T\nt")),
        ({"type": "document", "source": {"type": "content", "content": [text("a"), text("b")]}}, text("a\nb")),
        ({"type": "document", "source": {"type": "file", "file_id": "f"}}, {"type": "file", "file": {"file_id": "f"}}),
        ({"type": "media", "mime_type": "image/png", "data": DATA}, PNG),
        ({"type": "media", "mime_type": "application/pdf", "data": DATA}, PDF),
        ({"type": "media", "mime_type": "image/png", "file_uri": "https://x.example/a.png"}, LINK),
    ],
    ids=lambda value: value["type"],
)
def test_blocks_of_other_vendors_have_their_form(block, expected):
    """What OpenAI's other API, Anthropic and Google call their blocks is known."""
    assert part_of(block) == expected


@pytest.mark.parametrize(
    ("block", "params"),
    [
        ({"type": "file", "url": "https://x.example/a.pdf"}, "base64="),
        ({"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}}, "base64="),
        ({"type": "text-plain", "url": "https://x.example/a.txt"}, "text="),
        ({"type": "image", "base64": DATA}, "mime_type"),
        ({"type": "file", "base64": DATA}, "mime_type"),
        ({"type": "image", "file_id": "file-1"}, "image"),
        ({"type": "audio", "url": "https://x.example/a.wav"}, "base64"),
        ({"type": "text"}, "text"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else None,
)
def test_what_has_no_form_is_refused_with_advice(block, params):
    """A block the endpoint cannot take is an invalid request before sending, which says what to pass instead."""
    with pytest.raises(InvalidRequestError, match=params):
        part_of(block)


def test_the_message_at_fault_is_named():
    """A block that cannot be sent is refused with the place of its message in the conversation."""
    with pytest.raises(InvalidRequestError, match=r"^messages\[1\]: .*base64="):
        to_wire([HumanMessage("Hello"), HumanMessage([{"type": "file", "url": "https://x.example/a.pdf"}])])


def test_empty_texts_are_no_parts():
    """Anthropic's models refuse empty texts: they stay behind beside other parts."""
    assert to_wire([HumanMessage([text(""), LINK, ""])])[0]["content"] == [LINK]


def test_tool_results_in_a_users_content_are_messages_of_their_own():
    """Anthropic's form of a tool's answer becomes a tool message; the rest of the content stays the user's."""
    call = {"type": "tool_use", "id": "call_1", "name": "add", "input": {"a": 1}}
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": [text("2")]}
    sent = to_wire([HumanMessage("1 and 1?"), AIMessage([call]), HumanMessage([result, text("So?")])])
    assert [each["role"] for each in sent] == ["user", "assistant", "tool", "user"]
    assert sent[1]["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a": 1}'}
    assert sent[2] == {"role": "tool", "content": [text("2")], "tool_call_id": "call_1"}
    assert sent[3]["content"] == [text("So?")]


@pytest.mark.parametrize("kind", [HumanMessage, AIMessage])
def test_names_are_spelt_as_the_wire_takes_them(kind):
    """Agents' names have blanks, which OpenAI refuses."""
    assert to_wire([kind("x", name="Research agent <1>")])[0]["name"] == "Research_agent_1_"


def test_a_tool_messages_images_are_sent():
    """A tool may answer with an image."""
    message = ToolMessage([{"type": "image", "base64": DATA, "mime_type": "image/png"}], tool_call_id="1")
    assert to_wire([message])[0]["content"] == [PNG]
