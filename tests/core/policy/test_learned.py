"""What gateways teach: the form a request takes, the facts a refusal holds, and how long they are kept."""

from __future__ import annotations

import threading

import pytest

from flash_integrations._core.endpoints.chat.request import CHAT_PATH, chat_call
from flash_integrations._core.endpoints.embeddings.request import EMBEDDINGS_PATH
from flash_integrations._core.endpoints.models import models_call
from flash_integrations._core.flow import wire_request
from flash_integrations._core.policy.call_policy import CallPolicy
from flash_integrations._core.policy.learned import LearnedQuirks
from flash_integrations._core.policy.quirks import learn_quirk
from flash_integrations._core.policy.wire_request import WireRequest
from flash_integrations.errors import APIConnectionError, BadRequestError, MalformedResponseError, ServerError

URL = "https://gateway.test/v1"
MESSAGES = [{"role": "user", "content": "Hi"}]
MUST = BadRequestError("Stream must be set to true", status_code=400)
MUST_NOT = BadRequestError("streaming is not supported", status_code=400)
NO_OPTIONS = BadRequestError("Unknown parameter: 'stream_options'", status_code=400)


def shaped(facts=None, *, stream=False, params=None, **policy):
    """A chat call in the form it is sent in."""
    return wire_request(chat_call("m", MESSAGES, params or {}, stream=stream), CallPolicy(URL, **policy), facts or {})


# --- the form -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("force", "facts", "caller", "row", "streamed"),
    [
        (None, {}, False, True, True),
        (None, {}, False, False, False),
        (None, {}, True, False, True),
        (None, {"stream": True}, False, False, True),
        (None, {"stream": False}, False, True, False),
        (None, {"stream": False}, True, True, False),
        (True, {"stream": False}, False, False, True),
        (False, {"stream": True}, True, True, False),
    ],
)
def test_who_decides_about_the_stream(force, facts, caller, row, streamed):
    """The user's word first, then what was learned, then what the caller waits for, then the row."""
    sent = shaped(facts, stream=caller, stream_whole=row, force_stream=force)
    assert sent.streamed is streamed
    assert sent.body.get("stream", False) is streamed


def test_a_stream_is_asked_for_with_its_usage():
    """stream_options.include_usage goes with every streamed request."""
    assert shaped().body["stream_options"] == {"include_usage": True}


def test_the_caller_may_do_without_usage():
    """What the caller says in stream_options counts over what is asked for by default."""
    assert shaped(params={"stream_options": {"include_usage": False}}).body["stream_options"] == {
        "include_usage": False
    }


def test_refused_stream_options_are_left_out():
    """A gateway that refused them gets none, neither ours nor the caller's."""
    sent = shaped({"stream_options": False}, params={"stream_options": {"x": 1}})
    assert "stream_options" not in sent.body
    assert not sent.usage_asked


def test_a_shape_leaves_the_call_as_it_is():
    """The same call may be sent again in another form."""
    call = chat_call("m", MESSAGES, {})
    wire_request(call, CallPolicy(URL), {})
    assert "stream" not in call.body


def test_a_get_has_no_form():
    """A request without a body is not streamed, whatever the row wants."""
    sent = wire_request(models_call(), CallPolicy(URL, stream_whole=True), {})
    assert (sent.body, sent.streamed) == (None, False)


# --- lessons --------------------------------------------------------------------------------------------------------

PLAIN = WireRequest({}, streamed=False, usage_asked=False, facts={})
STREAMED = WireRequest({}, streamed=True, usage_asked=True, facts={})


@pytest.mark.parametrize(
    ("sent", "error", "fact"),
    [
        (PLAIN, MUST, ("stream", True)),
        (PLAIN, ServerError("Stream must be set to true", status_code=500), ("stream", True)),
        (PLAIN, MalformedResponseError("nothing", empty=True), ("stream", True)),
        (STREAMED, MUST_NOT, ("stream", False)),
        (STREAMED, NO_OPTIONS, ("stream_options", False)),
        (STREAMED, BadRequestError("include_usage: extra fields not permitted"), ("stream_options", False)),
        (STREAMED, BadRequestError("bad", code="stream_options"), ("stream_options", False)),
        (STREAMED, BadRequestError("Your organization must be verified to stream this model."), ("stream", False)),
    ],
)
def test_a_refusal_that_names_its_cause_teaches(sent, error, fact):
    """The fact, by name and value."""
    assert learn_quirk(sent, error) == fact


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (STREAMED, MUST),
        (PLAIN, MUST_NOT),
        (PLAIN, NO_OPTIONS),
        (WireRequest({}, streamed=True, usage_asked=False, facts={}), NO_OPTIONS),
        (STREAMED, ServerError("stream_options broke", status_code=500)),
        (STREAMED, MalformedResponseError("nothing", empty=True)),
        (PLAIN, MalformedResponseError("a page")),
        (PLAIN, APIConnectionError("Stream must be set to true")),
        (WireRequest({}, streamed=False, usage_asked=False, facts={"stream": False}), MUST),
        (WireRequest({}, streamed=True, usage_asked=True, facts={"stream": True}), MUST_NOT),
    ],
)
def test_other_refusals_teach_nothing(sent, error):
    """What does not fit the request as it was sent, or was known already, is no lesson."""
    assert learn_quirk(sent, error) is None


