"""What is secret beside the key, and how it stays out of errors, dumps, traces and tracebacks that show locals.

Headers and query parameters are secret by their names, and so are keys inside a request's body, by stricter ones: there
``max_tokens`` and ``prompt_cache_key`` are no secrets. User and password of a URL are secret wherever a text holds one.
Tools such as Sentry print the repr of every local of a frame: what holds a secret hides it there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import unquote

from ..errors import AuthenticationError

if TYPE_CHECKING:
    from .._core.flow import Flow
    from .endpoint import Credential

T = TypeVar("T")

HIDDEN = "**********"
"""What stands in the place of a secret where something is shown."""

_NAMED = frozenset({"default_headers", "default_query", "extra_headers", "extra_query"})
"""Parameters that hold headers or query parameters."""

_SECRET_NAME = re.compile(r"key|token|secret|auth|cookie|password|session", re.IGNORECASE)
_SECRET_KEY = re.compile(
    r"(?:^|_)(?:api_?key|(?:access|secret|private)_?key|secret|authorization|password|passwd|credentials?|cookie"
    r"|(?:access|auth|refresh|bearer|id|session|api)_?token)(?:_|$)|^token$"
)
_SECRET_OF_ANSWERS = re.compile(
    r"(?:^|-)(?:authorization|cookie2?|(?:api|access|secret|auth)-?key|(?:access|api|auth|csrf|id|refresh|session)-?token"
    r"|token|secret|password)$",
    re.IGNORECASE,
)
_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


def is_secret_name(name: str, *, in_body: bool = False) -> bool:
    """Whether a header or query parameter of this name is secret; ``in_body``: a key of a request's body.

    Bodies are judged by whole words: ``max_tokens`` and ``prompt_cache_key`` are no secrets.
    """
    pattern, name = (_SECRET_KEY, _WORD_ENDS.sub("_", name).lower()) if in_body else (_SECRET_NAME, name)
    return pattern.search(name) is not None


def without_secret_answers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of an answer by their names in lower case, without cookies and keys.

    Not by the rule for headers that are sent: ``x-ratelimit-remaining-tokens`` is no secret.
    """
    return {name.lower(): text for name, text in headers.items() if not _SECRET_OF_ANSWERS.search(name)}


def _is_secret(name: Any, value: Any, *, in_body: bool) -> bool:
    if not isinstance(name, str):
        return False
    if not in_body:
        return is_secret_name(name)
    # A mapping below "password" is a schema that describes one; headers in a body are those of an MCP server.
    return name == "headers" if isinstance(value, Mapping) else is_secret_name(name, in_body=True)


def _walk(value: Any, *, in_body: bool, mask: bool) -> Any:
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if secret else _walk(item, in_body=in_body and name not in _NAMED, mask=mask)
            for name, item in value.items()
            if not (secret := _is_secret(name, item, in_body=in_body)) or mask
        }
    if isinstance(value, list | tuple):
        walked = [_walk(item, in_body=in_body, mask=mask) for item in value]
        return tuple(walked) if isinstance(value, tuple) else walked
    return _USER_INFO.sub(f"{HIDDEN}@" if mask else "", value) if isinstance(value, str) and "://" in value else value


def without_secrets(params: Mapping[str, Any] | None, *, in_body: bool = False) -> dict[str, Any]:
    """Headers, query parameters or (``in_body``) parameters of a request, without those that are secret."""
    plain: dict[str, Any] = _walk(params or {}, in_body=in_body, mask=False)
    return plain


def without_body_secrets(params: Any) -> Any:
    """Parameters of a request without those that are secret; None stays None."""
    return without_secrets(params, in_body=True) if isinstance(params, Mapping) else params


def mask_secrets(params: Any, *, in_body: bool = True) -> Any:
    """The same with stars in place of what is secret, for what is shown."""
    return _walk(params, in_body=in_body, mask=True)


def secrets_of(params: Any, *, in_body: bool = False) -> list[str]:
    """The secret values among headers, query parameters or the keys of a body, without ``Bearer``."""
    if isinstance(params, str):
        return [] if "://" not in params else [text for item in _USER_INFO.findall(params) for text in _parts(item)]
    if isinstance(params, list | tuple):
        return [text for item in params for text in secrets_of(item, in_body=in_body)]
    if not isinstance(params, Mapping):
        return []
    found: list[str] = []
    for name, value in params.items():
        if isinstance(value, str) and _is_secret(name, value, in_body=in_body):
            found += _long([value.removeprefix("Bearer ").strip()])
        elif isinstance(value, str) or (in_body and name not in ("messages", "input")):
            found += secrets_of(value, in_body=name not in _NAMED and name != "headers")
    return found


def _parts(user_info: str) -> list[str]:
    """User and password of a URL, as they stand there and decoded."""
    _, _, password = user_info.rstrip("@").partition(":")
    return _long([user_info.rstrip("@"), password, unquote(password)])


def _long(texts: list[str]) -> list[str]:
    # Shorter ones are words ("token_type=chat"), which belong into an error's text.
    return [text for text in texts if len(text) >= 8]


def secrets_in_body(body: Mapping[str, Any]) -> list[str]:
    """The secret values among the keys of a request's body; its messages are not searched."""
    return secrets_of(body, in_body=True)


class RedactedDict(dict[str, Any]):
    """Headers or query parameters whose repr shows no secret."""

    in_body: ClassVar[bool] = False

    def __repr__(self) -> str:
        return repr(mask_secrets(dict(self), in_body=self.in_body))


class RedactedBody(RedactedDict):
    """Parameters of a request's body whose repr shows no secret."""

    in_body = True


def redact_reprs(params: Any) -> Any:
    """The parameters of a request, with a clean repr of headers, query and ``extra_body``, in place; returns them."""
    for name, kind in (("extra_headers", RedactedDict), ("extra_query", RedactedDict), ("extra_body", RedactedBody)):
        if isinstance(named := params.get(name), Mapping) and all(isinstance(item, str) for item in named):
            params[name] = kind(named)
    return params


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes the key out of a text, and what else is secret; its repr shows neither.

    Attributes:
        credential: the key.
        also: the other secrets.
    """

    credential: Credential
    also: tuple[str, ...] = field(default=(), repr=False)

    def __call__(self, text: str) -> str:
        """The text with stars in their places."""
        return self.credential.redact(text, self.also)


def explaining_no_key(flow: Flow[T], key: Credential) -> Flow[T]:
    """A flow whose requests carry no key: a gateway that asks for one says something else of it, "invalid" perhaps."""
    try:
        return (yield from flow)
    except AuthenticationError as error:
        hint = f"No key was sent: {key.advice()}"
        error.hint = f"{error.hint}. {hint}" if error.hint else hint
        raise
