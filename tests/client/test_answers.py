"""What comes back over a real socket, sync and async: whole answers, streams, models, refusals."""

from __future__ import annotations

import gzip
import json

import pytest
from raw_server import serving, whole
from replay import DONE, USAGE_EVENT, WHOLE, Answer, chunk, plain, refuse, replay

from flash_integrations import FlashClient, errors

JSON = {"content-type": "application/json"}


def tool(index, **fields):
    """A piece of a tool call."""
    return {"tool_calls": [{"index": index, **fields}]}


RICH = Answer(
    [
        chunk({"role": "assistant", "content": ""}, service_tier="default"),
        chunk({"reasoning_content": "Let me "}),
        chunk({"reasoning_content": "think."}),
        chunk({"content": "你"}),
        chunk({"content": "好 🌍"}),
        chunk(tool(0, id="call_1", type="function", function={"name": "weather", "arguments": ""})),
        chunk(tool(0, function={"arguments": '{"city": '})),
        chunk(tool(0, function={"arguments": '"Bern"}'})),
        chunk({"content": "!"}, system_fingerprint="fp_1"),
        chunk({}, "tool_calls"),
        USAGE_EVENT,
        DONE,
    ]
)


def test_a_stream_adds_up_to_the_whole_answer(calls):
    """chat() and the sum of stream_chat() are the same completion."""
    with replay(RICH) as server:
        client = FlashClient(base_url=server.base_url)
        answer = calls.chat(client)
        deltas, completion = calls.stream(client)
    assert completion == answer
    assert "".join(delta.text for delta in deltas) == answer.text == "你好 🌍!"
    assert "".join(delta.reasoning for delta in deltas) == answer.reasoning == "Let me think."
    assert answer.tool_calls[0].arguments == '{"city": "Bern"}'
    assert [delta.finish_reason for delta in deltas if delta.finish_reason] == ["tool_calls"]
    assert [delta.usage for delta in deltas if delta.usage] == [answer.usage]


def test_streamed_or_plain_is_the_same_answer(calls):
    """The wire's form does not show in the answer."""
    with replay(WHOLE) as streamed, replay(plain()) as unstreamed:
        one = calls.chat(FlashClient(base_url=streamed.base_url))
        other = calls.chat(FlashClient(base_url=unstreamed.base_url, force_stream=False))
    assert one == other
    assert (one.streamed, other.streamed) == (True, False)


def test_every_choice_comes_back(calls):
    """N choices, mixed on the wire, are told apart."""
    mixed = [
        chunk({"content": text}, finish).replace(b'"index": 0', b'"index": %d' % index)
        for index, text, finish in [(0, "a", None), (1, "b", None), (0, "c", "stop"), (1, "d", "length")]
    ]
    with replay(Answer([*mixed, DONE])) as server:
        answer = calls.chat(FlashClient(base_url=server.base_url), n=2)
    assert [(each.text, each.finish_reason) for each in answer.choices] == [("ac", "stop"), ("bd", "length")]


def test_a_compressed_plain_answer_is_unpacked(calls):
    """Gzip is asked for where the answer is plain, and unpacked."""
    packed = Answer([gzip.compress(plain().segments[0])], headers={**JSON, "content-encoding": "gzip"})
    with replay(packed) as server:
        assert calls.chat(FlashClient(base_url=server.base_url, force_stream=False)).text == "Hello"
        assert "accept-encoding: gzip" in server.heads[0].lower()


def test_streams_are_not_asked_for_in_compressed_form(calls):
    """Proxies hold a compressed stream back until it ends."""
    with replay(WHOLE) as server:
        calls.chat(FlashClient(base_url=server.base_url))
        assert "accept-encoding: identity" in server.heads[0].lower()


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_headers_and_query_are_the_users(calls):
    """Those of the client go with every call, those of the call over them."""
    with replay(WHOLE) as server:
        client = FlashClient(
            base_url=server.base_url,
            api_key="sk-1",
            default_headers={"X-Team": "a", "User-Agent": "mine"},
            default_query={"v": 1},
        )
        calls.chat(client, extra_headers={"X-Team": "b"}, extra_query={"w": 2})
        head = server.heads[0].lower()
    assert head.startswith("post /v1/chat/completions?v=1&w=2 http/1.1")
    assert "x-team: b" in head
    assert "x-team: a" not in head
    assert "user-agent: mine" in head
    assert "authorization: bearer sk-1" in head


def test_a_users_own_authorization_is_sent_as_it_is(calls):
    """Who sets the header needs no key."""
    with replay(WHOLE) as server:
        calls.chat(FlashClient(base_url=server.base_url, default_headers={"Authorization": "Basic x"}))
        assert server.heads[0].lower().count("authorization: basic x") == 1


def test_no_key_is_sent_to_loopback(calls, monkeypatch):
    """A gateway on this machine, named in code, gets no key from the environment."""
    monkeypatch.setenv("FLASH_API_KEY", "sk-of-flashapi")
    with replay(WHOLE) as server:
        calls.chat(FlashClient(base_url=server.base_url))
        assert "authorization" not in server.heads[0].lower()


def test_a_gateways_own_parameters_go_into_the_body(calls):
    """Words that nobody knows are sent as they are, as extra_body is."""
    with replay(WHOLE) as server:
        calls.chat(FlashClient(base_url=server.base_url), enable_search=True, extra_body={"top_k": 4})
        assert server.bodies[0]["enable_search"] is True
        assert server.bodies[0]["top_k"] == 4


