"""Embedding over real sockets, sync and async: batches side by side, learning, and nothing left behind."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import threading

import pytest
from raw_server import serving

from flash_integrations import FlashClient, RateLimit, errors
from flash_integrations.testing import LocalGateway
from flash_integrations.testing._scripted_model.hashed_embeddings import embed

KEY = "sk-made-up-key"
PLAIN = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}


@pytest.fixture(scope="module")
def shared_gateway():
    with LocalGateway("openai") as gateway:
        yield gateway


@pytest.fixture
def gateway(shared_gateway):
    """A gateway without a past."""
    shared_gateway.clear()
    return shared_gateway


@pytest.fixture
def client(gateway):
    return FlashClient(base_url=gateway.base_url, api_key=gateway.api_key, max_retries=0)


def texts(count):
    return [f"text number {at}" for at in range(count)]


class Server:
    """Answers embedding requests on a raw socket: ``refuse(body)`` gives (status, error) or None."""

    def __init__(self, refuse=lambda body: None):
        self._refuse = refuse

    def __call__(self, line):
        while (request := line.request()) is not None:
            status, answer = self._refuse(request.body) or (200, self.rows(request.body))
            headers = {"content-type": "application/json"}
            line.answer(json.dumps(answer).encode(), status=status, headers=headers)

    @staticmethod
    def rows(body):
        """Each text's length and last number as its vector, in the form that was asked for."""
        vectors = [[float(len(text)), float(text.rpartition(" ")[2])] for text in body["input"]]
        if body.get("encoding_format") == "base64":
            vectors = [base64.b64encode(struct.pack("<2f", *vector)).decode() for vector in vectors]
        return {"data": [{"index": at, "embedding": each} for at, each in enumerate(vectors)], "model": "m"}


def error(message, **more):
    return {"error": {"message": message, **more}}


def numbers(answer):
    return [vector[1] for vector in answer.vectors]


def test_a_batch_is_one_request_with_what_was_set_and_nothing_else(gateway, client, calls):
    """Model, texts and the wish for base64; dimensions and user only where they are given."""
    answer = calls.embed(client, ["a cat", "一只猫"])
    assert gateway.requests[0].body == {
        "model": "text-embedding-3-large",
        "input": ["a cat", "一只猫"],
        "encoding_format": "base64",
    }
    assert answer.vectors == [pytest.approx(embed(text)) for text in ("a cat", "一只猫")]
    assert (answer.dimensions, answer.usage.prompt_tokens) == (512, 5)
    calls.embed(client, ["a"], model="other", dimensions=8, user="me", extra_body={"input_type": "query"})
    assert gateway.requests[1].body == {
        "model": "other",
        "input": ["a"],
        "encoding_format": "base64",
        "dimensions": 8,
        "user": "me",
        "input_type": "query",
    }


def test_floats_can_be_asked_for(gateway, client, calls):
    """``encoding_format`` is the caller's to choose; ``disabled_params`` leaves it to the gateway."""
    assert calls.embed(client, ["a"], encoding_format="float", dimensions=8).vectors == [embed("a", 8)]
    quiet = FlashClient(base_url=gateway.base_url, api_key=gateway.api_key, disabled_params=["encoding_format"])
    assert calls.embed(quiet, ["a"], dimensions=8).vectors == [embed("a", 8)]
    assert [request.body.get("encoding_format") for request in gateway.requests] == ["float", None]


def test_vectors_are_in_the_order_of_the_texts(gateway, client, calls):
    """However many batches there are."""
    answer = calls.embed(client, texts(250), batch_size=20, dimensions=8)
    assert answer.vectors == [pytest.approx(embed(text, 8)) for text in texts(250)]
    assert (answer.requests, len(gateway.requests)) == (13, 13)


@pytest.mark.parametrize(("params", "most"), [({}, 8), ({"max_concurrency": 3}, 3)], ids=["default", "given"])
def test_batches_go_side_by_side(gateway, client, calls, params, most):
    """Eight at once where no limit says so, and ``max_concurrency`` where it is given."""
    gateway.fault(hold="before_first_byte", times=most)
    answers = []

    def work():
        answers.append(calls.embed(client, texts(20), batch_size=1, **params))

    working = threading.Thread(target=work)
    working.start()
    assert gateway.wait_held(most)
    assert gateway.live == most
    gateway.release()
    working.join()
    assert len(answers[0]) == 20


