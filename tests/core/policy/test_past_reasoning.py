"""Q14, Q15, Q16: which reasoning of earlier answers goes out, and what a refusal that asks for it teaches."""

from __future__ import annotations

import pytest

from flash_integrations._core.endpoints.chat.request import chat_call
from flash_integrations._core.failures.error_mapping import refusal
from flash_integrations._core.flow import wire_request
from flash_integrations._core.policy.call_policy import CallPolicy
from flash_integrations._core.policy.past_answer_texts import REASONING_WANTED
from flash_integrations._core.policy.past_reasoning import NO_SIGNATURE
from flash_integrations._core.policy.quirks import learn_quirk
from flash_integrations._core.wire import CARRIED

USER = {"role": "user", "content": "hi"}
TOOL_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "4"}
WITH_TEXT = {**CALLED, CARRIED: {"reasoning_content": "hm"}}
WITH_DETAILS = {**CALLED, CARRIED: {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}}
WITH_BLOCKS = {**CALLED, CARRIED: {"reasoning_content": "hm", "thinking_blocks": [{"type": "thinking"}]}}
OWN = {**CALLED, "reasoning_content": "mine"}
DEEPSEEK, MOONSHOT, CLAUDE, GEMINI = (
    "The `reasoning_content` in the thinking mode must be passed back to the API.",
    "thinking is enabled but reasoning_content is missing in assistant tool call message at index 1",
    "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.",
    "Function call is missing a thought_signature in functionCall parts.",
)
UNSUPPORTED = "'messages.1' : for 'role:assistant' [('messages.1' : property 'reasoning_content' is unsupported)]"


def sent(*messages, facts=None, drop_refused=False, **params):
    """The request for a conversation."""
    call = chat_call("m", [USER, *messages, RESULT], params)
    return wire_request(call, CallPolicy("https://g.test/v1", drop_refused=drop_refused), facts or {})


def answer_in(request):
    """The earlier answer as it goes out."""
    return request.body["messages"][1]


def learned(message, text, status=400, facts=None, **params):
    """The fact a refusal teaches, and the earlier answer as it is sent then."""
    facts = facts or {}
    error = refusal(status, {}, {"error": {"message": text}}, now=0.0)
    fact = learn_quirk(sent(message, facts=facts, **params), error)
    return fact, answer_in(sent(message, facts=facts | dict([fact] if fact else []), **params))


def test_what_is_carried_goes_out_on_request_alone():
    """True sends it under the wire's names; else nothing of it is in the body."""
    assert answer_in(sent(WITH_DETAILS)) == CALLED
    assert answer_in(sent(WITH_DETAILS, send_reasoning=False)) == CALLED
    assert answer_in(sent(WITH_DETAILS, send_reasoning=True)) == {**CALLED, **WITH_DETAILS[CARRIED]}


def test_what_a_caller_wrote_goes_out_unless_he_forbids_it():
    """A field of the message itself is his to send."""
    assert answer_in(sent(OWN)) == OWN
    assert answer_in(sent(OWN, send_reasoning=False)) == CALLED


@pytest.mark.parametrize("row", REASONING_WANTED.rows, ids=lambda row: row.example[:40])
def test_a_refusal_that_asks_for_reasoning_is_learned(row):
    """What is known of it goes back, under the names it came under."""
    carried = {name: "hm" if name == "reasoning_content" else [{"x": 1}] for name in row.means}
    fact, answer = learned({**CALLED, CARRIED: carried}, row.example)
    assert fact == ("send_reasoning", row.means[0])
    assert answer == {**CALLED, **carried}


@pytest.mark.parametrize("text", [DEEPSEEK, MOONSHOT])
def test_an_answer_without_reasoning_gets_the_empty_field(text):
    """Handmade histories have none; the vendors take it empty."""
    assert learned(CALLED, text) == (("send_reasoning", "reasoning_content"), {**CALLED, "reasoning_content": ""})


def test_only_answers_get_the_empty_field():
    """Questions and results have no reasoning."""
    bodies = sent(CALLED, facts={"send_reasoning": "reasoning_content"}).body["messages"]
    assert bodies == [USER, {**CALLED, "reasoning_content": ""}, RESULT]


def test_reasoning_under_another_name_goes_where_it_is_wanted():
    """A relay may answer in ``reasoning`` and ask for ``reasoning_content``."""
    _, answer = learned({**CALLED, CARRIED: {"reasoning": "hm"}}, DEEPSEEK)
    assert answer == {**CALLED, "reasoning_content": "hm"}


def test_signatures_that_are_lost_cannot_be_asked_for():
    """Without signed blocks there is nothing to send instead: the refusal is raised."""
    assert learned(CALLED, CLAUDE)[0] is None
    assert learned(WITH_TEXT, CLAUDE)[0] is None


def test_a_call_without_a_signature_gets_the_one_that_gemini_takes_for_none():
    """Only the first of an answer's calls is signed; one that has a signature keeps it."""
    two = {**CALLED, "tool_calls": [TOOL_CALL, {**TOOL_CALL, "id": "c2"}]}
    fact, answer = learned(two, GEMINI)
    dummy = {"google": {"thought_signature": NO_SIGNATURE}}
    assert fact == ("thought_signature", True)
    assert answer["tool_calls"] == [{**TOOL_CALL, "extra_content": dummy}, {**TOOL_CALL, "id": "c2"}]
    signed = {**CALLED, "tool_calls": [{**TOOL_CALL, "extra_content": {"google": {"thought_signature": "s"}}}]}
    assert answer_in(sent(signed, facts={"thought_signature": True})) == signed


def test_gemini_behind_a_relay_is_asked_with_its_own_details_first():
    """The signature it gave stands in the details."""
    fact, answer = learned(WITH_DETAILS, GEMINI, status=500)
    assert fact == ("send_reasoning", "reasoning_details")
    assert answer["reasoning_details"] == WITH_DETAILS[CARRIED]["reasoning_details"]


@pytest.mark.parametrize("drop_refused", [False, True])
@pytest.mark.parametrize("text", [DEEPSEEK, GEMINI])
def test_nothing_is_learned_against_a_user_who_forbids_it(text, drop_refused):
    """``send_reasoning=False`` stands, also where others have learned."""
    assert learned(WITH_DETAILS, text, send_reasoning=False, drop_refused=drop_refused) == (None, CALLED)
    facts = {"send_reasoning": "reasoning_content", "thought_signature": True}
    assert answer_in(sent(CALLED, facts=facts, send_reasoning=False, drop_refused=drop_refused)) == CALLED


def test_what_is_learned_is_learned_once():
    """A refusal of what was sent by it is raised."""
    assert learned(WITH_TEXT, DEEPSEEK, facts={"send_reasoning": "reasoning_content"})[0] is None


def test_refused_reasoning_is_left_out():
    """Groq and Cerebras refuse the field; whoever chose to send it is told."""
    assert learned(OWN, UNSUPPORTED) == (("past_reasoning", False), CALLED)
    assert learned(WITH_TEXT, UNSUPPORTED, send_reasoning=True)[0] is None
    assert learned(WITH_TEXT, UNSUPPORTED, send_reasoning=True, drop_refused=True)[0] == ("past_reasoning", False)
    assert learned(CALLED, UNSUPPORTED)[0] is None
