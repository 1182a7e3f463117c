"""Annotations of a text in the chat wire's form, each of them once."""

from __future__ import annotations

from typing import Any

_POSITIONS = ("start_index", "end_index", "index")
_NAMES = ("type", "url", "file_id", "container_id", "filename", *_POSITIONS)


class Citations:
    """The annotations of an answer: sent as they come, and again with each whole text."""

    def __init__(self) -> None:
        self._known: set[tuple[Any, ...]] = set()

    def add(self, annotation: Any, *, offset: int) -> list[dict[str, Any]]:
        """An annotation as the chat wire has it, or nothing where it is known.

        Args:
            annotation: as it came, flat, or nested already.
            offset: characters of the answer's text before the part that it stands in.
        """
        if not isinstance(annotation, dict):
            return []
        kind = annotation.get("type")
        nested = annotation.get(kind) if isinstance(kind, str) else None
        fields = nested if isinstance(nested, dict) else {k: v for k, v in annotation.items() if k != "type"}
        shifted = {name: _shifted(name, value, offset) for name, value in fields.items()}
        known_by = (kind, *(repr(shifted.get(name)) for name in _NAMES))
        if known_by in self._known:
            return []
        self._known.add(known_by)
        if isinstance(kind, str) and (isinstance(nested, dict) or kind == "url_citation"):
            return [{"type": kind, kind: shifted}]
        return [{"type": kind, **shifted}]


def _shifted(name: str, value: Any, offset: int) -> Any:
    return value + offset if name in _POSITIONS and type(value) is int else value
