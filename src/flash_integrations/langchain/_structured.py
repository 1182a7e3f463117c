"""Structured output: the request's words for a schema, and the way back from an answer to an object.

Three methods, as in LangChain: ``json_schema`` (the model is held to the schema), ``function_calling`` (the schema is
a tool that must be called) and ``json_mode`` (any JSON; the prompt says which). A refusal, and an answer that was cut,
end in an ``OutputParserException`` that says so, rather than in None or in half an object.
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Literal, TypeAlias

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, ToolCall
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_openai_function
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel, ValidationError

from .._adapters.json_schema import LooseSchemaError, to_strict, wire_name
from .._adapters.structured_answers import cut_reason, find_json
from .._adapters.tool_choice import name_of
from ..errors import InvalidRequestError
from ._refusals import refusal_error
from ._tools import HOLDS_ITSELF, ToolLike, recursive_schema, to_tool, tool_params

Method: TypeAlias = Literal["json_schema", "function_calling", "json_mode"]
Schema: TypeAlias = Mapping[str, Any] | type
METHODS = ("json_schema", "function_calling", "json_mode")


# --- the request ----------------------------------------------------------------------------------------------------


def to_response_format(schema: Schema, *, strict: bool | None = None) -> dict[str, Any]:
    """A schema as ``response_format``.

    Args:
        schema: a Pydantic class, a TypedDict, a JSON schema with a title, a function in OpenAI's form, or a
            ``response_format`` or ``{"name": ..., "schema": ...}`` that is made already.
        strict: whether the answer must keep to it. Default: True for a Pydantic class, else what the schema says.

    Raises:
        InvalidRequestError: none of these, or two different words about ``strict``.
    """
    if isinstance(schema, Mapping):
        if schema.get("type") in ("json_object", "text"):
            return dict(schema)
        if schema.get("type") == "json_schema":
            return _held_to(dict(schema["json_schema"]), strict=strict)
        if "name" in schema and "schema" in schema:
            return _held_to(dict(schema), strict=strict)
        schema = schema["function"] if schema.get("type") == "function" else schema
    by_default = not isinstance(schema, Mapping) and is_basemodel_subclass(schema)
    try:
        made = copy.deepcopy(convert_to_openai_function(schema))
    except ValueError as error:
        raise InvalidRequestError(f"not a schema: {error}") from error
    except RecursionError as error:
        raise InvalidRequestError(f"{HOLDS_ITSELF}: {schema!r}") from error
    parameters = recursive_schema(schema) or made.pop("parameters", {"type": "object", "properties": {}})
    made.pop("parameters", None)
    asked = made.pop("strict", None)
    asked = asked if strict is None else strict
    wanted = True if asked is None and by_default else asked
    if wanted:
        try:
            parameters = to_strict(parameters)
        except LooseSchemaError as error:
            if asked:
                raise InvalidRequestError(f"{made['name']} cannot be strict: {error}") from error
            wanted = None  # OpenAI refuses such a schema as strict, and takes it as it is
    described = {**made, "name": wire_name(made["name"]), "schema": parameters}
    return {"type": "json_schema", "json_schema": described | ({} if wanted is None else {"strict": wanted})}


def _held_to(described: dict[str, Any], *, strict: bool | None) -> dict[str, Any]:
    if strict is not None and described.setdefault("strict", strict) is not strict:
        raise InvalidRequestError(f"the schema says strict={described['strict']}, the call strict={strict}")
    return {"type": "json_schema", "json_schema": described}


def _to_schema_tool(schema: Schema) -> dict[str, Any]:
    """A schema as a tool of that name, from all forms :func:`to_response_format` takes.

    Raises:
        InvalidRequestError: it is no schema.
    """
    given: Any = schema
    if isinstance(given, Mapping):
        if given.get("type") == "json_schema" and isinstance(given.get("json_schema"), Mapping):
            given = given["json_schema"]
        if "name" in given and isinstance(given.get("schema"), Mapping):
            given = {**given, "parameters": given["schema"]}
            del given["schema"]
    tool = to_tool(given)
    function = tool.get("function")
    if not isinstance(function, Mapping):
        raise InvalidRequestError(f"not a schema: function_calling needs one with a title or a name, not {schema!r}")
    return {**tool, "function": {**function, "name": wire_name(name_of(tool))}}


def structured(
    schema: Schema | None,
    *,
    method: Method,
    strict: bool | None,
    tools: Sequence[ToolLike],
    bound: Sequence[Mapping[str, Any]] = (),
) -> tuple[dict[str, Any], Runnable[Any, Any]]:
    """The request's words for answers that are objects, and what makes the objects.

    Args:
        schema: see :func:`to_response_format`; ``json_mode`` needs none.
        method: one of the three.
        strict: whether the answer must keep to the schema.
        tools: tools the model may call instead.
        bound: more of them, as the wire has them; they stay as they are.

    Raises:
        InvalidRequestError: an unknown method, no schema, or a schema that is none.
    """
    if method not in METHODS:
        raise InvalidRequestError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    mark: dict[str, Any] = {"method": method}
    if method != "json_mode":
        mark["strict"] = strict
    params = tool_params(tools, choice=None, strict=strict, parallel=None)
    if method == "json_mode":
        if strict is not None:
            raise InvalidRequestError("json_mode knows no strict: use json_schema or function_calling")
        params["response_format"] = {"type": "json_object"}
    elif schema is None:
        raise InvalidRequestError(f"{method} needs a schema")
    elif method == "json_schema":
        params["response_format"] = to_response_format(schema, strict=strict)
    else:
        tool = _to_schema_tool(schema)
        choice = "required" if tools or bound else name_of(tool)
        params = tool_params([tool, *tools], choice=choice, strict=strict, parallel=None)
    names = {name_of(tool) for tool in params.get("tools", ())}
    if others := [tool for tool in bound if name_of(tool) not in names]:
        params["tools"] = [*params.get("tools", ()), *others]
    params["ls_structured_output_format"] = {"kwargs": mark, "schema": schema}
    return params, _reader(method, schema, has_others=bool(tools or bound))


# --- the answer -----------------------------------------------------------------------------------------------------


def _reader(method: Method, schema: Schema | None, *, has_others: bool) -> Runnable[Any, Any]:
    """What makes an answer an object: an instance of a Pydantic class, else a dict; partial ones from a stream."""
    parser: Runnable[Any, Any]
    is_class = isinstance(schema, type) and is_basemodel_subclass(schema)
    if method == "function_calling":
        assert schema is not None  # noqa: S101 - with_structured_output has asked for one
        parser = (
            _CallAsInstance(tools=[schema], first_tool_only=True, has_others=has_others)
            if isinstance(schema, type) and is_class
            else _CallAsDict(key_name=name_of(_to_schema_tool(schema)), first_tool_only=True)
        )
    elif isinstance(schema, type) and is_class:
        parser = _ContentAsInstance(pydantic_object=schema)
    else:
        parser = _ContentAsDict()
    wants_call = method == "function_calling"
    check = RunnableGenerator(
        partial(_pass_on, wants_call=wants_call), partial(_apass_on, wants_call=wants_call), name="Usable"
    )
    return check | parser


def with_raw(llm: Runnable[LanguageModelInput, Any], read: Runnable[Any, Any]) -> Runnable[LanguageModelInput, Any]:
    """A runnable that gives ``raw``, ``parsed`` and ``parsing_error``, and raises nothing about the parsing."""
    parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | read, parsing_error=lambda _: None)
    unparsed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=llm) | parsed.with_fallbacks([unparsed], exception_key="parsing_error")


def _calls_instead(result: list[Generation]) -> bool:
    """Whether the model called tools in place of an answer."""
    generation = result[0]
    message = generation.message if isinstance(generation, ChatGeneration) else None
    return isinstance(message, AIMessage) and bool(message.tool_calls) and not message.text


def _json_of(result: list[Generation]) -> list[Generation]:
    return [Generation(text=find_json(result[0].text))]


class _ContentAsDict(JsonOutputParser):
    """The content's JSON; None where tools are called instead."""

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        return None if _calls_instead(result) else super().parse_result(_json_of(result), partial=partial)


