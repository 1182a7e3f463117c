"""Which proxy of the environment a gateway's requests go through, and whose failure a failure is.

``HTTPS_PROXY``, ``HTTP_PROXY`` and ``ALL_PROXY`` name proxies, ``NO_PROXY`` the hosts that are reached without one; on
macOS and Windows the system's settings count where no variable is set. Loopback and host names without a dot (of
containers, of the local network) are never reached through a proxy: it could not find them. So a shell with Clash in it
runs the local gateway, the demo and tests.
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

_TAKEN = ("http", "https", "socks5", "socks5h")
_SAME = {"socks": "socks5"}  # GNOME's settings, and Clash's by them, write socks://
_HINT = "unset the variable, or name the host in NO_PROXY, to go without it"


@dataclass(frozen=True, slots=True)
class EnvironmentProxy:
    """A proxy, and where its address was found.

    Attributes:
        url: its URL; with the user and password that it wants.
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
        """A proxy from the value of a variable, which may leave out ``http://``.

        Raises:
            ConfigurationError: the address is no URL of a proxy; the message shows no password.
        """
        url = address if "://" in address else f"http://{address}"
        scheme, _, rest = url.partition("://")
        scheme = _SAME.get(scheme.lower(), scheme.lower())
        try:
            parts = urlsplit(f"{scheme}://{rest}")
            is_proxy = scheme in _TAKEN and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number, a bracket too few
            is_proxy = False
        if not is_proxy:
            taken = ", ".join(f"{scheme}://" for scheme in _TAKEN)
            raise ConfigurationError(
                f"the proxy in {variable} must be host:port or a URL that begins with one of {taken}; {_HINT}"
            )
        return cls(f"{scheme}://{rest}", variable)

    def unreachable(self, url: str, reason: str) -> str:
        """The message where no connection to the proxy itself can be made."""
        return f"cannot connect to the proxy {self}, through which {url} is asked: {reason}; start it, or {_HINT}"

    def failed(self, url: str, reason: str) -> str:
        """The message where the proxy answers that it cannot go on."""
        return f"the proxy {self}, through which {url} is asked, failed: {reason}; {_HINT}"


def environment_proxy(url: str) -> EnvironmentProxy | None:
    """The proxy that requests to a URL go through, or None: there is none, or the host is reached without it.

    Raises:
        ConfigurationError: the variable that counts here does not name a proxy.
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
    """Whether an error of httpx's says that no socket could be opened, rather than that TLS failed on an open one."""
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
    """Whether NO_PROXY names a host by a network (10.0.0.0/8) or a pattern (*.example.com): Python knows neither."""
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
    except ValueError:  # a name, or no network
        return False
