"""A chat model's fields, and what LangChain asks about a model without calling it.

Identity and parameters for traces, the cache's key, secrets for serialisation, the profile, and tokens counted offline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import BaseMessage
from pydantic import Field

from .._adapters.chat_settings import FlashSettings
from .._adapters.connection_settings import MODEL_CONFIG
from .._config.redaction import HIDDEN, mask_secrets, without_body_secrets
from .._core.policy.past_reasoning import with_past_reasoning
from .._core.policy.token_estimate import count_messages, count_text
from ..errors import ConfigurationError
from ._profiles import profile_of
from ._to_wire import to_wire
from ._tools import ToolLike, to_tool
from ._usage import add_counts


class ChatSettings(FlashSettings, BaseChatModel):
    """A chat model's parameters, and how it describes itself."""

    model_config = MODEL_CONFIG

    streaming: bool = False
    """Whether invoke hands on tokens even to nobody in particular."""
    stream_usage: bool | None = None
    """Accepted for ChatOpenAI's sake: usage always comes."""
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """More of the request's body."""
    include_response_headers: bool = False
    """Whether response_metadata has the answer's headers, but for secrets."""
    extra_body: dict[str, Any] | None = None
    """Laid over the body, unchecked."""

    @property
    def model_name(self) -> str:
        """The model's id, under the name other integrations give it."""
        return self.model

    @property
    def _llm_type(self) -> str:
        return "flash-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "base_url": self._flash().base_url,
            **self._sampling(),
            **without_body_secrets(self.model_kwargs),
        }

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = self._flash().provider.name
        limit = kwargs.get("max_completion_tokens", self.max_completion_tokens)
        if "ls_max_tokens" not in params and isinstance(limit, int):
            params["ls_max_tokens"] = limit
        if "ls_stop" not in params and self.stop:
            params["ls_stop"] = [self.stop] if isinstance(self.stop, str) else list(self.stop)
        return params

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        # These are shown in traces.
        params = super()._get_invocation_params(stop=stop, **kwargs)
        for name in ("extra_headers", "extra_query"):
            if isinstance(params.get(name), Mapping):
                params[name] = dict.fromkeys(params[name], HIDDEN)
        if isinstance(params.get("tools"), list):
            params["tools"] = mask_secrets(params["tools"])
        if "extra_body" in params:
            params["extra_body"] = without_body_secrets(params["extra_body"])
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
        """What LangChain's serialisation would leave out or show: limits turned off, objects, secret headers."""
        shown = {"provider", "default_headers", "default_query", "model_kwargs", "extra_body", "disabled_params"}
        shown |= {name for name in ("rate_limit", "timeout") if not isinstance(getattr(self, name), str)}
        # By what they hold, not by what was set: the dicts of an object may be filled after it was made.
        plain = self.model_dump(include={name for name in shown if getattr(self, name)}, exclude_none=True)
        return plain | ({"rate_limit": None} if self.rate_limit is None else {})

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        # The cache's key. LangChain's own is made once an object, and does not know where calls go.
        # What the call says is hashed: it may hold headers with keys, and caches are kept on disk.
        held = self.model_dump(exclude={"callbacks", "cache", "metadata", "tags", "name", "profile"})
        digest = blake2b(repr(sorted({**kwargs, "stop": stop}.items())).encode("utf-8", "replace")).hexdigest()
        return f"{self._flash().base_url} {sorted(held.items(), key=str)} {digest}"

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
        """Tokens of messages and tools, as :meth:`get_num_tokens` counts them; images and files at a flat rate."""
        bodies, _ = with_past_reasoning(to_wire(messages, system_role=self.system_role), send=self.send_reasoning)
        return count_messages(bodies, [to_tool(tool) for tool in tools or ()], count=self.get_num_tokens)
