"""Which row of the catalogue a client belongs to, and whose key it may send there.

The row: ``provider=`` if given; else the row whose URL equals ``base_url=`` or ``FLASH_BASE_URL``; else ``custom`` if
there is a URL; else ``FLASH_PROVIDER``; else flashapi.

The key: ``api_key=`` if given; else ``FLASH_API_KEY`` where the URL is ``FLASH_BASE_URL`` (or, with that unset, flashapi's);
else the row's own variable, for the row's own URL or where the code names both provider and URL. No variable is ever a
fallback for another provider. Loopback needs no key.
"""

from __future__ import annotations

import hashlib
import inspect
import ipaddress
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast
from urllib.parse import urlsplit, urlunsplit

from .catalogue import Provider, get_provider, list_providers
from .errors import ConfigurationError


class SecretLike(Protocol):
    """Pydantic's ``SecretStr``, or anything of its shape."""

    def get_secret_value(self) -> str:
        """The secret."""


KeySource: TypeAlias = str | SecretLike | Callable[[], str] | Callable[[], Awaitable[str]] | None

_LOCAL_HINT = "or try without a key: `flash-integrations gateway` starts a local gateway"


class Credential:
    """A key, or where it comes from. Shows itself nowhere; a pickled one forgets what it held.

    Args:
        source: a text, a ``SecretStr``, or a function that gives the key (which may be a coroutine function).
        variables: environment variables to read where there is no source, first one set wins.
        needed: whether the lack of a key is an error.
        missing: what the error says.
    """

    __slots__ = ("_missing", "_needed", "_source", "_variables")

    def __init__(self, source: KeySource, *, variables: tuple[str, ...], needed: bool, missing: str) -> None:
        self._source, self._variables, self._needed, self._missing = source, variables, needed, missing

    def __repr__(self) -> str:
        return "Credential('**********')"

    def __copy__(self) -> Credential:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Credential:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _forgetful, (self._variables, self._needed, self._missing)

    @property
    def source(self) -> KeySource:
        """What was given; None where the environment is read."""
        return self._source

    def owner(self) -> str:
        """A name for whose limits these are: a digest of the key, or of the function that gives it."""
        if callable(self._source):
            return f"function-{id(self._source)}"
        return hashlib.blake2b(self._plain().encode(), digest_size=12).hexdigest()

    def bearer(self) -> str | None:
        """The ``Authorization`` header's value; None where no key is sent.

        Raises:
            ConfigurationError: no key, a key no header can carry, or a function that must be awaited.
        """
        given = self._source() if callable(self._source) else self._plain()
        if inspect.isawaitable(given):
            cast("Any", given).close()
            raise ConfigurationError("api_key is an async function: only the async methods can call it")
        return self._header(given)

    async def abearer(self) -> str | None:
        """The same, where the function that gives the key may be a coroutine function."""
        given = self._source() if callable(self._source) else self._plain()
        return self._header(await given if inspect.isawaitable(given) else given)

    def redact(self, text: str) -> str:
        """The text without the key, where it is known without calling anyone."""
        key = "" if callable(self._source) else self._plain()
        return text.replace(key, "**********") if len(key) > 3 else text

    def _plain(self) -> str:
        if self._source is None:
            return next((value for name in self._variables if (value := os.environ.get(name, "").strip())), "")
        return _reveal(self._source).strip()

    def _header(self, key: Any) -> str | None:
        key = _reveal(key).strip()
        if not key:
            if self._needed:
                raise ConfigurationError(self._missing)
            return None
        if not (key.isascii() and key.isprintable()):
            raise ConfigurationError("the API key has characters that no HTTP header can carry; copy it again")
        return f"Bearer {key}"


def _reveal(value: Any) -> str:
    if isinstance(value, str):
        return value
    reveal = getattr(value, "get_secret_value", None)
    if reveal is None:
        raise ConfigurationError(f"api_key must be a text, a SecretStr or a function, not {type(value).__name__}")
    return str(reveal())


