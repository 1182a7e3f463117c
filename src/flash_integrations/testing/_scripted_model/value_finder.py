"""What a text offers for the fields of a schema: numbers, quotations, names, and values that are called by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Generic, TypeVar

from .text import CJK, has_cjk, vocabulary, words

__all__ = ["FieldValues"]

T = TypeVar("T")

_COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER = re.compile(rf"(?<![A-Za-z0-9_.])-?\d+(?:\.\d+)?(?![A-Za-z0-9_])|\b(?:{'|'.join(_COUNTED)})\b", re.IGNORECASE)
_QUOTED = re.compile(r"“([^”]+)”|「([^」]+)」|《([^》]+)》|\"([^\"\n]+)\"|`([^`\n]+)`|(?<!\w)'([^'\n]+)'(?!\w)")
_NAME = re.compile(rf"[A-Z][\w'’-]*(?:,? [A-Z][\w'’-]*)*|(?<![{CJK}])([{CJK}]{{2,8}}?)(?=的|今天|明天|现在)")
_CJK_OPENING = re.compile("^(?:请问|请|帮我|告诉我|查询|查一下|查|问|在|去|今天|明天|现在)+")
_STARTERS = vocabulary(
    "add answer book call compute create divide explain extract fetch find generate hello help hi invoke json list "
    "look make multiply need respond return run say search send show subtract summarize translate try write"
)
_FORMATS = {
    "date": (r"\d{4}-\d\d-\d\d", "2026-01-01"),
    "date-time": (r"\d{4}-\d\d-\d\dT\d\d:\d\d\S*", "2026-01-01T00:00:00Z"),
    "email": (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "someone@example.com"),
    "uri": (r"https?://[^\s\"'<>，。）)]+", "https://example.com/"),
}
_NAMED = vocabulary("author capital city company country location name person place title town user")
_ASKING = vocabulary("content input message prompt q query question request search sentence text topic")


class FieldValues:
    """The values of one text. Numbers, quotations and names are handed out in order, so that two fields get two.

    Args:
        text: where to look, such as the user's message.
        question: what a field for a query gets.
    """

    def __init__(self, text: str, *, question: str) -> None:
        self._text = text
        self._question = question
        self._numbers = _Queue([_as_number(found.group()) for found in _NUMBER.finditer(text)])
        self._quoted = _Queue([next(filter(None, found.groups())).strip() for found in _QUOTED.finditer(text)])
        self._names = _Queue(_names(text))
        self._called: set[str] = set()

    def begin(self) -> None:
        """Begin another call's arguments: what is used up may be used again."""
        self._called.clear()
        for queue in (self._numbers, self._quoted, self._names):
            queue.refill()

    def has(self, value: object) -> bool:
        """Whether the text has a value, in any case."""
        found = rf"(?<![A-Za-z0-9]){re.escape(str(value))}(?![A-Za-z0-9])"
        return re.search(found, self._text, re.IGNORECASE) is not None

    def speaks_of(self, name: str) -> bool:
        """Whether the text has a field's name."""
        return re.search(rf"(?<!\w){_spelling(name)}(?!\w)", self._text, re.IGNORECASE) is not None

    def many(self, kind: str) -> int:
        """How many values of a schema type are left."""
        if kind in ("integer", "number"):
            return len(self._numbers.rest)
        return len(self._quoted.rest) or len(self._names.rest) if kind == "string" else 0

    def option(self, name: str, options: Sequence[T]) -> T:
        """One of an enum's values: the one called by name, the first that the text has, else the first of all."""
        labelled = (self._labelled(name, r"[\w-]+", linked=True) or "").lower()
        called = [option for option in options if str(option).lower() == labelled]
        present = [option for option in options if option is not None and self.has(option)]
        return [*called, *present, *options][0]

    def truth(self, name: str, default: object = None) -> bool:
        """True, unless the text or the default says otherwise."""
        spelled = _spelling(name)
        no = rf"\b(?:not|no|without|disabled?)\s+{spelled}\b|\b{spelled}\s*(?:is|=|:)?\s*(?:false|no|off)\b"
        if re.search(no, self._text, re.IGNORECASE):
            return False
        return default if isinstance(default, bool) and not self.speaks_of(name) else True

    def number(self, name: str, *, whole: bool) -> float | None:
        """The number called by the field's name, else the next one of the text, else None."""
        labelled = self._labelled(name, r"-?\d+(?:\.\d+)?", linked=False)
        value = self._numbers.take(None if labelled is None else _as_number(labelled))
        return int(value) if value is not None and (whole or value == int(value)) else value

    def text(self, name: str, *, style: str | None = None, default: object = None) -> str:
        """A text for a field: by format, by name, a quotation, a name, the default, the question, or a plain phrase."""
        if style in _FORMATS:
            pattern, fallback = _FORMATS[style]
            found = re.search(pattern, self._text)
            return found.group() if found else str(default or fallback)
        asking = not _ASKING.isdisjoint([name.lower(), *words(name)])
        labelled = self._labelled(name, rf"[^\s,.;:\"'“”「」，。；{CJK}]+|[{CJK}]+", linked=True)
        known = [*self._names.rest, *self._quoted.rest]
        value = next((candidate for candidate in known if labelled and labelled in candidate), labelled)
        if value is not None and name not in self._called:
            # What is called by name is given once, so that a list or an inner object gets something else.
            self._called.add(name)
            self._names.take(value)
            self._quoted.take(value)
        else:
            named = not _NAMED.isdisjoint(words(name))
            queues = [self._names, self._quoted] if named else [self._quoted, self._names]
            queue = next(
                (candidate for candidate in queues if candidate.rest and not (asking and candidate is self._names)),
                None,
            )
            value = queue.take() if queue else None
        if value is not None:
            return value
        if default is not None:
            return str(default)
        if asking:
            return self._question
        topic = self._question if has_cjk(self._question) else " ".join(words(self._question)[:6])
        return f"{name.replace('_', ' ')}: {topic}"

    def _labelled(self, name: str, value: str, *, linked: bool) -> str | None:
        """What the text gives a field by name: "age: 30", "age=30", "age is 30"; when not linked also "age 30"."""
        link = r"(?:\s*(?:=|[:：]|为|是|\bis\b|\bnamed\b)|d\b)" + ("" if linked else "?")
        found = re.search(rf"(?<!\w){_spelling(name)}{link}\s*[\"'“「]?({value})", self._text, re.IGNORECASE)
        return found.group(1) if found else None


