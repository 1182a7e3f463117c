"""What is secret beside the key, and how it is kept out of errors, dumps, traces and tracebacks that show locals.

Headers, query parameters and keys of a request's body are secret by their names; bodies by a stricter rule, since
``max_tokens`` and ``prompt_cache_key`` are not. User and password of a URL are secret in any text. Tools such as Sentry
print the repr of every local variable of a frame, so the reprs here hide secrets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

if TYPE_CHECKING:
    from .endpoint import Credential


HIDDEN = "**********"
"""Shown in place of a secret."""

_HEADER_PARAMS = frozenset({"default_headers", "default_query", "extra_headers", "extra_query"})
"""Parameters that hold headers or query parameters."""

_SECRET_NAME = re.compile(r"key|token|secret|auth|cookie|password|session", re.IGNORECASE)
_SECRET_KEY = re.compile(
    r"(?:^|_)(?:api_?key|(?:access|secret|private)_?key|secret|authorization|password|passwd|credentials?|cookie"
    r"|(?:access|auth|refresh|bearer|id|session|api)_?token)(?:_|$)|^token$"
)
_SECRET_RESPONSE_HEADER = re.compile(
    r"(?:^|-)(?:authorization|cookie2?|(?:api|access|secret|auth)-?key|(?:access|api|auth|csrf|id|refresh|session)-?token"
    r"|token|secret|password)$",
    re.IGNORECASE,
)
_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


def is_secret_name(name: str, *, in_body: bool = False) -> bool:
    """Whether a header or query parameter of this name is secret; with ``in_body`` a key of a request's body.

    In bodies whole words must match: ``max_tokens`` and ``prompt_cache_key`` are not secret.
    """
    pattern, name = (_SECRET_KEY, _WORD_ENDS.sub("_", name).lower()) if in_body else (_SECRET_NAME, name)
    return pattern.search(name) is not None


def safe_response_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return a response's headers with names in lower case, without cookies and keys.

    The rule differs from that of request headers: ``x-ratelimit-remaining-tokens`` is not secret.
    """
    return {name.lower(): value for name, value in headers.items() if not _SECRET_RESPONSE_HEADER.search(name)}


def _is_secret(name: Any, value: Any, *, in_body: bool) -> bool:
    if not isinstance(name, str):
        return False
    if not in_body:
        return is_secret_name(name)
    # A mapping under "password" is a schema that describes one; "headers" in a body are those of an MCP server.
    return name == "headers" if isinstance(value, Mapping) else is_secret_name(name, in_body=True)


def _walk(value: Any, *, in_body: bool, mask: bool) -> Any:
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if secret else _walk(item, in_body=in_body and name not in _HEADER_PARAMS, mask=mask)
            for name, item in value.items()
            if not (secret := _is_secret(name, item, in_body=in_body)) or mask
        }
    if isinstance(value, list | tuple):
        walked = [_walk(item, in_body=in_body, mask=mask) for item in value]
        return tuple(walked) if isinstance(value, tuple) else walked
    return _USER_INFO.sub(f"{HIDDEN}@" if mask else "", value) if isinstance(value, str) and "://" in value else value


def without_secrets(params: Mapping[str, Any] | None, *, in_body: bool = False) -> dict[str, Any]:
    """Return headers, query parameters or (``in_body``) body parameters without the secret ones."""
    plain: dict[str, Any] = _walk(params or {}, in_body=in_body, mask=False)
    return plain


def without_body_secrets(params: Any) -> Any:
    """Return body parameters without the secret ones; None stays None."""
    return without_secrets(params, in_body=True) if isinstance(params, Mapping) else params


def mask_secrets(params: Any, *, in_body: bool = True) -> Any:
    """Return parameters with asterisks in place of secret values."""
    return _walk(params, in_body=in_body, mask=True)


def secrets_of(params: Any, *, in_body: bool = False) -> list[str]:
    """Return the secret values of headers, query parameters or (``in_body``) a body, without ``Bearer``."""
    if isinstance(params, str):
        found = _USER_INFO.findall(params) if "://" in params else []
        return [secret for user_info in found for secret in _parts(user_info)]
    if isinstance(params, list | tuple):
        return [secret for item in params for secret in secrets_of(item, in_body=in_body)]
    if not isinstance(params, Mapping):
        return []
    secrets: list[str] = []
    for name, value in params.items():
        if isinstance(value, str) and _is_secret(name, value, in_body=in_body):
            secrets += _long([value.removeprefix("Bearer ").strip()])
        elif isinstance(value, str) or (in_body and name not in ("messages", "input")):
            secrets += secrets_of(value, in_body=name not in _HEADER_PARAMS and name != "headers")
    return secrets


def _parts(user_info: str) -> list[str]:
    """User and password of a URL, quoted as in the URL and decoded."""
    _, _, password = user_info.rstrip("@").partition(":")
    return _long([user_info.rstrip("@"), password, unquote(password)])


def _long(secrets: list[str]) -> list[str]:
    # Shorter values are plain words ("token_type=chat"), and removing them would garble error messages.
    return [secret for secret in secrets if len(secret) >= 8]


def secrets_in_body(body: Mapping[str, Any]) -> list[str]:
    """Return the secret values of a request's body; its messages are not searched."""
    return secrets_of(body, in_body=True)


class RedactedDict(dict[str, Any]):
    """A dict of headers or query parameters whose repr hides secrets."""

    in_body: ClassVar[bool] = False

    def __repr__(self) -> str:
        return repr(mask_secrets(dict(self), in_body=self.in_body))


class RedactedBody(RedactedDict):
    """A dict of body parameters whose repr hides secrets."""

    in_body = True


def redact_reprs(params: Any) -> Any:
    """Replace ``extra_headers``, ``extra_query`` and ``extra_body`` by dicts whose repr hides secrets; in place."""
    for name, kind in (("extra_headers", RedactedDict), ("extra_query", RedactedDict), ("extra_body", RedactedBody)):
        if isinstance(named := params.get(name), Mapping) and all(isinstance(item, str) for item in named):
            params[name] = kind(named)
    return params


@dataclass(frozen=True, slots=True)
class Redactor:
    """A function that replaces the key and other secrets in a text by asterisks.

    Attributes:
        credential: the key.
        also: the other secrets.
    """

    credential: Credential
    also: tuple[str, ...] = field(default=(), repr=False)

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        return self.credential.redact(text, self.also)
