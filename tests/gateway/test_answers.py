"""The form of answers: streams, whole answers, and that both say the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations.testing import Answer
from flash_integrations.testing._scripted_model.text import tokens

WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def summed(chunks, index=0):
    """A stream's choice, put together again: message, finish reason, logprobs."""
    message, calls, finish, logprobs = {"content": None}, {}, None, []
    for choice in (choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == index):
        delta, finish = choice["delta"], choice["finish_reason"] or finish
        for name in ("content", "reasoning_content", "refusal"):
            if delta.get(name) is not None:
                message[name] = (message.get(name) or "") + delta[name]
        for call in delta.get("tool_calls", []):
            whole = calls.setdefault(call["index"], {"function": {"name": "", "arguments": ""}})
            whole |= {name: call[name] for name in ("id", "type") if name in call}
            for name, text in call["function"].items():
                whole["function"][name] += text
        logprobs += (choice["logprobs"] or {"content": []})["content"]
    if calls:
        message["tool_calls"] = list(calls.values())
    return message, finish, logprobs


def test_a_stream_is_a_role_tokens_a_finish_and_done(gateway, call):
    """The chunks come in the documented order, each token on its own."""
    gateway.script("你好 there")
    events = call.events()
    assert events.pop() == "[DONE]"
    choices = [json.loads(event)["choices"][0] for event in events]
    assert [choice["delta"] for choice in choices] == [
        {"role": "assistant", "content": ""},
        {"content": "你"},
        {"content": "好"},
        {"content": " there"},
        {},
    ]
    assert [choice["finish_reason"] for choice in choices] == [None] * 4 + ["stop"]


def test_usage_comes_in_its_own_chunk_when_asked_for(gateway, call):
    """With ``include_usage`` the last chunk has no choices and the usage; without it no chunk speaks of usage."""
    asked = call.chunks(stream_options={"include_usage": True})
    assert asked[-1]["choices"] == []
    assert asked[-1]["usage"]["completion_tokens"] == len(asked) - 3
    assert all(chunk["usage"] is None for chunk in asked[:-1])
    assert not any("usage" in chunk for chunk in call.chunks())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"stop": "gateway"},
        {"stop": ["zzz", " no"], "max_tokens": 50},
        {"max_tokens": 3},
        {"max_completion_tokens": 1},
        {"logprobs": True, "top_logprobs": 2},
        {"n": 3},
        {"tools": [WEATHER]},
        {"tools": [WEATHER], "max_tokens": 3},
        {"response_format": {"type": "json_object"}, "seed": 1},
    ],
)
def test_a_stream_says_what_the_plain_answer_says(call, body):
    """Content, tool calls with their ids, finish reason, logprobs and usage are those of the plain answer."""
    text = "What is the weather in Paris?"
    plain = call.chat(text, **body).json()
    chunks = call.chunks(text, model="claude-sonnet-4-6", stream_options={"include_usage": True}, **body)
    assert len(plain["choices"]) == body.get("n", 1)
    for choice in plain["choices"]:
        message, finish, logprobs = summed(chunks, choice["index"])
        assert {"role": "assistant", **message} == choice["message"]
        assert finish == choice["finish_reason"]
        assert logprobs == (choice["logprobs"] or {"content": []})["content"]
    assert chunks[-1]["usage"] == plain["usage"]


def test_a_scripted_answer_says_all_it_was_given(gateway, call):
    """Reasoning, text, refusal, tool calls, finish reason and usage of a script arrive in both forms."""
    answer = Answer(
        "Hm.",
        tool_calls=[("f", {"a": "巴黎"}), ("g", '{"broken')],
        reasoning="I think",
        refusal="No.",
        finish_reason="stop",
        usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    )
    gateway.script(answer, answer)
    plain = call.chat().json()
    message, finish, _ = summed(call.chunks())
    assert {"role": "assistant", **message} == plain["choices"][0]["message"]
    assert (message["reasoning_content"], message["refusal"], finish) == ("I think", "No.", "stop")
    calls = [call["function"] for call in message["tool_calls"]]
    assert calls == [{"name": "f", "arguments": '{"a": "巴黎"}'}, {"name": "g", "arguments": '{"broken'}]
    assert plain["usage"]["total_tokens"] == 3


def test_a_script_is_given_in_order_and_then_the_model_answers(gateway, call):
    """Scripted answers are used once each; afterwards the scripted model speaks again."""
    gateway.script("one", Answer(pieces=["tw", "o"]))
    assert call.message()["content"] == "one"
    assert [delta.get("content") for delta in [c["choices"][0]["delta"] for c in call.chunks()]] == [
        "",
        "tw",
        "o",
        None,
    ]
    assert "scripted model" in call.message()["content"]


def test_choices_take_turns_in_a_stream(gateway, call):
    """With ``n`` the tokens of the choices are interleaved, each under its index."""
    gateway.script(Answer(choices=[Answer("a b"), Answer("c d")]))
    chunks = call.chunks(n=2)
    said = [
        (choice["index"], text) for c in chunks for choice in c["choices"] if (text := choice["delta"].get("content"))
    ]
    assert said == [(0, "a"), (1, "c"), (0, " b"), (1, " d")]


def test_logprobs_are_those_asked_for(gateway, call):
    """Each content token has its own logprob and bytes, and as many rivals as were asked for, itself the first."""
    gateway.script("é b")
    rows = call.chat(logprobs=True, top_logprobs=3).json()["choices"][0]["logprobs"]["content"]
    assert [row["token"] for row in rows] == ["é", " b"]
    assert rows[0]["bytes"] == [0xC3, 0xA9]
    for row in rows:
        assert row["top_logprobs"][0]["token"] == row["token"]
        assert len(row["top_logprobs"]) == 3
        assert sorted(row["top_logprobs"], key=lambda top: -top["logprob"]) == row["top_logprobs"]


def test_half_a_surrogate_pair_does_not_break_an_answer(call):
    """Text that UTF-8 cannot carry comes back with a question mark in its place."""
    response = call.http.post(
        "/chat/completions",
        content=b'{"model":"claude-sonnet-4-6","messages":[{"role":"user","content":"a \\ud83d b"}]}',
    )
    assert "a ? b" in response.json()["choices"][0]["message"]["content"]


@given(st.text())
def test_tokens_join_to_the_text(text):
    """Nothing is lost or added between tokens, and no token is empty."""
    assert "".join(tokens(text)) == text
    assert all(tokens(text))
