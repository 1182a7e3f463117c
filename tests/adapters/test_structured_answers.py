"""The JSON in an answer."""

import pytest

from flash_integrations._adapters.structured_answers import cut_reason, find_json

OBJECT = '{"a": "x{y}", "b": [1]}'


@pytest.mark.parametrize(
    "text",
    [
        OBJECT,
        f"\n {OBJECT}\n",
        f"```json\n{OBJECT}\n```",
        f"```\n{OBJECT}\n```",
        f"Here you are:\n```json\n{OBJECT}\n```\nAnything else?",
        f"<think>Maybe {{}}?\n</think>\n\n{OBJECT}",
        f"<think>so</think>```json\n{OBJECT}\n```",
        f"Sure [1], with {{braces}}: {OBJECT} Hope it helps.",
        f"{OBJECT}\nThat is all.",
    ],
)
def test_the_json_is_found_in_what_stands_around_it(text):
    """Fences, thoughts and prose are left off."""
    assert find_json(text) == OBJECT


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": "b', '{"a": "b'),
        ('```json\n{"a": "b', '{"a": "b'),
        ('<think>so</think>\n{"a": [', '{"a": ['),
        ("<think>still at it {", ""),
        ('Sure: {"a": ', '{"a":'),
        ("no object here", "no object here"),
        ("[1, 2] and more", "[1, 2]"),
        ("", ""),
    ],
)
def test_what_is_unfinished_or_no_json_comes_as_it_is(text, found):
    """The beginning of a stream is read alike."""
    assert find_json(text).strip() == found


def test_code_in_a_value_is_no_fence():
    """A fence inside a JSON string belongs to it."""
    text = '{"code": "```python\\n{}\\n```"}'
    assert find_json(text) == text


@pytest.mark.parametrize(
    ("reason", "params"), [("length", "raise max_tokens"), ("content_filter", "filter"), ("stop", None), (None, None)]
)
def test_an_answer_that_was_cut_says_how(reason, params):
    """And what to do about it."""
    told = cut_reason(reason)
    assert told is None if params is None else params in told
