"""The table of texts by which refusals are known."""

import pytest

from flash_integrations._core.failures.error_mapping import refusal
from flash_integrations._core.failures.known_texts import KNOWN_TEXTS


@pytest.mark.parametrize("row", KNOWN_TEXTS.rows, ids=lambda row: row.example[:40])
def test_an_example_comes_to_the_rows_error(row):
    """As the message of a 400, in OpenAI's form."""
    error = refusal(400, {}, {"error": {"message": row.example, "type": None, "code": None}}, now=0.0)
    assert type(error) is row.means
