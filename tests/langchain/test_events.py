"""``stream_events(version="v3")``: made of the core's deltas, valid, complete, and heard by plain handlers too."""

from __future__ import annotations

import warnings

import pytest
from langchain_core.exceptions import ModelConnectionError
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream
from langgraph.graph import START, MessagesState, StateGraph
from replay import DONE, Answer, chunk, replay

from flash_integrations import errors, testing
from flash_integrations.langchain import ChatFlash
from flash_integrations.langchain._refusals import refusal_block

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")


def call(index, name=None, arguments="", call_id=None):
    """A delta with a piece of a call."""
    entry = {"index": index, "function": {"arguments": arguments}}
    return {
        "tool_calls": [
            entry if name is None else {**entry, "id": call_id, "function": {**entry["function"], "name": name}}
        ]
    }


FULL = Answer(
    [
        chunk({"reasoning_content": "let me "}),
        chunk({"reasoning_content": "see"}),
        chunk({"content": "I "}),
        chunk({"content": "add"}),
        chunk(call(0, "add", '{"a"', "call_1")),
        chunk(call(1, "now", '["no obj', "call_2")),
        chunk(call(0, arguments=": 1}")),
        chunk(call(1, arguments='ect"]')),
        chunk({"annotations": [{"type": "url_citation", "url": "https://x.example"}]}),
        chunk({}, "tool_calls", system_fingerprint="fp", usage={"prompt_tokens": 9, "completion_tokens": 2}),
        DONE,
    ]
)


@pytest.fixture
def full():
    """A model whose answer has everything."""
    with replay(FULL) as server:
        yield ChatFlash(model="m", base_url=server.base_url, rate_limit=None, max_retries=0)


async def all_events(llm, mode):
    """(events, message) of a call in one colour."""
    if mode == "sync":
        stream = llm.stream_events("Hello", version="v3")
        return list(stream), stream.output
    stream = await llm.astream_events("Hello", version="v3")
    return [event async for event in stream], await stream.output


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_events_tell_everything(full, mode):
    """Reasoning, text and calls come in pieces; the end has valid and invalid calls, citations, usage and metadata."""
    events, message = await all_events(full, mode)
    assert_valid_event_stream(events)
    deltas = [event["delta"] for event in events if event["event"] == "content-block-delta"]
    assert [delta.get("reasoning") or delta.get("text") for delta in deltas[:4]] == ["let me ", "see", "I ", "add"]
    finished = [event["content"] for event in events if event["event"] == "content-block-finish"]
    assert [block["type"] for block in finished] == ["reasoning", "text", "tool_call", "invalid_tool_call"]
    assert finished[1]["annotations"] == [{"type": "citation", "url": "https://x.example"}]
    assert [each["args"] for each in message.tool_calls] == [{"a": 1}]
    assert [each["args"] for each in message.invalid_tool_calls] == ['["no object"]']
    assert message.usage_metadata["total_tokens"] == 11
    assert message.response_metadata["finish_reason"] == "tool_calls"
    assert message.response_metadata["system_fingerprint"] == "fp"
    assert message.additional_kwargs["reasoning_content"] == "let me see"


def test_the_message_is_that_of_output_version_v1(full):
    """Events and ``invoke`` in output version v1 come to the same."""
    evented = full.stream_events("Hello", version="v3").output
    whole = full.model_copy(update={"output_version": "v1"}).invoke("Hello")
    for name in ("tool_calls", "invalid_tool_calls", "usage_metadata", "additional_kwargs", "response_metadata"):
        assert getattr(evented, name) == getattr(whole, name), name
    # What did not parse is in the content of events alone: langchain-core's own blocks leave it out.
    blocks = [{key: value for key, value in block.items() if key != "index"} for block in evented.content]
    assert [block for block in blocks if block["type"] != "invalid_tool_call"] == whole.content


def test_the_start_names_run_and_model(full):
    """The first event has the message's id, the provider and the model."""
    stream = full.stream_events("Hello", version="v3")
    first = next(iter(stream))
    assert first["metadata"] == {"provider": "custom", "model": "m"}
    assert first["id"] == stream.output.id
    assert first["id"].startswith("lc_run-")


