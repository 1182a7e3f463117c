"""LlamaIndex's LLM over the transport core.

An adapter: messages are translated in ``_to_wire``, streams in ``_streams``, structured output in ``_structured``,
dumps in ``_serialization``; sending, re-sending, limits, forced streaming and the wire's oddities are the core's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
    TextBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools.types import BaseTool
from pydantic import BaseModel, BeforeValidator, Field, field_validator

from .._adapters.chat_settings import FlashSettings
from .._adapters.connection_settings import MODEL_CONFIG
from .._adapters.params import merge_params, refuse_choices
from .._adapters.tool_choice import to_tool_choice
from .._core.model_names import is_o_series
from ..catalogue import context_window
from ..client import AsyncChatStream, ChatStream
from ..errors import InvalidRequestError
from ._content import reads_files
from ._images import to_image_block
from ._rate_limiters import check_rate_limiter
from ._serialization import Serialization
from ._streams import aclosing, agiving, aresponses, closing, responses, returning
from ._structured import to_response_format
from ._to_wire import to_completion, to_response, to_wire
from ._tokens import estimate, to_tokenizer
from ._tools import afirst_calls, first_calls, keep_first_call, to_selections, to_tool

_CALL_PARAMS = ("extra_headers", "extra_query", "timeout")
"""What a call says that is no field of the body."""


class FlashLLM(Serialization):
    """Chat models behind an OpenAI-format gateway, GPT models that only stream among them.

    ::

        from flash_integrations.llama_index import FlashLLM

        llm = FlashLLM(model="gpt-5.2")  # the key comes from FLASH_API_KEY
        llm.complete("Hello").text

    Whole answers come whole though the wire is streamed. Only what is set is sent; unknown parameters are refused.
    ``raw`` is a dict whose keys are attributes too (``raw.usage.total_tokens``): the answer as the plain endpoint
    writes it, in streams the wire's own chunk, and the whole answer with its ``usage`` on the last item.

    LlamaIndex asks no LLM for its tokenizer: splitters, memories and counters use one for all, that of GPT-3.5 by the
    tables it comes with (fetched anew where ``TIKTOKEN_CACHE_DIR`` names a folder without them). To count by estimate
    instead, which knows Chinese and needs neither tables nor tiktoken, write ``Settings.tokenizer = llm.tokenizer``.

    The parameters that matter (every field has its own line):

    Args:
        model: the model's id at the gateway, such as "gpt-5.2".
        provider: the gateway, such as "flashapi" or "supertoken". Default: the one ``base_url`` belongs to, else
            ``FLASH_PROVIDER``, else flashapi.
        base_url: the gateway's URL with its ``/v1``. Default: ``FLASH_BASE_URL``, else the provider's.
        api_key: a str, a ``SecretStr`` or a function that returns it. Default: the provider's environment variable.
        temperature: 0 to 2. Default: not sent, the model's own.
        max_tokens: the most tokens of an answer. Default: not sent, the model's own.
        context_window: tokens that prompts are packed to. Default: the catalogue's figure for the model.
        timeout: seconds, or ``Timeout(connect=10, first_byte=300, progress=60)``, the defaults.
        max_retries: how many times a failed request is sent again. Default: 2.
        rate_limit: limits kept before sending, shared by the process. Default: the provider's; None: none.

    Raises (at the call):
        FlashError: what the call came to; see ``flash_integrations.errors``.
    """

    model_config = MODEL_CONFIG

    ALIASES: ClassVar[Mapping[str, str]] = {
        **FlashSettings.ALIASES,
        "api_base": "base_url",
        "async_http_client": "http_async_client",
        "audio_config": "audio",
    }

    context_window: int | None = None
    """Tokens; by default the catalogue's figure."""
    num_output: int | None = None
    """Tokens kept for the answer; by default max_tokens."""
    is_function_calling_model: bool = True
    """Whether the model takes tools."""
    tokenizer: Annotated[Any, BeforeValidator(to_tokenizer)] = Field(
        default_factory=lambda: estimate, exclude=True, repr=False
    )
    """A function from a str to a list of its tokens; by default an estimate that needs no data."""

    _check_rate_limiter = field_validator("rate_limiter", mode="before")(check_rate_limiter)

    @classmethod
    def class_name(cls) -> str:
        """The name LlamaIndex serialises the class under."""
        return "FlashLLM"

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex asks about the model: window and answer in tokens (-1: not limited), and its abilities."""
        return LLMMetadata(
            context_window=self.context_window or context_window(self.model, self._flash().provider),
            num_output=self.num_output or self.max_completion_tokens or self.max_tokens or -1,
            is_chat_model=True,
            is_function_calling_model=self.is_function_calling_model,
            model_name=self.model,
            system_role=MessageRole.DEVELOPER if self.system_role == "developer" else MessageRole.SYSTEM,
        )

    @property
    def api_base(self) -> str:
        """Where calls go, under the name other integrations give it."""
        return self._flash().base_url

    # --- calls ---

    def _request(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The core's words for a call: what the object holds, over it what the call says."""
        _refuse_others(kwargs)
        call = self._call_params(kwargs)
        more = {name: value for name, value in self.additional_kwargs.items() if name not in call}
        unchecked = {**more, **(self.additional_kwargs.get("extra_body") or {})}
        unchecked.pop("extra_body", None)
        apart = {name: unchecked.pop(name) for name in _CALL_PARAMS if name in unchecked}
        request = merge_params(self.model, held=self._sampling(), more=apart, unchecked=unchecked, call=call)
        wanted = request.get("response_format")
        if isinstance(wanted, type) and issubclass(wanted, BaseModel):
            request["response_format"] = to_response_format(wanted, strict=self.strict)
        request["messages"] = to_wire(messages, system_role=self.system_role)
        return request

    async def _arequest(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        if reads_files(messages):
            return await asyncio.to_thread(self._request, messages, kwargs)
        return self._request(messages, kwargs)

    def _open(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> ChatStream:
        return self._flash().stream_chat(**_one_choice(self._request(messages, _streamed(kwargs))))

    async def _aopen(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> AsyncChatStream:
        return self._flash().to_async().stream_chat(**_one_choice(await self._arequest(messages, _streamed(kwargs))))

    def _prompt(self, prompt: str, kwargs: dict[str, Any], *, formatted: bool) -> list[ChatMessage]:
        """A prompt as the message it is, with the ``image_documents`` that it takes out of the keyword arguments."""
        text = prompt if formatted or self.completion_to_prompt is None else self.completion_to_prompt(prompt)
        images = [to_image_block(document) for document in kwargs.pop("image_documents", None) or ()]
        return [ChatMessage(role=MessageRole.USER, blocks=[TextBlock(text=text), *images])]

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer messages. Keyword arguments go into the request's body."""
        return to_response(self._flash().chat(**self._request(messages, kwargs)))

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """As :meth:`chat`."""
        return to_response(await self._flash().to_async().chat(**await self._arequest(messages, kwargs)))

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:  # noqa: FBT001, FBT002
        """Answer a prompt, as a chat of one user message; ``image_documents=[...]`` adds images to it."""
        request = self._request(self._prompt(prompt, kwargs, formatted=formatted), kwargs)
        return to_completion(to_response(self._flash().chat(**request)))

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:  # noqa: FBT001, FBT002
        """As :meth:`complete`."""
        request = await self._arequest(self._prompt(prompt, kwargs, formatted=formatted), kwargs)
        return to_completion(to_response(await self._flash().to_async().chat(**request)))

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Answer messages in pieces: each item is the message so far and, in ``delta``, what is new.

        Nothing is sent before the first item is asked for; the last item is the whole answer.
        """
        items = responses(self._open(messages, kwargs))
        return closing(llm_chat_callback()(returning(items))(self, messages, **kwargs), items)

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """As :meth:`stream_chat`."""
        items = aresponses(await self._aopen(messages, kwargs))
        return aclosing(await llm_chat_callback()(agiving(items))(self, messages, **kwargs), items)

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:  # noqa: FBT001, FBT002
        """Answer a prompt in pieces."""
        items = responses(self._open(self._prompt(prompt, kwargs, formatted=formatted), kwargs))
        give = returning(to_completion(item) for item in items)
        return closing(llm_completion_callback()(give)(self, prompt, formatted=formatted, **kwargs), items)

    async def astream_complete(
        self,
        prompt: str,
        formatted: bool = False,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> CompletionResponseAsyncGen:
        """As :meth:`stream_complete`."""
        items = aresponses(await self._aopen(self._prompt(prompt, kwargs, formatted=formatted), kwargs))
        give = agiving(to_completion(item) async for item in items)
        return aclosing(await llm_completion_callback()(give)(self, prompt, formatted=formatted, **kwargs), items)

    # --- tools ---

    def _prepare_chat_with_tools(  # noqa: PLR0917 - LlamaIndex's signature
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,  # noqa: FBT001, FBT002
        allow_parallel_tool_calls: bool = False,  # noqa: FBT001, FBT002
        tool_required: bool = False,  # noqa: FBT001, FBT002
        tool_choice: str | dict[str, Any] | None = None,
        strict: bool | None = None,  # noqa: FBT001
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The words of the chat call that offers tools."""
        messages = [*(chat_history or [])]
        if user_msg:
            messages.append(ChatMessage(role="user", content=user_msg) if isinstance(user_msg, str) else user_msg)
        params: dict[str, Any] = {"messages": messages, **kwargs}
        if tools:
            strict = self.strict if strict is None else strict
            params["tools"] = [to_tool(tool, strict=strict) for tool in tools]
            if choice := to_tool_choice(tool_choice or tool_required, params["tools"]):
                params["tool_choice"] = choice
            # The endpoint's own default is to allow them; o-series models do not know the word.
            if not allow_parallel_tool_calls and not is_o_series(self.model):
                params["parallel_tool_calls"] = False
        return params

    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> ChatResponse:
        """Keep the first tool call alone where only one is allowed: some models make more all the same."""
        if not allow_parallel_tool_calls:
            keep_first_call(response)
        return response

    def stream_chat_with_tools(  # noqa: PLR0917 - LlamaIndex's signature
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,  # noqa: FBT001, FBT002
        allow_parallel_tool_calls: bool = False,  # noqa: FBT001, FBT002
        tool_required: bool = False,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> ChatResponseGen:
        """As :meth:`stream_chat`, with tools on offer; where only one call is allowed, the first alone is given."""
        items = super().stream_chat_with_tools(
            tools, user_msg, chat_history, verbose, allow_parallel_tool_calls, tool_required, **kwargs
        )
        return items if allow_parallel_tool_calls else first_calls(items)

    async def astream_chat_with_tools(  # noqa: PLR0917 - LlamaIndex's signature
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,  # noqa: FBT001, FBT002
        allow_parallel_tool_calls: bool = False,  # noqa: FBT001, FBT002
        tool_required: bool = False,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> ChatResponseAsyncGen:
        """As :meth:`stream_chat_with_tools`."""
        items = await super().astream_chat_with_tools(
            tools, user_msg, chat_history, verbose, allow_parallel_tool_calls, tool_required, **kwargs
        )
        return items if allow_parallel_tool_calls else afirst_calls(items)

    def get_tool_calls_from_response(
        self,
        response: ChatResponse,
        error_on_no_tool_call: bool = True,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> list[ToolSelection]:
        """The tool calls to carry out.

        Raises:
            ValueError: there are none, and ``error_on_no_tool_call`` is set.
        """
        selections = to_selections(response)
        if not selections and error_on_no_tool_call:
            raise ValueError("Expected at least one tool call, but got 0 tool calls.")
        return selections


def _streamed(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name != "stream"}


def _refuse_others(kwargs: Mapping[str, Any]) -> None:
    """Refuse what is another method's business, which would be answered with something else than was asked for."""
    if kwargs.get("stream"):
        raise InvalidRequestError(
            "stream=True: this method gives whole answers; stream_chat or stream_complete streams"
        )
    if "image_documents" in kwargs:
        raise InvalidRequestError(
            "image_documents go with a prompt, as in complete(); in a message give blocks=[TextBlock(), ImageBlock()]"
        )


def _one_choice(request: dict[str, Any]) -> dict[str, Any]:
    refuse_choices(request, instead="chat() gives all of them in raw")
    return request
