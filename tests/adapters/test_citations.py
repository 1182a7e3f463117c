"""The sources an answer names."""

import pytest

from flash_integrations._adapters.citations import Citation, read_citation

WHERE = {"url": "u", "title": "t", "start_index": 0, "end_index": 4}


@pytest.mark.parametrize(
    ("annotation", "citation"),
    [
        ({"type": "url_citation", "url_citation": WHERE}, Citation("url_citation", "u", "t", None, 0, 4)),
        ({"type": "url_citation", **WHERE}, Citation("url_citation", "u", "t", None, 0, 4)),
        ({"type": "url_citation", "url": "u", "content": "w"}, Citation("url_citation", "u", None, "w")),
        (
            {"type": "file_citation", "file_id": "f", "filename": "n"},
            Citation("file_citation", None, "n", extra={"file_id": "f"}),
        ),
        ({"type": "url_citation", "url": "u", "start_index": -1, "end_index": "4"}, Citation("url_citation", "u")),
        ({"type": "file_path"}, None),
        ("text", None),
    ],
)
def test_a_citation_is_read_in_every_form(annotation, citation):
    """Nested or flat; what is no place is none, what is unknown is kept."""
    assert read_citation(annotation) == citation


@pytest.mark.parametrize(
    ("citation", "quoted"),
    [
        (Citation("url_citation", cited_text="words"), "words"),
        (Citation("url_citation", start_index=2, end_index=5), "llo"),
        (Citation("url_citation", start_index=2), ""),
    ],
)
def test_the_words_cited_are_the_sources_or_the_answers(citation, quoted):
    """The source's own first."""
    assert citation.quoted("hello") == quoted
