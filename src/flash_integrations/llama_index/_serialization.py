"""What of a FlashLLM goes into dumps, pickles, copies and its repr: every field that was set, and no key.

LlamaIndex's own ways show what a field holds, delete from a living object what does not pickle, and call the
constructor with parameters that nobody set.
"""

from __future__ import annotations

import pickle
from typing import Any, Self

from pydantic import (
    BaseModel,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from .._adapters.chat_settings import FlashSettings
from .._adapters.connection_settings import CONNECTION_PARAMS
from ._structured import StructuredCalls, to_response_format
from ._tokens import estimate

_OF_THIS_PROCESS = {
    "callback_manager": None,
    "rate_limiter": None,
    "messages_to_prompt": None,
    "completion_to_prompt": None,
    "output_parser": None,
    "query_wrapper_prompt": None,
    "tokenizer": estimate,
}
"""Fields that may hold what does not pickle, and what the other side has in their place."""


class Serialization(FlashSettings, StructuredCalls):
    """Serialisation, both ways; a loaded object takes its key from its own environment."""

    additional_kwargs: dict[str, Any] = Field(default_factory=dict)
    """More of every request's body, unchecked."""

    @field_validator("response_format", mode="before")
    @classmethod
    def _keep_schema(cls, wanted: Any) -> Any:
        """A class that answers are to be in is kept as the schema it stands for, which can be dumped."""
        return to_response_format(wanted) if isinstance(wanted, type) and issubclass(wanted, BaseModel) else wanted

    @model_serializer(mode="wrap")
    def custom_model_dump(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """Without key, clients, and connection words that were not set: for those, being None says something else."""
        data: dict[str, Any] = handler(self)
        unset = {*CONNECTION_PARAMS} - self.model_fields_set
        dumped = {name: value for name, value in data.items() if name not in unset}
        return dumped | {"class_name": self.class_name()}

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy of its own settings, at the same limiter (which holds locks) and the same handlers."""
        memo = {} if memo is None else memo
        memo |= {id(shared): shared for shared in (self.rate_limiter, self.callback_manager) if shared is not None}
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[Any, Any]:
        """For pickling: without what belongs to this process."""
        state = FlashSettings.__getstate__(self)
        held = state["__dict__"]
        for name, instead in _OF_THIS_PROCESS.items():
            try:
                pickle.dumps(held[name])
            except (pickle.PicklingError, TypeError, AttributeError):
                held[name] = instead
        return state

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """As Pydantic does it: LlamaIndex's own calls the constructor, to which a word that is None was set."""
        BaseModel.__setstate__(self, state)
        # Methods, once Pydantic has made the class.
        self.check_callback_manager()  # type: ignore[operator]
        self.check_prompts()  # type: ignore[operator]
