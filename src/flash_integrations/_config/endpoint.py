"""Which provider, URL and key a client uses.

The provider: ``provider=`` if given; else the one whose URL equals ``base_url=`` or ``FLASH_BASE_URL``; else "custom"
if there is a URL; else ``FLASH_PROVIDER``; else flashapi.

The key: ``api_key=`` if given; else ``FLASH_API_KEY`` if the URL is ``FLASH_BASE_URL`` (or, with that unset,
flashapi's); else the provider's own variable, for the provider's own URL or if the code names both provider and URL.
No variable is ever sent to another provider's URL. Loopback needs no key.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import os
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from ..catalogue import Provider, get_provider, list_providers
from ..errors import ConfigurationError
from .urls import clean_url, is_loopback
from .worker_pickles import key_for_worker, register_for_workers


class SecretLike(Protocol):
    """Pydantic's ``SecretStr``, or any class with its method."""

    def get_secret_value(self) -> str:
        """Return the key."""


KeySource: TypeAlias = str | SecretLike | Callable[[], str] | Callable[[], Awaitable[str]] | None


class _Unpickled(Enum):
    LEFT_OUT = "left out"


LEFT_OUT: Any = _Unpickled.LEFT_OUT
"""The source of a key that a pickle left out: the environment, as with None, but errors say what happened."""

_NO_KEY_TYPE = "api_key must be a str, a SecretStr, or a function that returns one, not {}"
_LOCAL_HINT = "or try without a key: `flash-integrations gateway` starts a local gateway"


