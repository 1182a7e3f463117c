"""Requests as data, checked before anything is sent (SPEC 4)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.endpoints.call import Call
from flash_integrations._core.endpoints.chat.reader import ChatReader
from flash_integrations._core.endpoints.chat.request import CHAT_PATH, CHECKS, chat_call
from flash_integrations._core.endpoints.reader import AnswerContext
from flash_integrations._core.environment import Environment
from flash_integrations.errors import InvalidRequestError

ENV = Environment(clock=float, unix_time=float, random=float, new_id=str)
HI = [{"role": "user", "content": "Hi"}]
TOOL = {"type": "function", "function": {"name": "f"}}


def call(model="gpt-5.2", messages=HI, *, stream=False, disabled=(), **params):
    """A chat call."""
    return chat_call(model, messages, params, stream=stream, disabled=disabled)


def sent(model="gpt-5.2", *, disabled=(), **params):
    """The parameters that a call sends, beside model and messages."""
    body = call(model, disabled=disabled, **params).body
    return {key: value for key, value in body.items() if key not in ("model", "messages")}


def test_a_call_says_what_is_asked():
    """Model, messages and path are there; how it travels is not."""
    asked = call()
    assert asked == Call(CHAT_PATH, asked.reader, {"model": "gpt-5.2", "messages": HI}, "gpt-5.2", may_stream=True)
    assert isinstance(asked.reader(AnswerContext({}, streamed=True, accepts_done=False, env=ENV)), ChatReader)


TAKEN = {
    "temperature": [0, 2, 0.5, 1.0],
    "top_p": [0, 1, 0.5],
    "frequency_penalty": [-2, 2, 0],
    "presence_penalty": [-2, 2, 0.1],
    "max_tokens": [1, 10**9],
    "max_completion_tokens": [1],
    "n": [1, 128],
    "seed": [0, -1, 2**63],
    "stop": ["x", ["a"], ["a", "b", "c", "d"], ("a",)],
    "tools": [[TOOL], [TOOL] * 128],
    "tool_choice": ["none", "auto", "required", {"type": "function", "function": {"name": "f"}}],
    "metadata": [{str(key): "x" for key in range(16)}, {"k" * 64: "v" * 512}],
    "user": ["u"],
    "reasoning_effort": ["low", "minimal", "a new word"],
    "verbosity": ["low"],
    "service_tier": ["flex", "a new word"],
    "store": [True, False],
    "parallel_tool_calls": [True, False],
    "logprobs": [True, False],
    "response_format": [{"type": "json_object"}],
    "logit_bias": [{"50256": -100}],
    "web_search_options": [{"search_context_size": "low"}],
    "modalities": [["text", "audio"], ("text",)],
    "prediction": [{"type": "content", "content": "x"}],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in TAKEN.items() for value in values])
def test_values_within_their_bounds_are_sent_as_they_are(name, value):
    """Bounds themselves are within; words of open lists go out unchecked."""
    assert sent(**{name: value}) == {name: value}


JUST_ABOVE_2 = 2.0000001
REFUSED = {
    "temperature": [-0.1, JUST_ABOVE_2, "1", True, float("nan"), float("inf"), [1]],
    "top_p": [-0.1, 1.0001, "1", False],
    "frequency_penalty": [-2.1, JUST_ABOVE_2, "0"],
    "presence_penalty": [-2.1, JUST_ABOVE_2, "0"],
    "max_tokens": [0, -1, 1.5, "5", True],
    "max_completion_tokens": [0, 2.0],
    "n": [0, 129, 1.0, True],
    "seed": [1.5, "1", True],
    "stop": [["a"] * 5, 5, ["a", 5], b"x"],
    "tools": [[TOOL] * 129, TOOL, ["f"], "f"],
    "tool_choice": [5, True, ["f"]],
    "metadata": [{str(key): "x" for key in range(17)}, {"k" * 65: "v"}, {"k": "v" * 513}, {"k": 5}, {5: "v"}, "x"],
    "user": [5],
    "reasoning_effort": [5, True],
    "verbosity": [5],
    "service_tier": [5],
    "store": ["true", 1],
    "parallel_tool_calls": [0],
    "logprobs": [5],
    "top_logprobs": [-1, 21, 1.5, "5", True],
    "response_format": ["json", str],
    "audio": ["alloy"],
    "logit_bias": [[1]],
    "web_search_options": [True],
    "modalities": ["text"],
    "prediction": ["x"],
    "stream_options": [True],
    "extra_body": ["x"],
    "extra_headers": ["x"],
    "extra_query": ["x"],
    "send_reasoning": ["yes", 1],
    "split_think_tags": ["<think>", 0],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_values_beyond_their_bounds_are_refused_by_name(name, value):
    """Wrong types and values out of bounds are refused before anything is sent; the message names the parameter."""
    with pytest.raises(InvalidRequestError, match=name):
        sent(**{name: value})


def test_every_parameter_has_a_value_that_is_refused():
    """No parameter of the table goes out unchecked."""
    assert REFUSED.keys() == CHECKS.keys()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"temperature": 2.5}, "temperature must be from 0 to 2, not 2.5"),
        ({"temperature": "hot"}, "temperature must be a number from 0 to 2, not 'hot'"),
        ({"n": 129}, "n must be an int from 1 to 128, not 129"),
        ({"max_tokens": 0}, "max_tokens must be an int of at least 1, not 0"),
        ({"stop": ["a"] * 5}, "stop takes at most 4 strings, not 5"),
        ({"tools": [TOOL] * 129}, "tools takes at most 128 tools, not 129"),
        ({"top_logprobs": 3}, "top_logprobs needs logprobs=True"),
    ],
)
def test_a_refusal_names_parameter_value_and_bound(params, message):
    """The message says what is wrong, and what would be right."""
    with pytest.raises(InvalidRequestError) as caught:
        sent(**params)
    assert str(caught.value) == message


def test_a_refusal_is_a_value_error_and_short():
    """Callers may catch ValueError; a prompt or an image is not poured into the message."""
    with pytest.raises(ValueError, match="messages") as caught:
        call(messages="x" * 10_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", [None, [], (), {}])
def test_what_is_not_set_is_not_sent(value):
    """No nulls, no empty lists, no defaults."""
    assert sent(**dict.fromkeys(CHECKS, value)) == {}


@pytest.mark.parametrize(
    "params", [{"temperature": 0}, {"store": False}, {"logprobs": True, "top_logprobs": 0}, {"seed": 0}]
)
def test_zero_and_false_are_values(params):
    """What was set to 0 or False is sent."""
    assert sent(**params) == params


# --- parameters together --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 20])
def test_top_logprobs_goes_with_logprobs(count):
    """top_logprobs is sent beside logprobs=True."""
    assert sent(logprobs=True, top_logprobs=count) == {"logprobs": True, "top_logprobs": count}


@pytest.mark.parametrize("params", [{}, {"logprobs": False}, {"logprobs": None}])
def test_top_logprobs_without_logprobs_is_refused(params):
    """Whether left out or set to False."""
    with pytest.raises(InvalidRequestError, match="needs logprobs=True"):
        sent(top_logprobs=0, **params)


def test_audio_goes_with_its_modality():
    """It is sent where modalities ask for it, and refused where they do not."""
    params = {"audio": {"voice": "a new voice", "format": "wav"}, "modalities": ["text", "audio"]}
    assert sent(**params) == params
    for modalities in (None, ["text"]):
        with pytest.raises(InvalidRequestError, match="audio needs modalities"):
            sent(audio=params["audio"], modalities=modalities)


@pytest.mark.parametrize("model", ["o3", "o4-mini", "o3-2025-04-16", "openai/o4-mini-2025-04-16"])
def test_stop_is_refused_for_models_that_take_none(model):
    """o3 and o4-mini, dated forms too; disabled_params lets the rest of a shared set-up through."""
    with pytest.raises(InvalidRequestError, match="stop is not taken"):
        sent(model, stop="x")
    assert sent(model, stop="x", disabled={"stop"}) == {}
    assert sent(model, stop=[]) == {}


@pytest.mark.parametrize("model", ["o1", "o3", "openai/o4-mini"])
def test_o_series_get_max_completion_tokens(model):
    """For o-series max_tokens goes out under its new name; the new name said by the user stands."""
    assert sent(model, max_tokens=5) == {"max_completion_tokens": 5}
    assert sent(model, max_tokens=5, max_completion_tokens=7) == {"max_completion_tokens": 7}
    assert sent(model, max_tokens=5, disabled={"max_completion_tokens"}) == {}
    assert sent(model, max_tokens=5, disabled={"max_tokens"}) == {}


def test_other_models_get_what_was_said():
    """Neither name is changed for any other model."""
    assert sent(max_tokens=5, max_completion_tokens=7) == {"max_tokens": 5, "max_completion_tokens": 7}


def test_disabled_parameters_are_never_sent():
    """Nor are they checked."""
    assert sent(temperature="hot", seed=1, disabled=["temperature"]) == {"seed": 1}


# --- what else goes with a call -------------------------------------------------------------------------------------


def test_the_stream_flags_are_no_part_of_the_body():
    """Whether the wire is streamed is not the body's to say, wherever it was said."""
    for params in ({"stream": True}, {"stream": False}, {"extra_body": {"stream": True}}):
        asked = chat_call("m", HI, params)
        assert (asked.stream, "stream" in asked.body) == (False, False)
    assert call(stream=True).stream is True


