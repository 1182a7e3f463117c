"""A chat model with parameters and a config bound to it, whose own methods keep them.

langchain-core's binding hands ``bind_tools`` and ``with_structured_output`` on to the model it holds, which knows
nothing of what is bound: ``bind(seed=7).bind_tools([t])`` has no seed, ``with_config(tags=[...]).bind_tools([t])`` no
tags. Here what is bound later is laid over what is bound already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.runnables.base import RunnableBindingBase

from ._errors import translate_errors
from ._structured import Method, Schema, structured, with_raw
from ._tools import ToolLike

if TYPE_CHECKING:  # langchain-core's own knows the types of version v3 events, and nothing else; 1.7.0 has none
    from langchain_core.language_models.chat_models import _ChatModelBinding as ChatModelBinding
else:
    ChatModelBinding = RunnableBinding[LanguageModelInput, AIMessage]

_ABOUT_TOOLS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})


class FlashBinding(ChatModelBinding):
    """A chat model with parameters and a config bound to it."""

    @classmethod
    def lc_id(cls) -> list[str]:
        """The id of langchain-core's binding, which readers of traces and dumps know."""
        return [*cls.get_lc_namespace(), "RunnableBinding"]

    def bind_tools(self, tools: Sequence[ToolLike], **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """The model's ``bind_tools``, over what is bound; new tools take the place of bound ones.

        Raises:
            InvalidRequestError: what is no tool, or a choice that is not among them.
        """
        model: Any = _model_in(self)
        with_tools = model.bind_tools(tools, **kwargs).kwargs
        replaced = _ABOUT_TOOLS if "tools" in self.kwargs else frozenset()  # a choice is one among its own tools
        kept = {name: value for name, value in self.kwargs.items() if name not in replaced}
        return self.model_copy(update={"kwargs": {**kept, **with_tools}})

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
        """The model's ``with_structured_output``, over what is bound; bound tools may be called instead.

        Raises:
            InvalidRequestError: an unknown method, no schema, or a schema that is none.
            OutputParserException: at the call: the model refused, was cut, or its answer does not fit.
        """
        with translate_errors():
            promised = bool((_model_in(self).profile or {}).get("structured_output"))
            method = method or ("json_schema" if promised else "function_calling")
            bound = self.kwargs.get("tools") or ()
            params, read = structured(schema, method=method, strict=strict, tools=tools, bound=bound)
        llm = self.bind(**{**params, **kwargs})
        return with_raw(llm, read) if include_raw else llm | read

    def with_alisteners(self, **listeners: Any) -> FlashBinding:
        """This binding with asynchronous listeners: see ``Runnable.with_alisteners``."""
        factories = merging(super().with_alisteners(**listeners)).config_factories
        return self.model_copy(update={"config_factories": [*factories, *self.config_factories]})


class BindableModel(BaseChatModel):
    """A chat model whose bindings are of the kind above."""

    def bind(self, **kwargs: Any) -> FlashBinding:
        """This model with more of the request's parameters."""
        return FlashBinding(bound=self, kwargs=kwargs)

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> FlashBinding:
        """This model with a config: see ``Runnable.with_config``."""
        return merging(super().with_config(config, **kwargs))

    def with_listeners(self, **listeners: Any) -> FlashBinding:
        """This model with listeners: see ``Runnable.with_listeners``."""
        return merging(super().with_listeners(**listeners))

    def with_alisteners(self, **listeners: Any) -> FlashBinding:
        """This model with asynchronous listeners: see ``Runnable.with_alisteners``."""
        return merging(super().with_alisteners(**listeners))

    def with_types(self, **types: Any) -> FlashBinding:
        """This model with other types of input and output: see ``Runnable.with_types``."""
        return merging(super().with_types(**types))


def merging(binding: Runnable[LanguageModelInput, AIMessage]) -> FlashBinding:
    """A binding of langchain-core's as one that keeps what it holds."""
    return FlashBinding(**{name: getattr(binding, name) for name in RunnableBinding.model_fields})


def _model_in(binding: RunnableBinding[LanguageModelInput, AIMessage]) -> BaseChatModel:
    """The model itself, also under retries."""
    model: Any = binding.bound
    while isinstance(model, RunnableBindingBase):
        model = model.bound
    assert isinstance(model, BaseChatModel)  # noqa: S101 - only models make such bindings
    return model
