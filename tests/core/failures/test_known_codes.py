"""Error codes and types: each is in one row, has a sender, and decides."""

from collections import Counter

from flash_integrations._core.endpoints.chat.finish_reasons import FINISH_REASONS
from flash_integrations._core.failures.error_body import ErrorFacts
from flash_integrations._core.failures.error_mapping import classify
from flash_integrations._core.failures.known_codes import CODE_ROWS, TYPE_ROWS

STATUSES = (200, 400, 503)


def entries(rows):
    """(name, kind) of each code or type."""
    return [(name, kind) for kind, _, names in rows for name in names.split()]


def test_none_stands_in_two_rows():
    """Of two rows one would be dead."""
    names = {
        "codes": [name for name, _ in entries(CODE_ROWS)],
        "types": [name for name, _ in entries(TYPE_ROWS)],
        "finish reasons": [row.word for row in FINISH_REASONS],
    }
    twice = {table: [name for name, count in Counter(found).items() if count > 1] for table, found in names.items()}
    assert twice == {"codes": [], "types": [], "finish reasons": []}


def test_every_row_has_a_sender():
    """A code that nobody sends cannot be judged later."""
    assert [names for _, source, names in CODE_ROWS + TYPE_ROWS if not source or not names] == []
    assert [row.word for row in FINISH_REASONS if not row.source] == []


def test_a_code_decides_under_any_status():
    """Gateways send the same code under 200, 400 and 503."""
    undecided = [
        (code, status)
        for code, kind in entries(CODE_ROWS)
        for status in STATUSES
        if classify(ErrorFacts(code=code), status) is not kind
    ]
    assert undecided == []


def test_a_type_decides_under_any_status():
    """Where no code and no sentence is known, the type is."""
    undecided = [
        (name, status)
        for name, kind in entries(TYPE_ROWS)
        for status in STATUSES
        if classify(ErrorFacts(type=name), status) is not kind
    ]
    assert undecided == []


def test_codes_and_types_are_in_lower_case():
    """They are looked up in lower case: one with a capital would never be found."""
    assert [name for name, _ in entries(CODE_ROWS + TYPE_ROWS) if name != name.lower()] == []
