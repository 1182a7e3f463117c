"""LangChain's chat model over the transport core.

An adapter: messages are translated in ``_messages``, tools in ``_tools``, schemas in ``_structured``, errors in
``_errors``; sending, re-sending, limits, forced streaming and the wire's oddities are the core's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import ConfigDict, Field

from .._core.counting import count_messages, count_text
from .._settings import FlashSettings
from ..client import FlashClient
from ..errors import ConfigurationError
from ._callbacks import TokenFeed, refuse_choices, takes_tokens
from ._errors import known_to_langchain
from ._messages import add_counts, to_chunk, to_last_chunk, to_result, to_wire
from ._profiles import profile_of
from ._structured import Method, Schema, structured, to_response_format, with_raw
from ._tools import ToolChoice, ToolLike, to_tool, tool_words


class ChatFlash(FlashSettings, BaseChatModel):
    """Chat models behind an OpenAI-format gateway, GPT models that only stream among them.

    ::

        from flash_integrations.langchain import ChatFlash

        llm = ChatFlash(model="gpt-5.2")  # the key comes from FLASH_API_KEY
        llm.invoke("Hello").content

    Whole answers come whole though the wire is streamed; handlers that take tokens get them one by one meanwhile.
    Only what is set is sent. Connection words are those of ``FlashClient``; unknown words are refused.

    Raises (at the call):
        FlashError: every error is one, and the matching class of ``langchain_core.exceptions`` as well.
    """

    model_config = ConfigDict(
        arbitrary_types_allowed=True, populate_by_name=True, protected_namespaces=(), hide_input_in_errors=True
    )

    streaming: bool = Field(default=False, description="Whether invoke hands on tokens even to nobody in particular.")
    stream_usage: bool | None = Field(default=None, description="Accepted for ChatOpenAI's sake: usage always comes.")
    model_kwargs: dict[str, Any] = Field(default_factory=dict, description="More of the request's body.")
    extra_body: dict[str, Any] | None = Field(default=None, description="Laid over the body, unchecked.")

    @property
    def model_name(self) -> str:
        """The model's id, under the name other integrations give it."""
        return self.model

    # --- what LangChain asks about a model ---

    @property
    def _llm_type(self) -> str:
        return "flash-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "base_url": self._flash().base_url, **self._sampling(), **self.model_kwargs}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = self._flash().provider.name
        limit = kwargs.get("max_completion_tokens", self.max_completion_tokens)
        if "ls_max_tokens" not in params and isinstance(limit, int):
            params["ls_max_tokens"] = limit
        if "ls_stop" not in params and self.stop:
            params["ls_stop"] = [self.stop] if isinstance(self.stop, str) else list(self.stop)
        return params

    @property
    def lc_secrets(self) -> dict[str, str]:
        """The key's environment variable, for LangChain's serialisation."""
        return {"api_key": self._flash().provider.key_variable or "FLASH_API_KEY"}

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Yes; the key is left out."""
        return True

    def _resolve_model_profile(self) -> ModelProfile | None:
        return profile_of(self.model, self._flash().provider)

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None]) -> dict[str, Any]:
        combined: dict[str, Any] = {}
        for output in llm_outputs:
            if output:
                total = add_counts(combined.get("token_usage"), output.get("token_usage"))
                combined = {**output, **combined, "token_usage": total}
        return {name: value for name, value in combined.items() if name != "id"}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """What LangChain's serialisation would leave out or show: limits turned off, rows, secret headers."""
        plain = self.model_dump(include={"provider", "default_headers", "default_query"}, exclude_none=True)
        return plain | ({"rate_limit": None} if self.rate_limit is None else {})

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        # The cache's key. LangChain's own is made once an object, and does not know where calls go.
        held = self.model_dump(exclude={"callbacks", "cache", "metadata", "tags", "name", "profile"})
        return f"{self._flash().base_url} {sorted(held.items(), key=str)} {sorted({**kwargs, 'stop': stop}.items())}"

    # --- tokens ---

    def get_token_ids(self, text: str) -> list[int]:
        """The token ids of a text, by ``custom_get_token_ids``.

        Raises:
            ConfigurationError: there is none; no tokenizer is downloaded.
        """
        if self.custom_get_token_ids is None:
            raise ConfigurationError("no tokenizer is downloaded: pass custom_get_token_ids=, or use get_num_tokens")
        return self.custom_get_token_ids(text)

    def get_num_tokens(self, text: str) -> int:
        """Tokens of a text: counted by ``custom_get_token_ids``, else estimated offline."""
        return count_text(text) if self.custom_get_token_ids is None else len(self.custom_get_token_ids(text))

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[ToolLike] | None = None) -> int:
        """Tokens of messages and tools, as :meth:`get_num_tokens` tells them; images and files at a flat rate."""
        bodies = to_wire(messages, system_role=self.system_role, send_reasoning=self.send_reasoning)
        return count_messages(bodies, [to_tool(tool) for tool in tools or ()], count=self.get_num_tokens)

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
        with known_to_langchain():
            words = tool_words(tools, choice=tool_choice, strict=strict, parallel=parallel_tool_calls)
            if response_format is not None:
                words["response_format"] = to_response_format(response_format)
        return self.bind(**words, **kwargs)

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
        with known_to_langchain():
            promised = bool((self.profile or {}).get("structured_output"))
            method = method or ("json_schema" if promised else "function_calling")
            words, read = structured(schema, method=method, strict=strict, tools=tools)
        llm = self.bind(**words, **kwargs)
        return with_raw(llm, read) if include_raw else llm | read

    # --- calls ---

    def _request(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The core's words for a call: what the object holds, over it what the call says."""
        said = self._call_words(kwargs)
        request = {"model": self.model, **self._sampling(), **self.model_kwargs, **said}
        if stop is not None:
            request["stop"] = stop
        if self.extra_body or said.get("extra_body"):
            request["extra_body"] = {**(self.extra_body or {}), **(said.get("extra_body") or {})}
        if "tools" not in {**request, **request.get("extra_body", {})}:
            # What the object says about tools is for calls that have some; the wire refuses it without.
            request = {
                word: value
                for word, value in request.items()
                if word in said or word not in ("tool_choice", "parallel_tool_calls")
            }
        if isinstance(wanted := request.get("response_format"), type):
            request["response_format"] = to_response_format(wanted)
        request["messages"] = to_wire(messages, system_role=self.system_role, send_reasoning=self.send_reasoning)
        return request

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with known_to_langchain():
            client, request = self._flash(), self._request(messages, stop, kwargs)
            provider = client.provider.name
            if run_manager is None or not self._hands_on(client, request["model"], run_manager, kwargs):
                return to_result(client.chat(**request), provider)
            feed = TokenFeed(run_manager.run_id, blocks=self.output_version == "v1")
            with client.stream_chat(**request) as stream:
                for delta in stream:
                    if (chunk := feed.chunk(delta)) is not None:
                        run_manager.on_llm_new_token(chunk.message.content, chunk=chunk)
            last = feed.last(stream.completion, provider)
            run_manager.on_llm_new_token("", chunk=last)
            return feed.sign(to_result(stream.completion, provider))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with known_to_langchain():
            client, request = self._flash(), self._request(messages, stop, kwargs)
            provider = client.provider.name
            if run_manager is None or not self._hands_on(client, request["model"], run_manager, kwargs):
                return to_result(await client.twin.chat(**request), provider)
            feed = TokenFeed(run_manager.run_id, blocks=self.output_version == "v1")
            async with client.twin.stream_chat(**request) as stream:
                async for delta in stream:
                    if (chunk := feed.chunk(delta)) is not None:
                        await run_manager.on_llm_new_token(chunk.message.content, chunk=chunk)
            last = feed.last(stream.completion, provider)
            await run_manager.on_llm_new_token("", chunk=last)
            return feed.sign(to_result(stream.completion, provider))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with known_to_langchain():
            client, request = self._flash(), self._request(messages, stop, kwargs)
            refuse_choices(request)
            with client.stream_chat(**request) as stream:
                for delta in stream:
                    if (chunk := to_chunk(delta)) is not None:
                        if run_manager:
                            run_manager.on_llm_new_token(delta.text, chunk=chunk)
                        yield chunk
            last = to_last_chunk(stream.completion, client.provider.name)
            if run_manager:
                run_manager.on_llm_new_token("", chunk=last)
            yield last

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        with known_to_langchain():
            client, request = self._flash(), self._request(messages, stop, kwargs)
            refuse_choices(request)
            async with client.twin.stream_chat(**request) as stream:
                async for delta in stream:
                    if (chunk := to_chunk(delta)) is not None:
                        if run_manager:
                            await run_manager.on_llm_new_token(delta.text, chunk=chunk)
                        yield chunk
            last = to_last_chunk(stream.completion, client.provider.name)
            if run_manager:
                await run_manager.on_llm_new_token("", chunk=last)
            yield last

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

    def _hands_on(
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
