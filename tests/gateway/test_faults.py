"""Faults: each goes wrong where it was ordered, and only there."""

from __future__ import annotations

import threading

import httpx
import pytest

from flash_integrations.errors import ConfigurationError
from flash_integrations.testing import Fault


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "invalid_api_key"),
        (429, "rate_limit_exceeded"),
        (500, "server_error"),
        (503, "service_unavailable"),
        (418, None),
    ],
)
def test_a_status_replaces_the_answer_once(gateway, call, status, code):
    """A status fault answers in the OpenAI shape with the documented code, and the next request is answered."""
    gateway.fault(status)
    refused = call.chat()
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert call.chat().status_code == 200


def test_a_status_says_what_it_was_told(gateway, call):
    """Code, type, message, parameter, Retry-After and headers are the test's to choose."""
    gateway.fault("429", code="quota", type="t", message="m", param="p", retry_after=7, headers={"X-Request-Id": "r"})
    refused = call.chat()
    assert refused.json() == {"error": {"message": "m", "type": "t", "param": "p", "code": "quota"}}
    assert (refused.headers["retry-after"], refused.headers["x-request-id"]) == ("7", "r")


def test_faults_queue_in_order(gateway, call):
    """``times`` requests meet the first fault, the next the second; then all is well."""
    gateway.fault(503, times=2)
    gateway.fault(Fault(status=500))
    assert [call.chat().status_code for _ in range(4)] == [503, 503, 500, 200]


def test_a_fault_may_be_meant_for_some_requests(gateway, call):
    """``when`` picks the requests, ``times=None`` meets all of them; the key is not shown to it."""
    seen = []
    gateway.fault(400, when=lambda request: seen.append(request) or "seed" in request.body, times=None)
    assert [call.chat(seed=1).status_code, call.chat().status_code, call.chat(seed=1).status_code] == [400, 200, 400]
    assert gateway.api_key not in repr(seen)


def test_a_disturbance_waits_for_a_sound_request(gateway, call):
    """A fault for an answer is not used up by a request that is refused anyway."""
    gateway.fault(cut=0)
    assert call.chat(model="gpt-5.2").status_code == 400
    assert "[DONE]" not in call.events()


@pytest.mark.parametrize(("cut", "content"), [(0, ""), (2, "one two"), (3, "one two three")])
def test_a_stream_is_cut_after_so_many_tokens(gateway, call, cut, content):
    """A cut stream carries the tokens before the cut and no finish reason, though its body ends properly."""
    gateway.script("one two three")
    gateway.fault(cut=cut)
    chunks = call.chunks()
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks) == content
    assert {chunk["choices"][0]["finish_reason"] for chunk in chunks} == {None}


def test_a_cut_stream_may_say_done(gateway, call):
    """``end="done"`` pretends that all went well, as some gateways do."""
    gateway.fault(cut=1, end="done")
    events = call.events()
    assert (len(events), events[-1]) == (3, "[DONE]")


@pytest.mark.parametrize(("end", "error"), [("drop", httpx.RemoteProtocolError), ("reset", httpx.ReadError)])
def test_a_connection_breaks_after_what_was_promised(gateway, call, end, error):
    """A dropped or reset connection has delivered the tokens before the cut, on a fresh connection and a used one."""
    for _ in range(5):
        gateway.script("one two three")
        gateway.fault(cut=2, end=end)
        got = b""
        with call.streaming() as response, pytest.raises(error):  # noqa: PT012 - the reading breaks, not the opening
            for data in response.iter_raw():
                got += data
        assert got.count(b'"content":"') == 3
        assert call.chat().status_code == 200
    assert gateway.wait_idle()


def test_a_body_is_cut_at_any_byte(gateway, call):
    """``cut_bytes`` lets exactly so many bytes through, streamed and plain."""
    gateway.script("one", "one", "one")
    whole = call.chat().content
    for bytes_left in (0, 1, len(whole) - 1, len(whole)):
        gateway.fault(cut_bytes=bytes_left)
        gateway.script("one")
        got = call.chat().content
        assert len(got) == bytes_left
        assert got[:15] == whole[:15][:bytes_left]
    gateway.fault(cut_bytes=10)
    with call.streaming() as response:
        assert len(response.read()) == 10


