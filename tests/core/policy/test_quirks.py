"""What refusals teach, row by row of docs/wire-quirks.md (Q1-Q13): what was sent, what was refused, what follows."""

from __future__ import annotations

import pytest

from flash_integrations._core.endpoints.chat.request import chat_call
from flash_integrations._core.failures.error_mapping import refusal
from flash_integrations._core.flow import wire_request
from flash_integrations._core.policy.call_policy import CallPolicy
from flash_integrations._core.policy.quirks import DROPPABLE, QUIRKS, learn_quirk
from flash_integrations.errors import ServerError

USER = {"role": "user", "content": "hi"}
SYSTEM = {"role": "system", "content": "Be brief."}
DEVELOPER = {"role": "developer", "content": "Be brief."}
CALLED = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {}}]}
LISTED = {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}
PICTURE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}}
NAMED = {"type": "function", "function": {"name": "f"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
JSON_MODE = {"type": "json_object"}


def call(*messages, **params):
    return chat_call("m", messages or [USER], params)


def refused(body, status=400):
    """The error a gateway's refusal is."""
    return refusal(status, {}, body, now=0.0)


def said(message, **error):
    return refused({"error": {"message": message, **error}})


def taught(asked, error, *, facts=None, **policy):
    """The fact that a refusal of a call teaches, and the body that is sent then."""
    on = CallPolicy("https://gateway.test/v1", **policy)
    sent = wire_request(asked, on, facts or {})
    fact = learn_quirk(sent, error)
    again = wire_request(asked, on, {**(facts or {}), **({fact[0]: fact[1]} if fact else {})}).body
    return fact, again


LESSON_ROWS = [
    ("Q1", call(DEVELOPER, USER), said("[1214] Incorrect role information"), ("developer", "system")),
    ("Q1", call(DEVELOPER, USER), said("messages[0].role: unknown variant `developer`"), ("developer", "system")),
    (
        "Q2",
        call(max_completion_tokens=5),
        refused({"detail": [{"loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted"}]}, 422),
        ("max_tokens", "max_tokens"),
    ),
    (
        "Q2",
        call(max_tokens=5),
        said("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        ("max_tokens", "max_completion_tokens"),
    ),
    (
        "Q3",
        call(tools=[TOOL], tool_choice=NAMED),
        said("Thinking mode does not support this tool_choice"),
        ("tool_choice", "auto"),
    ),
    ("Q4", call(LISTED), said("content: invalid type: sequence, expected a string"), ("content_list", False)),
    (
        "Q4",
        call(LISTED),
        said("json: cannot unmarshal array into Go struct field Message.messages.content of type string"),
        ("content_list", False),
    ),
    (
        "Q4",
        call(LISTED),
        refused(
            {"detail": [{"loc": ["body", "messages", 0, "content"], "msg": "Input should be a valid string"}]}, 422
        ),
        ("content_list", False),
    ),
    ("Q5", call(), said("Unknown field: stream_options"), ("stream_options", False)),
    ("Q8", call(response_format=SCHEMA), said("This response_format type is unavailable now"), ("json_schema", False)),
    ("Q8", call(response_format=JSON_MODE), said("response_format is not supported"), ("json_object", False)),
    (
        "Q8",
        call(response_format=JSON_MODE),
        refused({"error": "'response_format.type' must be 'json_schema' or 'text'"}),
        ("json_object", False),
    ),
    (
        "Q8",
        call(response_format=SCHEMA),
        refused(
            {
                "detail": [
                    {"loc": ["body", "response_format", "type"], "msg": "Input should be 'text' or 'json_object'"}
                ]
            },
            422,
        ),
        ("json_schema", False),
    ),
    (
        "Q9",
        call(tools=[TOOL], parallel_tool_calls=False),
        said("Unrecognized request argument supplied: parallel_tool_calls"),
        ("parallel_tool_calls", False),
    ),
    *(
        (
            "Q9",
            call(tools=[TOOL], parallel_tool_calls=True),
            said(f"'parallel_tool_calls' {options}"),
            ("parallel_tool_calls", False),
        )
        for options in (
            "is not currently supported",
            "not yet supported",
            "does not currently support true",
            "is not recognized",
            "is not implemented",
        )
    ),
    *(
        ("Q3", call(tools=[TOOL], tool_choice="required"), said(options), ("required_tool", False))
        for options in (
            'tool_choice must either be a named tool, "auto", or "none".',
            "Invalid value: 'required'. Supported values are: 'none' and 'auto'.",
        )
    ),
    ("Q11", call(USER, CALLED), said("messages[1].content must be a string, got null"), ("content_null", "")),
    ("Q11", call(USER, CALLED), said("messages[1].content is required"), ("content_null", "")),
    (
        "Q11",
        call(USER, CALLED),
        said("Invalid value for 'content': expected a string, got null.", param="messages.[1].content"),
        ("content_null", ""),
    ),
    ("Q13", call(tools=[TOOL]), said("Unknown name \"strict\" at 'tools[0].function'"), ("strict", False)),
]


@pytest.mark.parametrize(("row", "asked", "error", "fact"), LESSON_ROWS)
def test_a_refusal_teaches_its_fact(row, asked, error, fact):
    """A refusal that names what was sent is a fact."""
    assert taught(asked, error)[0] == fact


@pytest.mark.parametrize(("row", "asked", "error", "fact"), LESSON_ROWS)
def test_a_fact_is_learned_once(row, asked, error, fact):
    """Refused again in the form the fact asks for, the refusal does not teach it again."""
    again, _ = taught(asked, error, facts=dict([fact]))
    assert again is None or again[0] != fact[0]


@pytest.mark.parametrize(("row", "asked", "error", "fact"), LESSON_ROWS)
def test_a_fact_leaves_the_call_itself_as_it_is(row, asked, error, fact):
    """The body as the caller meant it stays, for gateways that take it."""
    before = repr(asked.body)
    taught(asked, error)
    assert repr(asked.body) == before


VALUE_FAULTS = {
    "a schema that strict mode refuses": (
        {"response_format": SCHEMA},
        "Invalid schema for response_format 's': In context=('properties', 'tags'), 'uniqueItems' is not permitted.",
    ),
    "a tool's schema that strict mode refuses": (
        {"tools": [TOOL]},
        "Invalid schema for function 'f': 'additionalProperties' is not allowed when strict is true",
    ),
    "JSON mode without the word": (
        {"response_format": JSON_MODE},
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    ),
    "a limit that is too large": (
        {"max_tokens": 9},
        "Unsupported value: max_tokens is too large: 9. This model supports at most 8 completion tokens.",
    ),
    "parallel calls without tools": (
        {"parallel_tool_calls": True},
        "'parallel_tool_calls' is only allowed when 'tools' are specified; not allowed otherwise.",
    ),
    "a tool that is not there": (
        {"tools": [TOOL], "tool_choice": NAMED},
        "Unsupported value: tool_choice 'f' not found in 'tools' parameter.",
    ),
}


@pytest.mark.parametrize(("params", "options"), VALUE_FAULTS.values(), ids=VALUE_FAULTS)
def test_a_refusal_that_blames_the_value_teaches_nothing(params, options):
    """A fact is for every later call of the process: one bad schema must not take schemas from all."""
    assert taught(call(**params), said(options), drop_refused=True)[0] is None


@pytest.mark.parametrize(("tools", "choice"), [([TOOL], NAMED), ([TOOL, {**TOOL, "function": {"name": "g"}}], None)])
def test_a_required_tool_goes_out_by_its_name_where_there_is_one(tools, choice):
    """Among several the model chooses freely."""
    _, body = taught(
        call(tools=tools, tool_choice="required"), said('tool_choice must either be a named tool, "auto", or "none".')
    )
    assert body.get("tool_choice") == choice


def test_developer_messages_go_out_as_system():
    """Q1: the role is renamed, the rest stays."""
    _, body = taught(call(DEVELOPER, USER), said("unsupported role developer"))
    assert body["messages"] == [SYSTEM, USER]


def test_the_limit_goes_out_under_the_other_name():
    """Q2: one name takes the other's place."""
    _, body = taught(call(max_tokens=5), said("max_tokens is not supported"))
    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


def test_a_limit_that_is_too_large_is_no_unknown_name():
    """Q2: a refused value is the caller's to change."""
    assert taught(call(max_tokens=5), said("max_tokens is too large: 5"))[0] is None


def test_a_forced_tool_becomes_a_free_choice():
    """Q3: the model chooses."""
    _, body = taught(call(tools=[TOOL], tool_choice="required"), said("tool_choice: not supported"))
    assert "tool_choice" not in body


def test_text_in_lists_goes_out_as_text():
    """Q4: parts of text are joined."""
    _, body = taught(call(LISTED), said("content: expected a string"))
    assert body["messages"] == [USER]


def test_pictures_are_not_flattened():
    """Q4: what has no text form stays refused."""
    assert taught(call(PICTURE), said("content: expected a string"))[0] is None


def test_a_refused_schema_is_asked_for_in_the_prompt():
    """Q8: JSON mode, with the schema in the system message."""
    _, body = taught(call(SYSTEM, USER, response_format=SCHEMA), said("json_schema is not supported"))
    assert body["response_format"] == JSON_MODE
    assert body["messages"][0]["content"].startswith("Be brief.\n\nAnswer with one JSON object")
    assert body["messages"][0]["content"].endswith('{"type": "object"}')


def test_a_refused_json_mode_is_left_to_the_prompt():
    """Q8: where neither is taken, the prompt alone asks for JSON."""
    error = said("response_format is not supported")
    _, body = taught(call(response_format=SCHEMA), error, facts={"json_schema": False})
    assert "response_format" not in body
    assert body["messages"][0]["role"] == "system"


def test_a_schema_at_fault_is_the_callers_to_mend():
    """Q8: an invalid schema is no refusal of schemas."""
    error = said("Invalid schema for response_format 's': 'required' is missing", param="response_format")
    assert taught(call(response_format=SCHEMA), error)[0] is None


def test_strict_is_taken_out_everywhere():
    """Q13: from tools and schema alike."""
    schema = {"type": "json_schema", "json_schema": {"name": "s", "strict": True}}
    _, body = taught(call(tools=[TOOL], response_format=schema), said("Unknown field: strict"))
    assert "strict" not in repr(body)


@pytest.mark.parametrize("name", sorted(DROPPABLE - {"top_logprobs"}))
def test_refused_parameters_are_dropped_where_allowed(name):
    """Q6, Q7: left out with drop_refused=True, raised without."""
    values = {"stop": "x", "user": "u", "seed": 1, "metadata": {"a": "b"}, "store": True, "logprobs": True}
    texts = dict.fromkeys(("reasoning_effort", "verbosity", "service_tier"), "low")
    dicts = {name: {"a": 1} for name in ("logit_bias", "prediction", "web_search_options")}
    asked = call(**{name: {**values, **texts, **dicts}.get(name, 1)})
    error = said(f"Unsupported parameter: {name}")
    assert taught(asked, error)[0] is None
    fact, body = taught(asked, error, drop_refused=True)
    assert fact == (name, False)
    assert name not in body


@pytest.mark.parametrize(
    "message",
    [
        "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.['0].role'",
        "'developer' is not one of ['system', 'user']",
        "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
        (
            "The parameter `messages.role` specified in the request are not valid: invalid value: `developer`, "
            "supported values are: `system`, `assistant`, `user`, `tool`."
        ),
        "invalid parameter 'messages[0].role': invalid role 'developer', must be one of: system, user, assistant, tool",
        "Invalid enum value. Expected 'system' | 'user' | 'assistant' | 'tool', received 'developer'",
        "[1214] 角色信息不正确",
    ],
)
def test_each_vendors_words_against_the_developer_role_are_known(message):
    """Q1: DashScope, OpenAI, Volcengine, relays, Vercel, Zhipu."""
    assert taught(call(DEVELOPER, USER), said(message))[0] == ("developer", "system")


def test_a_choice_called_none_is_no_content_that_must_be_text():
    """Q4: a refusal that lists "none" among tool choices is not about lists of parts."""
    error = said('tool_choice must either be a named tool, "auto", or "none".')
    assert taught(call(LISTED, tools=[TOOL]), error)[0] is None


def test_the_only_value_that_is_taken_counts_as_refused():
    """Q7: Moonshot's models take one temperature, and without any they take it by themselves."""
    error = said("invalid temperature: only 1 is allowed for this model")
    fact, body = taught(call(temperature=0.2), error, drop_refused=True)
    assert fact == ("temperature", False)
    assert "temperature" not in body


def test_an_unsupported_value_counts_as_refused():
    """Q7: "only the default (1) value is supported"."""
    error = said("Unsupported value: 'temperature' does not support 0.2. Only the default (1) value is supported.")
    assert taught(call(temperature=0.2), error, drop_refused=True)[0] == ("temperature", False)


@pytest.mark.parametrize("name", ["temperature", "tool_choice", "max_tokens", "stream_options"])
def test_servers_that_fail_teach_nothing(name):
    """A 500 that happens to name a parameter refuses nothing."""
    asked = call(temperature=1, max_tokens=5, tools=[TOOL], tool_choice="required")
    error = ServerError(f"unexpected: {name} not supported", status_code=500)
    assert taught(asked, error, drop_refused=True)[0] is None


def test_only_what_was_sent_can_be_refused():
    """A refusal of something else changes nothing."""
    for row in QUIRKS:
        assert row.learn(
            wire_request(call(), CallPolicy("https://gateway.test/v1"), {}), said(f"{row.fact} not supported")
        ) in (
            None,
            False if row.fact in ("stream", "stream_options") else None,
        )
