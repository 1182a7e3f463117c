"""The scripted model: what the gateway answers by itself. No model, no chance: one request has one answer.

It calls the tools that the prompt speaks of, fills JSON schemas, and answers from the context it is given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..answers import Answer
from .prompt import Prompt, read_prompt
from .schema_filler import fill
from .text_answers import speak
from .tool_choice import choose_tools
from .value_finder import FieldValues

__all__ = ["reply"]

_KEY = re.compile(r"[\"'`“]([A-Za-z_]\w*)[\"'`”]")


def reply(body: Mapping[str, Any]) -> Answer:
    """The answer to a chat request that has been checked."""
    prompt = read_prompt(body["messages"])
    if tools := choose_tools(body, prompt):
        return Answer(tool_calls=_calls(tools, prompt))
    wanted = body.get("response_format") or {}
    schema = _schema(wanted, prompt)
    if schema is not None:
        # The keys that a prompt quotes are no values.
        source = _KEY.sub("", prompt.source) if wanted.get("type") == "json_object" else None
        return Answer(json.dumps(fill(schema, _values(prompt, source)), ensure_ascii=False))
    answer = Answer(speak(prompt))
    # Each of several choices says which it is, so that two melted into one can be seen.
    count = body.get("n") or 1
    others = [replace(answer, text=f"({number}) {answer.text}") for number in range(2, count + 1)]
    return Answer(choices=[answer, *others])


def _values(prompt: Prompt, source: str | None = None) -> FieldValues:
    return FieldValues(prompt.source if source is None else source, question=prompt.question)


def _calls(tools: list[Mapping[str, Any]], prompt: Prompt) -> list[tuple[str, dict[str, Any]]]:
    findings = _values(prompt)
    calls = []
    for tool in tools:
        findings.begin()
        schema = {"type": "object", **(tool.get("parameters") or {})}
        calls.append((tool["name"], fill(schema, findings)))
    return calls


def _schema(wanted: Mapping[str, Any], prompt: Prompt) -> Mapping[str, Any] | None:
    """The schema to fill: that of the request, else one in the prompt, else the keys the prompt quotes. None: words."""
    if wanted.get("type") == "json_schema":
        schema: Mapping[str, Any] = (wanted.get("json_schema") or {}).get("schema") or {"type": "object"}
        return schema
    written = _written_schema(prompt)
    if written is not None or wanted.get("type") != "json_object":
        return written
    keys = list(dict.fromkeys(_KEY.findall(prompt.user))) or ["answer"]
    return {"type": "object", "properties": {key: {"type": "string"} for key in keys}}


def _written_schema(prompt: Prompt) -> Mapping[str, Any] | None:
    """A JSON schema that is written out in the prompt, as programs do for models without structured output."""
    text = prompt.user if '"properties"' in prompt.user else ""
    decoder = json.JSONDecoder()
    for match in re.finditer(r"\{", text):
        try:
            found, _ = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get("properties"), dict):
            return found
    return None
