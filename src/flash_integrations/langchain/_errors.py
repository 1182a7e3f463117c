"""Our errors as LangChain knows them: each is both ours and the matching ``langchain_core.exceptions`` class.

Code that catches either works, and ``is_retryable`` drives LangChain's retry middleware. ``ConfigurationError`` stays
plain.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from .. import errors


class FlashAPIConnectionError(errors.APIConnectionError, ModelConnectionError):
    """The gateway was not reached, or the line broke."""


class FlashAPITimeoutError(errors.APITimeoutError, ModelTimeoutError):
    """The gateway took too long."""


class FlashAuthenticationError(errors.AuthenticationError, ModelAuthenticationError):
    """The key is not accepted."""


class FlashBadRequestError(errors.BadRequestError, ModelInvalidRequestError):
    """The request is at fault."""


class FlashContentFilterError(errors.ContentFilterError, ModelInvalidRequestError):
    """A filter stopped the request."""


class FlashContextLengthError(errors.ContextLengthError, ContextOverflowError):
    """The messages are longer than the model's window."""


class FlashInvalidRequestError(errors.InvalidRequestError, ModelInvalidRequestError):
    """A parameter was refused before sending."""


class FlashMalformedResponseError(errors.MalformedResponseError, ModelAPIError):
    """An answer that is none."""


class FlashNotFoundError(errors.NotFoundError, ModelNotFoundError):
    """No such model or path."""


class FlashPermissionDeniedError(errors.PermissionDeniedError, ModelPermissionDeniedError):
    """The key may not do this."""


class FlashQuotaExceededError(errors.QuotaExceededError, ModelPermissionDeniedError):
    """Out of credit; not retryable."""


class FlashRateLimitError(errors.RateLimitError, ModelRateLimitError):
    """Too fast."""


class FlashServerError(errors.ServerError, ModelAPIError):
    """The gateway or what is behind it failed."""


class FlashStreamInterruptedError(errors.StreamInterruptedError, ModelConnectionError):
    """An answer that began and was cut."""


_LANGCHAIN_ERRORS: dict[type[errors.FlashError], type[errors.FlashError]] = {
    langchain_error.__bases__[0]: langchain_error
    for langchain_error in (
        FlashAPIConnectionError,
        FlashAPITimeoutError,
        FlashAuthenticationError,
        FlashBadRequestError,
        FlashContentFilterError,
        FlashContextLengthError,
        FlashInvalidRequestError,
        FlashMalformedResponseError,
        FlashNotFoundError,
        FlashPermissionDeniedError,
        FlashQuotaExceededError,
        FlashRateLimitError,
        FlashServerError,
        FlashStreamInterruptedError,
    )
}


def langchain_error_of(error: errors.FlashError) -> errors.FlashError:
    """The same error as LangChain knows it; errors it has no word for stay as they are."""
    langchain_error = _LANGCHAIN_ERRORS.get(type(error))
    if langchain_error is None:
        return error
    made = langchain_error.__new__(langchain_error, error.message)
    Exception.__init__(made, error.message)
    made.__dict__.update(error.__dict__)
    return made.with_traceback(error.__traceback__)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Let errors out as LangChain knows them."""
    try:
        yield
    except errors.FlashError as error:
        raise langchain_error_of(error) from error.__cause__
