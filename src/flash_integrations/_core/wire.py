"""The JSON bodies that travel between client and gateway, as TypedDicts.

They describe the OpenAI format as gateways document it. Answers are read far more tolerantly than these types
say (see ``chunks``); what the core hands out are the dataclasses of ``completion``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

Role: TypeAlias = Literal["developer", "system", "user", "assistant", "tool", "function"]


class FunctionBody(TypedDict, total=False):
    """A called function: its name, and its arguments as JSON text."""

    name: str
    arguments: str


CARRIED = "_carried_reasoning"
"""Where a past answer carries what the gateway sent of its reasoning, for gateways that want it; never sent itself."""

REASONING_TEXTS = ("reasoning_content", "reasoning", "reasoning_text")
"""Where a message has the text of its reasoning: DeepSeek's field; OpenRouter's; Copilot's Claude (opencode#8900)."""

SIGNED_REASONING = ("reasoning_details", "thinking_blocks", "extra_content")
"""What a message has of its reasoning beside the text: OpenRouter's details, LiteLLM's blocks, Gemini's signature."""

PAST_REASONING = (*REASONING_TEXTS, *SIGNED_REASONING)
"""All that an earlier answer says of its reasoning."""


class ToolCallBody(TypedDict, total=False):
    """One tool call of an assistant message; ``index`` only in streams."""

    index: int
    id: str
    type: str
    function: FunctionBody


class MessageBody(TypedDict, total=False):
    """One message, as sent and as answered."""

    role: Role
    content: str | list[dict[str, Any]] | None
    name: str
    refusal: str | None
    reasoning_content: str
    tool_calls: list[ToolCallBody]
    tool_call_id: str
    function_call: FunctionBody
    audio: dict[str, Any] | None
    annotations: list[dict[str, Any]]


class UsageBody(TypedDict, total=False):
    """Token counts of one call."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: dict[str, Any]
    completion_tokens_details: dict[str, Any]


class ChoiceBody(TypedDict, total=False):
    """One choice: ``message`` in whole answers, ``delta`` in chunks."""

    index: int
    message: MessageBody
    delta: MessageBody
    logprobs: dict[str, Any] | None
    finish_reason: str | None


class CompletionBody(TypedDict, total=False):
    """A whole answer (``chat.completion``) or a chunk of one (``chat.completion.chunk``)."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChoiceBody]
    usage: UsageBody | None
    system_fingerprint: str | None
    service_tier: str | None


class ErrorBody(TypedDict, total=False):
    """The inside of ``{"error": {...}}``."""

    message: str
    type: str | None
    code: str | int | None
    param: str | None


class ChatParams(TypedDict, total=False):
    """What a chat call may set beside model and messages. Only what is set is sent.

    Their bounds are checked in ``call``; words of open lists (efforts, tiers, voices) go out as they are. The last two
    are no parameters of the wire: they say what is done with reasoning, as in the client's constructor.
    """

    temperature: float
    top_p: float
    max_tokens: int
    max_completion_tokens: int
    n: int
    stop: str | Sequence[str]
    frequency_penalty: float
    presence_penalty: float
    seed: int
    user: str
    store: bool
    tools: Sequence[Mapping[str, Any]]
    tool_choice: str | Mapping[str, Any]
    parallel_tool_calls: bool
    reasoning_effort: str
    response_format: Mapping[str, Any]
    modalities: Sequence[str]
    audio: Mapping[str, Any]
    logprobs: bool
    top_logprobs: int
    logit_bias: Mapping[str, float]
    verbosity: str
    service_tier: str
    web_search_options: Mapping[str, Any]
    metadata: Mapping[str, str]
    prediction: Mapping[str, Any]
    stream_options: Mapping[str, Any]
    extra_body: Mapping[str, Any]
    extra_headers: Mapping[str, str]
    extra_query: Mapping[str, Any]
    send_reasoning: bool
    split_think_tags: bool


class EmbedParams(TypedDict, total=False):
    """What an embedding call may set beside model and texts. Only what is set is sent.

    ``dimensions`` shortens vectors where the model can; ``encoding_format`` is base64 unless set.
    """

    dimensions: int | None
    encoding_format: str | None
    user: str | None
    extra_body: Mapping[str, Any] | None
    extra_headers: Mapping[str, str] | None
    extra_query: Mapping[str, Any] | None
