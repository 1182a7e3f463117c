"""What an embedding call gives."""

from flash_integrations._core.completion.usage import Usage
from flash_integrations._core.endpoints.embeddings.result import Embeddings, joined

ONE = Embeddings([[1.0], [2.0]], "m", Usage(prompt_tokens=3, details={"cached": 1}), 1, ("r1",), retries=1)
TWO = Embeddings([[3.0]], "m", Usage(prompt_tokens=4, details={"cached": 2}), 1, ("r2",))


def test_it_is_a_sequence_of_vectors():
    """Length, iteration and positions are the vectors'."""
    assert (len(ONE), list(ONE), ONE[1], ONE[-1]) == (2, [[1.0], [2.0]], [2.0], [2.0])


def test_it_is_written_as_the_plain_endpoint_writes_it():
    """With floats, in order."""
    assert TWO.as_dict() == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [3.0]}],
        "model": "m",
        "usage": {"prompt_tokens": 4, "details": {"cached": 2}},
    }
    assert "usage" not in Embeddings([[1.0]]).as_dict()


def test_batches_are_joined_in_their_order():
    """Vectors and ids one after the other, counts added up, those inside details too."""
    whole = joined([ONE, TWO], model="asked")
    assert (whole.vectors, whole.model, whole.dimensions) == ([[1.0], [2.0], [3.0]], "m", 1)
    assert whole.usage == {"prompt_tokens": 7, "details": {"cached": 3}}
    assert (whole.request_ids, whole.requests, whole.retries) == (("r1", "r2"), 2, 1)


def test_counts_with_holes_are_none():
    """A sum without one of the batches would be too small."""
    assert joined([ONE, Embeddings([[3.0]])], model="asked").usage is None


def test_no_batches_are_an_empty_answer():
    """Of the model that was asked."""
    assert joined([], model="asked") == Embeddings([], "asked")
