"""The table of texts by which refusals are known."""

import pytest

from flash_integrations._core.failures.error_mapping import refusal
from flash_integrations._core.failures.known_texts import KNOWN_TEXTS, find_known_text


@pytest.mark.parametrize("row", KNOWN_TEXTS, ids=lambda row: row.example[:40])
def test_an_example_is_known_by_its_own_row(row):
    """No earlier row takes it, so each row is needed for its own example."""
    assert find_known_text(row.example) is row


def test_every_row_says_where_it_comes_from():
    """A row that nobody can trace cannot be judged later."""
    assert [row for row in KNOWN_TEXTS if not row.source or not row.example] == []


@pytest.mark.parametrize("row", KNOWN_TEXTS, ids=lambda row: row.example[:40])
def test_an_example_comes_to_the_rows_error(row):
    """As the message of a 400, in OpenAI's form."""
    error = refusal(400, {}, {"error": {"message": row.example, "type": None, "code": None}}, now=0.0)
    assert type(error) is row.kind


def test_a_row_from_memory_that_matches_is_logged(caplog):
    """Users can report where such a text really comes from."""
    caplog.set_level("DEBUG", "flash_integrations")
    refusal(400, {}, {"error": {"message": "No such model: x"}}, now=0.0)
    assert "has no source yet, 'no such model': No such model: x" in caplog.text
