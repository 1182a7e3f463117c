"""What a wire case must come to, checked alike for the core and both adapters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from replay import Case

from flash_integrations import Completion, errors

KINDS: dict[str, type[errors.FlashError]] = {
    "auth": errors.AuthenticationError,
    "quota": errors.QuotaExceededError,
    "not_found": errors.NotFoundError,
    "context": errors.ContextLengthError,
    "bad_request": errors.BadRequestError,
    "rate": errors.RateLimitError,
    "server": errors.ServerError,
    "malformed": errors.MalformedResponseError,
    "interrupted": errors.StreamInterruptedError,
    "any": errors.FlashError,
}


@dataclass
class Outcome:
    """What a call came to, in the words of the cases' ``expect``."""

    text: str
    usage: dict[str, int] | None
    finish: str | None
    tools: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    invalid: int | None = None
    reasoning: str = ""
    refusal: str | None = None


def of_completion(answer: Completion) -> Outcome:
    """A core answer as an outcome."""
    tools, invalid = [], 0
    for call in answer.tool_calls:
        try:
            tools.append({"name": call.name, "args": json.loads(call.arguments)})
        except ValueError:
            invalid += 1
    choice = answer.choices[0]
    ids = [call.id for call in answer.tool_calls]
    return Outcome(
        choice.text,
        answer.usage,
        choice.finish_reason,
        tools,
        ids,
        invalid,
        choice.reasoning,
        choice.refusal,
    )


def verify(case: Case, run: Callable[[], Outcome], *, text_so_far: bool = True) -> None:
    """Run a case and hold what comes of it against what it must come to."""
    if case.error is not None:
        with pytest.raises(KINDS[case.error]) as caught:
            run()
        if case.error == "interrupted" and text_so_far:
            assert caught.value.partial is not None
            assert caught.value.partial.text == "你"
        return
    expect = case.expect or {}
    got = run()
    assert got.text == expect["text"]
    if got.usage is not None or expect["usage"] is not None:
        assert {name: (got.usage or {}).get(name) for name in expect["usage"] or got.usage} == expect["usage"]
    if expect["finish"] is not None:
        assert got.finish == expect["finish"]
    assert got.reasoning == expect.get("reasoning", "")
    assert got.refusal == expect.get("refusal")
    if "tools" in expect:
        assert got.tools == expect["tools"]
        assert all(got.ids)
        assert len(set(got.ids)) == len(expect["tools"])
    if "invalid_tools" in expect and got.invalid is not None:
        assert got.invalid == expect["invalid_tools"]


def in_a_loop(function: Callable[[], Any]) -> Callable[[], Any]:
    """A coroutine function as a blocking one, each call in an event loop of its own."""
    return lambda: asyncio.run(function())
