"""Q17: images of tool results and earlier answers, for gateways that take them from users alone."""

from __future__ import annotations

import pytest

from flash_integrations._core.endpoints.chat.request import chat_call
from flash_integrations._core.failures.error_mapping import refusal
from flash_integrations._core.flow import wire_request
from flash_integrations._core.policy.call_policy import CallPolicy
from flash_integrations._core.policy.past_answer_texts import USER_IMAGES_ONLY
from flash_integrations._core.policy.quirks import learn_quirk


def text(words):
    """A part of text."""
    return {"type": "text", "text": words}


def image(name):
    """A part with an image."""
    return {"type": "image_url", "image_url": {"url": f"https://x.test/{name}.png"}}


def call(call_id):
    """A tool call."""
    return {"id": call_id, "type": "function", "function": {"name": "look", "arguments": "{}"}}


USER = {"role": "user", "content": "look"}
CALLED = {"role": "assistant", "content": None, "tool_calls": [call("a"), call("b")]}


def result(call_id, content):
    """A tool's result."""
    return {"role": "tool", "tool_call_id": call_id, "content": content}


HISTORY = [USER, CALLED, result("a", [text("one"), image("1")]), result("b", [image("2")])]
MOVED = {
    "role": "user",
    "content": [text("From the result of a:"), image("1"), text("From the result of b:"), image("2")],
}


def sent(*messages, facts=None):
    """The request for a conversation."""
    return wire_request(chat_call("m", [*messages], {}), CallPolicy("https://g.test/v1"), facts or {})


def again(*messages):
    """The messages as they go out once the refusal is known."""
    return sent(*messages, facts={"images": "user"}).body["messages"]


@pytest.mark.parametrize("row", USER_IMAGES_ONLY.rows, ids=lambda row: row.example[:40])
def test_a_refusal_of_images_outside_users_messages_is_learned(row):
    """By each vendor's words, and only where the request has some."""
    error = refusal(400, {}, {"error": {"message": row.example}}, now=0.0)
    assert learn_quirk(sent(*HISTORY), error) == ("images", "user")
    assert learn_quirk(sent({"role": "user", "content": [image("1")]}), error) is None


def test_images_of_results_follow_the_last_result():
    """Each call needs its result next; a result that was nothing but an image says where it went."""
    assert again(*HISTORY) == [
        USER,
        CALLED,
        result("a", "one"),
        result("b", "(shown in the next user message)"),
        MOVED,
    ]


def test_images_stand_before_the_next_answer():
    """In the turn they belong to."""
    answer = {"role": "assistant", "content": "two cats"}
    assert again(*HISTORY, answer)[4:] == [MOVED, answer]


def test_images_join_the_user_message_that_follows():
    """Some templates want the roles to take turns."""
    assert again(*HISTORY, {"role": "user", "content": "and now?"})[4:] == [
        {"role": "user", "content": [*MOVED["content"], text("and now?")]}
    ]
    assert again(*HISTORY, {"role": "user", "content": [image("3")]})[-1]["content"][-1] == image("3")


def test_an_image_the_model_made_is_moved():
    """OpenAI refuses images in an assistant's message, too (openai-node#1030)."""
    made = {"role": "assistant", "content": [text("Here."), image("1")]}
    assert again(USER, made, {"role": "user", "content": "bigger"})[1:] == [
        {"role": "assistant", "content": "Here."},
        {"role": "user", "content": [text("From your answer:"), image("1"), text("bigger")]},
    ]


def test_a_call_beside_an_image_keeps_its_result_next():
    """The image waits until the results are through."""
    made = {**CALLED, "content": [image("0")], "tool_calls": [call("a")]}
    bodies = again(USER, made, result("a", "done"))
    assert [body["role"] for body in bodies] == ["user", "assistant", "tool", "user"]
    assert bodies[3]["content"] == [text("From your answer:"), image("0")]


def test_the_callers_own_messages_are_left_alone():
    """What is moved is moved in copies."""
    before = repr(HISTORY)
    again(*HISTORY)
    assert repr(HISTORY) == before


def test_conversations_without_images_go_out_as_they_are():
    """The fact changes nothing else; parts with marks stay parts."""
    marked = {"role": "system", "content": [{**text("hi"), "cache_control": {"type": "ephemeral"}}]}
    plain = [marked, USER, CALLED, result("a", "1"), result("b", "2")]
    assert again(*plain) == plain
