"""Every table of sentences: its rows are told apart, and say where they come from."""

import pytest

from flash_integrations._core.endpoints.embeddings import batch_size
from flash_integrations._core.failures import known_texts
from flash_integrations._core.failures.text_rows import FROM_MEMORY, TextRow, TextTable
from flash_integrations._core.policy import refusal_texts

TABLES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": table
    for module in (known_texts, refusal_texts, batch_size)
    for name, table in vars(module).items()
    if isinstance(table, TextTable)
}
ROWS = [
    pytest.param(table, row, id=f"{name} {row.example[:30]}") for name, table in TABLES.items() for row in table.rows
]


@pytest.mark.parametrize(("table", "row"), ROWS)
def test_an_example_is_known_by_its_own_row(table, row):
    """No earlier row takes it, so each row is needed for its own example."""
    assert table.find(row.example) is row


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_row_says_where_it_comes_from(table):
    """A row that nobody can trace cannot be judged later."""
    assert [row for row in table.rows if not row.source or not row.example] == []


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
