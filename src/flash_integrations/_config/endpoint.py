"""Which row of the catalogue a client belongs to, and whose key it may send there.

The row: ``provider=`` if given; else the row whose URL equals ``base_url=`` or ``FLASH_BASE_URL``; else ``custom`` if
there is a URL; else ``FLASH_PROVIDER``; else flashapi.

The key: ``api_key=`` if given; else ``FLASH_API_KEY`` where the URL is ``FLASH_BASE_URL`` (or, with that unset,
flashapi's); else the row's own variable, for the row's own URL or where the code names both provider and URL. No
variable is ever a fallback for another provider. Loopback needs no key.
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
    """Pydantic's ``SecretStr``, or anything of its shape."""

    def get_secret_value(self) -> str:
        """The secret."""


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
        ConfigurationError: a source of another kind, or a key with ``Bearer`` before it.
    """

    __slots__ = ("_left_out", "_provider", "_shown", "_source", "_url", "_variable")

    def __init__(self, source: KeySource, *, provider: str, url: str, variable: str | None) -> None:
        self._left_out = source is LEFT_OUT
        source = None if self._left_out else source
        if not (source is None or isinstance(source, str) or callable(source) or hasattr(source, "get_secret_value")):
            raise ConfigurationError(_NO_KEY_TYPE.format(type(source).__name__))
        if source is not None and not callable(source):
            _refuse_bearer(_reveal(source))
        self._source, self._provider, self._url, self._variable = source, provider, url, variable
        self._shown: tuple[str, ...] = ()  # the last keys a function gave, to be taken out of texts

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
        """Whether no key would be sent now, as on loopback; a function is taken to give one."""
        return not callable(self._source) and not self._plain()

    @property
    def source(self) -> KeySource:
        """What was given; None where the environment is read."""
        return self._source

    def owner(self) -> str:
        """A name for whose limits these are: a digest of the key; until a function has given one, the function."""
        if callable(self._source):
            if self._shown:
                return _digest(self._shown[-1])
            # A method is a new object each time it is named; its function and its object stay the same.
            function, bound = getattr(self._source, "__func__", self._source), getattr(self._source, "__self__", None)
            return f"function-{id(function)}-{id(bound)}"
        return _digest(self._plain())

    def bearer(self) -> str | None:
        """The ``Authorization`` header's value; None where no key is sent.

        Raises:
            ConfigurationError: no key, a key no header can carry, or a function that must be awaited.
        """
        given = self._source() if callable(self._source) else self._plain()
        if inspect.isawaitable(given):
            if inspect.iscoroutine(given):
                given.close()
            raise ConfigurationError("api_key is an async function: only the async methods can call it")
        return self._header(given)

    async def abearer(self) -> str | None:
        """The same, where the function that gives the key may be a coroutine function."""
        source = self._source
        if inspect.iscoroutinefunction(source):
            return self._header(await source())
        # A plain function may read a file or call a vault: not on the event loop.
        given = await asyncio.to_thread(_call, source) if callable(source) else self._plain()
        return self._header(await given if inspect.isawaitable(given) else given)

    def redact(self, text: str, also: Iterable[str] = ()) -> str:
        """The text without the key: the given one, or those a function gave last; and without what else is secret."""
        for key in (*(self._shown if callable(self._source) else (self._plain(),)), *also):
            if len(key) > 3:
                text = text.replace(key, "**********")
        return text

    def _plain(self) -> str:
        if self._source is None:
            return next((value for name in self._variables() if (value := os.environ.get(name, "").strip())), "")
        return _reveal(self._source).strip()

    def _header(self, key: Any) -> str | None:
        if key is None and callable(self._source):
            raise ConfigurationError("the function given as api_key gave no key, but None")
        key = _reveal(key).strip()
        if not key:
            if is_loopback(self._url):
                return None
            raise ConfigurationError(self._missing())
        _refuse_bearer(key)
        if not (key.isascii() and key.isprintable()):
            raise ConfigurationError("the API key has characters that no HTTP header can carry; copy it again")
        if callable(self._source) and key not in self._shown[-1:]:
            self._shown = (*(known for known in self._shown[-3:] if known != key), key)
        return f"Bearer {key}"

    def _variables(self) -> list[str]:
        """The environment variables whose key may go to the URL, as the environment is now."""
        names = []
        home = os.environ.get("FLASH_BASE_URL", "").strip()
        if home and _same(home, self._url):
            names.append("FLASH_API_KEY")
        # FLASH_API_KEY belongs to FLASH_BASE_URL as soon as that is set.
        if self._variable is not None and not (home and self._variable == "FLASH_API_KEY"):
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
        names, meant = self._variables(), _meant(self._url)
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
    except StopIteration as error:  # which no future can carry
        raise RuntimeError("the function given as api_key raised StopIteration") from error


def _meant(url: str) -> str:
    """The URL of a provider at the same host, as a question; "" where there is none, or the URL is a provider's own."""
    hosts = {listed.base_url: urlsplit(listed.base_url).hostname for listed in list_providers() if listed.base_url}
    near = [known for known, host in hosts.items() if host == urlsplit(url).hostname]
    return f"did you mean {near[0]}?" if near and not any(_same(known, url) for known in near) else ""


def keys_elsewhere(read: Collection[str] = ()) -> str:
    """What to ask of a user whose key is there, but is another provider's; "" where the environment holds none.

    Args:
        read: the variables that are read, which hold nothing.
    """
    names = {listed.key_variable: listed.name for listed in reversed(list_providers()) if listed.key_variable}
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
        raise ConfigurationError("the API key begins with 'Bearer': leave the word out, it is put before the key")


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
    """Where calls go, under which row, with which key.

    Attributes:
        provider: the row.
        base_url: the URL, without a slash at its end.
        credential: the key.
    """

    provider: Provider
    base_url: str
    credential: Credential


def resolve(
    provider: str | Provider | None, base_url: str | None, api_key: KeySource, *, allow_http: bool = False
) -> Endpoint:
    """Find row, URL and key by the rules above.

    Raises:
        ConfigurationError: an unknown provider, a URL that is none or is not safe for a key, or a key of a wrong
            type. A missing key is told at the first call, not here.
    """
    given_url = None if base_url is None else clean_url(base_url, allow_http=allow_http)
    env_url = os.environ.get("FLASH_BASE_URL", "").strip() or None
    env_url = None if env_url is None else clean_url(env_url, allow_http=allow_http, name="FLASH_BASE_URL")
    url = given_url or env_url
    if provider is not None:
        row = get_provider(provider) if isinstance(provider, str) else provider
        url = given_url or row.base_url or env_url
    elif url is not None:
        row = _row_at(url)
    else:
        row = get_provider(os.environ.get("FLASH_PROVIDER", "").strip() or "flashapi")
        url = row.base_url
    if not url:
        raise ConfigurationError(f"provider {row.name!r} has no URL of its own: give base_url= or set FLASH_BASE_URL")
    url = clean_url(url, allow_http=allow_http, name=f"the URL of provider {row.name!r}")
    its_own = provider is not None and given_url is not None
    variable = row.key_variable if its_own or (row.base_url and _same(row.base_url, url)) else None
    return Endpoint(row, url, Credential(api_key, provider=row.name, url=url, variable=variable))


def _row_at(url: str) -> Provider:
    return next((row for row in list_providers() if row.base_url and _same(row.base_url, url)), get_provider("custom"))


def _same(one: str, other: str) -> bool:
    try:
        return clean_url(one, allow_http=True) == other
    except ConfigurationError:
        return False  # a registered row's URL that is none: told to whoever uses that row
