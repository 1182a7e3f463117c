"""Tokens to callbacks: over forced streams, under event streams, in graphs."""

from __future__ import annotations

from functools import reduce
from operator import add

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_core.tracers.base import BaseTracer
from langchain_tests.utils.stream_lifecycle import assert_valid_event_stream
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from flash_integrations import errors
from flash_integrations.langchain._callbacks import takes_tokens
from flash_integrations.testing import Answer

PLAIN = "claude-sonnet-4-6"
pytestmark = [
    pytest.mark.filterwarnings("ignore:astream_events version='v1' is deprecated"),
    pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning"),
]


class AsyncTokens(AsyncCallbackHandler):
    """Keeps tokens, in async code."""

    def __init__(self):
        self.tokens = []

    async def on_llm_new_token(self, token, **told):
        self.tokens.append(token)


class Idle(BaseCallbackHandler):
    """Takes no tokens."""


class Tracer(BaseTracer):
    """Takes tokens as every tracer does."""

    def __init__(self):
        super().__init__()
        self.runs = []

    def _persist_run(self, run):
        self.runs.append(run)


class Deaf(BaseCallbackHandler):
    """Takes tokens, of no language model."""

    ignore_llm = True

    def on_llm_new_token(self, token, **told):
        raise AssertionError("not to be called")


