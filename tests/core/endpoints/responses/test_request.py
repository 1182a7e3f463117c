"""Chat bodies turned into bodies for ``/responses``."""

from __future__ import annotations

import pytest

from flash_integrations._core.endpoints.responses.request import (
    ENCRYPTED_REASONING,
    WIRE_NAMES,
    find_unsayable,
    to_responses_body,
)
from flash_integrations._core.wire import ChatParams
from flash_integrations.errors import InvalidRequestError

HI = [{"role": "user", "content": "hi"}]


def turned(messages=HI, /, *, drop_unsayable=False, **params):
    """A body with these parameters, turned."""
    return to_responses_body({"model": "m", "messages": messages, **params}, drop_unsayable=drop_unsayable)


def test_a_request_without_parameters_stores_nothing_and_asks_for_its_reasoning():
    """``store`` left out would mean 30 days."""
    user = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    assert turned() == {"model": "m", "store": False, "include": [ENCRYPTED_REASONING], "input": [user]}


@pytest.mark.parametrize(
    "params",
    [
        {"temperature": 0.5, "top_p": 0.9, "user": "u", "metadata": {"a": "b"}, "service_tier": "flex"},
        {"parallel_tool_calls": False, "prompt_cache_key": "k", "safety_identifier": "s", "stream": True},
        {"store": True},
        {"previous_response_id": "resp_1", "background": True, "truncation": "auto", "max_output_tokens": 5},
    ],
)
def test_parameters_of_the_same_name_stay(params):
    """And so does what is no chat parameter at all."""
    assert turned(**params) == {**turned(), **params}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"max_tokens": 9}, {"max_output_tokens": 9}),
        ({"max_completion_tokens": 9}, {"max_output_tokens": 9}),
        ({"reasoning_effort": "low"}, {"reasoning": {"effort": "low"}}),
        (
            {"reasoning_effort": "low", "reasoning": {"summary": "auto"}},
            {"reasoning": {"effort": "low", "summary": "auto"}},
        ),
        ({"verbosity": "low", "text": {"x": 1}}, {"text": {"verbosity": "low", "x": 1}}),
        ({"response_format": {"type": "text"}}, {"text": {"format": {"type": "text"}}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}}},
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": True}}},
        ),
        ({"logprobs": True, "top_logprobs": 2}, {"top_logprobs": 2}),
        ({"stream_options": {"include_usage": True}}, {}),
        ({"stream_options": {"include_obfuscation": False}}, {"stream_options": {"include_obfuscation": False}}),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            {"tool_choice": {"type": "function", "name": "f"}},
        ),
        (
            {"tool_choice": {"type": "custom", "custom": {"name": "c"}}},
            {"tool_choice": {"type": "custom", "name": "c"}},
        ),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
                }
            },
            {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}},
        ),
        ({"function_call": {"name": "f"}}, {"tool_choice": {"type": "function", "name": "f"}}),
        (
            {
                "web_search_options": {
                    "search_context_size": "low",
                    "user_location": {"type": "approximate", "approximate": {"country": "FR"}},
                }
            },
            {
                "tools": [
                    {
                        "type": "web_search",
                        "search_context_size": "low",
                        "user_location": {"type": "approximate", "country": "FR"},
                    }
                ]
            },
        ),
    ],
)
def test_a_parameter_has_its_place_here(params, expected):
    """Each chat parameter under the name and in the form of this wire."""
    assert {name: value for name, value in turned(**params).items() if name not in turned()} == expected


def test_include_is_added_to():
    """What we need and what the user wants, each once."""
    wanted = ["file_search_call.results", ENCRYPTED_REASONING]
    assert turned(include=wanted, logprobs=True)["include"] == [
        ENCRYPTED_REASONING,
        "message.output_text.logprobs",
        "file_search_call.results",
    ]