class Credential:
    """A key, or where it comes from. Shows itself nowhere; pickled, but to a worker process, it forgets what it held.

    Args:
        source: a text, a ``SecretStr``, or a function that gives the key (which may be a coroutine function). None: the
            environment, read at each call; so is it for ``LEFT_OUT``.
        provider: the row's name, for the message when there is no key.
        url: where the key goes; on loopback none is needed.
        variable: the row's own variable, where it may be read for this URL.

    Raises:
        ConfigurationError: a source of another type, or a key that begins with ``Bearer``.
    """

    __slots__ = ("_left_out", "_provider", "_returned", "_source", "_url", "_variable")

    def __init__(self, source: KeySource, *, provider: str, url: str, variable: str | None) -> None:
        self._left_out = source is LEFT_OUT
        source = None if self._left_out else source
        if not (source is None or isinstance(source, str) or callable(source) or hasattr(source, "get_secret_value")):
            raise ConfigurationError(_NO_KEY_TYPE.format(type(source).__name__))
        if source is not None and not callable(source):
            _refuse_bearer(_reveal(source))
        self._source, self._provider, self._url, self._variable = source, provider, url, variable
        self._returned: tuple[str, ...] = ()  # the last keys a function returned, to be removed from messages

    def __repr__(self) -> str:
        return "Credential('**********')"

    def __copy__(self) -> Credential:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Credential:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return self._made_of(None if self._source is None and not self._left_out else LEFT_OUT)

    def for_worker(self) -> tuple[Any, ...]:
        """As :meth:`__reduce__`, with the key, for a worker process of multiprocessing."""
        return self._made_of(LEFT_OUT if self._left_out else key_for_worker(self._source))

    def _made_of(self, source: Any) -> tuple[Any, ...]:
        return partial(Credential, provider=self._provider, url=self._url, variable=self._variable), (source,)

    @property
    def is_empty(self) -> bool:
        """Whether no key would be sent now, as on loopback; a function is assumed to return one."""
        return not callable(self._source) and not self._plain()

    @property
    def source(self) -> KeySource:
        """The ``api_key`` argument; None if the environment is read."""
        return self._source

    def owner(self) -> str:
        """Return a name for the key under which rate limits are counted: its digest, never the key itself.

        A function that has not returned a key yet is named by its identity.
        """
        if callable(self._source):
            if self._returned:
                return _digest(self._returned[-1])
            # Each access to a bound method makes a new object; its function and its instance stay the same.
            function, bound = getattr(self._source, "__func__", self._source), getattr(self._source, "__self__", None)
            return f"function-{id(function)}-{id(bound)}"
        return _digest(self._plain())

    def bearer(self) -> str | None:
        """Return the ``Authorization`` header's value; None if no key is sent, as on loopback.

        Raises:
            ConfigurationError: no key, a key that no header can carry, or an async function.
        """
        given = self._source() if callable(self._source) else self._plain()
        if inspect.isawaitable(given):
            if inspect.iscoroutine(given):
                given.close()
            raise ConfigurationError("api_key is an async function: only the async methods can call it")
        return self._header(given)

    async def abearer(self) -> str | None:
        """:meth:`bearer` for async code; the function may be a coroutine function."""
        source = self._source
        if inspect.iscoroutinefunction(source):
            return self._header(await source())
        # A sync function may read a file or call a vault, which would block the event loop.
        given = await asyncio.to_thread(_call, source) if callable(source) else self._plain()
        return self._header(await given if inspect.isawaitable(given) else given)

    def redact(self, text: str, also: Iterable[str] = ()) -> str:
        """Replace the key (or the last keys that a function returned) and other secrets in a text by asterisks."""
        for key in (*(self._returned if callable(self._source) else (self._plain(),)), *also):
            if len(key) > 3:
                text = text.replace(key, "**********")
        return text

    def _plain(self) -> str:
        if self._source is None:
            return next((value for name in self._variables() if (value := os.environ.get(name, "").strip())), "")
        return _reveal(self._source).strip()

    def _header(self, key: Any) -> str | None:
        if key is None and callable(self._source):
            raise ConfigurationError("the function given as api_key returned None: it must return the key as a str")
        key = _reveal(key).strip()
        if not key:
            if is_loopback(self._url):
                return None
            raise ConfigurationError(self._missing())
        _refuse_bearer(key)
        if not (key.isascii() and key.isprintable()):
            raise ConfigurationError("api_key has characters that no HTTP header can carry: copy the key again")
        if callable(self._source) and key not in self._returned[-1:]:
            self._returned = (*(known for known in self._returned[-3:] if known != key), key)
        return f"Bearer {key}"

    def _variables(self) -> list[str]:
        """The environment variables whose key may be sent to the URL, as the environment is now."""
        names = []
        flash_base_url = os.environ.get("FLASH_BASE_URL", "").strip()
        if flash_base_url and _is_same_url(flash_base_url, self._url):
            names.append("FLASH_API_KEY")
        # Once FLASH_BASE_URL is set, FLASH_API_KEY belongs to that URL alone.
        if self._variable is not None and not (flash_base_url and self._variable == "FLASH_API_KEY"):
            names.append(self._variable)
        return names

    def advice(self) -> str:
        """What to do where a key is missing, and why it is if a pickle left it out."""
        names = self._variables()
        if names or self._left_out:
            variables = " or ".join(names) or f"FLASH_BASE_URL={self._url} and FLASH_API_KEY"
            kept = " (pickles do not keep it)" if self._left_out else ""
            return f"set {variables}, or give api_key={kept}"
        return "give api_key= (no variable is read for this URL)"

    def _missing(self) -> str:
        names, meant = self._variables(), _suggested_url(self._url)
        shown_url = f"{self._url} ({meant})" if meant else self._url
        where = f"{self._provider} ({self._url}{meant and f'; {meant}'})" if names else shown_url
        message = f"no API key for {where}: {self.advice()}, {_LOCAL_HINT}"
        if not names:
            return message
        astray = "" if meant else keys_elsewhere(names)
        return f"{message}. {astray}" if astray else message


def _call(source: Callable[[], Any]) -> Any:
    try:
        return source()
    except StopIteration as error:  # a future cannot raise it
        raise RuntimeError("the function given as api_key raised StopIteration") from error


