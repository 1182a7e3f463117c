"""What a base URL may be, in one spelling, and whether it points to somewhere near."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..errors import ConfigurationError

_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)


def clean_url(url: Any, *, allow_http: bool = False, name: str = "base_url") -> str:
    """Check a base URL and normalize it: host in lower case, no default port, no slash at the end.

    Args:
        url: the URL.
        allow_http: accept plain http to a public host.
        name: what it is called in the error.

    Raises:
        ConfigurationError: not an http(s) URL; one with a user, a query or a fragment; one that names an endpoint; or
            plain http to a public host without ``allow_http``.
    """
    # A key passed as URL by mistake must not be shown.
    shown = f", not {url!r}" if isinstance(url, str) and "/" in url and "@" not in url else ""
    wanted = f"{name} must be a URL like https://host/v1{shown}"
    if not isinstance(url, str):
        raise ConfigurationError(wanted)
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigurationError(f"{wanted} ({error})") from None
    if "@" in parts.netloc:
        raise ConfigurationError(f"{name} must not have a user or password: give the key as api_key=")
    if parts.scheme not in ("http", "https") or not host or not host.isprintable() or " " in host:
        raise ConfigurationError(wanted)
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{name} must not have a query or fragment: give query parameters as default_query=")
    path = parts.path.rstrip("/")
    bracketed = f"[{host}]" if ":" in host else host
    netloc = bracketed if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f"{bracketed}:{port}"
    for ending in ("/chat/completions", "/embeddings", "/models"):
        if path.endswith(ending):
            shorter = urlunsplit((parts.scheme, netloc, path.removesuffix(ending), "", ""))
            raise ConfigurationError(f"{name} must end before {ending}: {shorter}")
    if parts.scheme == "http" and not allow_http and not _is_private(host):
        raise ConfigurationError(
            f"{name} is plain http to a public host, which exposes the key: use https, or pass allow_http=True"
        )
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


def is_single_label(host: str) -> bool:
    """Whether a host is a name without a dot: of a container, or in the local network."""
    # Digits alone are an IPv4 address as one number (134744072 is 8.8.8.8).
    return bool(host) and not {".", ":"} & set(host) and not _NUMBER.fullmatch(host)


def _is_private(host: str) -> bool:
    """Whether a host is loopback, a private address, or a name without a dot."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return is_single_label(host) or host.endswith(".localhost")
    return address.is_private or address.is_loopback