@pytest.mark.parametrize("forced", [True, False])
def test_the_users_word_is_not_put_in_question(forced):
    """With force_stream given, nothing is learned about streaming; other facts are."""
    plain = WireRequest({}, streamed=False, usage_asked=False, facts={}, forced=True)
    streamed = WireRequest({}, streamed=True, usage_asked=True, facts={}, forced=True)
    assert shaped(force_stream=forced).forced
    assert learn_quirk(plain, MUST) is None
    assert learn_quirk(streamed, MUST_NOT) is None
    assert learn_quirk(streamed, NO_OPTIONS) == ("stream_options", False)


# --- memory ---------------------------------------------------------------------------------------------------------


def test_facts_are_kept_by_url_and_model():
    """Each gateway and each model there has facts of its own."""
    memory = LearnedQuirks()
    memory.learn(URL, "one", "stream", True, path=CHAT_PATH)
    assert memory.facts(URL, "one", path=CHAT_PATH) == {"stream": True}
    assert memory.facts(URL, "two", path=CHAT_PATH) == {}
    assert memory.facts("https://other.test/v1", "one", path=CHAT_PATH) == {}


def test_a_fact_belongs_to_the_endpoint_that_taught_it():
    """What chat refuses changes no embedding request, and both stand in the list."""
    memory = LearnedQuirks()
    memory.learn(URL, "one", "content_null", "", path=CHAT_PATH)
    memory.learn(URL, "one", "encoding_format", "float", path=EMBEDDINGS_PATH)
    assert memory.facts(URL, "one", path=EMBEDDINGS_PATH) == {"encoding_format": "float"}
    assert memory.learned(URL) == {"one": {"content_null": "", "encoding_format": "float"}}


def test_facts_given_out_do_not_change():
    """A call goes on with what was known when it was made."""
    memory = LearnedQuirks()
    memory.learn(URL, "one", "stream", True, path=CHAT_PATH)
    before = memory.facts(URL, "one", path=CHAT_PATH)
    memory.learn(URL, "one", "stream_options", False, path=CHAT_PATH)
    assert before == {"stream": True}
    assert memory.facts(URL, "one", path=CHAT_PATH) == {"stream": True, "stream_options": False}


def test_all_facts_of_a_gateway_can_be_listed():
    """By model, as copies."""
    memory = LearnedQuirks()
    memory.learn(URL, "one", "stream", True, path=CHAT_PATH)
    memory.learn("https://other.test/v1", "two", "stream", True, path=CHAT_PATH)
    memory.learned(URL)["one"]["stream"] = "changed"
    assert memory.learned(URL) == {"one": {"stream": True}}


@pytest.mark.parametrize(("model", "left"), [("one", {"two": {"stream": True}}), (None, {})])
def test_facts_can_be_forgotten(model, left):
    """Those of one model, or all of a gateway; other gateways' stay."""
    memory = LearnedQuirks()
    for url in (URL, "https://other.test/v1"):
        for name in ("one", "two"):
            memory.learn(url, name, "stream", True, path=CHAT_PATH)
    memory.forget(URL, model)
    assert memory.learned(URL) == left
    assert len(memory.learned("https://other.test/v1")) == 2


def test_threads_lose_no_fact():
    """Facts that are learned at the same time are all kept."""
    memory = LearnedQuirks()

    def learn(name):
        for number in range(200):
            memory.learn(URL, "one", f"{name}{number}", True, path=CHAT_PATH)

    threads = [threading.Thread(target=learn, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(memory.facts(URL, "one", path=CHAT_PATH)) == 800


def test_disabled_stream_options_are_not_sent():
    """Who disables stream_options gets a stream without them; [DONE] alone ends it then."""
    call = chat_call("m", MESSAGES, {}, disabled=("stream_options",))
    sent = wire_request(call, CallPolicy(URL), {})
    assert sent.streamed
    assert not sent.usage_asked
    assert "stream_options" not in sent.body
