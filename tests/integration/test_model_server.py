"""The model server itself, without anything of ours before it."""

from __future__ import annotations

import httpx


def test_the_real_model_answers(model_server):
    """The server answers a plain request under the model's name, with text and usage."""
    body = {"model": model_server.model, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 20}
    headers = {"Authorization": f"Bearer {model_server.api_key}"}
    answer = httpx.post(f"{model_server.base_url}/chat/completions", json=body, headers=headers, timeout=60).json()
    assert answer["choices"][0]["message"]["content"].strip()
    assert answer["usage"]["completion_tokens"] > 0