@pytest.mark.parametrize("params", [{"stream_options": {"a": 1}}, {"extra_body": {"stream_options": {"a": 1}}}])
def test_stream_options_are_kept_beside_the_body(params):
    """They are laid beside include_usage when the wire is streamed."""
    asked = call(**params)
    assert (asked.stream_options, "stream_options" in asked.body) == ({"a": 1}, False)


def test_stream_options_that_are_none_are_none():
    """extra_body is never checked, and breaks nothing."""
    assert call(extra_body={"stream_options": True}).stream_options == {}


def test_extra_body_is_laid_over_unchecked():
    """A gateway's own parameters go out as they are, over what else was said."""
    asked = call(temperature=1, extra_body={"temperature": 99, "top_k": None, "enable_thinking": False, "model": "x"})
    assert asked.body == {"model": "x", "messages": HI, "temperature": 99, "top_k": None, "enable_thinking": False}
    assert asked.model == "x"


def test_headers_and_query_go_with_the_call():
    """They are the call's alone, and no part of its body."""
    asked = call(extra_headers={"X-A": "1"}, extra_query={"q": 1})
    assert (asked.headers, asked.query, asked.body.keys()) == ({"X-A": "1"}, {"q": 1}, {"model", "messages"})


def test_unknown_parameters_go_out():
    """What is like no known name is a gateway's own."""
    assert sent(top_k=5, enable_thinking=True, repetition_penalty=1.1) == {
        "top_k": 5,
        "enable_thinking": True,
        "repetition_penalty": 1.1,
    }


