"""Answers that grow, as values: deltas in, items out."""

from __future__ import annotations

import base64
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.base.llms.types import AudioBlock, CitationBlock, TextBlock, ThinkingBlock, ToolCallBlock

from flash_integrations._core.completion.completion import ChatDelta, Choice, Completion
from flash_integrations._core.completion.tool_calls import ToolCall, ToolCallDelta
from flash_integrations._core.completion.usage import Usage
from flash_integrations._core.endpoints.chat.reader import ChatReader
from flash_integrations._core.endpoints.reader import AnswerContext
from flash_integrations._core.environment import Environment
from flash_integrations.llama_index._streams import Reply
from flash_integrations.llama_index._to_wire import to_response


def items_of(deltas, completion):
    """All items of a stream."""
    reply = Reply()
    return [*filter(None, map(reply.add_delta, deltas)), reply.last(completion)]


def test_items_hold_the_message_so_far_and_what_is_new():
    """The message grows, the delta is new, raw is the wire's chunk; the last item is the whole answer."""
    whole = Completion(choices=(Choice(text="Hello", finish_reason="stop"),), usage=Usage(prompt_tokens=1))
    deltas = [ChatDelta(text="Hel", raw={"n": 1}), ChatDelta(text="lo", raw={"n": 2}), ChatDelta(finish_reason="stop")]
    items = items_of(deltas, whole)
    assert [item.message.content for item in items] == ["Hel", "Hello", "Hello"]
    assert [item.delta for item in items] == ["Hel", "lo", ""]
    assert [item.raw for item in items] == [{"n": 1}, {"n": 2}, whole.as_dict()]
    assert [bool(item.additional_kwargs) for item in items] == [False, False, True]


def test_what_the_core_held_back_to_the_end_is_in_the_last_item():
    """Deltas add up to the text even when the end brings text and thinking of its own."""
    whole = Completion(choices=(Choice(text="a\ufffd", reasoning="b\ufffd", finish_reason="stop"),))
    deltas = [ChatDelta(text="a", reasoning="b"), ChatDelta(text="\ufffd", reasoning="\ufffd", finish_reason="stop")]
    items = items_of(deltas, whole)
    assert "".join(item.delta for item in items) == "a\ufffd" == items[-1].message.content
    assert [item.additional_kwargs["thinking_delta"] for item in items] == ["b", "\ufffd"]


def test_thinking_grows_in_a_block_of_its_own():
    """Reasoning is a block before the text, and its new piece is the thinking_delta."""
    whole = Completion(choices=(Choice(text="x", reasoning="hmm", finish_reason="stop"),))
    deltas = [ChatDelta(reasoning="h"), ChatDelta(reasoning="mm"), ChatDelta(text="x")]
    items = items_of(deltas, whole)
    assert [item.additional_kwargs.get("thinking_delta") for item in items] == ["h", "mm", None, None]
    assert items[1].message.blocks == [ThinkingBlock(content="hmm"), TextBlock(text="")]
    assert items[2].message.blocks == [ThinkingBlock(content="hmm"), TextBlock(text="x")]


def test_tool_calls_grow_side_by_side():
    """Pieces of parallel calls add up each to its own; whole calls have parsed arguments."""
    calls = (ToolCall("c1", "f", '{"a":1}'), ToolCall("c2", "g", "{}"))
    whole = Completion(choices=(Choice(tool_calls=calls, finish_reason="tool_calls"),))
    deltas = [
        ChatDelta(tool_calls=(ToolCallDelta(0, "c1", "f", '{"a"'),)),
        ChatDelta(tool_calls=(ToolCallDelta(1, "c2", "g"), ToolCallDelta(0, arguments=":1}"))),
        ChatDelta(tool_calls=(ToolCallDelta(1, arguments="{}"),), finish_reason="tool_calls"),
    ]
    items = items_of(deltas, whole)
    assert [[block.tool_kwargs for block in item.message.blocks] for item in items] == [
        ['{"a"'],
        ['{"a":1}', {}],
        [{"a": 1}, {}],
    ]
    assert [[block.tool_name for block in item.message.blocks] for item in items] == [["f"], ["f", "g"], ["f", "g"]]
    assert all(isinstance(block, ToolCallBlock) for item in items for block in item.message.blocks)
    assert items[1].message.additional_kwargs["tool_calls"][0] == calls[0].as_dict()


def test_refusals_grow_in_additional_kwargs():
    """A refusal in pieces is there so far, and is no text."""
    whole = Completion(choices=(Choice(refusal="No.", finish_reason="stop"),))
    items = items_of([ChatDelta(refusal="No"), ChatDelta(refusal=".")], whole)
    assert [item.message.additional_kwargs["refusal"] for item in items] == ["No", "No.", "No."]
    assert [item.message.content for item in items] == ["", "", ""]


def test_logprobs_of_an_item_are_those_of_its_tokens():
    """Each item has its own tokens' logprobs, the last one all of them."""
    one, two = ({"content": [{"token": token, "logprob": -1.0}]} for token in "ab")
    both = {"content": [*one["content"], *two["content"]]}
    whole = Completion(choices=(Choice(text="ab", logprobs=both, finish_reason="stop"),))
    items = items_of([ChatDelta(text="a", logprobs=one), ChatDelta(text="b", logprobs=two)], whole)
    assert [[token[0].token for token in item.logprobs] for item in items] == [["a"], ["b"], ["a", "b"]]


