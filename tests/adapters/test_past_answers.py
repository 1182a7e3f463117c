"""Earlier answers on their way back."""

from flash_integrations._adapters.past_answers import past_answer

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
LEGACY = {"name": "f", "arguments": "{}"}


def test_text_alone_is_a_message_of_text():
    """Nothing else stands beside it."""
    assert past_answer("hi", calls=[], answered=set()) == {"role": "assistant", "content": "hi"}


def test_content_is_null_where_something_else_is_said():
    """OpenAI wants null beside calls, refusals and audio."""
    said = [{"calls": [CALL]}, {"refusal": "no"}, {"audio_id": "a1"}, {"function_call": LEGACY}]
    assert [past_answer("", **{"calls": [], "answered": set(), **params})["content"] for params in said] == [None] * 4


def test_an_empty_answer_stays_an_empty_text():
    """Where nothing was said at all."""
    assert past_answer("", calls=[], answered=set())["content"] == ""


def test_a_call_in_the_older_format_goes_out_as_what_was_answered():
    """A history that answers its copy by id makes it a tool call."""
    answered = past_answer("", calls=[CALL], answered={"c1"}, function_call=LEGACY)
    open_ = past_answer("", calls=[CALL], answered=set(), function_call=LEGACY)
    assert (answered["tool_calls"], "function_call" in answered) == ([CALL], False)
    assert (open_["function_call"], "tool_calls" in open_) == (LEGACY, False)


def test_empty_fields_are_left_out():
    """Upstreams refuse null names."""
    body = past_answer("hi", calls=[], answered=set(), fields={"name": None, "reasoning_content": "so"})
    assert body == {"role": "assistant", "content": "hi", "reasoning_content": "so"}
