"""The relay, with a second gateway as the upstream."""

from __future__ import annotations

import httpx
import pytest

from flash_integrations.testing import Fault, LocalGateway


@pytest.fixture
def behind():
    """The upstream: a gateway that answers plain and streamed."""
    with LocalGateway("openai", api_key="sk-behind") as gateway:
        yield gateway


@pytest.fixture
def front(behind):
    """A gateway that relays to it."""
    with LocalGateway(upstream=behind.base_url, upstream_key="sk-behind", upstream_model="real") as gateway:
        yield gateway


@pytest.fixture
def ask(front, caller_of):
    """A caller of the relaying gateway."""
    return caller_of(front)


def test_a_request_goes_on_under_the_upstreams_model(front, behind, ask):
    """Only key and model change on the way there; the answer is the upstream's own."""
    answer = ask.chat("Hello", temperature=0.5).json()
    sent = behind.requests[0]
    assert sent.body == {**front.requests[0].body, "model": "real"}
    assert answer["model"] == "real"
    assert "scripted model" in answer["choices"][0]["message"]["content"]


def test_without_another_model_the_body_is_the_same_bytes(behind, caller_of):
    """Nothing is rewritten where nothing has to be."""
    with LocalGateway(upstream=behind.base_url, upstream_key="sk-behind") as front:
        raw = b'{"model": "claude-sonnet-4-6",  "messages": [{"role": "user", "content": "\\u00e9"}]}'
        response = caller_of(front).http.post("/chat/completions", content=raw)
        assert response.status_code == 200
        assert behind.requests[0].headers["content-length"] == str(len(raw))


def test_tokens_are_relayed_as_they_come(behind, ask):
    """What the upstream has sent arrives while the upstream still stands still."""
    behind.script("one two three")
    behind.fault(hold=2)
    with ask.streaming() as response:
        lines = response.iter_lines()
        assert any('" two"' in line for line in lines)
        assert behind.wait_held()
        behind.release()
        assert "[DONE]" in "".join(lines)


def test_the_stream_rule_stands_before_the_upstream(behind, ask):
    """A plain request for a GPT model is refused without asking the upstream."""
    assert ask.chat(model="gpt-5.2").status_code == 400
    assert behind.requests == []


def test_refusals_come_back_as_they_are(behind, ask):
    """Status, body and Retry-After of the upstream are passed on."""
    behind.fault(429, message="slow down", retry_after=9)
    refused = ask.chat()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "9")
    assert refused.json()["error"]["message"] == "slow down"


@pytest.mark.parametrize("hold", ["before_first_byte", 1])
def test_the_upstream_is_let_go_when_the_caller_leaves(front, behind, hanging_up, hold):
    """Closing the front closes the upstream, before its first byte and in the middle."""
    behind.fault(hold=hold)
    with hanging_up(front):
        assert behind.wait_held()
    assert front.wait_idle()
    assert behind.wait_idle()


@pytest.mark.parametrize("end", ["drop", "reset"])
def test_a_broken_upstream_breaks_the_answer(behind, ask, end):
    """An upstream that dies in the middle is no proper end: the caller's connection is dropped."""
    behind.fault(cut=1, end=end)
    with ask.streaming() as response, pytest.raises(httpx.RemoteProtocolError):
        response.read()


def test_an_upstream_that_is_not_there_is_a_502(caller_of):
    """No upstream, no answer: 502 with the reason."""
    with LocalGateway() as gone:
        url = gone.base_url
    with LocalGateway(upstream=url) as front:
        refused = caller_of(front).chat()
        assert (refused.status_code, refused.json()["error"]["type"]) == (502, "upstream_error")


def test_faults_meet_relayed_answers_too(front, ask):
    """A relayed answer can be cut at any byte."""
    front.fault(Fault(cut_bytes=20))
    assert len(ask.chat().content) == 20


def test_embeddings_are_relayed(behind, ask):
    """Embeddings go to the upstream as well."""
    answer = ask.post("/embeddings", {"model": "text-embedding-3-large", "input": "a"}).json()
    assert answer["model"] == "real"
    assert behind.requests[0].path == "/v1/embeddings"