def test_disabled_parameters_are_not_sent(calls):
    """Nor are those that are None."""
    with replay(WHOLE) as server:
        calls.chat(FlashClient(base_url=server.base_url, disabled_params=["seed"]), seed=1, user=None, top_p=0.5)
        assert server.bodies[0].keys() == {"model", "messages", "top_p", "stream", "stream_options"}


def test_a_bad_parameter_is_refused_at_the_call(calls):
    """Nothing is sent, in a stream neither."""
    with replay(WHOLE) as server:
        client = FlashClient(base_url=server.base_url)
        with pytest.raises(errors.InvalidRequestError, match="temperature must be from 0 to 2"):
            calls.chat(client, temperature=3)
        with pytest.raises(ValueError, match="temperature"):
            client.stream_chat(model="m", messages=[{"role": "user", "content": "Hi"}], temperature=3)
        assert server.bodies == []


def test_cookies_are_not_kept(calls):
    """What a gateway sets for one key's call is not sent with another's."""
    with serving(whole) as server, replay(Answer(WHOLE.segments, headers={"set-cookie": "session=1"})) as setting:
        for _ in range(2):
            calls.chat(FlashClient(base_url=setting.base_url, api_key="sk-1"))
        assert [head for head in setting.heads if "cookie" in head.lower()] == []
        assert server.requests == []


# --- refusals -------------------------------------------------------------------------------------------------------


def test_a_redirect_is_not_followed(calls):
    """The key stays where it belongs; the error names the target."""
    with serving(whole) as target, replay(Answer([b""], 308, {"location": target.base_url})) as server:
        with pytest.raises(errors.APIStatusError, match=target.base_url) as caught:
            calls.chat(FlashClient(base_url=server.base_url, api_key="sk-1"))
        assert caught.value.status_code == 308
        assert len(server.bodies) == 1
        assert target.connections == 0


def test_a_refusal_is_told_with_all_it_says(calls):
    """Kind, code, status, id of the request, row and model."""
    refusal = refuse(404, "no such model", code="model_not_found")
    told = Answer(refusal.segments, 404, {**JSON, "X-Oneapi-Request-Id": "r7"})
    with replay(told) as server, pytest.raises(errors.NotFoundError) as caught:
        calls.chat(FlashClient(base_url=server.base_url))
    error = caught.value
    assert (error.status_code, error.code, error.request_id) == (404, "model_not_found", "r7")
    assert (error.provider, error.model, error.retries) == ("custom", "m", 0)


def test_nobody_there_is_a_connection_error(calls):
    """A port that nobody listens on: not reached, and the URL in the message."""
    with replay(WHOLE) as server:
        url = server.base_url
    with pytest.raises(errors.APIConnectionError, match=url) as caught:
        calls.chat(FlashClient(base_url=url, max_retries=0))
    assert caught.value.reached is False


@pytest.mark.parametrize("end", ["close", "drop", "reset"])
def test_a_cut_stream_has_what_had_come(calls, end):
    """However the connection ended."""
    with replay(Answer(WHOLE.segments[:2], end=end)) as server, pytest.raises(errors.StreamInterruptedError) as caught:
        calls.stream(FlashClient(base_url=server.base_url))
    assert caught.value.partial.text == "Hel"


def test_a_failed_answer_is_sent_again(calls):
    """One layer of re-sends, counted."""
    hint = {**JSON, "retry-after": "0"}
    with replay(Answer([b""], 503, hint), Answer([b""], 429, hint), WHOLE) as server:
        answer = calls.chat(FlashClient(base_url=server.base_url))
        assert (answer.text, answer.retries, len(server.bodies)) == ("Hello", 2, 3)


# --- learned --------------------------------------------------------------------------------------------------------


def test_what_is_learned_is_shown_and_forgotten(calls):
    """learned() gives facts by model; forget() takes them back."""
    with replay(refuse(400, "streaming is not supported"), plain()) as server:
        client = FlashClient(base_url=server.base_url)
        assert client.streams("m")
        calls.chat(client, model="m")
        assert [body.get("stream", False) for body in server.bodies] == [True, False]
    assert client.learned() == client.to_async().learned() == {"m": {"stream": False}}
    assert not client.streams("m")
    client.forget("other")
    assert client.learned() == {"m": {"stream": False}}
    client.forget()
    assert client.learned() == {}


# --- models ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]),
        ({"models": [{"name": "a"}, "b"]}, ["a", "b"]),
        ([{"id": "a"}], ["a"]),
        ({"data": None}, []),
        ({"data": [None, 7, {}]}, []),
        ([], []),
    ],
)
def test_models_are_read_in_every_shape(calls, body, names):
    """An object with data or models, or a bare list; ids or names."""
    with replay(Answer([json.dumps(body).encode()], headers=JSON)) as server:
        assert calls.models(FlashClient(base_url=server.base_url)) == names
        assert server.heads[0].startswith("GET /v1/models HTTP/1.1")


def test_a_missing_list_of_models_is_an_error(calls):
    """404, and an empty 200."""
    with replay(refuse(404)) as server, pytest.raises(errors.NotFoundError):
        calls.models(FlashClient(base_url=server.base_url))
    with replay(Answer([b""], headers=JSON)) as server, pytest.raises(errors.MalformedResponseError):
        calls.models(FlashClient(base_url=server.base_url, max_retries=0))
