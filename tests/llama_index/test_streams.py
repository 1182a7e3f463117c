"""Answers that grow, as values: deltas in, items out."""

from __future__ import annotations

from llama_index.core.base.llms.types import TextBlock, ThinkingBlock, ToolCallBlock

from flash_integrations._core.completion import ChatDelta, Choice, Completion, ToolCall, ToolCallDelta, Usage
from flash_integrations.llama_index._streams import Reply


def items_of(deltas, completion):
    """All items of a stream."""
    reply = Reply()
    return [*filter(None, map(reply.add, deltas)), reply.last(completion)]


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
