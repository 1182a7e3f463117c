"""The corpus says what its questions want, and how much of it is found by words alone is a known figure."""

from __future__ import annotations

import pytest
from corpus import FOLDER, passages, questions, ranking, recall, table


def test_every_question_is_answered_by_its_passage():
    """The words that answer stand in the passage that is named, which is in the language that is named."""
    texts = {passage.name: passage for passage in passages()}
    assert [each for each in questions() if each.holds not in texts[each.passage].text] == []
    assert [each for each in questions() if f".{each.answered_in}." not in texts[each.passage].file] == []


def test_names_of_passages_are_their_own():
    """A source that is named is one passage."""
    names = [passage.name for passage in passages()]
    assert len(names) == len(set(names)) == 248


def test_questions_come_in_both_languages_and_across_them():
    """Each pair of languages has at least six questions, thirty-five in all."""
    pairs = [(each.asked_in, each.answered_in) for each in questions()]
    assert len(pairs) == 35
    assert all(pairs.count((one, other)) >= 6 for one in ("zh", "en") for other in ("zh", "en"))


def test_nearest_is_first():
    """The ranking is by cosine, whatever the lengths."""
    assert ranking([[9.0, 9.0], [0.0, 1.0], [5.0, 0.1]], [1.0, 0.0]) == [2, 0, 1]


@pytest.fixture
def measured(embeddings):
    return recall(embeddings.embed_documents, lambda texts: [embeddings.embed_query(text) for text in texts])


def test_recall_by_words_alone(measured):
    """The gateway's lexical vectors find six of ten answers in the question's language, and hardly one in another."""
    assert measured["same language", "together"] >= 0.6
    assert measured["all", "together"] >= 0.4
    assert measured["across languages", "together"] < 0.1


def test_the_corpus_says_what_is_measured(measured):
    """The README beside the corpus has the figures of this very run."""
    assert table("The local gateway, by words", measured) in (FOLDER / "README.md").read_text(encoding="utf-8")
