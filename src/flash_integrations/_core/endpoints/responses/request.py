"""A chat request for the Responses wire: the body turned, at the last step before it is sent.

Everything before that step (checks, quirks, token estimates, retries) goes on seeing the chat form. What the other wire
has no words for is refused here, before anything is sent; what is no chat parameter goes out under its own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import InvalidRequestError
from .input_items import as_developer, to_input
from .tool_descriptions import to_tool, to_tool_choice, web_search_tool

RESPONSES_PATH = "/responses"

ENCRYPTED_REASONING = "reasoning.encrypted_content"
"""The ``include`` that brings the reasoning in a form that can be sent back. OpenAI sends it by itself where nothing is
stored; gateways do not. A model that does not reason may refuse it ("Encrypted content is not supported with this
model.", OpenHands#1208)."""

_LOGPROBS = "message.output_text.logprobs"

WIRE_NAMES: dict[str, tuple[str, ...]] = {
    "messages": ("input", "instructions"),
    "max_tokens": ("max_output_tokens",),
    "max_completion_tokens": ("max_output_tokens",),
    "response_format": ("text.format", "text"),
    "verbosity": ("text.verbosity", "text"),
    "reasoning_effort": ("reasoning.effort", "reasoning"),
    "logprobs": ("top_logprobs", _LOGPROBS, "include"),
    "web_search_options": ("tools",),
}
"""What a chat parameter is called here, where that differs: a refusal names it so."""

_UNSAYABLE: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "stop": (),
    "seed": (),
    "logit_bias": (),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "prediction": (),
    "modalities": (["text"], ("text",)),
    "audio": (),
}
"""Chat parameters without an equivalent (absent from openai-python 2.54's types), and the values that change nothing:
those are left out silently."""

_TURNED = frozenset(
    "messages stream_options max_tokens max_completion_tokens response_format verbosity reasoning_effort logprobs"
    " tools tool_choice functions function_call web_search_options include reasoning text input instructions".split()
)


def find_unsayable(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The parameters of a chat body that have no equivalent here, in the order of their table."""
    return tuple(name for name, neutral in _UNSAYABLE.items() if name in body and body[name] not in (None, *neutral))


def to_responses_body(chat_body: Mapping[str, Any], *, drop_unsayable: bool = False) -> dict[str, Any]:
    """Turn the body of a chat request into one for ``/responses``; the given one stays as it is.

    ``store`` is false unless it was set: left out it means that OpenAI keeps the answer for 30 days. A token limit goes
    out as it was set; OpenAI refuses less than 16 (``integer_below_min_value``). ``include``, ``reasoning``, ``text``,
    ``instructions`` and ``input`` of ``extra_body`` are laid over what is made here.

    Args:
        chat_body: the body in chat form, perhaps with ``stream`` and ``stream_options``.
        drop_unsayable: leave out what has no equivalent here, instead of refusing it.

    Raises:
        InvalidRequestError: a parameter has no equivalent here, and is not to be dropped.
    """
    unsayable = find_unsayable(chat_body)
    if unsayable and not drop_unsayable:
        names = ", ".join(unsayable)
        raise InvalidRequestError(
            f"/responses has no equivalent of {names}: leave it out, name it in disabled_params, or set api='chat'"
        )
    own = chat_body.keys() - _TURNED - _UNSAYABLE.keys()
    body: dict[str, Any] = {name: value for name, value in chat_body.items() if name in own}
    limit = chat_body.get("max_completion_tokens", chat_body.get("max_tokens"))
    if limit is not None:
        body.setdefault("max_output_tokens", limit)
    body.setdefault("store", False)
    options = chat_body.get("stream_options")
    if isinstance(options, Mapping) and (known := {k: v for k, v in options.items() if k != "include_usage"}):
        body["stream_options"] = known
    _add_messages(chat_body, body)
    _add_tools(chat_body, body)
    _add_objects(chat_body, body)
    return body


def _add_messages(chat_body: Mapping[str, Any], body: dict[str, Any]) -> None:
    messages = _list(chat_body.get("messages"))
    if not all(isinstance(message, Mapping) for message in messages):
        raise InvalidRequestError("messages must be a list of dicts, in extra_body too")
    instructions, items = to_input(messages, model=str(chat_body.get("model", "")))
    own, wants_json = chat_body.get("instructions"), _format_type(chat_body) == "json_object"
    if own is not None:
        body["instructions"] = own
    if instructions is not None:
        # JSON mode wants the word "json" in an input item (wenyi#66, mira#267); and some input there must be.
        if own is None and items and not wants_json:
            body["instructions"] = instructions
        else:
            items = [as_developer(instructions), *items]
    body["input"] = chat_body.get("input", items)


def _add_tools(chat_body: Mapping[str, Any], body: dict[str, Any]) -> None:
    tools = [to_tool(tool) for tool in _list(chat_body.get("tools"))]
    tools += [to_tool({"type": "function", "function": function}) for function in _list(chat_body.get("functions"))]
    search = chat_body.get("web_search_options")
    if isinstance(search, Mapping):
        tools.append(web_search_tool(search))
    if tools:
        body["tools"] = tools
    choice = chat_body.get("tool_choice", chat_body.get("function_call"))
    if choice is not None:
        body["tool_choice"] = to_tool_choice(choice)


def _add_objects(chat_body: Mapping[str, Any], body: dict[str, Any]) -> None:
    """What several chat parameters share one object for: ``reasoning``, ``text``, ``include``."""
    effort, wanted = chat_body.get("reasoning_effort"), _list(chat_body.get("include"))
    made = {"reasoning": {} if effort is None else {"effort": effort}, "text": _text(chat_body)}
    for name, value in made.items():
        own = chat_body.get(name)
        if own is not None and not isinstance(own, Mapping):
            body[name] = own
        elif value or own:
            body[name] = {**value, **(own or {})}
    logprobs = [_LOGPROBS] if chat_body.get("logprobs") is True else []
    included = [ENCRYPTED_REASONING, *logprobs]
    body["include"] = included + [name for name in wanted if name not in included]


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _format_type(chat_body: Mapping[str, Any]) -> Any:
    form = chat_body.get("response_format")
    return form.get("type") if isinstance(form, Mapping) else None


def _text(chat_body: Mapping[str, Any]) -> dict[str, Any]:
    text: dict[str, Any] = {}
    form = chat_body.get("response_format")
    if isinstance(form, Mapping):
        schema = form.get("json_schema")
        text["format"] = {"type": "json_schema", **schema} if isinstance(schema, Mapping) else dict(form)
    if chat_body.get("verbosity") is not None:
        text["verbosity"] = chat_body["verbosity"]
    return text