class _ContentAsInstance(PydanticOutputParser[Any]):
    """The content as an instance of a class; None where tools are called instead."""

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        return None if _calls_instead(result) else super().parse_result(_json_of(result), partial=partial)


def _answers_in_words(result: list[Generation]) -> bool:
    """Whether the model wrote an answer where it was to call a tool."""
    generation = result[0]
    message = generation.message if isinstance(generation, ChatGeneration) else None
    return isinstance(message, AIMessage) and bool(message.text) and not _has_calls(message)


def _has_calls(message: AIMessage) -> bool:
    pieces = message.tool_call_chunks if isinstance(message, AIMessageChunk) else []
    return bool(message.tool_calls or message.invalid_tool_calls or pieces)


class _CallAsDict(JsonOutputKeyToolsParser):
    """The call's arguments; the JSON the model wrote where it called nothing."""

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        if _answers_in_words(result):
            return _ContentAsDict().parse_result(result, partial=partial)
        return super().parse_result(result, partial=partial)


class _CallAsInstance(PydanticToolsParser):
    """The call as an instance of a class, whose name it has in the characters of the wire; or the JSON written so."""

    has_others: bool = False
    """Whether there are other tools: calls of theirs give None; without them, a call of another name is an error."""

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        if _answers_in_words(result):
            return _ContentAsInstance(pydantic_object=self.tools[0]).parse_result(result, partial=partial)
        generation = result[0]
        titles = (getattr(tool, "model_config", {}).get("title") or tool.__name__ for tool in self.tools)
        names = {name: title for title in titles for name in (title, wire_name(title))}
        if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
            calls = generation.message.tool_calls
            wanted = [ToolCall({**call, "name": names[call["name"]]}) for call in calls if call["name"] in names]
            calls = wanted if wanted or self.has_others else calls
            message = generation.message.model_copy(update={"tool_calls": calls})
            result = [generation.model_copy(update={"message": message})]
        return super().parse_result(result, partial=partial)


