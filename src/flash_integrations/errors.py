"""The errors of this package, one class for each thing that the caller can do about them.

::

    FlashError                      everything below; ``partial`` holds what had arrived of a broken answer
    ├── ConfigurationError          no key, an unknown argument, a bad URL
    │   └── MissingExtraError       ... or a package of an extra is missing (also an ImportError)
    ├── InvalidRequestError         refused before sending (also a ValueError)
    ├── APIConnectionError          the gateway was not reached, or the connection broke
    │   └── APITimeoutError         ... or it took too long
    ├── APIStatusError              the gateway refused, by HTTP status or inside a stream
    │   ├── BadRequestError         the request is at fault
    │   │   ├── ContextLengthError  ... it is longer than the model's window
    │   │   └── ContentFilterError  ... or a filter stopped it
    │   ├── AuthenticationError     the key is not accepted
    │   ├── PermissionDeniedError   the key is good, but not for this
    │   ├── NotFoundError           no such model or path
    │   ├── QuotaExceededError      out of credit; sending again does not help
    │   ├── RateLimitError          too many requests; ``retry_after`` seconds, if the gateway names them
    │   └── ServerError             the gateway or what is behind it failed
    ├── MalformedResponseError      a success status over an empty body, HTML, or what is not JSON
    └── StreamInterruptedError      a stream that ended before the answer did

Every error pickles, and none shows a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._core.completion.completion import Completion

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ContentFilterError",
    "ContextLengthError",
    "FlashError",
    "InvalidRequestError",
    "MalformedResponseError",
    "MissingExtraError",
    "NotFoundError",
    "PermissionDeniedError",
    "QuotaExceededError",
    "RateLimitError",
    "ServerError",
    "StreamInterruptedError",
]


def _rebuild(cls: type[FlashError], message: str, state: dict[str, Any]) -> FlashError:
    """Restore a pickled error without calling the subclass's constructor."""
    error = cls.__new__(cls, message)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class FlashError(Exception):
    """Base of every error this package raises.

    Attributes:
        message: what went wrong, in one line; the gateway's own message if it sent one.
        partial: the :class:`Completion` so far of a stream that broke; None if nothing had arrived.
        provider: the name of the provider called, or None if nothing was sent.
        model: the model requested, or None.
        retries: how many times the request was sent again before this error was raised.
    """

    message: str
    partial: Completion | None = None
    provider: str | None = None
    model: str | None = None
    retries: int = 0

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.__dict__.copy())


class ConfigurationError(FlashError):
    """An argument or the environment is wrong; the message says what to change.

    Not a ValueError, which Pydantic would turn into a ValidationError.
    """


class MissingExtraError(ConfigurationError, ImportError):
    """A package that an extra brings is not installed; the message names the ``pip install``."""


class InvalidRequestError(FlashError, ValueError):
    """A parameter is of a wrong type or out of range; nothing was sent."""


class APIConnectionError(FlashError):
    """The gateway could not be reached, or the connection broke.

    Attributes:
        reached: False if no connection was made, so that the gateway cannot have counted or billed anything.
    """

    def __init__(self, message: str, *, reached: bool = True) -> None:
        super().__init__(message)
        self.reached = reached


class APITimeoutError(APIConnectionError):
    """The gateway took longer than ``timeout`` or ``total_timeout`` allows."""


class APIStatusError(FlashError):
    """The gateway refused: by an HTTP status, or by an error inside a 200 response.

    Attributes:
        status_code: the HTTP status; for an error inside a 200 response the status its code stands for, else 200.
        code: the gateway's error code as a str, or None.
        type: the gateway's error type, or None.
        param: the parameter the gateway names, or None.
        request_id: the gateway's id for the request, from a header or the message, or None.
        hint: what to do about it, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int = 0,
        code: str | None = None,
        type: str | None = None,  # noqa: A002 - the field's name on the wire
        param: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.type = type
        self.param = param
        self.request_id = request_id
        self.hint = hint

    def __str__(self) -> str:
        details = [f"status {self.status_code}"] if self.status_code else []
        details += [
            f"{name} {value}" for name, value in (("code", self.code), ("request id", self.request_id)) if value
        ]
        text = f"{self.message} ({', '.join(details)})" if details else self.message
        return f"{text}. {self.hint}" if self.hint else text


class BadRequestError(APIStatusError):
    """The request is at fault; sending it again does not help."""


class ContextLengthError(BadRequestError):
    """The messages and the answer do not fit into the model's context window."""


class ContentFilterError(BadRequestError):
    """A content filter refused the request."""


class AuthenticationError(APIStatusError):
    """The key is missing, wrong, expired or disabled."""


class PermissionDeniedError(APIStatusError):
    """The key is known but may not do this, or a firewall turned the request away."""


class NotFoundError(APIStatusError):
    """The gateway has no such model (or not for this key), or no such path."""


class QuotaExceededError(APIStatusError):
    """Credit or a plan's quota is used up, whichever status says so (402, 403, 422 and 429 were seen)."""


class RateLimitError(APIStatusError):
    """Too many requests.

    Attributes:
        retry_after: seconds the gateway asks to wait, or None if it does not say.
    """

    retry_after: float | None = None


class ServerError(APIStatusError):
    """The gateway, or the provider behind it, failed or is overloaded.

    Attributes:
        retry_after: seconds the gateway asks to wait, or None if it does not say.
    """

    retry_after: float | None = None


class MalformedResponseError(FlashError):
    """A success status over a body that is not an answer: empty, HTML, not JSON, without choices.

    Attributes:
        empty: True if there was no content at all, as some gateways send for models that only stream.
    """

    def __init__(self, message: str, *, empty: bool = False) -> None:
        super().__init__(message)
        self.empty = empty


class StreamInterruptedError(FlashError):
    """The stream ended without a finish reason, with or without ``[DONE]``; ``partial`` holds what had arrived."""