# --- who takes tokens -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handler", "takes"),
    [
        (AsyncTokens(), True),
        (Idle(), False),
        (Tracer(), False),
        (Deaf(), False),
        (UsageMetadataCallbackHandler(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_handlers_that_take_tokens_are_known(handler, takes):
    """A handler takes tokens if it says what to do with them; tracers only keep them."""
    assert takes_tokens(handler) is takes


def test_a_plain_handler_gets_tokens_on_invoke(llm, tokens):
    """Over a forced stream a plain handler gets the whole answer token by token, and its end with usage."""
    message = llm.invoke("Hello", config={"callbacks": [tokens]})
    assert len(tokens.tokens) > 3
    assert "".join(tokens.tokens) == message.text
    sum_ = reduce(add, tokens.chunks)
    assert (sum_.content, sum_.usage_metadata, sum_.id) == (message.content, message.usage_metadata, message.id)
    assert sum_.chunk_position == "last"
    assert len(tokens.ends) == 1


async def test_an_async_handler_gets_tokens_on_ainvoke(llm):
    """The async call hands tokens to async handlers."""
    handler = AsyncTokens()
    message = await llm.ainvoke("Hello", config={"callbacks": [handler]})
    assert "".join(handler.tokens) == message.text


def test_tokens_and_end_come_in_order(llm):
    """Start, tokens, end: each once or in its turn."""
    order = []

    class Order(BaseCallbackHandler):
        def on_chat_model_start(self, *told, **more):
            order.append("start")

        def on_llm_new_token(self, token, **told):
            order.append("token")

        def on_llm_end(self, response, **told):
            order.append("end")

    llm.invoke("Hello", config={"callbacks": [Order()]})
    assert order == ["start", *["token"] * (len(order) - 2), "end"]


def test_tokens_come_while_the_answer_is_still_on_its_way(gateway, llm):
    """A handler has the first tokens before the gateway has sent the rest."""
    gateway.fault(hold=2)
    seen = []

    class Releasing(BaseCallbackHandler):
        def on_llm_new_token(self, token, **told):
            seen.append((token, gateway.live))
            gateway.release()

    llm.invoke("Hello", config={"callbacks": [Releasing()]})
    assert seen[0][1] == 1


@pytest.mark.parametrize("handler", [Idle, Tracer])
def test_a_broken_answer_nobody_saw_is_sent_again(gateway, llm, handler):
    """Tracers and idle handlers have not been delivered anything: a broken answer is sent again."""
    gateway.fault(cut=3, end="drop")
    assert llm.invoke("Hello", config={"callbacks": [handler()]}).text
    assert len(gateway.requests) == 2


def test_a_broken_answer_somebody_saw_is_an_error(gateway, llm, tokens):
    """Once a handler has had a token the answer is not sent again; the error has the part that came."""
    gateway.fault(cut=3, end="drop")
    with pytest.raises(errors.StreamInterruptedError) as caught:
        llm.invoke("Hello", config={"callbacks": [tokens]})
    assert caught.value.partial.text == "".join(tokens.tokens)
    assert tokens.errors == [caught.value]
    assert len(gateway.requests) == 1


def test_a_plain_wire_stays_plain_for_plain_handlers(gateway, make, tokens):
    """A handler alone does not make a stream of a model that answers plainly; ``streaming=True`` does."""
    make(PLAIN).invoke("Hello", config={"callbacks": [tokens]})
    assert (gateway.requests[-1].stream, tokens.tokens) == (False, [])
    make(PLAIN, streaming=True).invoke("Hello", config={"callbacks": [tokens]})
    assert gateway.requests[-1].stream
    assert tokens.tokens


@pytest.mark.parametrize("params", [{"disable_streaming": True}, {"streaming": False}])
def test_no_tokens_where_streaming_is_disabled(make, tokens, params):
    """Where the user turned streaming off, handlers get none."""
    make(**params).invoke("Hello", config={"callbacks": [tokens]})
    assert tokens.tokens == []


def test_a_stream_tells_each_token_once(llm, tokens):
    """``stream()`` tells handlers each chunk once, before it is yielded."""
    seen = []
    for chunk in llm.stream("Hello", config={"callbacks": [tokens]}):
        seen.append(chunk.text)
        assert tokens.tokens == seen


def test_usage_callbacks_count_each_call_once(llm):
    """LangChain's usage counter sums whole and streamed calls."""
    counter = UsageMetadataCallbackHandler()
    total = llm.invoke("Hello", config={"callbacks": [counter]}).usage_metadata["total_tokens"]
    list(llm.stream("Hello", config={"callbacks": [counter]}))
    assert counter.usage_metadata["gpt-5.2"]["total_tokens"] == 2 * total


def test_traces_get_the_whole_answer(llm):
    """A tracer's run has the answer, its usage and the model's parameters."""
    tracer = Tracer()
    message = llm.invoke("Hello", config={"callbacks": [tracer]})
    (run,) = tracer.runs
    assert run.outputs["generations"][0][0]["text"] == message.text
    assert run.extra["metadata"]["ls_model_name"] == "gpt-5.2"


# --- reasoning and calls ----------------------------------------------------------------------------------------------


def test_reasoning_and_calls_are_handed_on(gateway, llm, tokens):
    """Chunks carry reasoning and pieces of calls; their sum is the message."""
    gateway.script(Answer("", reasoning="one and one", tool_calls=[("add", {"a": 1})]))
    message = llm.invoke("Hello", config={"callbacks": [tokens]})
    sum_ = reduce(add, tokens.chunks)
    assert sum_.additional_kwargs == message.additional_kwargs == {"reasoning_content": "one and one"}
    assert sum_.tool_calls == message.tool_calls


def test_blocks_are_handed_on_as_langchains_own_streams_do(gateway, make, tokens):
    """In output version v1 chunks are content blocks, numbered by their kind."""
    gateway.script(Answer("2", reasoning="one and one"))
    message = make(output_version="v1").invoke("Hello", config={"callbacks": [tokens]})
    sum_ = reduce(add, tokens.chunks)
    assert [block["type"] for block in message.content] == ["reasoning", "text"]
    bare = [{k: v for k, v in block.items() if k != "index"} for block in sum_.content]
    assert bare == message.content


CUT = Answer(tool_calls=[("add", '{"a": 1, "b": "tw')], finish_reason="length")


async def test_cut_arguments_are_invalid_however_they_came(gateway, llm, tokens):
    """Arguments cut by the token limit are an invalid call: on invoke, under handlers, event streams and v3."""
    gateway.script(*[CUT] * 5)
    ask = RunnableLambda(llm.invoke)
    whole = llm.invoke("Hello")
    handled = llm.invoke("Hello", config={"callbacks": [tokens]})
    events = [event async for event in ask.astream_events("Hello", version="v2")]
    (evented,) = [event["data"]["output"] for event in events if event["event"] == "on_chat_model_end"]
    forced = llm.invoke("Hello", stream=True)
    protocol = llm.stream_events("Hello", version="v3").output
    for message in (whole, handled, evented, forced, protocol):
        assert message.tool_calls == []
        assert [call["args"] for call in message.invalid_tool_calls] == ['{"a": 1, "b": "tw']


# --- event streams ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("model", ["gpt-5.2", PLAIN])
async def test_event_streams_have_every_token(make, version, model):
    """``astream_events`` tells the tokens of a stream one by one, and the whole at the end."""
    events = [event async for event in make(model).astream_events("Hello", version=version)]
    chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
    assert len(chunks) > 3
    end = events[-1]["data"]["output"]
    assert "".join(chunk.text for chunk in chunks) == (end.text if version == "v2" else reduce(add, chunks).text)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("model", ["gpt-5.2", PLAIN])
async def test_event_streams_of_chains_see_into_whole_calls(gateway, make, version, model):
    """A chain that asks for a whole answer shows its tokens to ``astream_events``, also on a plain wire."""
    llm = make(model)

    async def ask(prompt):
        return await llm.ainvoke(prompt)

    events = [event async for event in RunnableLambda(ask).astream_events("Hello", version=version)]
    chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
    assert len(chunks) > 3
    assert len({chunk.id for chunk in chunks}) == 1
    sum_ = reduce(add, chunks)
    assert sum_.text.endswith('"Hello"')
    assert sum_.usage_metadata
    assert [request.stream for request in gateway.requests] == [True]


def test_protocol_events_are_valid_and_whole(gateway, llm):
    """``stream_events(version="v3")`` is a valid event stream whose message equals the whole answer."""
    answer = Answer("Let me see.", reasoning="one", tool_calls=[("add", {"a": 1})])
    gateway.script(answer, answer)
    stream = llm.stream_events("Hello", version="v3")
    assert_valid_event_stream(list(stream))
    whole = llm.invoke("Hello")
    assert (stream.output.text, stream.output.usage_metadata) == (whole.text, whole.usage_metadata)
    assert [call["args"] for call in stream.output.tool_calls] == [{"a": 1}]
    assert [block["type"] for block in stream.output.content] == ["reasoning", "text", "tool_call"]


async def test_async_protocol_events_are_valid(llm):
    """The async form is valid too."""
    stream = await llm.astream_events("Hello", version="v3")
    assert_valid_event_stream([event async for event in stream])
    assert (await stream.output).text


# --- graphs -----------------------------------------------------------------------------------------------------------


def graph_of(node):
    """A graph of one node."""
    return StateGraph(MessagesState).add_node("model", node).add_edge(START, "model").compile()


@pytest.mark.parametrize("model", ["gpt-5.2", PLAIN])
def test_a_graph_streams_messages_token_by_token(gateway, make, model):
    """LangGraph's messages mode gives the tokens of an ``invoke`` in a node, once each."""
    llm = make(model)
    graph = graph_of(lambda state: {"messages": [llm.invoke(state["messages"])]})
    parts = [part for part, _ in graph.stream({"messages": [("user", "Hello")]}, stream_mode="messages")]
    assert len(parts) > 3
    assert all(isinstance(part, AIMessageChunk) for part in parts)
    assert reduce(add, parts).text.endswith('"Hello"')
    assert [request.stream for request in gateway.requests] == [True]


async def test_an_async_graph_streams_messages_token_by_token(llm):
    """The same in async code."""

    async def node(state):
        return {"messages": [await llm.ainvoke(state["messages"])]}

    stream = graph_of(node).astream({"messages": [("user", "Hello")]}, stream_mode="messages")
    parts = [part async for part, _ in stream]
    assert all(isinstance(part, AIMessageChunk) for part in parts)
    assert reduce(add, parts).text.endswith('"Hello"')


def test_an_agent_calls_its_tools_and_streams(gateway, llm):
    """A graph with tools calls them, and streams its last answer token by token."""

    @tool
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    bound = llm.bind_tools([get_weather])
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [bound.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode([get_weather]))
    builder.add_edge(START, "model").add_conditional_edges("model", tools_condition).add_edge("tools", "model")
    question = {"messages": [("user", "What is the weather in Paris?")]}
    parts = list(builder.compile().stream(question, stream_mode="messages"))
    last = [part for part, about in parts if about["langgraph_step"] == parts[-1][1]["langgraph_step"]]
    assert "sunny in Paris" in reduce(add, last).text
    assert len(last) > 3
    assert len(gateway.requests) == 2
