"""What a parameter may be, checked before anything is sent."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ...errors import InvalidRequestError

_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = 60


def show(value: Any) -> str:
    """A value as errors show it: prompts and images are long."""
    return _shown.repr(value)


def number(low: float, high: float) -> Callable[[str, Any], None]:
    """A check for numbers from ``low`` to ``high``."""

    def check(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidRequestError(f"{name} must be a number from {low:g} to {high:g}, not {show(value)}")
        if not low <= value <= high:
            raise InvalidRequestError(f"{name} must be from {low:g} to {high:g}, not {show(value)}")

    return check


def whole_number(low: int | None = None, high: int | None = None) -> Callable[[str, Any], None]:
    """A check for an ``int``, from ``low`` to ``high`` where those are given."""
    bounds = f" of at least {low}" if high is None else f" from {low} to {high}"
    bounds = "" if low is None else bounds

    def check(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidRequestError(f"{name} must be an int{bounds}, not {show(value)}")
        if (low is not None and value < low) or (high is not None and value > high):
            raise InvalidRequestError(f"{name} must be an int{bounds}, not {show(value)}")

    return check


def at_least(low: int) -> Callable[[str, Any], None]:
    """A check for an ``int`` of at least ``low``."""
    return whole_number(low)


def kind_of(kind: type | tuple[type, ...], described: str) -> Callable[[str, Any], None]:
    """A check for values of a kind, which errors call ``described``."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise InvalidRequestError(f"{name} must be {described}, not {show(value)}")

    return check


def checked(
    model: str,
    params: Mapping[str, Any],
    checks: Mapping[str, Callable[[str, Any], None]],
    *,
    disabled: Collection[str],
    unchecked: Collection[str] = (),
) -> dict[str, Any]:
    """The parameters of a call that are set, checked; unknown ones as they are.

    Args:
        model: the model's id.
        params: what was given; None and what is empty is not set.
        checks: a check for each known parameter.
        disabled: names never to send.
        unchecked: names that are no parameter, and no misspelt one.

    Raises:
        InvalidRequestError: a wrong type, a value out of its bounds, a misspelt name.
    """
    kind_of(str, "a model's id")("model", model)
    if not model:
        raise InvalidRequestError(f"model must be a model's id, not {show(model)}")
    values = {name: value for name, value in params.items() if not is_unset(value) and name not in disabled}
    for name, value in values.items():
        check = checks.get(name)
        if check is not None:
            check(name, value)
        elif name not in unchecked:
            refuse_misspelt(name, checks)
    return values


def is_unset(value: Any) -> bool:
    """Whether a parameter says nothing and is not sent."""
    return value is None or (isinstance(value, list | tuple | Mapping) and not value)


def refuse_misspelt(name: str, known: Collection[str]) -> None:
    """Refuse a name that is nearly a known one; others are a gateway's own."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.88)
    if near:
        raise InvalidRequestError(
            f"unknown parameter {name!r}: did you mean {near[0]!r}? (a gateway's own parameters go by extra_body)"
        )
