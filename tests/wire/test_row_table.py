"""The table of wire quirks, held against the tests: each row has a test that names it, or a reason to be left out."""

import re
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TABLE = tomllib.loads((HERE / "rows.toml").read_text(encoding="utf-8"))
ROWS = {row: where for part in TABLE.values() for row, where in part.items()}
COUNTS = {"F": 26, "E": 26, "C": 18, "U": 12, "T": 26, "R": 8, "N": 13, "H": 24, "Q": 13, "V": 14}
"""How many rows each part of the notes has."""


def test_no_row_is_missing():
    """Every row of the notes is in the table."""
    assert set(ROWS) == {f"{part}{number}" for part, count in COUNTS.items() for number in range(1, count + 1)}


@pytest.mark.parametrize(("row", "where"), ROWS.items(), ids=ROWS)
def test_a_row_has_its_test_or_its_reason(row, where):
    """The file named names the row; what is left out says why."""
    if where.startswith("left out: "):
        assert len(where) > len("left out: ") + 20
        return
    text = (HERE.parent / where).read_text(encoding="utf-8")
    assert re.search(rf"(?<![A-Za-z0-9]){row}(?![A-Za-z0-9])", text)
