"""Ten kinds of request: what comes of a forced stream equals a plain answer of the model server, field by field."""

from __future__ import annotations

import httpx
import pytest

from flash_integrations import FlashClient

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CITY = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "country": {"type": "string"}},
    "required": ["name", "country"],
    "additionalProperties": False,
}
KINDS = {
    "text": ("Name three primes.", {"max_tokens": 40}),
    "chinese": ("用一句话介绍北京。", {"max_tokens": 40}),
    "stop": ("Count from 1 to 9, separated by commas.", {"max_tokens": 40, "stop": ["5"]}),
    "max_tokens": ("Tell me a story.", {"max_tokens": 8}),
    "logprobs": ("Say hello.", {"max_tokens": 12, "logprobs": True, "top_logprobs": 2}),
    "tools": ("What is the weather in Paris?", {"max_tokens": 60, "tools": [WEATHER]}),
    "two choices": ("Say hello.", {"max_tokens": 12, "n": 2}),
    "json schema": (
        "Describe Paris as JSON.",
        {"max_tokens": 60, "response_format": {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}},
    ),
    "seed": ("Invent a word.", {"max_tokens": 12, "temperature": 0.9, "seed": 3}),
    "long": ("Explain how rain forms, in detail.", {"max_tokens": 300}),
}
OF_EACH_CALL = {"id", "created", "timings"}
"""Fields that differ from one plain call to the next."""


def comparable(answer):
    """An answer without what differs from call to call; tool calls' ids are told by their place."""
    kept = {name: value for name, value in answer.items() if name not in OF_EACH_CALL}
    for choice in kept["choices"]:
        if choice.get("logprobs"):
            # The server tells the end token's figures in plain answers only; it has no text.
            choice["logprobs"]["content"] = [token for token in choice["logprobs"]["content"] if token["bytes"]]
        for place, call in enumerate(choice["message"].get("tool_calls", ())):
            call["id"] = f"call {place}"
        if not choice["message"].get("content"):
            choice["message"]["content"] = None
        # The stream leaves out what has nothing to say, such as "logprobs": null.
        choice["message"] = {name: value for name, value in choice["message"].items() if value not in (None, [], "")}
    if kept.get("usage"):
        kept["usage"].pop("prompt_tokens_details", None)
    return kept


@pytest.mark.vcr
@pytest.mark.parametrize(("prompt", "params"), KINDS.values(), ids=KINDS)
def test_a_forced_stream_equals_a_plain_answer(server, gateway, prompt, params):
    """Every field of every choice, the usage, the model and the fingerprint."""
    if "tools" in params and not server.tools:
        pytest.skip(f"{server.model} knows no tools")
    messages = [{"role": "user", "content": prompt}]
    body = {"model": server.model, "messages": messages, "temperature": 0, "seed": 7, **params}
    headers = {"Authorization": f"Bearer {server.api_key}"}
    plain = httpx.post(f"{server.base_url}/chat/completions", json=body, headers=headers, timeout=180).json()
    gateway.clear()
    client = FlashClient(base_url=gateway.base_url, api_key=gateway.api_key, rate_limit=None)
    answer = client.chat(**{**body, "model": "gpt-5.2"})
    assert [request.stream for request in gateway.requests] == [True]
    assert answer.streamed
    assert comparable(answer.as_dict()) == comparable(plain)
