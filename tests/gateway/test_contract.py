"""What the gateway lets in and what it refuses."""

from __future__ import annotations

import pytest

from flash_integrations.testing import LocalGateway


def error_of(response):
    """The inside of an error body."""
    return response.json()["error"]


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic abc"}])
def test_a_wrong_key_is_refused(gateway, call, header):
    """Without the right bearer key the answer is the documented 401, and the key is not shown."""
    call.http.headers.pop("authorization")
    response = call.http.post("/chat/completions", json={}, headers=header)
    assert response.status_code == 401
    assert error_of(response)["code"] == "invalid_api_key"
    assert "wrong" not in response.text


def test_each_of_several_keys_is_let_in(caller_of):
    """``keys=`` lists keys that all work; the first is the one to show around."""
    with LocalGateway(keys=["sk-a", "sk-b"]) as gateway:
        assert gateway.api_key == "sk-a"
        assert [caller_of(gateway, key=key).chat().status_code for key in ("sk-a", "sk-b", "sk-c")] == [200, 200, 401]


@pytest.mark.parametrize("model", ["gpt-5.2", "GPT-5.1", "vendor/gpt-4o"])
@pytest.mark.parametrize("stream", [{}, {"stream": False}, {"stream": None}])
def test_gpt_models_answer_only_to_streams(call, model, stream):
    """A plain request for a GPT model is refused with a sentence that clients know, and answered when it streams."""
    refused = call.chat(model=model, **stream)
    assert refused.status_code == 400
    assert error_of(refused)["message"].startswith("Stream must be set to true")
    assert error_of(refused)["code"] == "stream_required"
    assert call.events(model=model)[-1] == "[DONE]"


@pytest.mark.parametrize(
    ("provider", "model", "status"),
    [("openai", "gpt-5.2", 200), ("custom", "claude-sonnet-4-6", 400), ("flashapi", "gemini-2.5-pro", 200)],
)
def test_the_stream_rule_is_the_rows(caller_of, provider, model, status):
    """Whether a plain request is answered follows from the catalogue's row."""
    with LocalGateway(provider) as gateway:
        assert caller_of(gateway).chat(model=model).status_code == status


def test_models_lists_the_row(call):
    """``GET /v1/models`` gives the row's models in the known shape."""
    listed = call.http.get("/models").json()
    assert listed["object"] == "list"
    assert {"gpt-5.2", "claude-opus-4-6"} <= {model["id"] for model in listed["data"]}


def test_an_unlisted_model_is_served_unless_strict(call, caller_of):
    """Unknown models answer by default; with ``strict_models`` they are 404 ``model_not_found``."""
    assert call.chat(model="my-model").status_code == 200
    with LocalGateway(strict_models=True) as strict:
        refused = caller_of(strict).chat(model="my-model")
        assert (refused.status_code, error_of(refused)["code"]) == (404, "model_not_found")
        assert caller_of(strict).chat(model="claude-opus-4-6").status_code == 200


def test_an_unknown_path_is_an_invalid_url(call):
    """A path that is not there is named, with its method."""
    response = call.post("/x", {})
    assert (response.status_code, error_of(response)["message"]) == (404, "Invalid URL (POST /v1/x)")
    assert call.http.get("/chat/completions").status_code == 405


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_a_body_that_is_no_object_is_refused(call, raw):
    """What is no JSON object is a 400, not a crash."""
    response = call.http.post("/chat/completions", content=raw)
    assert (response.status_code, error_of(response)["type"]) == (400, "invalid_request_error")


TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": None}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": "user"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "a"}]}, "messages[0]"),
        ({"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}]}, "messages[0]"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": "1"}, "top_p"),
        ({"n": 0}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tools": []}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "always"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_name(call, body, param):
    """A request outside the documented interface is a 400 that names the parameter."""
    sent = {"model": "claude-sonnet-4-6", "messages": [{"role": "user", "content": "x"}], **body}
    response = call.post("/chat/completions", {name: value for name, value in sent.items() if value is not None})
    assert (response.status_code, error_of(response)["param"]) == (400, param)


def test_a_prompt_beyond_the_window_is_refused(call):
    """More tokens than the model's window is 400 ``context_length_exceeded``, with the window's size."""
    response = call.chat("字" * 200_001)
    assert (response.status_code, error_of(response)["code"]) == (400, "context_length_exceeded")
    assert "200000 tokens" in error_of(response)["message"]
