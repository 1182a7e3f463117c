"""The page of wire quirks, held against the tests and the cases it names."""

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "wire-quirks.md").read_text(encoding="utf-8")
ROWS = {row[0]: row[-1] for line in PAGE.splitlines() if (row := re.findall(r"(?<=\| )[^|]+(?= \|)", line))}
COUNTS = {"F": 26, "E": 26, "C": 18, "U": 12, "T": 26, "R": 8, "N": 13, "H": 24, "Q": 13, "V": 14, "S": 20}
"""How many rows each part of the page has."""


def test_every_row_names_a_test_that_names_it_or_says_why_there_is_none():
    """Whoever looks up an oddity finds the test that holds it."""
    offenders = []
    for row in (f"{part}{number}" for part, count in COUNTS.items() for number in range(1, count + 1)):
        where = ROWS.get(row, "")
        if where.startswith("left out: "):
            offenders += [row] if len(where) < 30 else []
            continue
        path = HERE.parent / where.strip("`")
        named = path.is_file() and re.search(rf"(?<![A-Za-z0-9]){row}(?![A-Za-z0-9])", path.read_text(encoding="utf-8"))
        offenders += [] if named else [row]
    assert offenders == []


def test_every_case_of_the_reports_has_its_row():
    """The page and the file name the same cases."""
    cases = {case["id"] for case in json.loads((HERE / "field_cases.json").read_text(encoding="utf-8"))}
    assert cases == {row for row in ROWS if "-" in row and not row.startswith("-")} | (cases & ROWS.keys())