class _Queue(Generic[T]):
    """Values in order, each given once; the last one again when all are used."""

    def __init__(self, every: Sequence[T]) -> None:
        self.every = list(every)
        self.rest = list(every)

    def take(self, wanted: T | None = None) -> T | None:
        """The wanted value, used up with this, or the next one; with none left the last again, or None."""
        if wanted is not None:
            if wanted in self.rest:
                self.rest.remove(wanted)
            return wanted
        if self.rest:
            return self.rest.pop(0)
        return self.every[-1] if self.every else None

    def refill(self) -> None:
        """Start over, if nothing is left."""
        self.rest = self.rest or list(self.every)


def _as_number(text: str) -> float:
    return float(_COUNTED.index(text.lower())) if text.lower() in _COUNTED else float(text)


def _names(text: str) -> list[str]:
    """Runs of capitalised words, without one that merely begins a sentence, and CJK words before 的 and the like."""
    found = []
    for match in _NAME.finditer(text):
        if text[match.end() :].lstrip()[:1] in (":", "："):
            continue  # a label
        if match.group(1):
            parts = [_CJK_OPENING.sub("", match.group(1))]
        else:
            parts = match.group().split(" ")
            while parts and (not words(parts[0]) or parts[0].lower() in _STARTERS):
                parts = parts[1:]
        if name := " ".join(parts).strip(" ,'’"):
            found.append(name)
    return found


def _spelling(name: str) -> str:
    """A pattern for a field's name as a text may spell it: ``first_name`` as "first name" or "firstName"."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^A-Za-z_\s-]+", name) or [name]
    return r"[\s_-]*".join(re.escape(part) for part in parts)
