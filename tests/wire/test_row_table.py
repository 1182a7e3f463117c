"""The page of wire quirks, held against the code, the tests and the cases it names."""

import json
import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
TESTS, SOURCE = HERE.parent, HERE.parents[1] / "src" / "flash_integrations"
PAGE = (HERE.parents[1] / "docs" / "wire-quirks.md").read_text(encoding="utf-8")
LINES = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
ROWS = {cells[0]: cells[1:] for cells in LINES if len(cells) == 5 and cells[0] != "id"}
MAP = [cells for cells in LINES if len(cells) == 3 and cells[0] != "what was sent"]
COUNTS = {"F": 26, "E": 26, "C": 18, "U": 12, "T": 26, "R": 10, "N": 13, "H": 24, "Q": 17, "V": 14, "S": 20}
"""How many rows each part of the page has."""

_READERS = re.compile(r"`([\w/]+\.py)`: ((?:`\w+`(?:, )?)+)")
_FILES = re.compile(r"`([\w/]+\.(?:py|json))`")


@cache
def text_of(path):
    """A file's text; "" for one that is not there."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def lacks(text, name):
    """Whether a text does not have a name as a word of its own."""
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text) is None


def missing_readers(cell):
    """What a cell names of the code that is not there; the cell itself where it names nothing."""
    readers = _READERS.findall(cell)
    missing = [
        f"{path}: {name}"
        for path, names in readers
        for name in re.findall(r"\w+", names)
        if lacks(text_of(SOURCE / path), name)
    ]
    return missing if readers else [cell]


def test_every_id_and_every_case_of_the_reports_has_its_row():
    """The page has no gaps, and nothing that no test knows."""
    ids = {f"{part}{number}" for part, count in COUNTS.items() for number in range(1, count + 1)}
    cases = {case["id"] for case in json.loads((HERE / "field_cases.json").read_text(encoding="utf-8"))}
    assert ROWS.keys() == ids | cases


def test_no_cell_is_empty():
    """Each row says what comes, who sends it, what reads it and what tests it."""
    assert [cells for cells in LINES if len(cells) not in (3, 5) or not all(cells)] == []


def test_every_row_names_what_reads_it():
    """The file is there, and has the name to look for."""
    offenders = {
        row: missing
        for row, (_, _, reader, test) in ROWS.items()
        if not test.startswith("left out: ") and (missing := missing_readers(reader))
    }
    assert offenders == {}


def test_every_row_names_a_test_that_names_it_or_says_why_there_is_none():
    """Whoever looks up an oddity finds the test that holds it."""
    offenders = []
    for row, (_, _, _, test) in ROWS.items():
        if test.startswith("left out: "):
            offenders += [row] if len(test) < 30 else []
        elif lacks(text_of(TESTS / test.strip("`")), row):
            offenders.append(row)
    assert offenders == []


def test_the_map_names_tables_and_tests_that_are_there():
    """Whoever has a new fact finds the table to add it to."""
    offenders = [missing for _, tables, _ in MAP for missing in missing_readers(tables)]
    offenders += [path for _, _, tests in MAP for path in _FILES.findall(tests) or [tests] if not text_of(TESTS / path)]
    assert offenders == []


def test_no_reference_goes_nowhere():
    """What the page was made from is not in the repository: nothing on it, in code or in tests cites that."""
    marks = re.compile(r"GATEWAYS|(?<![a-z_])rows\.toml|\[[SMDI](?:,[SMDI])*\]")
    paths = [*SOURCE.rglob("*.py"), *TESTS.rglob("*.py"), HERE.parents[1] / "docs" / "wire-quirks.md"]
    assert [path.name for path in paths if path != Path(__file__) and marks.search(text_of(path))] == []
