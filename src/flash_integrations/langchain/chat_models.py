"""LangChain's chat model over the transport core.

An adapter: messages are translated in ``_messages``, tools in ``_tools``, errors in ``_errors``; sending, re-sending,
limits, forced streaming and the wire's oddities are the core's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackHandler,
    AsyncCallbackManagerForLLMRun,
    BaseCallbackHandler,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.tracers.base import AsyncBaseTracer, BaseTracer
from pydantic import ConfigDict, Field

from .._settings import FlashSettings
from ..client import FlashClient
from ..errors import InvalidRequestError
from ._errors import known_to_langchain
from ._messages import to_chunk, to_last_chunk, to_result, to_wire
from ._profiles import profile_of


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

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True, protected_namespaces=())

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
                total = _sum(combined.get("token_usage"), output.get("token_usage"))
                combined = {**output, **combined, "token_usage": total}
        return {name: value for name, value in combined.items() if name != "id"}

    # --- calls ---

    def _request(self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The core's words for a call: what the object holds, over it what the call says."""
        said = {name: value for name, value in kwargs.items() if not name.startswith("ls_") and name not in _NOT_SENT}
        request = {"model": self.model, **self._sampling(), **self.model_kwargs, **said}
        if stop is not None:
            request["stop"] = stop
        if self.extra_body or said.get("extra_body"):
            request["extra_body"] = {**(self.extra_body or {}), **(said.get("extra_body") or {})}
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
            if run_manager is None or not self._tokens_go(client, request["model"], run_manager, kwargs):
                return to_result(client.chat(**request), client.provider.name)
            with client.stream_chat(**request) as stream:
                for delta in stream:
                    if delta.index == 0 and (chunk := to_chunk(delta)) is not None:
                        run_manager.on_llm_new_token(delta.text, chunk=chunk)
            return to_result(stream.completion, client.provider.name)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with known_to_langchain():
            client, request = self._flash(), self._request(messages, stop, kwargs)
            if run_manager is None or not self._tokens_go(client, request["model"], run_manager, kwargs):
                return to_result(await client.twin.chat(**request), client.provider.name)
            async with client.twin.stream_chat(**request) as stream:
                async for delta in stream:
                    if delta.index == 0 and (chunk := to_chunk(delta)) is not None:
                        await run_manager.on_llm_new_token(delta.text, chunk=chunk)
            return to_result(stream.completion, client.provider.name)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with known_to_langchain():
            client, request = self._flash(), self._request(messages, stop, kwargs)
            _refuse_choices(request)
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
            _refuse_choices(request)
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
        # Chunks hold one choice: several are answered by _generate, which hands on the tokens of the first.
        if run_manager is not None and (kwargs.get("n") or self.n or 1) > 1:
            return False
        return super()._should_stream(async_api=async_api, run_manager=run_manager, **kwargs)

    def _tokens_go(
        self,
        client: FlashClient,
        model: str,
        run_manager: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun,
        kwargs: dict[str, Any],
    ) -> bool:
        """Whether a whole answer's tokens are handed on as they come: its wire is streamed, and a handler takes them."""
        if self._streaming_disabled(**kwargs) or not any(map(_takes_tokens, run_manager.handlers)):
            return False
        return client.streams(model)


_NOT_SENT = frozenset({"stream", "streaming", "stream_usage"})


def _takes_tokens(handler: BaseCallbackHandler) -> bool:
    """Whether a handler does something with tokens; tracers only keep them."""
    if isinstance(handler, BaseTracer | AsyncBaseTracer):
        return False
    return getattr(type(handler), "on_llm_new_token", None) not in _IDLE


_IDLE = (None, BaseCallbackHandler.on_llm_new_token, AsyncCallbackHandler.on_llm_new_token)


def _refuse_choices(request: Mapping[str, Any]) -> None:
    if (request.get("n") or 1) > 1:
        raise InvalidRequestError("n > 1 cannot be streamed: chunks hold one choice. invoke() and generate() give all")


def _sum(one: Any, other: Any) -> Any:
    """Token counts added up, details too."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {name: _sum(one.get(name), other.get(name)) for name in {**one, **other}}
    if one is None or other is None:
        return one if other is None else other
    return one + other
