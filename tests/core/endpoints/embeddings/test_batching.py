"""Many texts in requests of the right size, as values: a gateway that is a function, and no time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flash_integrations._core.completion.usage import Usage
from flash_integrations._core.endpoints.embeddings.batching import Batches
from flash_integrations._core.endpoints.embeddings.result import Embeddings
from flash_integrations.errors import (
    AuthenticationError,
    BadRequestError,
    ContextLengthError,
    FlashError,
    MalformedResponseError,
)


class Run:
    """Batches played against a gateway: what was sent, what was learned, what it came to.

    ``take_error(start, stop)`` gives the error a piece meets, or None. ``flying`` pieces are under way at once; the
    oldest is answered first.
    """

    def __init__(self, count, take_error, *, size=100, flying=1, dimensions=None, length=2):
        self.sent, self.learned = [], []
        self.batches = Batches(count, size, model="m", dimensions=dimensions, learn=self.learned.append)
        self._length = length
        under_way = []
        while True:
            while len(under_way) < flying and (piece := self.batches.next_piece()) is not None:
                under_way.append(piece)
                self.sent.append((piece.start, piece.stop))
            if not under_way:
                break
            piece = under_way.pop(0)
            error = take_error(piece.start, piece.stop)
            if error is None:
                self.batches.accept(piece, self._answer(piece))
            else:
                self.batches.fail(piece, error)
        self.answer = self.batches.result()

    def _answer(self, piece):
        vectors = [[float(at)] * self._length for at in range(piece.start, piece.stop)]
        return Embeddings(vectors, "m-1", Usage(prompt_tokens=len(piece)), self._length)

    @property
    def order(self):
        return [vector[0] for vector in self.answer.vectors]


def too_long(message="maximum context length is 8192 tokens"):
    """The refusal of a batch that holds a text which is too long."""
    return ContextLengthError(message, status_code=400)


def at_most(limit):
    """A gateway that takes so many texts at once and says so."""
    said = f"batch size is invalid, it should not be larger than {limit}."
    return lambda start, stop: BadRequestError(said, status_code=400) if stop - start > limit else None


def silent(limit):
    """The same, but it does not say how many."""
    return lambda start, stop: BadRequestError("Payload Too Large", status_code=413) if stop - start > limit else None


def without(*positions):
    """A gateway that refuses texts at some positions as too long."""
    return lambda start, stop: too_long() if any(start <= each < stop for each in positions) else None


def test_texts_go_in_batches_and_come_back_in_order():
    """Whatever is answered when, the vectors are in the order of the texts, and usage is summed."""
    run = Run(250, lambda *_: None, flying=3)
    assert run.sent == [(0, 100), (100, 200), (200, 250)]
    assert run.order == list(range(250))
    assert (run.answer.usage, run.answer.model, run.answer.requests) == ({"prompt_tokens": 250}, "m-1", 3)
    assert run.learned == []


def test_no_texts_send_nothing():
    """An empty list is answered without a request."""
    run = Run(0, lambda *_: pytest.fail("sent"))
    assert (run.sent, run.answer.vectors, run.answer.model) == ([], [], "m")


def test_the_figure_in_the_refusal_is_kept_and_learned_once():
    """One refusal, then batches of the size it named; the size is learned when one was taken."""
    run = Run(35, at_most(10))
    assert run.sent == [(0, 35), (0, 10), (10, 20), (20, 30), (30, 35)]
    assert run.order == list(range(35))
    assert run.learned == [10]


def test_without_a_figure_the_size_is_halved():
    """413 with nothing to go by: half, and half again, until it is taken; that is learned."""
    run = Run(100, silent(30))
    assert run.sent[:3] == [(0, 100), (0, 50), (0, 25)]
    assert run.order == list(range(100))
    assert run.learned == [25]


def test_batches_under_way_when_the_size_is_learned_are_split_too():
    """Each that was sent too large is sent again in pieces, and none is lost."""
    run = Run(300, at_most(40), flying=3)
    assert run.order == list(range(300))
    assert run.learned == [40]


def test_a_size_that_helps_nobody_is_not_learned():
    """Halved down to one text and still refused: that is the end, and nothing is kept for later calls."""
    learned = []
    batches = Batches(4, 4, model="m", dimensions=None, learn=learned.append)
    refused = BadRequestError("request too large", status_code=413)
    for _ in range(2):
        batches.fail(batches.next_piece(), refused)
    with pytest.raises(BadRequestError):
        batches.fail(batches.next_piece(), refused)
    assert learned == []


@pytest.mark.parametrize("position", [0, 1, 49, 50, 63, 99, 100, 130, 249])
def test_an_over_long_text_is_named_by_position(position):
    """The error tells where in the caller's list; the search takes log2 of the batch, and one to be sure."""
    run = None
    sent = []

    def gateway(start, stop):
        sent.append((start, stop))
        return without(position)(start, stop)

    with pytest.raises(ContextLengthError, match=rf"texts\[{position}\] is too long for the model: maximum"):
        run = Run(250, gateway)
    assert run is None
    first = next(at for at, (start, stop) in enumerate(sent) if start <= position < stop)
    assert len(sent) - first - 1 <= 8


