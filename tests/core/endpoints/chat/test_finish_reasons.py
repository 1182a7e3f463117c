"""The table of finish reasons."""

import pytest

from flash_integrations._core.endpoints.chat.finish_reasons import FAILED, FINISH_REASONS, read_finish_reason

OPENAIS = {"stop", "length", "tool_calls", "content_filter", "function_call"}


def test_each_word_has_one_row_with_its_source():
    """The table says who sends a word; no word stands in it twice, and each means something known."""
    params = [row.word for row in FINISH_REASONS]
    assert len(params) == len(set(params))
    assert [row for row in FINISH_REASONS if not row.source or row.means not in OPENAIS | {FAILED}] == []


@pytest.mark.parametrize("row", FINISH_REASONS, ids=lambda row: row.word)
def test_a_word_is_read_by_its_row(row):
    """In lower case, in capitals as Gemini writes it, and as Python prints its enumeration."""
    wire = (row.word, row.word.upper(), f"FinishReason.{row.word.upper()}")
    assert [read_finish_reason(word) for word in wire] == [row.means] * 3