def test_a_functions_optional_arguments_stay_optional():
    """``strict`` left out would mean true; ``parameters`` must be there."""
    tools = [
        {"type": "function", "function": {"name": "f", "description": "d"}},
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object"}, "strict": True}},
    ]
    assert turned(tools=tools)["tools"] == [
        {
            "type": "function",
            "name": "f",
            "description": "d",
            "strict": False,
            "parameters": {"type": "object", "properties": {}},
        },
        {"type": "function", "name": "g", "parameters": {"type": "object"}, "strict": True},
    ]


def test_functions_of_the_form_before_tools_are_tools():
    """``functions`` beside the tools."""
    assert [tool["name"] for tool in turned(functions=[{"name": "f"}])["tools"]] == ["f"]


def test_custom_tools_are_flat_and_the_providers_own_stay():
    """The grammar is flat, too."""
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}
    custom = {"type": "custom", "custom": {"name": "c", "format": grammar}}
    search = {"type": "web_search", "filters": {}}
    assert turned(tools=[custom, search])["tools"] == [
        {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
        search,
    ]


SYSTEM = [{"role": "system", "content": "Be kind."}, *HI]
DEVELOPER = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]}


def test_the_system_text_is_the_instructions():
    """Codex refuses a system role."""
    assert turned(SYSTEM)["instructions"] == "Be kind."
    assert turned(SYSTEM)["input"] == turned()["input"]


@pytest.mark.parametrize("params", [{"response_format": {"type": "json_object"}}, {"instructions": "Mine."}])
def test_the_system_text_stays_in_the_input_where_it_must(params):
    """JSON mode wants its word there; and the user's own instructions take the place."""
    body = turned(SYSTEM, **params)
    assert body["input"] == [DEVELOPER, *turned()["input"]]
    assert body.get("instructions") == params.get("instructions")


def test_a_system_text_alone_is_an_input():
    """There must be one."""
    assert turned(SYSTEM[:1])["input"] == [DEVELOPER]


UNSAYABLE = {
    "n": 2,
    "stop": ["x"],
    "seed": 1,
    "logit_bias": {"1": 1},
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "prediction": {"type": "content"},
    "modalities": ["text", "audio"],
    "audio": {"voice": "x"},
}


@pytest.mark.parametrize("name", UNSAYABLE)
def test_what_cannot_be_said_is_refused_or_dropped(name):
    """The error names the parameter and the ways out."""
    params = {name: UNSAYABLE[name]}
    assert find_unsayable(params) == (name,)
    with pytest.raises(InvalidRequestError, match=f"no equivalent of {name}: .*disabled_params"):
        turned(**params)
    assert turned(drop_unsayable=True, **params) == turned()


@pytest.mark.parametrize(
    "params", [{"n": 1}, {"frequency_penalty": 0}, {"presence_penalty": 0.0}, {"modalities": ["text"]}]
)
def test_what_changes_nothing_is_left_out(params):
    """Silently."""
    assert turned(**params) == turned()


def test_every_chat_parameter_is_known_here_or_has_the_same_name():
    """A parameter whose name goes out as it is, is one that this wire has (openai-python 2.54)."""
    same = set(
        "temperature top_p user store tools tool_choice parallel_tool_calls top_logprobs service_tier metadata".split()
    )
    of_the_call = {"stream_options", "extra_body", "extra_headers", "extra_query", "send_reasoning", "split_think_tags"}
    assert ChatParams.__annotations__.keys() <= {*same, *of_the_call, *WIRE_NAMES, *UNSAYABLE}


def test_the_given_body_stays_as_it_is():
    """It is sent again on the other wire, perhaps."""
    body = {"model": "m", "messages": [*SYSTEM], "tools": [{"type": "function", "function": {"name": "f"}}]}
    copy = {"model": "m", "messages": [*SYSTEM], "tools": [{"type": "function", "function": {"name": "f"}}]}
    to_responses_body(body)
    assert body == copy


def test_messages_of_extra_body_are_checked():
    """They were laid over the checked ones."""
    with pytest.raises(InvalidRequestError, match="list of dicts"):
        turned(["hi"])
