"""LangChain's chat model over the transport core.

An adapter: messages go out by ``_to_wire`` and come in by ``_from_wire``; tools are in ``_tools``, schemas in
``_structured``, events in ``_events``, errors in ``_errors``; how a model describes itself is in ``_chat_settings``.
Sending, re-sending, limits, forced streaming and the wire's oddities are the core's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable

from .._adapters.params import merge_params, refuse_choices
from .._adapters.tool_choice import ToolChoice
from ..client import FlashClient
from ._binding import BindableModel
from ._callbacks import TokenEmitter, takes_tokens
from ._chat_settings import ChatSettings
from ._errors import translate_errors
from ._events import Event, Events
from ._from_wire import Chunks, MessageOptions, to_result
from ._refusals import with_standard_refusals
from ._runs import aread_stream, chunks_alone, only_tokens, read_stream
from ._structured import Method, Schema, to_response_format
from ._to_wire import to_wire
from ._tools import ToolLike, tool_params


class ChatFlash(BindableModel, ChatSettings):
    """Chat models behind an OpenAI-format gateway, GPT models that only stream among them.

    ::

        from flash_integrations.langchain import ChatFlash

        llm = ChatFlash(model="gpt-5.2")  # the key comes from FLASH_API_KEY
        llm.invoke("Hello").content

    Whole answers come whole though the wire is streamed; handlers that take tokens get them one by one meanwhile.
    Only what is set is sent; unknown parameters are refused. The ones that matter (every field has its own line):

    Args:
        model: the model's id at the gateway, such as "gpt-5.2".
        provider: the gateway, such as "flashapi" or "supertoken". Default: the one ``base_url`` belongs to, else
            ``FLASH_PROVIDER``, else flashapi.
        base_url: the gateway's URL with its ``/v1``. Default: ``FLASH_BASE_URL``, else the provider's.
        api_key: a str, a ``SecretStr`` or a function that returns it. Default: the provider's environment variable.
        temperature: 0 to 2. Default: not sent, the model's own.
        max_tokens: the most tokens of an answer. Default: not sent, the model's own.
        reasoning_effort: "none", "minimal", "low", "medium", "high" or a vendor's own word.
        timeout: seconds, or ``Timeout(connect=10, first_byte=300, progress=60)``, the defaults.
        max_retries: how many times a failed request is sent again. Default: 2.
        rate_limit: limits kept before sending, shared by the process. Default: the provider's; None: none.

    Raises (at the call):
        FlashError: every error is one, and the matching class of ``langchain_core.exceptions`` as well.
    """

    # --- tools and structured output ---

    def bind_tools(
        self,
        tools: Sequence[ToolLike],
        *,
        tool_choice: ToolChoice = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Schema | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """This model with tools.

        Args:
            tools: BaseTools, functions, Pydantic classes, TypedDicts, JSON schemas, or dicts as the wire has them;
                provider-side ones go out as they are.
            tool_choice: "auto", "none", "required" (also "any", True), a tool's name, or a dict of the wire's.
            strict: whether arguments must keep to the schema.
            parallel_tool_calls: whether several calls may come at once.
            response_format: a schema for answers in words.
            **kwargs: more words of the request.

        Raises:
            InvalidRequestError: what is no tool, or a choice that is not among them.
        """
        with translate_errors():
            params = tool_params(tools, choice=tool_choice, strict=strict, parallel=parallel_tool_calls)
            if response_format is not None:
                params["response_format"] = to_response_format(response_format)
        return self.bind(**params, **kwargs)

    def with_structured_output(
        self,
        schema: Schema | None = None,
        *,
        method: Method | None = None,
        include_raw: bool = False,
        strict: bool | None = None,
        tools: Sequence[ToolLike] = (),
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """This model with answers that are objects.

        Args:
            schema: a Pydantic class (gives its instances), a TypedDict, a JSON schema with a title, or a function in
                OpenAI's form (give dicts). ``json_mode`` needs none.
            method: "json_schema", "function_calling" or "json_mode". Default: "json_schema" for models whose profile
                promises structured output (GPT and o-series), else "function_calling".
            include_raw: give a dict of ``raw``, ``parsed`` and ``parsing_error`` instead of raising.
            strict: whether the answer must keep to the schema; ``json_schema`` with a Pydantic class: True by default.
            tools: tools the model may call instead; ``parsed`` is then None.
            **kwargs: more words of the request.

        Raises:
            InvalidRequestError: an unknown method, no schema, or a schema that is none.
            OutputParserException: at the call: the model refused, was cut, or its answer does not fit.
        """
        return self.bind().with_structured_output(
            schema, method=method, include_raw=include_raw, strict=strict, tools=tools, **kwargs
        )

    # --- calls ---

    def _request(
        self, client: FlashClient, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], MessageOptions]:
        """The core's parameters for a call, and how its answer is shown."""
        call = self._call_params(kwargs)
        if stop is not None:
            call["stop"] = stop
        request = merge_params(
            self.model, held=self._sampling(), more=self.model_kwargs, unchecked=self.extra_body, call=call
        )
        schema = request.get("response_format")
        if isinstance(schema, type):
            request["response_format"] = to_response_format(schema)
        request["messages"] = to_wire(messages, system_role=self.system_role)
        blocks = self.output_version == "v1"
        return request, MessageOptions(client.provider.name, blocks, self.include_response_headers, schema)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with translate_errors():
            client = self._flash()
            request, options = self._request(client, messages, stop, kwargs)
            if run_manager is None or not self._emits_tokens(client, request["model"], run_manager, kwargs):
                return to_result(client.chat(**request), options)
            emitter, stream = TokenEmitter(run_manager.run_id, options), client.stream_chat(**request)
            for _ in read_stream(stream, emitter, only_tokens, run_manager):
                pass
            return emitter.sign(to_result(stream.completion, options))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with translate_errors():
            client = self._flash()
            request, options = self._request(client, messages, stop, kwargs)
            if run_manager is None or not self._emits_tokens(client, request["model"], run_manager, kwargs):
                return to_result(await client.to_async().chat(**request), options)
            emitter, stream = TokenEmitter(run_manager.run_id, options), client.to_async().stream_chat(**request)
            async for _ in aread_stream(stream, emitter, only_tokens, run_manager):
                pass
            return emitter.sign(to_result(stream.completion, options))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with translate_errors():
            client = self._flash()
            request, options = self._request(client, messages, stop, kwargs)
            refuse_choices(request, instead="invoke() and generate() give all")
            yield from read_stream(client.stream_chat(**request), Chunks(options), chunks_alone, run_manager)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        with translate_errors():
            client = self._flash()
            request, options = self._request(client, messages, stop, kwargs)
            refuse_choices(request, instead="invoke() and generate() give all")
            stream = client.to_async().stream_chat(**request)
            async with aclosing(aread_stream(stream, Chunks(options), chunks_alone, run_manager)) as chunks:
                async for chunk in chunks:
                    yield chunk

    def _stream_chat_model_events(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        *,
        run_manager: CallbackManagerForLLMRun,
        **kwargs: Any,
    ) -> Iterator[Event]:
        with translate_errors():
            client = self._flash()
            request, options = self._request(client, messages, stop, kwargs)
            emitter, events = self._events(request, options, run_manager, kwargs)
            yield from read_stream(client.stream_chat(**request), emitter, events.items, run_manager)

    async def _astream_chat_model_events(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        *,
        run_manager: AsyncCallbackManagerForLLMRun,
        **kwargs: Any,
    ) -> AsyncIterator[Event]:
        with translate_errors():
            client = self._flash()
            request, options = self._request(client, messages, stop, kwargs)
            emitter, events = self._events(request, options, run_manager, kwargs)
            stream = client.to_async().stream_chat(**request)
            async with aclosing(aread_stream(stream, emitter, events.items, run_manager)) as items:
                async for event in items:
                    yield event

    def _events(
        self,
        request: dict[str, Any],
        options: MessageOptions,
        run_manager: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun,
        kwargs: dict[str, Any],
    ) -> tuple[TokenEmitter | None, Events]:
        """What makes the tokens of an answer that goes out as events, if somebody takes them; and the events."""
        refuse_choices(request, instead="invoke() and generate() give all")
        emitter = TokenEmitter(run_manager.run_id, options)
        events = Events(options, message_id=emitter.message_id, model=request["model"])
        heard = super()._should_stream(async_api=False, run_manager=run_manager, **kwargs)
        return emitter if heard or any(map(takes_tokens, run_manager.handlers)) else None, events

    # LangChain's whole answers, which it makes of the events above where a v3 stream listens.

    def _generate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return with_standard_refusals(super()._generate_with_cache(messages, stop, run_manager, **kwargs))

    async def _agenerate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return with_standard_refusals(await super()._agenerate_with_cache(messages, stop, run_manager, **kwargs))

    # --- who gets tokens ---

    def _should_stream(
        self,
        *,
        async_api: bool,
        run_manager: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> bool:
        # Asked for a whole answer (there is a run): _generate hands on the tokens itself; see _callbacks.
        return run_manager is None and super()._should_stream(async_api=async_api, **kwargs)

    def _should_use_protocol_streaming(
        self,
        *,
        async_api: bool,
        run_manager: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> bool:
        # Events hold one choice: several are answered by _generate.
        return (kwargs.get("n") or self.n or 1) == 1 and super()._should_use_protocol_streaming(
            async_api=async_api, run_manager=run_manager, **kwargs
        )

    def _emits_tokens(
        self,
        client: FlashClient,
        model: str,
        run_manager: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun,
        kwargs: dict[str, Any],
    ) -> bool:
        """Whether a whole answer's tokens are handed on: LangChain would stream, or the wire does and one listens."""
        if self._streaming_disabled(**kwargs):
            return False
        if super()._should_stream(async_api=False, run_manager=run_manager, **kwargs):
            return True
        return client.streams(model) and any(map(takes_tokens, run_manager.handlers))