def _pass_on(messages: Iterator[AIMessage], *, wants_call: bool) -> Iterator[AIMessage]:
    """Pass an answer on, and raise at its end if it is a refusal or was cut."""
    seen = []
    for message in messages:
        seen.append(message)
        if not message.additional_kwargs.get("refusal"):  # langchain-core's parsers would raise its first word alone
            yield message
    _refuse_unusable(seen, wants_call=wants_call)


async def _apass_on(messages: AsyncIterator[AIMessage], *, wants_call: bool) -> AsyncIterator[AIMessage]:
    seen = []
    async for message in messages:
        seen.append(message)
        if not message.additional_kwargs.get("refusal"):  # langchain-core's parsers would raise its first word alone
            yield message
    _refuse_unusable(seen, wants_call=wants_call)


def _refuse_unusable(seen: list[AIMessage], *, wants_call: bool) -> None:
    """Raise where nothing can be made of an answer.

    Raises:
        OutputParserException: the answer was cut by the token limit or a filter; or it is words without JSON in
            place of a call.
        ModelRefusalError: the model refused (before langchain-core 1.7.5 an OutputParserException, too).
    """
    if not seen:
        return
    first, *others = seen
    chunks = [other for other in others if isinstance(other, AIMessageChunk)]
    message = add_ai_message_chunks(first, *chunks) if isinstance(first, AIMessageChunk) and chunks else first
    if refusal := message.additional_kwargs.get("refusal"):
        raise refusal_error(refusal, message)
    reason = cut_reason(message.response_metadata.get("finish_reason"))
    if reason and not _is_whole(message):
        raise OutputParserException(f"the answer was cut {reason}", llm_output=message.text)
    if wants_call and not _has_calls(message) and not _is_whole(message):
        did = f"answered in words: {message.text[:200]!r}" if message.text else "said nothing"
        raise OutputParserException(f"the model called no tool and {did}", llm_output=message.text)


def _is_whole(message: AIMessage) -> bool:
    """Whether what the answer says parses as it stands."""
    pieces = message.tool_call_chunks if isinstance(message, AIMessageChunk) else []
    texts = [piece["args"] or "" for piece in pieces] or ([] if message.tool_calls else [message.text])
    try:
        for text in texts:
            json.loads(find_json(text), strict=False)
    except ValueError:
        return False
    return not message.invalid_tool_calls


def parsed(text: str, schema: Schema | None) -> BaseModel | None:
    """A text as an instance of a Pydantic class; None where the schema is none, or the text does not fit."""
    if not (text and isinstance(schema, type) and issubclass(schema, BaseModel)):
        return None
    try:
        return schema.model_validate_json(find_json(text))
    except ValidationError:
        return None