def _suggested_url(url: str) -> str:
    """Ask for a provider's URL at the same host; "" if there is none, or the URL is a provider's own."""
    hosts = {known.base_url: urlsplit(known.base_url).hostname for known in list_providers() if known.base_url}
    near = [known for known, host in hosts.items() if host == urlsplit(url).hostname]
    return f"did you mean {near[0]}?" if near and not any(_is_same_url(known, url) for known in near) else ""


def keys_elsewhere(read: Collection[str] = ()) -> str:
    """Suggest the providers whose keys the environment holds; "" if there are none.

    Args:
        read: the variables that were read and are empty; they are not suggested.
    """
    names = {known.key_variable: known.name for known in reversed(list_providers()) if known.key_variable}
    if os.environ.get("FLASH_BASE_URL", "").strip():
        names.pop("FLASH_API_KEY", None)  # it belongs to that URL
    found = [(variable, name) for variable, name in names.items() if os.environ.get(variable, "").strip()]
    return " ".join(
        f"{variable} is set: did you mean provider={name!r} (or FLASH_PROVIDER={name})?"
        for variable, name in reversed(found)
        if variable not in read
    )


def _refuse_bearer(key: str) -> None:
    if key.strip().lower().startswith("bearer "):
        raise ConfigurationError("api_key begins with 'Bearer': give the key alone, the prefix is added")


def _digest(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=12).hexdigest()


def _reveal(value: Any) -> str:
    if isinstance(value, str):
        return value
    reveal = getattr(value, "get_secret_value", None)
    if reveal is None:
        raise ConfigurationError(_NO_KEY_TYPE.format(type(value).__name__))
    return str(reveal())


register_for_workers(Credential, Credential.for_worker)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The provider, URL and key of a client.

    Attributes:
        provider: the provider.
        base_url: the URL, without a slash at its end.
        credential: the key.
    """

    provider: Provider
    base_url: str
    credential: Credential


def resolve(
    provider: str | Provider | None, base_url: str | None, api_key: KeySource, *, allow_http: bool = False
) -> Endpoint:
    """Choose provider, URL and key by the rules in this module's docstring.

    Raises:
        ConfigurationError: an unknown provider, a bad URL, plain http to a public host, or a key of a wrong type. A
            missing key is an error of the first call only.
    """
    given_url = None if base_url is None else clean_url(base_url, allow_http=allow_http)
    env_url = os.environ.get("FLASH_BASE_URL", "").strip() or None
    env_url = None if env_url is None else clean_url(env_url, allow_http=allow_http, name="FLASH_BASE_URL")
    url = given_url or env_url
    if provider is not None:
        chosen = get_provider(provider) if isinstance(provider, str) else provider
        url = given_url or chosen.base_url or env_url
    elif url is not None:
        chosen = _provider_at(url)
    else:
        chosen = get_provider(os.environ.get("FLASH_PROVIDER", "").strip() or "flashapi")
        url = chosen.base_url
    name = chosen.name
    if not url:
        raise ConfigurationError(f"provider {name!r} has no URL of its own: give base_url= or set FLASH_BASE_URL")
    url = clean_url(url, allow_http=allow_http, name=f"the URL of provider {name!r}")
    both_given = provider is not None and given_url is not None
    reads_variable = both_given or (chosen.base_url and _is_same_url(chosen.base_url, url))
    variable = chosen.key_variable if reads_variable else None
    return Endpoint(chosen, url, Credential(api_key, provider=name, url=url, variable=variable))


def _provider_at(url: str) -> Provider:
    known = (known for known in list_providers() if known.base_url and _is_same_url(known.base_url, url))
    return next(known, get_provider("custom"))


def _is_same_url(one: str, other: str) -> bool:
    try:
        return clean_url(one, allow_http=True) == other
    except ConfigurationError:
        return False  # a registered provider with a bad URL: an error for those who use that provider only