def test_batches_keep_to_the_limits(calls):
    """No more at once than ``concurrent``, however many batches there are: the gateway refuses none."""
    with LocalGateway("openai", rate_limit=RateLimit(concurrent=3)) as gateway:
        client = FlashClient(provider=gateway.provider, api_key=gateway.api_key, max_retries=0)
        calls.embed(client, texts(200), batch_size=5, max_concurrency=20)
        assert {request.status for request in gateway.requests} == {200}
        assert gateway.peak <= 3


def test_no_texts_send_nothing(gateway, client, calls):
    """An empty list is answered without a request, and without a key."""
    assert calls.embed(client, []).vectors == []
    assert calls.embed(client, iter(())).vectors == []
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a text", r"\[text\]"),
        (None, "must be a list of str"),
        (b"bytes", "must be a list of str"),
        ({"a": 1}, "must be a list of str"),
        (["a", ""], r"texts\[1\] is empty"),
        (["a", None], r"texts\[1\] must be a str"),
        ([[1, 2]], r"texts\[0\] .*Token ids are not taken"),
        ([1, 2], r"texts\[0\] .*Token ids are not taken"),
        ({"a", "b"}, "must be a list of str"),  # no order
    ],
)
def test_what_is_no_list_of_texts_is_refused_before_sending(gateway, client, calls, given, said):
    """By position, so that one bad text in ten thousand is found."""
    with pytest.raises(errors.InvalidRequestError, match=said):
        calls.embed(client, given)
    assert gateway.requests == []


@pytest.mark.parametrize(
    "params",
    [
        {"dimensions": 0},
        {"dimensions": "8"},
        {"batch_size": 0},
        {"max_concurrency": 0},
        {"encoding_format": 1},
        {"dimension": 8},
        {"model": ""},
        {"model": 3},
        {"extra_body": [1]},
    ],
)
def test_bad_parameters_are_refused_before_sending(gateway, client, calls, params):
    """Wrong types, figures out of bounds, misspelt names."""
    with pytest.raises(errors.InvalidRequestError, match=next(iter(params))):
        calls.embed(client, ["a"], **params)
    assert gateway.requests == []


def test_a_refused_encoding_is_learned(calls):
    """One refusal, then floats, also for later calls of the process."""

    def refuse(body):
        asked = body.get("encoding_format")
        return (400, error("Unsupported parameter: 'encoding_format'", param="encoding_format")) if asked else None

    with serving(Server(refuse)) as server:
        client = FlashClient(base_url=server.base_url)
        assert numbers(calls.embed(client, texts(3), model="m")) == [0, 1, 2]
        assert numbers(calls.embed(client, texts(3), model="m")) == [0, 1, 2]
        assert [request.body.get("encoding_format") for request in server.requests] == ["base64", None, None]
        assert client.learned() == {"m": {"encoding_format": ""}}


@pytest.mark.parametrize(
    ("refused", "messages"),
    [
        ("messages.0.content: expected string, got null", [{"role": "user", "content": None}]),
        ("'developer' is not one of ['system', 'user']", [{"role": "developer", "content": "Hi"}]),
    ],
    ids=["null content", "developer role"],
)
def test_what_chat_teaches_changes_no_embedding_request(calls, refused, messages):
    """A model's name may serve chat and embeddings: a refusal of one's messages is not applied to the other's texts."""

    def serve(line):
        while (request := line.request()) is not None:
            if "input" in request.body:
                answer, status = Server.rows(request.body), 200
            elif request.body["messages"] == messages:
                answer, status = error(refused), 400
            else:
                answer, status = PLAIN, 200
            line.answer(json.dumps(answer).encode(), status=status, headers={"content-type": "application/json"})

    with serving(serve) as server:
        client = FlashClient(base_url=server.base_url, force_stream=False)
        assert client.chat(model="m", messages=messages).text == "Hi"
        assert len(client.learned()["m"]) == 1
        assert numbers(calls.embed(client, texts(2), model="m")) == [0, 1]
        sent = server.requests[-1].body
        assert {name: sent[name] for name in sent if name != "input"} == {"model": "m", "encoding_format": "base64"}