def test_other_choices_are_left_to_raw():
    """Deltas of further choices give no items."""
    whole = Completion(choices=(Choice(text="a", finish_reason="stop"),))
    assert [item.delta for item in items_of([ChatDelta(1, "b"), ChatDelta(0, "a")], whole)] == ["a", ""]


# --- the wire's bytes, cut anywhere -----------------------------------------------------------------------------------

SPEECH = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(24)).decode()
CITATION = {"type": "url_citation", "url_citation": {"url": "https://host.test", "start_index": 0, "end_index": 2}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "巴黎"}'}}


def read(body, cuts=(), *, streamed):
    """The deltas and the completion of a body that comes in these pieces."""
    world = Environment(clock=lambda: 0.0, unix_time=lambda: 0.0, random=lambda: 0.0, new_id=lambda: "new")
    reading = ChatReader(AnswerContext({}, streamed=streamed, accepts_done=False, env=world))
    deltas = []
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        deltas += reading.feed(body[start:end])
    deltas += reading.close(None)
    return deltas, reading.result(retries=0)


def answer_of(choice, **top):
    """A body with one choice."""
    return {"id": "x", "created": 1, "model": "m", "choices": [{"index": 0, **choice}], **top}


def stream_of(deltas, finish):
    """The wire's bytes of a stream."""
    chunks = [answer_of({"delta": delta, "finish_reason": None}) for delta in deltas]
    chunks.append(answer_of({"delta": {}, "finish_reason": finish}))
    lines = [f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


@st.composite
def streams(draw):
    """A message of any kind, and the bytes of a stream that says it in pieces, with where they are cut."""
    pieces = st.lists(st.text(min_size=1, max_size=4), max_size=4)
    reasoning, content, refusal = draw(pieces), draw(pieces), draw(pieces)
    deltas = [{"reasoning_content": piece} for piece in reasoning] + [{"content": piece} for piece in content]
    deltas += [{"refusal": piece} for piece in refusal]
    message = {"role": "assistant", "content": "".join(content)}
    for name, texts in (("reasoning_content", reasoning), ("refusal", refusal)):
        if texts:
            message[name] = "".join(texts)
    calls = draw(st.booleans())
    if calls:
        arguments, at = CALL["function"]["arguments"], draw(st.integers(0, 13))
        head = {"index": 0, **CALL, "function": {"name": "f", "arguments": arguments[:at]}}
        deltas += [{"tool_calls": [head]}, {"tool_calls": [{"index": 0, "function": {"arguments": arguments[at:]}}]}]
        message["tool_calls"] = [CALL]
    if draw(st.booleans()):
        deltas.append({"annotations": [CITATION]})
        message["annotations"] = [CITATION]
    if draw(st.booleans()):
        # Each piece of sound is base64 of its own.
        deltas += [{"audio": {"id": "a1", "data": SPEECH[:16]}}, {"audio": {"data": SPEECH[16:], "transcript": "hi"}}]
        message["audio"] = {"id": "a1", "data": SPEECH, "transcript": "hi"}
    finish = "tool_calls" if calls else "stop"
    body = stream_of([{"role": "assistant"}, *deltas], finish)
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=5)))
    return answer_of({"message": message, "finish_reason": finish}), body, cuts


@settings(max_examples=300, deadline=None)
@given(streams())
def test_however_it_is_cut_a_stream_is_the_whole_answer_bit_by_bit(case):
    """The deltas add up to the text of every item so far, and the last item is the message that a plain call gives."""
    plain, body, cuts = case
    items = items_of(*read(body, cuts, streamed=True))
    whole = to_response(read(json.dumps(plain).encode(), streamed=False)[1])
    text = ""
    for item in items:
        text += item.delta
        assert (item.message.content or "") == text
    thoughts = [block.content for block in items[-1].message.blocks if isinstance(block, ThinkingBlock)]
    assert "".join(item.additional_kwargs.get("thinking_delta", "") for item in items) == "".join(thoughts)
    assert items[-1].message == whole.message
    assert items[-1].raw == whole.raw


def test_sound_and_sources_are_in_the_last_item():
    """What is whole only in the end, a spoken answer and its citations, comes as blocks of the last item."""
    deltas = [{"content": "Hi"}, {"audio": {"id": "a1", "data": SPEECH[:16]}}, {"audio": {"data": SPEECH[16:]}}]
    items = items_of(*read(stream_of([*deltas, {"annotations": [CITATION]}], "stop"), streamed=True))
    text, citation, sound = items[-1].message.blocks
    assert (text.text, citation.cited_content.text) == ("Hi", "Hi")
    assert isinstance(citation, CitationBlock)
    assert isinstance(sound, AudioBlock)
    assert (sound.format, sound.resolve_audio().read()) == ("wav", base64.b64decode(SPEECH))
    assert items[-1].message.additional_kwargs["audio"] == {"id": "a1"}