@pytest.mark.parametrize(
    ("word", "meant"), [("temprature", "temperature"), ("max_token", "max_tokens"), ("stops", "stop")]
)
def test_a_misspelt_parameter_is_named(word, meant):
    """A word that is nearly a known one is refused with that one's name."""
    with pytest.raises(InvalidRequestError, match=f"{word!r}: did you mean {meant!r}"):
        sent(**{word: 1})


# --- model and messages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [None, "", 5, b"gpt"])
def test_a_call_needs_a_model(model):
    """The model is a text."""
    with pytest.raises(InvalidRequestError, match="model"):
        call(model)


@pytest.mark.parametrize(
    ("messages", "named"),
    [
        (None, "messages must be a list"),
        ([], "messages must be a list of at least one"),
        ("Hi", "messages must be a list"),
        ({"role": "user"}, "messages must be a list"),
        (["Hi"], r"messages\[0\]"),
        ([*HI, {"content": "x"}], r"messages\[1\]"),
        ([{"role": 5}], r"messages\[0\]"),
        ([{"role": "user", "content": 5}], r"messages\[0\]\.content"),
        ([{"role": "user", "content": {"type": "text"}}], r"messages\[0\]\.content"),
    ],
)
def test_messages_that_are_none_are_refused_by_position(messages, named):
    """At least one message, each with a role and a content that can be one."""
    with pytest.raises(InvalidRequestError, match=named):
        call(messages=messages)


@pytest.mark.parametrize("role", ["developer", "system", "user", "assistant", "tool", "function"])
def test_every_role_goes_out_as_it_is(role):
    """Nothing is renamed: system stays system."""
    message = {"role": role, "content": "x", "name": "n", "tool_call_id": "t"}
    assert call(messages=[message]).body["messages"] == [message]


IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}
TEXT = {"type": "text", "text": "a"}
CACHED = {**TEXT, "cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    ("content", "out"),
    [
        ([TEXT], "a"),
        ([TEXT, TEXT, "b"], "aab"),
        ((TEXT,), "a"),
        ([], ""),
        ("a", "a"),
        (None, None),
        ([TEXT, IMAGE], [TEXT, IMAGE]),
        (["a", IMAGE], [TEXT, IMAGE]),
        ([CACHED], [CACHED]),
        ([{"type": "text", "text": None}], [{"type": "text", "text": None}]),
        ([{"type": "input_audio"}], [{"type": "input_audio"}]),
    ],
)
def test_text_only_content_is_one_text(content, out):
    """Q4: lists go out only where something is in them that is no text."""
    assert call(messages=[{"role": "user", "content": content}]).body["messages"][0]["content"] == out


def test_the_callers_objects_are_left_alone():
    """A call is made of copies: nothing of it shows in what was given."""
    messages = [{"role": "user", "content": [TEXT]}]
    params = {"extra_body": {"stream": True}, "max_tokens": 5}
    before = json.dumps([messages, params])
    chat_call("o3", messages, params).body["messages"][0]["role"] = "x"
    assert json.dumps([messages, params]) == before


@given(
    st.dictionaries(st.sampled_from(sorted(CHECKS)), st.none() | st.integers() | st.text() | st.lists(st.integers()))
)
def test_any_values_are_taken_or_refused(params):
    """Nothing but InvalidRequestError comes of any values."""
    try:
        asked = chat_call("m", HI, params)
    except InvalidRequestError:
        return
    assert asked.body["model"] == "m"