@pytest.mark.parametrize(
    ("taken", "sent"), [("float", ["base64", "float"]), (None, ["base64", "float", None])], ids=["named", "left out"]
)
def test_an_encoding_that_must_be_float_is_asked_for_by_name(calls, taken, sent):
    """A refusal that says "float" gets it, and where that was wrong as well nothing is asked for."""

    def refuse(body):
        asked = body.get("encoding_format")
        return (422, error(f"encoding_format: input should be 'float', not {asked}")) if asked != taken else None

    with serving(Server(refuse)) as server:
        assert numbers(calls.embed(FlashClient(base_url=server.base_url), texts(2))) == [0, 1]
        assert [request.body.get("encoding_format") for request in server.requests] == sent


@pytest.mark.parametrize(
    ("instead", "sent"),
    [
        ((400, error("invalid request")), ["base64", None]),
        ((422, {"detail": "Bad value"}), ["base64", None]),
        ((400, error("say how the vectors are to come: float or int8")), ["base64", "float"]),
        ((200, {"object": "list", "data": [], "model": "m"}), ["base64", None]),
        ((200, {"data": [{"index": 0, "embedding": None}]}), ["base64", None]),
        ((200, {"data": [{"index": 0, "embedding": ""}]}), ["base64", None]),
    ],
    ids=["refused", "422", "a demand", "no vectors", "null", "empty"],
)
def test_base64_that_may_be_at_fault_gives_way_to_floats(calls, instead, sent):
    """Nobody asked for base64: where it fails without a reason, floats are tried once, and kept since they work."""
    with serving(Server(lambda body: instead if body.get("encoding_format") == "base64" else None)) as server:
        client = FlashClient(base_url=server.base_url, max_retries=0)
        assert numbers(calls.embed(client, texts(1), model="m")) == [0]
        assert [request.body.get("encoding_format") for request in server.requests] == sent
        assert client.learned() == {"m": {"encoding_format": sent[-1] or ""}}
        assert numbers(calls.embed(client, texts(1), model="m")) == [0]
        assert len(server.requests) == 3


def test_floats_that_fail_as_well_teach_nothing(calls):
    """The text is at fault, then: one more request is spent, and the next call packs its vectors again."""
    with serving(Server(lambda body: (400, error("invalid request")))) as server:
        client = FlashClient(base_url=server.base_url)
        for _ in range(2):
            with pytest.raises(errors.BadRequestError, match="invalid request"):
                calls.embed(client, texts(1), model="m")
        assert [request.body.get("encoding_format") for request in server.requests] == ["base64", None] * 2
        assert client.learned() == {}


@pytest.mark.parametrize(
    ("refusal", "params"),
    [
        (error("dimensions is not supported", param="dimensions"), {}),
        (error("invalid request"), {"encoding_format": "base64"}),
        (error("This model's maximum context length is 10 tokens", code="context_length_exceeded"), {}),
    ],
    ids=["named", "chosen", "too long"],
)
def test_floats_are_not_tried_where_base64_is_not_in_doubt(calls, refusal, params):
    """A refusal with a reason, and a format that the caller chose, cost one request."""
    with serving(Server(lambda body: (400, refusal))) as server:
        with pytest.raises(errors.BadRequestError):
            calls.embed(FlashClient(base_url=server.base_url), texts(1), model="m", **params)
        assert len(server.requests) == 1


def test_an_encoding_the_caller_chose_is_kept(calls):
    """Its refusal is raised, nothing is learned from it or applied to it; ``drop_refused`` gives leave."""

    def refuse(body):
        asked = body.get("encoding_format")
        return (400, error("Unsupported parameter: 'encoding_format'")) if asked else None

    with serving(Server(refuse)) as server:
        client = FlashClient(base_url=server.base_url)
        for params in ({"encoding_format": "base64"}, {"extra_body": {"encoding_format": "base64"}}):
            with pytest.raises(errors.BadRequestError, match="encoding_format"):
                calls.embed(client, texts(1), model="m", **params)
        assert client.learned() == {}
        assert numbers(calls.embed(client, texts(1), model="m")) == [0]
        with pytest.raises(errors.BadRequestError, match="encoding_format"):
            calls.embed(client, texts(1), model="m", encoding_format="float")
        assert server.requests[-1].body["encoding_format"] == "float"
        lax = FlashClient(base_url=server.base_url, drop_refused=True)
        assert numbers(calls.embed(lax, texts(1), model="m", encoding_format="float")) == [0]


