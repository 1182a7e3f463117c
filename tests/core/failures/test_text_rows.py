"""Every table of sentences, wherever it stands: its rows are told apart, needed, and say where they come from."""

import importlib
import pkgutil
import re

import pytest

from flash_integrations import _core
from flash_integrations._core.failures.text_rows import FROM_MEMORY, TextRow, TextTable
from flash_integrations._core.policy import refusal_texts


def tables():
    """All tables of the core by name, found in its modules; one that several modules import comes once."""
    found = {}
    for info in pkgutil.walk_packages(_core.__path__, f"{_core.__name__}."):
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, TextTable):
                found.setdefault(id(value), (name, value))
    return dict(found.values())


TABLES = tables()
ROWS = [(name, row) for name, table in TABLES.items() for row in table.rows]


def test_the_tables_are_found():
    """A table in a new module is held by the tests below without being named here."""
    assert TABLES.keys() >= {"KNOWN_TEXTS", "MUST_STREAM", "NO_DEVELOPER", "BATCH_NAMED", "FIGURES", "BELOW", "WAITS"}


def test_an_example_is_known_by_its_own_row():
    """No earlier row takes it."""
    assert [(name, row.example) for name, row in ROWS if TABLES[name].find(row.example) is not row] == []


def test_no_row_is_needless():
    """Without it nothing else says the same of its example; a row from memory never stands in for one with a source."""
    needless = []
    for name, row in ROWS:
        instead = TextTable(other for other in TABLES[name].rows if other is not row).find(row.example)
        replaced = instead is not None and instead.means == row.means
        if replaced and (instead.source != FROM_MEMORY or row.source == FROM_MEMORY):
            needless.append((name, row.pattern, instead.pattern))
    assert needless == []


def test_a_pattern_is_one_sentence():
    """Alternatives are rows of their own: of a pattern that melts vendors together nobody can say which part may go."""
    offenders = []
    for name, row in ROWS:
        pattern, removed = re.sub(r"\\.|\[[^]]*\]", "", row.pattern), 1
        while removed:  # groups, the innermost first
            pattern, removed = re.subn(r"\([^()]*\)", "", pattern)
        offenders += [(name, row.pattern)] if "|" in pattern else []
    assert offenders == []


def test_every_row_says_where_it_comes_from():
    """A row that nobody can trace cannot be judged later."""
    assert [(name, row.pattern) for name, row in ROWS if not row.source or not row.example] == []


def test_what_must_be_streamed_is_told_from_what_must_not():
    """An example of one is none of the other."""
    one, other = refusal_texts.MUST_STREAM, refusal_texts.MUST_NOT_STREAM
    assert [row for row in one.rows if other.find(row.example)] == []
    assert [row for row in other.rows if one.find(row.example)] == []


def test_hits_of_rows_from_memory_are_counted_and_logged(caplog):
    """Users can report where such a text really comes from."""
    caplog.set_level("DEBUG", "flash_integrations")
    table = TextTable([TextRow("odd", FROM_MEMORY, "odd"), TextRow("even", "somewhere", "even")])
    for text in ("an odd one", "an even one", "odd again"):
        table.find(text)
    assert [record.getMessage() for record in caplog.records] == [
        "the row 'odd', which has no source yet, matched (1 so far): an odd one",
        "the row 'odd', which has no source yet, matched (2 so far): odd again",
    ]


@pytest.mark.parametrize("text", ["", "one", "one two one"])
def test_matches_gives_every_place_in_the_order_of_the_rows(text):
    """What a text names several times is read each time."""
    table = TextTable.of(("two", "somewhere", "two"), ("(o)ne", "somewhere", "one"))
    assert [match[0] for _, match in table.matches(text)] == sorted(text.split(), reverse=True)