def _forgetful(variables: tuple[str, ...], needed: bool, missing: str) -> Credential:  # noqa: FBT001 - pickle's call
    return Credential(None, variables=variables, needed=needed, missing=missing)


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
        ConfigurationError: an unknown provider, or a URL that is none or is not safe for a key. A missing key is
            told at the first call, not here.
    """
    given_url = None if base_url is None else clean_url(base_url, allow_http=allow_http)
    env_url = os.environ.get("FLASH_BASE_URL", "").strip() or None
    env_url = None if env_url is None else clean_url(env_url, allow_http=allow_http, said="FLASH_BASE_URL")
    if provider is not None:
        row = get_provider(provider) if isinstance(provider, str) else provider
        url = given_url or row.base_url or env_url or ""
        if not url:
            raise ConfigurationError(f"provider {row.name!r} has no URL of its own: give base_url=")
        url = clean_url(url, allow_http=allow_http)
    elif given_url or env_url:
        url = given_url or env_url or ""
        row = _row_at(url)
    else:
        row = get_provider(os.environ.get("FLASH_PROVIDER", "").strip() or "flashapi")
        if not row.base_url:
            raise ConfigurationError(f"FLASH_PROVIDER={row.name} has no URL of its own: set FLASH_BASE_URL too")
        url = row.base_url
    named_both = provider is not None and given_url is not None
    variables = _variables(row, url, env_url, named_both=named_both)
    credential = Credential(
        api_key, variables=variables, needed=not is_loopback(url), missing=_missing(row, url, variables)
    )
    return Endpoint(row, url, credential)


def _row_at(url: str) -> Provider:
    return next((row for row in list_providers() if row.base_url and _same(row.base_url, url)), get_provider("custom"))


def _same(one: str, other: str) -> bool:
    return clean_url(one, allow_http=True) == other


def _variables(row: Provider, url: str, env_url: str | None, *, named_both: bool) -> tuple[str, ...]:
    """The environment variables whose key may go to ``url``."""
    names = []
    if env_url is not None and env_url == url:
        names.append("FLASH_API_KEY")
    own = row.key_variable
    if own is not None and (named_both or (row.base_url and _same(row.base_url, url))):
        # FLASH_API_KEY belongs to FLASH_BASE_URL as soon as that is set.
        if own != "FLASH_API_KEY" or env_url in (None, url):
            names.append(own)
    return tuple(dict.fromkeys(names))


def _missing(row: Provider, url: str, variables: tuple[str, ...]) -> str:
    if not variables:
        return f"no API key for {url}: give api_key= (no environment variable is read for this URL), {_LOCAL_HINT}"
    return f"no API key for {row.name} ({url}): set {' or '.join(variables)}, or give api_key=, {_LOCAL_HINT}"


def clean_url(url: str, *, allow_http: bool = False, said: str = "base_url") -> str:
    """A base URL in one spelling: host in lower case, no slash at the end.

    Raises:
        ConfigurationError: not an http(s) URL; one with a user, a query or a fragment; one that names an endpoint; or
            plain http to a public host without ``allow_http``.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"{said} must be a URL, not {url!r}")
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigurationError(f"{said} is not a URL ({error}): expected something like https://host/v1") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigurationError(f"{said} must be a URL like https://host/v1, not {url!r}")
    if "@" in parts.netloc:
        raise ConfigurationError(f"{said} must not carry a user or password; the key goes by api_key=")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{said} must not have a query or fragment; see default_query")
    path = parts.path.rstrip("/")
    for ending in ("/chat/completions", "/embeddings", "/models"):
        if path.endswith(ending):
            raise ConfigurationError(f"{said} must end before {ending}: {urlunsplit(parts).removesuffix(ending)}")
    if parts.scheme == "http" and not allow_http and not _is_near(host):
        raise ConfigurationError(f"{said} is plain http to a public host, which shows the key: use https or allow_http=True")
    bracketed = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    netloc = bracketed if port in (None, default) else f"{bracketed}:{port}"
    return urlunsplit((parts.scheme, netloc, path, "", ""))


def is_loopback(url: str) -> bool:
    """Whether a URL points to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_near(host: str) -> bool:
    """Loopback, a private address, or a name without a dot (a container's, a host's in the local network)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(".localhost")
    return address.is_private or address.is_loopback
