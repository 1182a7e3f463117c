"""Structured output: a Pydantic class as a JSON schema that models are held to, and the calls that use it.

Models that take a schema answer in it; others are given the class as a tool they must call.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import Any, Literal, Self

from llama_index.core.base.llms.types import ChatResponse
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.events.llm import LLMStructuredPredictEndEvent, LLMStructuredPredictStartEvent
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.output_parsers import PydanticOutputParser
from llama_index.core.program.function_program import get_function_tool
from llama_index.core.program.streaming_utils import process_streaming_content_incremental
from llama_index.core.program.utils import process_streaming_objects
from llama_index.core.prompts import BasePromptTemplate, PromptTemplate
from llama_index.core.types import Model, PydanticProgramMode
from pydantic import BaseModel, PrivateAttr, ValidationError, field_validator

from .._adapters.json_schema import LooseSchemaError, schema_of, to_strict, wire_name
from .._adapters.structured_answers import cut_reason, find_json
from .._core.model_names import takes_schema
from ..errors import InvalidRequestError
from ._structured_llm import UsageCarryingLLM
from ._to_wire import tool_calls_of
from ._tools import keep_first_call

_dispatcher = get_dispatcher(__name__)

_NOTHING = "the model gave no {}: it said nothing"
_TOOL_PARAMS = ("tool_choice", "tool_required", "allow_parallel_tool_calls")


def to_response_format(output_cls: type[BaseModel], *, strict: bool | None = None) -> dict[str, Any]:
    """A class as ``response_format``.

    Args:
        output_cls: the class.
        strict: hold answers to it (True) or not (False). Default: where its schema has a strict form; others, such as
            those with free-form dicts, go out as they are.

    Raises:
        InvalidRequestError: ``strict=True`` of a schema that has no strict form; names the field.
    """
    described: dict[str, Any] = {"name": wire_name(output_cls.__name__), "schema": schema_of(output_cls)}
    try:
        held = {} if strict is False else {"schema": to_strict(described["schema"]), "strict": True}
    except LooseSchemaError as error:
        if strict:
            raise InvalidRequestError(f"{output_cls.__name__} cannot be strict: {error}") from error
        held = {}
    return {"type": "json_schema", "json_schema": described | held}


class StructuredCalls(FunctionCallingLLM):
    """``structured_predict`` and its kin, by schema where the model takes one."""

    strict: bool | None = None
    """Hold tool calls (True) and answers by schema to their schema. Default: answers by schema where it has a strict
    form; tool calls not."""
    should_use_structured_outputs: bool | None = None
    """Ask for structured output by JSON schema, by tool, or (None) by the model's name."""

    _answers: list[ChatResponse] | None = PrivateAttr(default=None)

    @field_validator("pydantic_program_mode")
    @classmethod
    def _know_mode(cls, mode: PydanticProgramMode) -> PydanticProgramMode:
        """OPENAI is FUNCTION under its older name, for which LlamaIndex looks for a package that is no more."""
        return PydanticProgramMode.FUNCTION if mode == PydanticProgramMode.OPENAI else mode

    def _way(self) -> Literal["schema", "tool", "words"] | None:
        """How an object is asked for; None: by a program of LlamaIndex's."""
        mode, takes_tools = self.pydantic_program_mode, self.metadata.is_function_calling_model
        if mode == PydanticProgramMode.DEFAULT:
            wanted = self.should_use_structured_outputs
            if takes_schema(self.metadata.model_name) if wanted is None else wanted:
                return "schema"
            return "tool" if takes_tools else "words"
        if mode == PydanticProgramMode.FUNCTION and takes_tools:
            return "tool"
        return "words" if mode == PydanticProgramMode.LLM else None

    def _ask(
        self,
        output_cls: type[Model],
        prompt: BasePromptTemplate,
        llm_kwargs: dict[str, Any] | None,
        prompt_args: dict[str, Any],
    ) -> dict[str, Any]:
        """The words of the chat call that asks for an object."""
        params = {name: value for name, value in (llm_kwargs or {}).items() if name not in _TOOL_PARAMS}
        messages, way = prompt.format_messages(llm=self, **prompt_args), self._way()
        if way == "words":
            messages = PydanticOutputParser(output_cls=output_cls).format_messages(messages)
        messages = self._extend_messages(messages)
        if way == "tool":
            tool = get_function_tool(output_cls)
            tool.metadata.name = wire_name(tool.metadata.get_name())
            return self._prepare_chat_with_tools([tool], chat_history=messages, tool_required=True, **params)
        if way == "schema":
            params = {"response_format": to_response_format(output_cls, strict=self.strict), **params}
        return {"messages": messages, **params}

    def read_object(self, response: ChatResponse, output_cls: type[Model]) -> Model:
        """The object that a whole answer is; the answer is noted where somebody wants its usage."""
        if self._answers is not None:
            self._answers.append(response)
        return _read(response, output_cls)

    def noting(self, answers: list[ChatResponse]) -> Self:
        """A copy of this LLM that adds the whole answers its objects are read from to a list."""
        copied = self.model_copy()
        copied._answers = answers  # noqa: SLF001 - of this class
        return copied

    def as_structured_llm(self, output_cls: type[BaseModel], **kwargs: Any) -> StructuredLLM:
        """An LLM whose answers are objects of ``output_cls``, in ``raw``; ``additional_kwargs`` has their usage."""
        return UsageCarryingLLM(llm=self, output_cls=output_cls, **kwargs)

    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """An object of ``output_cls``.

        Raises:
            ValueError: the model refused, or its answer is no such object (Pydantic's error is one).
            FlashError: what the call came to.
        """
        if self._way() is None:
            made: Model = super().structured_predict(output_cls, prompt, dict(llm_kwargs or {}), **prompt_args)
            return made
        started = LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=prompt_args)
        _dispatcher.event(started)
        found = self.read_object(self.chat(**self._ask(output_cls, prompt, llm_kwargs, prompt_args)), output_cls)
        _dispatcher.event(LLMStructuredPredictEndEvent(output=found))
        return found

    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """As :meth:`structured_predict`."""
        if self._way() is None:
            made: Model = await super().astructured_predict(output_cls, prompt, dict(llm_kwargs or {}), **prompt_args)
            return made
        started = LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=prompt_args)
        _dispatcher.event(started)
        answer = await self.achat(**self._ask(output_cls, prompt, llm_kwargs, prompt_args))
        found = self.read_object(answer, output_cls)
        _dispatcher.event(LLMStructuredPredictEndEvent(output=found))
        return found

    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Any, None, None]:
        if self._way() is None:
            yield from super()._structured_stream_call(output_cls, prompt, llm_kwargs, **prompt_args)
            return
        growing = PartialObject(output_cls, self)
        with closing(self.stream_chat(**self._ask(output_cls, prompt, llm_kwargs, prompt_args))) as responses:
            for response in responses:
                yield growing.add_response(response)

    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Any, None]:
        if self._way() is None:
            return await super()._structured_astream_call(output_cls, prompt, llm_kwargs, **prompt_args)
        items = await self.astream_chat(**self._ask(output_cls, prompt, llm_kwargs, prompt_args))

        async def objects() -> AsyncGenerator[Any, None]:
            growing = PartialObject(output_cls, self)
            async with aclosing(items) as responses:
                async for response in responses:
                    yield growing.add_response(response)

        return objects()


