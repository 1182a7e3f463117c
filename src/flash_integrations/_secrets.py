"""What is secret beside the key, and how it stays out of errors, dumps and tracebacks that show locals.

Headers and query parameters are secret by their names. Tools such as Sentry print the repr of every local of a frame:
what holds a secret hides it there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import AuthenticationError

if TYPE_CHECKING:
    from ._core.flow import Flow
    from .endpoint import Credential

NO_KEY_HINT = "No key was sent (keys given as api_key= are not kept in pickles; set the variable or pass it again)"

_SECRET_NAME = re.compile(r"key|token|secret|auth|cookie|password|session", re.IGNORECASE)


def secrets_of(named: Mapping[str, Any]) -> list[str]:
    """The values of headers or query parameters whose names say that they are secret, without ``Bearer``."""
    values = [value for name, value in named.items() if isinstance(value, str) and _SECRET_NAME.search(name)]
    # Shorter ones are words ("token_type=chat"), which belong into an error's text.
    return [key for value in values if len(key := value.removeprefix("Bearer ").strip()) >= 8]


def without_secrets(named: Mapping[str, Any] | None) -> dict[str, Any]:
    """Headers or query parameters without those whose names say that they are secret."""
    return {name: value for name, value in (named or {}).items() if not _SECRET_NAME.search(name)}


class Veiled(dict[str, Any]):
    """Headers or query parameters whose repr shows no secret."""

    def __repr__(self) -> str:
        return repr({name: "**********" if _SECRET_NAME.search(name) else value for name, value in self.items()})


def veil(words: Any) -> Any:
    """The words of a request, with the headers and query parameters among them veiled, in place; gives them back."""
    for name in ("extra_headers", "extra_query"):
        if isinstance(named := words.get(name), Mapping) and all(isinstance(each, str) for each in named):
            words[name] = Veiled(named)
    return words


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


def telling_no_key(flow: Flow) -> Flow:
    """A flow whose requests carry no key: a gateway that asks for one says something else of it, "invalid" perhaps."""
    try:
        return (yield from flow)
    except AuthenticationError as error:
        error.hint = f"{error.hint}. {NO_KEY_HINT}" if error.hint else NO_KEY_HINT
        raise
