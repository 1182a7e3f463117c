"""The sources an answer names, from its annotations: in OpenAI's nested form, or flat as others write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

CITATION_KINDS = frozenset({"url_citation", "file_citation"})

_KNOWN = frozenset({"type", "url", "title", "filename", "cited_text", "content", "start_index", "end_index"})


@dataclass(frozen=True, slots=True)
class Citation:
    """One source.

    Attributes:
        kind: "url_citation" or "file_citation".
        url: where it is, or None.
        title: its title or file name, or None.
        cited_text: the source's own words, or None.
        start_index, end_index: the characters of the answer's text that it stands for, or None.
        extra: what else the gateway says of it.
    """

    kind: str
    url: str | None = None
    title: str | None = None
    cited_text: str | None = None
    start_index: int | None = None
    end_index: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def quoted(self, text: str) -> str:
        """The words cited: the source's own, else those of the answer that the indexes mark, else ""."""
        if self.cited_text:
            return self.cited_text
        if self.start_index is None or self.end_index is None:
            return ""
        return text[self.start_index : self.end_index]


def read_citation(annotation: Any) -> Citation | None:
    """An annotation as the source it names; None where it is of another kind."""
    if not isinstance(annotation, Mapping) or annotation.get("type") not in CITATION_KINDS:
        return None
    kind = annotation["type"]
    nested = annotation.get(kind)
    fields = nested if isinstance(nested, Mapping) else annotation
    return Citation(
        kind,
        _text(fields.get("url")),
        _text(fields.get("title")) or _text(fields.get("filename")),
        _text(fields.get("cited_text")) or _text(fields.get("content")),
        _place(fields.get("start_index")),
        _place(fields.get("end_index")),
        {name: value for name, value in fields.items() if name not in _KNOWN and value is not None},
    )


def read_citations(annotations: Iterable[Any]) -> Iterator[Citation]:
    """The sources among annotations."""
    return (citation for annotation in annotations if (citation := read_citation(annotation)) is not None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _place(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