def test_plain_handlers_hear_the_tokens(full, tokens):
    """A handler that takes tokens gets them from a stream of events too."""
    stream = full.with_config(callbacks=[tokens]).stream_events("Hello", version="v3")
    assert stream.output.text == "I add"
    assert "".join(tokens.tokens) == "I add"
    assert tokens.chunks[-1].chunk_position == "last"
    assert len(tokens.ends) == 1


def test_a_refusal_is_a_block(gateway, llm):
    """A refusal ends as a block of its own."""
    gateway.script(testing.Answer(refusal="I will not."))
    events = list(llm.stream_events("Hello", version="v3"))
    assert_valid_event_stream(events)
    (finish,) = [event for event in events if event["event"] == "content-block-finish"]
    assert {**finish["content"], "index": 0} == {**refusal_block("I will not."), "index": 0}


def test_a_call_in_the_old_format_is_a_block(gateway):
    """``function_call`` shows as a tool call."""
    answer = Answer(
        [chunk({"function_call": {"name": "add", "arguments": '{"a": 1}'}}), chunk({}, "function_call"), DONE]
    )
    with replay(answer) as server:
        llm = ChatFlash(model="m", base_url=server.base_url, rate_limit=None)
        events = list(llm.stream_events("Hello", version="v3"))
    assert_valid_event_stream(events)
    (finish,) = [event["content"] for event in events if event["event"] == "content-block-finish"]
    assert (finish["type"], finish["name"], finish["args"]) == ("tool_call", "add", {"a": 1})


def test_an_answer_of_nothing_has_start_and_finish(gateway, llm):
    """An empty answer is no error."""
    gateway.script(testing.Answer("", usage={"prompt_tokens": 1, "completion_tokens": 0}))
    stream = llm.stream_events("Hello", version="v3")
    assert [event["event"] for event in stream] == ["message-start", "message-finish"]
    assert stream.output.text == ""


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_a_broken_answer_is_our_error(mode):
    """A stream that breaks after its first token raises what LangChain knows, with the part that came."""
    with replay(Answer([chunk({"content": "Hel"})], end="drop")) as server:
        llm = ChatFlash(model="m", base_url=server.base_url, rate_limit=None)
        with pytest.raises(ModelConnectionError) as caught:
            await all_events(llm, mode)
    assert isinstance(caught.value, errors.StreamInterruptedError)
    assert caught.value.partial.text == "Hel"


def test_several_choices_are_refused(llm):
    """Events hold one choice."""
    with pytest.raises(errors.InvalidRequestError, match="n > 1"):
        assert llm.stream_events("Hello", version="v3", n=2).output


def test_structured_output_streams_events(gateway, llm):
    """A model bound to a schema streams events as well."""
    bound = llm.bind(response_format={"type": "json_object"}, ls_structured_output_format={"schema": {}, "kwargs": {}})
    gateway.script(testing.Answer('{"a": 1}'))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert bound.stream_events("Hello", version="v3").output.text == '{"a": 1}'


@pytest.mark.parametrize("output_version", ["v0", "v1"])
def test_a_graph_streams_events(gateway, make, output_version):
    """LangGraph's own v3 stream sees reasoning, text and calls of a node that only invokes."""
    llm = make(output_version=output_version)
    builder = StateGraph(MessagesState).add_node("model", lambda state: {"messages": [llm.invoke(state["messages"])]})
    gateway.script(testing.Answer("two words", reasoning="hm", tool_calls=[("add", {"a": 1})]))
    stream = builder.add_edge(START, "model").compile().stream_events({"messages": [("user", "Hello")]}, version="v3")
    (told,) = [(str(each.text), str(each.reasoning), each.output.tool_calls) for each in stream.messages]
    assert told[:2] == ("two words", "hm")
    assert told[2][0]["args"] == {"a": 1}
    assert stream.output["messages"][-1].text == "two words"