def test_nothing_else_is_sent_during_the_search():
    """The rest of the list waits: the call will end in an error."""
    sent = []

    def gateway(start, stop):
        sent.append((start, stop))
        return without(5)(start, stop)

    with pytest.raises(ContextLengthError):
        Run(1000, gateway, flying=2)
    assert all(stop <= 100 for _, stop in sent[2:])


@pytest.mark.parametrize(
    "message", ["input[7] has 9000 tokens", "Invalid 'input[7]': too long", "inputs.7 is too long"]
)
def test_a_refusal_that_names_the_text_needs_no_search(message):
    """The position in the batch becomes the one in the list."""
    sent = []

    def gateway(start, stop):
        sent.append((start, stop))
        return too_long(message) if start == 100 else None

    with pytest.raises(ContextLengthError, match=r"texts\[107\]"):
        Run(250, gateway)
    assert len(sent) == 2


def test_a_single_text_is_named_at_once():
    """There is nothing to search."""
    with pytest.raises(ContextLengthError, match=r"texts\[0\] is too long"):
        Run(1, without(0))


def test_texts_that_are_too_long_together_go_in_smaller_batches():
    """Where each text is taken alone, their sum was too much: halves, and that is learned."""
    run = Run(64, lambda start, stop: too_long() if stop - start > 20 else None, size=64)
    assert run.order == list(range(64))
    assert run.learned == [16]


def test_half_of_an_odd_number_is_rounded_up():
    """Five texts that are too many, or too long together, go as three and two: fewer requests than two, two and one."""
    too_long_together = Run(5, lambda start, stop: too_long() if stop - start > 3 else None)
    too_many = Run(5, silent(3))
    assert (too_long_together.learned, too_many.learned) == ([3], [3])
    assert (too_long_together.sent[-2:], too_many.sent[-2:]) == ([(0, 3), (3, 5)],) * 2


def test_two_searches_do_not_meet():
    """A second batch that is refused meanwhile waits for the first one's search."""
    with pytest.raises(ContextLengthError, match=r"texts\[3\]"):
        Run(400, without(3, 103, 203), flying=4)


def test_any_other_error_ends_the_call():
    """No credit is no credit for the next batch too."""
    with pytest.raises(AuthenticationError):
        Run(250, lambda start, _: AuthenticationError("no", status_code=401) if start == 100 else None, flying=3)


def test_vectors_of_another_length_than_asked_are_an_error():
    """A gateway that ignores ``dimensions`` would poison an index made for them."""
    with pytest.raises(MalformedResponseError, match=r"2 dimensions where 256 were asked for: .* leave it out"):
        Run(3, lambda *_: None, dimensions=256)


