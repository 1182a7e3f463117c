"""The errors of this package: one tree, told apart by what the caller can do about them.

::

    FlashError                      everything below; ``partial`` holds what had arrived of a broken answer
    ├── ConfigurationError          the set-up: no key, unknown word, bad URL; a missing extra (also an ImportError)
    ├── InvalidRequestError         refused before sending (also a ValueError)
    ├── APIConnectionError          the gateway was not reached, or the line broke
    │   └── APITimeoutError         ... or it took too long
    ├── APIStatusError              the gateway refused, by HTTP status or inside a stream
    │   ├── BadRequestError         the request is at fault
    │   │   ├── ContextLengthError  ... it is longer than the model's window
    │   │   └── ContentFilterError  ... or a filter stopped it
    │   ├── AuthenticationError     the key is not accepted
    │   ├── PermissionDeniedError   the key is good, but not for this
    │   ├── NotFoundError           no such model or path
    │   ├── QuotaExceededError      out of credit; no re-send helps
    │   ├── RateLimitError          too fast; ``retry_after`` seconds, where told
    │   └── ServerError             the gateway or what is behind it failed
    ├── MalformedResponseError      an answer that is none: empty, HTML, not JSON
    └── StreamInterruptedError      an answer that began and was cut

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
    """Make a pickled error again; subclasses' own constructors are not called."""
    error = cls.__new__(cls, message)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class FlashError(Exception):
    """Base of every error this package raises.

    Attributes:
        message: what went wrong, in one line; the gateway's own words where it had any.
        partial: what had arrived when a stream broke (``partial.text``); None when nothing had.
        provider: name of the provider row the call went to, or None before a call.
        model: the model asked for, or None.
        retries: how many times the request had been sent again before this error was raised.
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
    """The set-up is wrong; the message says what to change. Not a ValueError, so that Pydantic lets it through."""


class MissingExtraError(ConfigurationError, ImportError):
    """A package of an extra is not installed. Caught as either; no name to import, for ``ImportError`` says it all."""


class InvalidRequestError(FlashError, ValueError):
    """A parameter is of a wrong type or out of its bounds; nothing was sent."""


class APIConnectionError(FlashError):
    """The gateway could not be reached, or the connection broke.

    Attributes:
        reached: False when no connection came about, so that nothing can have been counted or billed.
    """

    def __init__(self, message: str, *, reached: bool = True) -> None:
        super().__init__(message)
        self.reached = reached


class APITimeoutError(APIConnectionError):
    """The gateway took longer than ``timeout`` or ``total_timeout`` allows."""


class APIStatusError(FlashError):
    """The gateway refused: by an HTTP status, or by an error inside a 200 answer.

    Attributes:
        status_code: the HTTP status; for an error inside a 200 stream the status its code names, else 200.
        code: the gateway's error code as text, or None.
        type: the gateway's error type, or None.
        param: the parameter the gateway names, or None.
        request_id: the gateway's id for the request, from a header or from the text, or None.
        hint: what to do about it, where that is known.
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
        facts = [f"status {self.status_code}"] if self.status_code else []
        facts += [f"{name} {value}" for name, value in (("code", self.code), ("request id", self.request_id)) if value]
        text = f"{self.message} ({', '.join(facts)})" if facts else self.message
        return f"{text}. {self.hint}" if self.hint else text


class BadRequestError(APIStatusError):
    """The request itself is at fault; sending it again changes nothing."""


class ContextLengthError(BadRequestError):
    """The messages and the answer do not fit into the model's context window."""


class ContentFilterError(BadRequestError):
    """A content filter refused the request."""


class AuthenticationError(APIStatusError):
    """The key is missing, wrong, expired or disabled."""


class PermissionDeniedError(APIStatusError):
    """The key is known but may not do this, or a firewall turned the request away."""


class NotFoundError(APIStatusError):
    """No such model (or nobody serves it to this key), or no such path."""


class QuotaExceededError(APIStatusError):
    """Out of credit or of a plan's quota, whatever status said so (402, 403, 422 and 429 are all seen)."""


class RateLimitError(APIStatusError):
    """Too many requests.

    Attributes:
        retry_after: seconds the gateway asks to wait, or None when it did not say.
    """

    retry_after: float | None = None


class ServerError(APIStatusError):
    """The gateway, or the provider behind it, failed or is overloaded.

    Attributes:
        retry_after: seconds the gateway asks to wait, or None when it did not say.
    """

    retry_after: float | None = None


class MalformedResponseError(FlashError):
    """A success status over something that is no answer: empty, HTML, not JSON, without choices.

    Attributes:
        empty: True where nothing was said at all, as some gateways do when they only stream.
    """

    def __init__(self, message: str, *, empty: bool = False) -> None:
        super().__init__(message)
        self.empty = empty


class StreamInterruptedError(FlashError):
    """The answer began and did not end: no finish reason came, with or without ``[DONE]``. See ``partial``."""