def test_an_error_comes_inside_the_stream(gateway, call):
    """``error`` sends an error event after the tokens; as a mapping it goes out as it is."""
    gateway.fault(cut=1, error="boom")
    assert '"message":"boom"' in call.events()[-1]
    gateway.fault(error={"message": "late", "code": 429}, end="done")
    assert call.events()[1:] == ['{"error":{"message":"late","code":429}}', "[DONE]"]


def test_a_plain_answer_fails_as_a_whole(gateway, call):
    """An in-band error under 200 is the whole body of a plain answer; a cut leaves half of it."""
    gateway.fault(cut=1, error="boom")
    failed = call.chat()
    assert (failed.status_code, failed.json()["error"]["message"]) == (200, "boom")
    gateway.fault(cut=0)
    assert call.chat().content == b""
    gateway.fault(cut=1)
    assert call.chat().content.startswith(b'{"id"')


def test_a_raw_body_goes_out_as_it_is(gateway, call):
    """``body`` replaces the answer by bytes, pieces or JSON, under any status and headers."""
    gateway.fault(body=[b"data: {}\n", b"\n", "data: [DONE]\n\n"])
    with call.streaming() as response:
        assert response.read() == b"data: {}\n\ndata: [DONE]\n\n"
        assert response.headers["content-type"].startswith("text/event-stream")
    gateway.fault(502, body="<html>", headers={"content-type": "text/html"})
    page = call.chat()
    assert (page.status_code, page.text, page.headers["content-type"]) == (502, "<html>", "text/html")
    gateway.fault(body={"detail": "x"})
    assert call.chat().json() == {"detail": "x"}
    gateway.fault(429, body=b"")
    assert call.chat().content == b""
    gateway.fault(body=b"data: x", end="drop")
    with pytest.raises(httpx.RemoteProtocolError):
        call.chat()


def test_delays_are_kept(gateway, call):
    """An answer with delays is the same answer."""
    gateway.script("one two")
    gateway.fault(delay=0.001, token_delay=0.001)
    assert call.content() == "one two"


def test_an_answer_is_held_before_its_first_byte(gateway, call):
    """Held before the first byte, not even the status goes out until the test lets go."""
    gateway.fault(hold="before_first_byte")
    got = []
    thread = threading.Thread(target=lambda: got.append(call.chat().status_code))
    thread.start()
    assert gateway.wait_held()
    assert (got, gateway.live, gateway.requests[0].status) == ([], 1, None)
    gateway.release()
    thread.join()
    assert (got, gateway.held) == ([200], 0)


def test_an_answer_is_held_after_tokens(gateway, call):
    """Held after two tokens, those two have arrived, and the rest comes once the test lets go."""
    gateway.script("one two three")
    gateway.fault(hold=2)
    with call.streaming() as response:
        lines = response.iter_lines()
        first = [line for line in (next(lines) for _ in range(6)) if line]
        assert gateway.wait_held()
        assert '"content":" two"' in first[-1]
        gateway.release()
        assert "[DONE]" in "".join(lines)


def test_a_gate_let_go_beforehand_stands_open(gateway, call):
    """``release`` before the request arrives lets it through: there is no race between the two."""
    gateway.fault(hold=1)
    gateway.release()
    assert call.content()


def test_what_is_ordered_after_a_release_is_held(gateway, call):
    """``release`` lets go on what was ordered before it; the next fault holds, however busy the gateway is."""
    for _ in range(20):
        gateway.release()
        gateway.fault(hold="before_first_byte")
        thread = threading.Thread(target=call.chat)
        thread.start()
        assert gateway.wait_held()
        gateway.release()
        thread.join()


def test_clear_takes_back_what_was_ordered(gateway, call):
    """``clear`` forgets requests, scripts and faults."""
    gateway.fault(500)
    gateway.script("never")
    call.http.get("/models")
    gateway.clear()
    assert gateway.requests == []
    assert "never" not in call.chat().text


@pytest.mark.parametrize(
    "params",
    [
        {"times": 0},
        {"end": "bang", "cut": 1},
        {"hold": "later"},
        {"status": 500, "cut": 1},
        {"end": "reset"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(gateway, params):
    """Fields that contradict each other are a configuration error when ordered."""
    with pytest.raises(ConfigurationError, match="fault"):
        gateway.fault(**params)