def test_batches_of_unequal_length_are_an_error():
    """Two models behind one name show here."""
    batches = Batches(4, 2, model="m", dimensions=None, learn=[].append)
    one, two = batches.next_piece(), batches.next_piece()
    batches.accept(one, Embeddings([[1.0]] * 2, dimensions=1))
    with pytest.raises(MalformedResponseError, match=r"3 dimensions where 1 came in another batch$"):
        batches.accept(two, Embeddings([[1.0, 2.0, 3.0]] * 2, dimensions=3))


@pytest.mark.parametrize(("length", "wanted"), [(128, 256), (512, 256)])
def test_half_or_twice_the_length_may_be_floats_of_another_width(length, wanted):
    """Packed as 16 or 64 bits they come out as half or twice as many numbers: the error says how to get plain ones."""
    hint = r"ignores dimensions, leave it out; perhaps floats of another width .* encoding_format=\"float\""
    batches = Batches(2, 2, model="m", dimensions=wanted, learn=[].append)
    with pytest.raises(MalformedResponseError, match=rf"{length} dimensions where {wanted} were asked for: .*{hint}"):
        batches.accept(batches.next_piece(), Embeddings([[0.5] * length] * 2, dimensions=length))


def test_half_the_length_of_another_batch_has_the_same_hint():
    """Where no length was asked for, what other batches had is what is known."""
    batches = Batches(4, 2, model="m", dimensions=None, learn=[].append)
    one, two = batches.next_piece(), batches.next_piece()
    batches.accept(one, Embeddings([[1.0, 2.0]] * 2, dimensions=2))
    with pytest.raises(
        MalformedResponseError, match=r"1 dimensions where 2 came in another batch; perhaps floats .*=\"float\""
    ):
        batches.accept(two, Embeddings([[1.0]] * 2, dimensions=1))


@given(st.integers(0, 400), st.integers(1, 120), st.integers(1, 120), st.integers(1, 9), st.booleans())
def test_every_text_gets_its_vector(count, size, limit, flying, says):
    """Whatever the gateway takes, nothing is lost, doubled or out of place, and no batch is larger than was learned."""
    run = Run(count, (at_most if says else silent)(limit), size=size, flying=flying)
    assert run.order == list(range(count))
    assert all(learned <= limit for learned in run.learned)


@given(st.integers(1, 300), st.data(), st.integers(1, 120), st.integers(1, 5), st.integers(1, 120))
def test_some_over_long_text_is_found(count, data, size, flying, limit):
    """With any texts too long, any batch limit and any number under way, the position named is one of them."""
    positions = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=4))

    def gateway(start, stop):
        return at_most(limit)(start, stop) or without(*positions)(start, stop)

    with pytest.raises(FlashError) as raised:
        Run(count, gateway, size=size, flying=flying)
    assert isinstance(raised.value, ContextLengthError)
    assert any(raised.value.message.startswith(f"texts[{each}] ") for each in positions)


def test_usage_of_odd_forms_is_added_up():
    """Details in one batch and none, or a number in their place, in the other."""
    batches = Batches(6, 2, model="m", dimensions=None, learn=[].append)
    for details in (7, {"cached_tokens": 1}, {}):
        usage = Usage(prompt_tokens=3, details=details)
        batches.accept(batches.next_piece(), Embeddings([[1.0]] * 2, usage=usage, dimensions=1))
    assert batches.result().usage == {"prompt_tokens": 9, "details": {"cached_tokens": 1}}


def test_usage_with_a_hole_is_none():
    """A sum that leaves out a batch would be too small."""
    batches = Batches(4, 2, model="m", dimensions=None, learn=[].append)
    one, two = batches.next_piece(), batches.next_piece()
    batches.accept(one, Embeddings([[1.0]] * 2, usage=Usage(prompt_tokens=3), dimensions=1))
    batches.accept(two, Embeddings([[1.0]] * 2, dimensions=1))
    assert batches.result().usage is None
