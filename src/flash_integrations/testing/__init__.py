"""A gateway on loopback to develop and test against: no key, no network, no bill.

``LocalGateway`` needs the extra ``gateway`` (starlette and uvicorn). Names are loaded on first use, so that the pytest
plugin costs nothing where it is not used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError

if TYPE_CHECKING:
    from .answers import Answer
    from .faults import Fault
    from .gateway import LocalGateway
    from .record import ReceivedRequest

__all__ = ["Answer", "Fault", "LocalGateway", "ReceivedRequest"]

_HOMES = {"Answer": "answers", "Fault": "faults", "LocalGateway": "gateway", "ReceivedRequest": "record"}
_EXTRA = {"starlette", "uvicorn", "h11"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise MissingExtraError(
            f"{name} needs {missing.name}, which is not installed: pip install 'flash-integrations[gateway]'"
        ) from missing
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
