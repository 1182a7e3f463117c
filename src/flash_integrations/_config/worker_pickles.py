"""How an object with a key crosses to a worker process: whole, where ``pickle.dumps`` leaves the key out.

Pools and executors pickle with multiprocessing's ``ForkingPickler``, over pipes between a program's own processes. What
is saved goes by ``pickle.dumps``, which does not look at the reducers that are registered here.
"""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any, TypeVar

from ..errors import ConfigurationError

T = TypeVar("T")


def register_for_workers(kind: type[T], reduce: Callable[[T], Any]) -> None:
    """Pickle objects of a class by ``reduce`` on their way to a worker; its subclasses need a call of their own."""
    ForkingPickler.register(kind, reduce)


def key_for_worker(source: Any) -> Any:
    """Where a key comes from, in a form that a worker process can read.

    A function that can be pickled is called by the worker for each request. One that cannot (a lambda, a function
    inside another) is called here, now, and the worker keeps the key it gave.

    Raises:
        ConfigurationError: an async function that cannot be pickled.
    """
    try:
        ForkingPickler.dumps(source)
    except (pickle.PicklingError, AttributeError, TypeError):
        if not callable(source):
            raise
    else:
        return source
    given = None if inspect.iscoroutinefunction(source) else source()
    if given is None or inspect.isawaitable(given):
        if inspect.iscoroutine(given):
            given.close()
        raise ConfigurationError(
            "api_key cannot go to a worker process: an async function must stand at the top level of a module"
        )
    return given