class PartialObject:
    """An object that is read off a stream's items as it grows; what the last of them says is held to the class."""

    def __init__(self, output_cls: type[BaseModel], llm: StructuredCalls) -> None:
        self._output_cls, self._llm = output_cls, llm
        self._found: Any = None

    def add_response(self, response: ChatResponse) -> Any:
        """Take an item; give the object as far as it is known.

        Raises:
            ValueError: it is the last item, and no such object has come.
        """
        if isinstance(response.raw, dict) and response.raw.get("object") == "chat.completion":
            return self._llm.read_object(response, self._output_cls)
        if tool_calls_of(response.message):
            keep_first_call(response)
            known = None if self._found is None else [self._found]
            self._found = process_streaming_objects(response, self._output_cls, known, llm=self._llm)
        else:
            self._found = process_streaming_content_incremental(response, self._output_cls, self._found)
        return self._found


def _read(response: ChatResponse, output_cls: type[Model]) -> Model:
    """The object that a whole answer is: the arguments of its call, or else what it says.

    Raises:
        ValueError: the model refused, the answer was cut, or it is no such object.
    """
    name, words = output_cls.__name__, response.message.content or ""
    if refusal := response.message.additional_kwargs.get("refusal"):
        raise ValueError(f"the model refused to give a {name}: {refusal}")
    calls = tool_calls_of(response.message)
    text = str(calls[0]["function"].get("arguments") or "{}") if calls else words
    try:
        return output_cls.model_validate_json(find_json(text))
    except ValidationError as error:
        raw = response.raw
        reason = cut_reason(raw["choices"][0].get("finish_reason")) if isinstance(raw, dict) else None
        if reason:
            raise ValueError(f"the {name} was cut {reason}: {text[-80:]!r}") from None
        if error.errors(include_url=False)[0]["type"] == "json_invalid":
            raise ValueError(
                f"the model gave no {name} but {text[:500]!r}" if text else _NOTHING.format(name)
            ) from error
        raise