def test_other_numbers_than_floats_are_asked_for_in_lists(calls):
    """Voyage packs whole numbers into base64 as they are; there nothing says what they were."""
    with serving(Server()) as server:
        calls.embed(FlashClient(base_url=server.base_url), texts(1), extra_body={"output_dtype": "int8"})
        assert "encoding_format" not in server.requests[0].body


def test_a_bad_vector_of_a_late_batch_is_named_by_its_text(calls):
    """The position is that in the caller's list."""

    def spoil(body):
        answer = Server.rows({"input": body["input"]})
        if "text number 7" in body["input"]:
            answer["data"][body["input"].index("text number 7")]["embedding"] = [1.0, None]
        return 200, answer

    with serving(Server(spoil)) as server:
        client = FlashClient(base_url=server.base_url, max_retries=0)
        with pytest.raises(errors.MalformedResponseError, match=r"texts\[7\] holds None"):
            calls.embed(client, texts(10), batch_size=3)


def test_a_smaller_batch_that_another_call_learned_stays(calls):
    """Of two calls that learn at once the smaller figure is kept, whoever comes last."""

    def refuse(body):
        count = len(body["input"])
        if count == 30:
            others.embed(texts(35), model="m")  # which learns while this batch is under way
        limit = {60: 30, 35: 10}.get(count)
        return None if limit is None else (400, error(f"batch size is invalid, it should not be larger than {limit}."))

    with serving(Server(refuse)) as server:
        others = FlashClient(base_url=server.base_url)
        calls.embed(FlashClient(base_url=server.base_url), texts(60), model="m", batch_size=60)
        assert others.learned() == {"m": {"batch_size": 10}}


def test_a_batch_limit_is_learned(calls):
    """The figure in the refusal is kept by the next call, and by other objects of the process."""

    def refuse(body):
        too_many = len(body["input"]) > 10
        said = "Value error, batch size is invalid, it should not be larger than 10.: input.contents"
        return (400, error(said, code="InvalidParameter")) if too_many else None

    with serving(Server(refuse)) as server:
        assert numbers(calls.embed(FlashClient(base_url=server.base_url), texts(35), model="m")) == list(range(35))
        assert sorted(len(request.body["input"]) for request in server.requests) == [5, 10, 10, 10, 35]
        other = FlashClient(base_url=server.base_url)
        assert other.learned() == {"m": {"batch_size": 10}}
        assert len(calls.embed(other, texts(20), model="m")) == 20
        assert [len(request.body["input"]) for request in server.requests[5:]] == [10, 10]


def test_an_over_long_text_is_named(calls):
    """The position in the caller's list, though the gateway does not say which of the batch it was."""

    def refuse(body):
        long = any(len(text) > 1000 for text in body["input"])
        return (400, error("This model's maximum context length is 512 tokens")) if long else None

    listed = [*texts(77), "x" * 2000, *texts(200)]
    with serving(Server(refuse)) as server:
        with pytest.raises(errors.ContextLengthError, match=r"texts\[77\] is too long for the model: This model's"):
            calls.embed(FlashClient(base_url=server.base_url), listed, max_concurrency=1)
        assert len(server.requests) <= 1 + 8


def test_a_broken_answer_is_asked_for_again(calls):
    """Rows that are missing may be there the next time; the count of re-sends is told."""
    answers = iter([{"data": []}] * 2)  # the first makes base64 suspect

    with serving(Server(lambda body: next(((200, answer) for answer in answers), None))) as server:
        client = FlashClient(base_url=server.base_url, max_retries=1)
        answer = calls.embed(client, texts(2))
        assert (numbers(answer), answer.retries) == ([0, 1], 1)


def test_an_error_tells_what_errors_tell(calls):
    """Provider, model, status and request id, and no key."""
    refused = (401, error(f"Incorrect API key provided: {KEY}", code="invalid_api_key"))
    with serving(Server(lambda body: refused)) as server:
        client = FlashClient(base_url=server.base_url, api_key=KEY)
        with pytest.raises(errors.AuthenticationError) as raised:
            calls.embed(client, texts(500), model="m")
        assert (raised.value.model, raised.value.status_code) == ("m", 401)
        assert KEY not in f"{raised.value!s} {raised.value!r} {vars(raised.value)}"


def test_asked_dimensions_that_are_ignored_are_an_error(calls):
    """Sent once, not again: the gateway would answer the same."""
    with serving(Server()) as server:
        with pytest.raises(errors.MalformedResponseError, match="2 dimensions where 256 were asked for"):
            calls.embed(FlashClient(base_url=server.base_url), texts(1), dimensions=256)
        assert len(server.requests) == 1


