"""What a wire case must come to, checked alike for the core and both adapters."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from replay import Case

from flash_integrations import Completion, errors
from flash_integrations._core.policy.backoff import is_passing

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
    "filter": errors.ContentFilterError,
    "any": errors.FlashError,
}


@dataclass
class Outcome:
    """What a call came to, in the terms of the cases' ``expect`` and ``also``; None: cannot be told here."""

    text: str
    usage: dict[str, int] | None
    finish: str | None
    tools: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    invalid: int | None = None
    reasoning: str = ""
    refusal: str | None = None
    model: str | None = None
    cached: int | None = None
    images: int | None = None
    annotations: int | None = None
    thought: int | None = None
    cites: list[list[Any]] | None = None


def of_completion(answer: Completion) -> Outcome:
    """A core answer as an outcome."""
    tools, invalid = [], 0
    for call in answer.tool_calls:
        try:
            tools.append({"name": call.name, "args": json.loads(call.arguments)})
        except ValueError:
            invalid += 1
    choice = answer.choices[0]
    usage = answer.usage or {}
    cites = [note["url_citation"] for note in choice.annotations if isinstance(note, dict) and "url_citation" in note]
    return Outcome(
        choice.text,
        answer.usage,
        choice.finish_reason,
        tools,
        [call.id for call in answer.tool_calls],
        invalid,
        choice.reasoning,
        choice.refusal,
        answer.model,
        (usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
        len(choice.message_extra.get("images", ())),
        len(choice.annotations),
        (usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
        [[cite.get("url"), cite.get("start_index"), cite.get("end_index")] for cite in cites],
    )


def faults(case: Case, got: Outcome | errors.FlashError, *, has_partial: bool = True) -> list[str]:
    """What is wrong with what a case came to; an empty list where nothing is."""
    if case.error is not None:
        return _faults_of_error(case, got, has_partial=has_partial)
    if isinstance(got, errors.FlashError):
        return [f"{case}: {got!r}"]
    expect, wrong = case.expect or {}, []

    def compare(name: str, is_: Any, want: Any) -> None:
        if is_ != want:
            wrong.append(f"{case}: {name} is {is_!r}, not {want!r}")

    compare("text", got.text, expect["text"])
    if got.usage is not None or expect["usage"] is not None:
        usage = {name: (got.usage or {}).get(name) for name in expect["usage"] or got.usage or ()}
        compare("usage", usage, expect["usage"])
    if expect["finish"] is not None:
        compare("finish", got.finish, expect["finish"])
    compare("reasoning", " ".join(got.reasoning.split()), " ".join(expect.get("reasoning", "").split()))
    compare("refusal", got.refusal, expect.get("refusal"))
    if "tools" in expect:
        compare("tools", got.tools, expect["tools"])
        compare("distinct ids", len({*filter(None, got.ids)}), len(expect["tools"]))
    if "invalid_tools" in expect and got.invalid is not None:
        compare("invalid_tools", got.invalid, expect["invalid_tools"])
    for name in ("ids", "cached", "thought", "cites"):
        if name in expect and getattr(got, name) is not None:
            compare(name, getattr(got, name), expect[name])
    for name in ("model", "cached", "images", "annotations"):
        if name in case.also and getattr(got, name) is not None:
            compare(name, getattr(got, name), case.also[name])
    return wrong


def _faults_of_error(case: Case, got: Outcome | errors.FlashError, *, has_partial: bool) -> list[str]:
    if not isinstance(got, KINDS[case.error or "any"]):
        return [f"{case}: {got!r} is no {case.error} error"]
    wrong, also = [], case.also
    if case.error == "interrupted" and has_partial and (got.partial is None or case.partial not in got.partial.text):
        wrong.append(f"{case}: the partial answer is {got.partial!r}")
    if also.get("message", "") not in str(got):
        wrong.append(f"{case}: {str(got)!r} does not say {also['message']!r}")
    if "passing" in also and is_passing(got) is not also["passing"]:
        wrong.append(f"{case}: may be sent again: {is_passing(got)}")
    if "retry_after_over" in also and not (getattr(got, "retry_after", None) or 0) > also["retry_after_over"]:
        wrong.append(f"{case}: retry_after is {getattr(got, 'retry_after', None)}")
    return wrong
