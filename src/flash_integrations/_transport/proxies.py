"""Which proxy of the environment a gateway's requests go through, and the error messages that name it.

``HTTPS_PROXY``, ``HTTP_PROXY`` and ``ALL_PROXY`` name proxies, ``NO_PROXY`` the hosts that are reached without one; on
macOS and Windows the system's settings are read where no variable is set. Loopback and host names without a dot (of
containers, of the local network) are never reached through a proxy, which could not resolve them: so the local
gateway, the demo and the tests work in a shell that sets a proxy, as Clash does.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from .._config.urls import is_loopback, is_single_label
from ..errors import ConfigurationError

_SCHEMES = ("http", "https", "socks5", "socks5h")
_SCHEME_ALIASES = {"socks": "socks5"}  # GNOME's settings, and Clash through them, write socks://
_HINT = "unset the variable, or name the host in NO_PROXY, to go without it"


@dataclass(frozen=True, slots=True)
class EnvironmentProxy:
    """A proxy, and where its address was found.

    Attributes:
        url: its URL, with user and password if the variable holds them.
        variable: the environment variable that names it, or "the system's settings".
    """

    url: str
    variable: str

    def __str__(self) -> str:
        """The address without user and password, and where it was found."""
        return f"{_without_user(self.url)} ({self.variable})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_without_user(self.url)!r}, {self.variable!r})"

    @classmethod
    def parse(cls, address: str, variable: str) -> Self:
        """Read the value of a variable, which may leave out ``http://``.

        Raises:
            ConfigurationError: the address is not a proxy's URL; the message shows no password.
        """
        url = address if "://" in address else f"http://{address}"
        scheme, _, rest = url.partition("://")
        scheme = _SCHEME_ALIASES.get(scheme.lower(), scheme.lower())
        try:
            parts = urlsplit(f"{scheme}://{rest}")
            is_proxy = scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is not a number, a missing bracket
            is_proxy = False
        if not is_proxy:
            schemes = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
            raise ConfigurationError(
                f"the proxy in {variable} must be host:port or a URL that begins with one of {schemes}; {_HINT}"
            )
        return cls(f"{scheme}://{rest}", variable)

    def unreachable(self, url: str, reason: str) -> str:
        """The error message for a proxy that cannot be connected to."""
        return f"cannot connect to the proxy {self} on the way to {url}: {reason}; start it, or {_HINT}"

    def failed(self, url: str, reason: str) -> str:
        """The error message for a proxy that answers with an error."""
        return f"the proxy {self} on the way to {url} failed: {reason}; {_HINT}"


def environment_proxy(url: str) -> EnvironmentProxy | None:
    """Return the proxy that requests to a URL go through; None if no variable names one or the host is excepted.

    Raises:
        ConfigurationError: the variable that applies to the URL does not hold a proxy's address.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    proxies = getproxies()
    found = next((name for name in (parts.scheme, "all") if proxies.get(name)), None)
    if found is None or is_loopback(url) or is_single_label(host):
        return None
    address = f"[{host}]" if ":" in host else host
    named = f"{address}:{parts.port}" if parts.port else address
    if proxy_bypass(named) or _is_excluded(host, proxies.get("no", "").split(",")):
        return None
    spellings = (f"{found}_proxy", f"{found}_PROXY".upper())  # the order in which Python reads them
    variable = next((name for name in spellings if os.environ.get(name)), "the system's settings")
    return EnvironmentProxy.parse(proxies[found].strip(), variable)


def is_unreachable(error: BaseException) -> bool:
    """Whether an ``httpx.ConnectError`` means that no socket could be opened, not that TLS failed on an open one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror | ConnectionRefusedError | TimeoutError):
            return True
        if type(cause) is OSError:  # no route to the host, an unreachable network
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", ""))


def _is_excluded(host: str, entries: Iterable[str]) -> bool:
    """Whether NO_PROXY excepts a host by a network (10.0.0.0/8) or a pattern (*.example.com); Python reads neither."""
    for entry in map(str.strip, entries):
        if "*" in entry:
            if fnmatch.fnmatchcase(host, entry.lower()):
                return True
        elif "/" in entry and _is_within(host, entry):
            return True
    return False


def _is_within(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:  # a host name, or not a network
        return False