def test_the_first_error_ends_the_others(gateway, client, calls):
    """What waits in the queue is not sent, what is under way is let go of, and no thread or slot is left."""
    threads = set(threading.enumerate())
    gateway.fault(400, message="no", when=lambda request: "text number 3" in request.body["input"])
    gateway.fault(delay=0.05, times=None)
    with pytest.raises(errors.BadRequestError, match="no"):
        calls.embed(client, texts(500), batch_size=1, max_concurrency=4, encoding_format="float")
    assert gateway.wait_idle()
    assert len(gateway.requests) < 20
    assert not [each for each in set(threading.enumerate()) - threads if "embed" in each.name]
    assert client._limiter().holders(0.0) == []


def test_a_gateway_that_keeps_silent_does_not_hold_up_an_error(gateway, client, calls):
    """One batch is refused while the others wait for a head that does not come: the error is there all the same."""
    gateway.fault(400, message="no", when=lambda request: request.body["input"] == ["text number 3"])
    gateway.fault(hold="before_first_byte", times=None)
    with pytest.raises(errors.BadRequestError, match="no"):
        calls.embed(client, texts(100), batch_size=1, encoding_format="float")
    # What still waits there does not keep the interpreter from ending.
    assert all(each.daemon for each in threading.enumerate() if "embed" in each.name)
    gateway.release()
    assert gateway.wait_idle()


def test_an_error_ends_batches_that_wait_for_the_limits(gateway, calls):
    """Those in the queue are woken and leave it."""
    gateway.fault(400, message="no")
    client = FlashClient(
        base_url=gateway.base_url, api_key=gateway.api_key, max_retries=0, rate_limit={"requests_per_minute": 1}
    )
    with pytest.raises(errors.BadRequestError, match="no"):
        calls.embed(client, texts(20), batch_size=1, encoding_format="float")
    assert len(gateway.requests) == 1
    assert client._limiter().holders(0.0) == []


async def test_a_cancelled_call_leaves_nothing_behind(gateway, client):
    """Its requests are dropped and its slots are free."""
    gateway.fault(hold="before_first_byte", times=None)
    task = asyncio.ensure_future(client.to_async().embed(texts(100), batch_size=1))
    assert await asyncio.to_thread(gateway.wait_held, 8)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(gateway.wait_idle)
    assert client._limiter().holders(0.0) == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_batches_are_told_as_they_are_done(client, calls):
    """``on_batch`` gets each batch's first position and its vectors, in the caller's own thread."""
    told, threads = {}, set()

    def on_batch(start, vectors):
        threads.add(threading.get_ident())
        told.update(enumerate(vectors, start))

    answer = calls.embed(client, texts(50), batch_size=7, dimensions=8, on_batch=on_batch)
    assert [told[at] for at in range(50)] == answer.vectors
    assert threads == {threading.get_ident()}


def test_total_timeout_is_for_the_whole_call(gateway, calls):
    """Many batches do not each have their own."""
    gateway.fault(delay=0.05, times=None)
    client = FlashClient(base_url=gateway.base_url, api_key=gateway.api_key, total_timeout=0.2, max_retries=0)
    with pytest.raises(errors.APITimeoutError):
        calls.embed(client, texts(1000), batch_size=1, max_concurrency=1)
    assert gateway.wait_idle()


def test_an_answer_is_plain_data(client, calls):
    """Vectors by position, in a loop, and as the endpoint's own JSON."""
    answer = calls.embed(client, ["a", "b"], dimensions=4)
    assert [*answer] == answer.vectors == [answer[0], answer[1]]
    assert json.loads(json.dumps(answer.as_dict()))["data"][1] == {
        "object": "embedding",
        "index": 1,
        "embedding": answer.vectors[1],
    }
    assert "vectors" not in repr(answer)


def test_a_text_too_long_says_nothing_of_prompts(calls):
    """The window that chat classes are told is none of an embedding model's."""
    refusal = (400, error("This model's maximum context length is 10 tokens", code="context_length_exceeded"))
    with serving(Server(lambda body: refusal)) as server:
        with pytest.raises(errors.ContextLengthError) as caught:
            calls.embed(FlashClient(base_url=server.base_url), texts(1), model="house-embedder")
        assert "context_window" not in str(caught.value)
