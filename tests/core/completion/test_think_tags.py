"""R10: reasoning between tags in the content, told apart however the content is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.completion.accumulator import Accumulator
from flash_integrations._core.completion.think_tags import ThinkTags
from flash_integrations._core.endpoints.chat.chunks import read_chunk


def split(*pieces):
    """The text and the reasoning of a content in pieces."""
    tags = ThinkTags()
    told = [*(tags.split(piece) for piece in pieces), tags.flush()]
    return "".join(text for text, _ in told), "".join(reasoning for _, reasoning in told)


CONTENTS = {
    "as Qwen sends it": ("<think>\nplan\n</think>\n\nanswer\n", "answer\n", "plan"),
    "no opening tag": ("plan\nit</think>\n\nanswer", "answer", "plan\nit"),
    "text before": ("Hm. <think>plan</think> So.", "Hm.  So.", "plan"),
    "blank before": ("\n <think>plan</think>answer", "answer", "plan"),
    "not closed": ("<think>plan", "", "plan"),
    "not closed behind text": ("so <think>plan", "so ", "plan"),
    "nothing in it": ("<think>\n\n</think>\n\nanswer", "answer", ""),
    "no tags": (" answer \n", " answer \n", ""),
    "thinking": ("<thinking>plan</thinking>answer", "answer", "plan"),
    "thought": ("<thought>\r\nplan\r\n</thought>\r\nanswer", "answer", "plan"),
    "another tag within": ("<think>a </thinking> b</think>c", "c", "a </thinking> b"),
    "two blocks": ("<think>a</think>b<think>c</think>d", "bd", "a\nc"),
    "half a tag at the end": ("<think>a</think>b </thi", "b </thi", "a"),
    "half a closing tag at the end": ("<think>a</thi", "", "a</thi"),
    "signs like tags": ("1 < 2 <b>", "1 < 2 <b>", ""),
    "spoken of": ("Write `<think>` first.", "Write `<think>` first.", ""),
    "a closing tag in the answer": ("<think>a</think>b</think>", "b</think>", "a"),
}


@pytest.mark.parametrize(("content", "text", "reasoning"), CONTENTS.values(), ids=CONTENTS)
def test_reasoning_between_tags_is_told_apart(content, text, reasoning):
    """Tags vanish with the line breaks around the reasoning; what is no tag stays as it is."""
    assert split(content) == (text, reasoning)


@pytest.mark.parametrize(("content", "text", "reasoning"), CONTENTS.values(), ids=CONTENTS)
def test_a_content_cut_at_any_two_places_is_told_the_same(content, text, reasoning):
    """Tags may be cut across pieces."""
    for one in range(len(content) + 1):
        for other in range(one, len(content) + 1):
            assert split(content[:one], content[one:other], content[other:]) == (text, reasoning)


PIECES = ["<think>", "</think>", "<thinking>", "</thought>", "<", "</th", "\n", " ", "a", "`", "\r\n"]


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.data())
def test_any_content_is_told_the_same_in_one_and_in_pieces(pieces, data):
    """Whatever stands in it."""
    content = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    cut = [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    assert split(*cut) == split(*pieces) == split(content)


def test_reasoning_and_answer_are_told_as_they_come():
    """Behind a tag nothing is held back but what may be the beginning of the next."""
    tags = ThinkTags()
    pieces = ["<think>", "pl", "an\n", "</thi", "nk>", "\nan", "swer <", "b>"]
    assert [tags.split(piece) for piece in pieces] == [
        ("", ""),
        ("", "pl"),
        ("", "an"),
        ("", ""),
        ("", ""),
        ("an", ""),
        ("swer ", ""),
        ("<b>", ""),
    ]


def body(content, finish=None, **fields):
    """A chunk of one choice, read."""
    choice = {"index": 0, "delta": {"content": content, **fields}, "finish_reason": finish}
    return read_chunk({"id": "c", "model": "m", "choices": [choice]})


def whole(message):
    """A plain answer, read."""
    return read_chunk({"id": "c", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


def add_up(*chunks, on=True):
    """(the deltas, the choice) of these chunks."""
    answer = Accumulator(new_id=str, split_think_tags=on)
    deltas = [delta for chunk in chunks for delta in answer.add_chunk(chunk)] + answer.finish()
    return deltas, answer.result().choices[0]


@pytest.mark.parametrize(("content", "text", "reasoning"), CONTENTS.values(), ids=CONTENTS)
def test_deltas_completion_and_plain_answer_agree(content, text, reasoning):
    """The sum of the deltas is the completion, and that is the plain answer."""
    deltas, streamed = add_up(*map(body, content), body("", "stop"))
    _, plain = add_up(whole({"role": "assistant", "content": content}))
    assert (streamed.text, streamed.reasoning) == (text, reasoning)
    assert streamed == plain
    assert "".join(delta.text for delta in deltas) == text
    assert "".join(delta.reasoning for delta in deltas) == reasoning


def test_without_the_switch_tags_are_text():
    """Off by default."""
    assert add_up(body("<think>a</think>b", "stop"), on=False)[1].text == "<think>a</think>b"


def test_an_answer_that_broke_off_has_all_that_came():
    """What is held back is in the partial answer."""
    for content, text, reasoning in [("pla", "pla", ""), ("<think>a</thi", "", "a</thi")]:
        answer = Accumulator(new_id=str, split_think_tags=True)
        answer.add_chunk(body(content))
        assert (answer.result().choices[0].text, answer.result().choices[0].reasoning) == (text, reasoning)


def test_a_text_behind_reasoning_told_apart_is_not_held_back():
    """A gateway that tells reasoning in a field of its own has no tag to wait for."""
    deltas, choice = add_up(body("", reasoning_content="plan"), body("an"), body("swer", "stop"))
    assert [delta.text for delta in deltas] == ["", "an", "swer", ""]
    assert choice.reasoning == "plan"


def test_a_whole_message_after_its_pieces_is_not_told_twice():
    """Some gateways end a stream with all of it once more."""
    content = "<think>plan</think>answer"
    _, choice = add_up(body(content[:9]), body(content[9:]), whole({"role": "assistant", "content": content}))
    assert (choice.text, choice.reasoning) == ("answer", "plan")
