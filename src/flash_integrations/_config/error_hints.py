"""What the caller's settings add to an error: the key that was not there, the window that nobody gave."""

from __future__ import annotations

from typing import TypeVar

from .._core.flow import Flow
from ..errors import AuthenticationError, ContextLengthError
from .endpoint import Credential

T = TypeVar("T")


def explaining_no_key(flow: Flow[T], key: Credential) -> Flow[T]:
    """A flow whose requests carry no key: a gateway that asks for one says something else of it, "invalid" perhaps."""
    try:
        return (yield from flow)
    except AuthenticationError as error:
        hint = f"No key was sent: {key.advice()}"
        error.hint = f"{error.hint}. {hint}" if error.hint else hint
        raise


def explaining_window(flow: Flow[T], model: str, provider: str) -> Flow[T]:
    """A flow that asks a model whose window no provider lists: a prompt that is too long names where it is given."""
    try:
        return (yield from flow)
    except ContextLengthError as error:
        error.hint = error.hint or (
            f"No provider lists the window of {model}: FlashLLM(context_window=...), ChatFlash(profile="
            f"{{'max_input_tokens': ...}}) or register_model({model!r}, provider={provider!r}, context_window=...)"
        )
        raise
