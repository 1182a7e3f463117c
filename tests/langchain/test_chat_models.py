"""ChatFlash at a gateway whose GPT models answer only to streams."""

from __future__ import annotations

import asyncio
import threading
from functools import reduce
from operator import add

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from openai import BadRequestError as OpenAIBadRequestError

from flash_integrations import errors
from flash_integrations.testing import Answer

PLAIN = "claude-sonnet-4-6"


def said(message):
    """What of a message does not change from call to call."""
    metadata = {k: v for k, v in message.response_metadata.items() if k not in {"id", "created"}}
    return message.content, message.tool_calls, message.usage_metadata, metadata


async def all_ways(llm, prompt, **options):
    """The same call in all six ways."""
    streamed = [chunk async for chunk in llm.astream(prompt, **options)]
    return {
        "invoke": llm.invoke(prompt, **options),
        "ainvoke": await llm.ainvoke(prompt, **options),
        "stream": reduce(add, llm.stream(prompt, **options)),
        "astream": reduce(add, streamed),
        "batch": llm.batch([prompt], **options)[0],
        "abatch": (await llm.abatch([prompt], **options))[0],
    }


# --- whole answers from streams ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["gpt-5.2", PLAIN])
async def test_all_ways_to_call_give_the_same(make, model):
    """invoke, stream and batch, sync and async, come to the same message."""
    ways = await all_ways(make(model), "What is a gateway?")
    for way, message in ways.items():
        assert said(message) == said(ways["invoke"]), way
    assert "gateway" in ways["invoke"].text


async def test_gpt_models_are_asked_for_streams(gateway, llm):
    """Every request for a GPT model is a stream that asks for its usage."""
    await all_ways(llm, "Hello")
    assert len(gateway.requests) == 6
    assert all(
        request.stream and request.body["stream_options"] == {"include_usage": True} for request in gateway.requests
    )


def test_other_models_are_asked_plainly(gateway, make):
    """A whole answer of a model that answers plain requests travels as one."""
    make(PLAIN).invoke("Hello")
    assert [request.stream for request in gateway.requests] == [False]


@pytest.mark.parametrize("options", [{"streaming": False}, {"disable_streaming": True}])
def test_streaming_cannot_be_turned_off_on_the_wire(gateway, make, options):
    """``streaming=False`` gives whole answers over a streamed wire, and ``stream()`` the answer in one chunk."""
    llm = make(**options)
    (chunk,) = llm.stream("Hello")
    assert chunk.text == llm.invoke("Hello").text
    assert all(request.stream for request in gateway.requests)


def test_stream_false_at_the_call_cannot_either(gateway, llm):
    """``stream=False`` in a call gives a whole answer over a streamed wire."""
    assert llm.invoke("Hello", stream=False).text
    assert [request.stream for request in gateway.requests] == [True]


def test_tool_calling_only_disables_streams_with_tools(gateway, make):
    """``disable_streaming="tool_calling"`` gives one chunk for calls with tools alone."""
    llm = make(disable_streaming="tool_calling")
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    assert len(list(llm.stream("Hello"))) > 1
    assert len(list(llm.stream("please add", tools=[tool]))) == 1


def test_chat_openai_fails_at_the_same_gateway(gateway):
    """The reason for this package: ChatOpenAI with its defaults gets no answer from a stream-only gateway."""
    theirs = ChatOpenAI(model="gpt-5.2", base_url=gateway.base_url, api_key=gateway.api_key)
    with pytest.raises(OpenAIBadRequestError, match="Stream must be set to true"):
        theirs.invoke("Hello")


# --- what is sent -----------------------------------------------------------------------------------------------------


def sent(gateway):
    """The last request's body."""
    return gateway.requests[-1].body


def test_only_what_was_set_is_sent(gateway, make):
    """Without settings a body has model and messages, and nothing by default."""
    make(PLAIN).invoke("Hello")
    assert sent(gateway) == {"model": PLAIN, "messages": [{"role": "user", "content": "Hello"}]}


def test_settings_and_call_make_the_body(gateway, make):
    """What the object holds is sent; the call's words lie over it; ``extra_body`` of both is joined."""
    llm = make(PLAIN, temperature=0, max_tokens=9, model_kwargs={"top_k": 3}, extra_body={"a": 1, "b": 1})
    llm.invoke("Hello", max_tokens=5, stop=["x"], seed=0, extra_body={"b": 2})
    del (body := sent(gateway))["messages"]
    assert body == {
        "model": PLAIN,
        "temperature": 0,
        "max_tokens": 5,
        "top_k": 3,
        "stop": ["x"],
        "seed": 0,
        "a": 1,
        "b": 2,
    }


def test_the_model_can_be_chosen_at_the_call(gateway, llm):
    """``model=`` in a call asks another model, under that model's stream rule."""
    assert llm.invoke("Hello", model=PLAIN).response_metadata["model_name"] == PLAIN
    assert [request.stream for request in gateway.requests] == [False]


def test_langsmiths_words_are_not_sent(gateway, llm):
    """``ls_*`` words of a call are for traces."""
    llm.invoke("Hello", ls_provider="x", ls_anything=1)
    assert not [word for word in sent(gateway) if word.startswith("ls_")]


def test_disabled_params_are_never_sent(gateway, make):
    """``disabled_params`` holds back what is set, as a list or as ChatOpenAI's dict."""
    for disabled in (["temperature"], {"temperature": None}):
        make(temperature=1, disabled_params=disabled).invoke("Hello")
        assert "temperature" not in sent(gateway)


def test_words_about_tools_stay_behind_without_tools(gateway, make):
    """What the object says about tools is sent with tools alone: the wire refuses it without."""
    make(tool_choice="auto", parallel_tool_calls=False).invoke("Hello")
    assert not {"tool_choice", "parallel_tool_calls"} & sent(gateway).keys()


# --- several choices --------------------------------------------------------------------------------------------------


def test_generate_gives_every_choice(make):
    """``n`` choices are ``n`` generations."""
    (choices,) = make(n=3).generate([[HumanMessage("Hello")]]).generations
    assert [choice.text[:3] for choice in choices[1:]] == ["(2)", "(3)"]


async def test_every_choice_also_comes_under_a_token_handler(make, tokens):
    """Handlers get the tokens of the first choice; the result has all, sync and async."""
    llm = make(n=2)
    result = llm.generate([[HumanMessage("Hello")]], callbacks=[tokens])
    assert len(result.generations[0]) == 2
    assert "".join(tokens.tokens) == result.generations[0][0].text
    result = await llm.agenerate([[HumanMessage("Hello")]], callbacks=[tokens])
    assert len(result.generations[0]) == 2


async def test_every_choice_also_comes_under_event_streams(make):
    """``astream_events`` of a chain that asks for a whole answer sees the first choice's tokens."""
    llm = make(n=2)

    async def ask(prompt):
        return await llm.ainvoke(prompt)

    events = [event async for event in RunnableLambda(ask).astream_events("Hello", version="v2")]
    streamed = "".join(event["data"]["chunk"].text for event in events if event["event"] == "on_chat_model_stream")
    (answer,) = [event["data"]["output"] for event in events if event["event"] == "on_chat_model_end"]
    assert streamed == answer.text


@pytest.mark.parametrize("options", [{"n": 2}, {}])
def test_a_stream_of_several_choices_is_refused(make, options):
    """``stream()`` refuses ``n`` > 1 before anything is sent, wherever it was said."""
    with pytest.raises(errors.InvalidRequestError, match="n > 1"):
        list(make(**options).stream("Hello", **({} if options else {"n": 2})))


# --- leaving early ----------------------------------------------------------------------------------------------------


@pytest.fixture
def held(gateway):
    """A gateway that stops after a token until it is told to go on."""
    gateway.fault(hold=1, times=None)
    yield gateway
    gateway.release()


def test_breaking_off_a_stream_frees_its_connection(held, llm):
    """Leaving the loop ends the request."""
    for chunk in llm.stream("Hello"):
        assert chunk.text
        break
    assert held.wait_idle()


def test_closing_a_stream_frees_its_connection(held, llm):
    """Closing the generator ends the request."""
    stream = llm.stream("Hello")
    next(stream)
    assert held.live == 1
    stream.close()
    assert held.wait_idle()


async def test_aclosing_a_stream_frees_its_connection(held, llm):
    """Closing the async generator ends the request."""
    stream = llm.astream("Hello")
    await anext(stream)
    await stream.aclose()
    assert await asyncio.to_thread(held.wait_idle)


@pytest.mark.parametrize("method", ["ainvoke", "astream"])
async def test_cancelling_frees_the_connection(held, llm, method):
    """A cancelled task ends its request, whole or streamed."""

    async def run():
        if method == "ainvoke":
            return await llm.ainvoke("Hello")
        return [chunk async for chunk in llm.astream("Hello")]

    task = asyncio.create_task(run())
    assert await asyncio.to_thread(held.wait_held)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(held.wait_idle)


# --- many at once -----------------------------------------------------------------------------------------------------


def test_threads_share_a_model(make):
    """Ten threads on one object get each their own answer."""
    llm, answers = make(rate_limit=None), {}

    def ask(number):
        answers[number] = llm.invoke(f"number {number}.").text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"number {number}." in answers[number] for number in range(10))


async def test_tasks_share_a_model(make):
    """Two hundred tasks on one object get each their own answer."""
    llm = make(rate_limit=None)
    answers = await asyncio.gather(*(llm.ainvoke(f"number {number}.") for number in range(200)))
    assert all(f"number {number}." in answer.text for number, answer in enumerate(answers))


def test_a_model_works_under_several_loops(llm):
    """One object serves one ``asyncio.run`` after another."""
    texts = {asyncio.run(llm.ainvoke("Hello")).text for _ in range(3)}
    assert len(texts) == 1


def test_a_batch_keeps_order_and_errors_apart(gateway, make):
    """A batch gives answers in the order of its prompts; with ``return_exceptions`` errors stand among them."""
    llm = make(max_retries=0)
    gateway.fault(400, when=lambda request: "two" in request.body["messages"][0]["content"])
    one, two, three = llm.batch(["one", "two", "three"], return_exceptions=True)
    assert "one" in one.text
    assert isinstance(two, errors.BadRequestError)
    assert "three" in three.text


# --- LangChain's own layers -------------------------------------------------------------------------------------------


def test_a_cache_answers_the_second_call(gateway, make):
    """LangChain's cache keeps answers, calls and all; other settings are another entry."""
    cache = InMemoryCache()
    gateway.script(Answer("Let me see", tool_calls=[("add", {"a": 1})]))
    first = make(cache=cache).invoke("Hello")
    second = make(cache=cache).invoke("Hello")
    assert len(gateway.requests) == 1
    assert (second.content, second.tool_calls) == (first.content, first.tool_calls)
    make(cache=cache, temperature=1).invoke("Hello")
    make(PLAIN, cache=cache).invoke("Hello")
    assert len(gateway.requests) == 3


def test_with_retry_tries_again(gateway, make):
    """LangChain's ``with_retry`` sees our errors as the retryable ones they are."""
    llm = make(max_retries=0)
    gateway.fault(500, times=2)
    retrying = llm.with_retry(
        retry_if_exception_type=(errors.ServerError,), stop_after_attempt=3, wait_exponential_jitter=False
    )
    assert retrying.invoke("Hello").text
    assert len(gateway.requests) == 3


async def test_with_fallbacks_goes_on(gateway, make):
    """A model that fails hands over to its fallback, whole and streamed, sync and async."""
    gateway.fault(500, times=None, when=lambda request: request.model == "gpt-5.2")
    llm = make(max_retries=0).with_fallbacks([make("gpt-5.1")])
    assert llm.invoke("Hello").response_metadata["model_name"] == "gpt-5.1"
    assert "".join(chunk.text for chunk in llm.stream("Hello"))
    assert (await llm.ainvoke("Hello")).text
    assert [chunk async for chunk in llm.astream("Hello")]


class CountingLimiter(BaseRateLimiter):
    """Lets everything pass and counts it."""

    def __init__(self):
        self.count = 0

    def acquire(self, *, blocking=True):
        self.count += 1
        return True

    async def aacquire(self, *, blocking=True):
        self.count += 1
        return True


async def test_langchains_rate_limiter_is_asked_once_a_call(make):
    """``rate_limiter`` is LangChain's, asked once for each call."""
    limiter = CountingLimiter()
    llm = make(rate_limiter=limiter)
    llm.invoke("Hello")
    list(llm.stream("Hello"))
    await llm.ainvoke("Hello")
    assert [chunk async for chunk in llm.astream("Hello")]
    assert limiter.count == 4


def test_failed_requests_are_sent_again(gateway, llm, tokens):
    """A stream that breaks before a token came is sent again; after one it is not."""
    gateway.fault(cut=0, end="drop")
    assert "".join(chunk.text for chunk in llm.stream("Hello"))
    assert len(gateway.requests) == 2
    gateway.clear()
    gateway.fault(cut=2, end="drop")
    with pytest.raises(errors.StreamInterruptedError):
        list(llm.stream("Hello"))
    assert len(gateway.requests) == 1


def test_a_whole_answer_that_broke_is_sent_again(gateway, llm):
    """Nobody has seen a token of a broken whole answer: it is sent again."""
    gateway.fault(cut=2, end="drop")
    assert llm.invoke("Hello").text.endswith('"Hello"')
    assert len(gateway.requests) == 2


def test_a_conversation_goes_back_and_forth(gateway, llm):
    """An answer of ours goes back as an earlier message."""
    first = llm.invoke("Hello")
    llm.invoke([HumanMessage("Hello"), first, AIMessage("and"), HumanMessage("again")])
    assert [message["role"] for message in sent(gateway)["messages"]] == ["user", "assistant", "assistant", "user"]


# --- what LangChain asks about a model --------------------------------------------------------------------------------


def test_traces_are_told_the_model(make):
    """LangSmith's parameters: provider, model, limits, stop; a call's words before the object's."""
    params = make(temperature=0.5, max_completion_tokens=7, stop="x")._get_ls_params()
    assert params == {
        "ls_provider": "local",
        "ls_model_name": "gpt-5.2",
        "ls_model_type": "chat",
        "ls_temperature": 0.5,
        "ls_max_tokens": 7,
        "ls_stop": ["x"],
    }
    assert make()._get_ls_params(model="other", stop=["y"])["ls_model_name"] == "other"


@pytest.mark.parametrize(
    ("model", "window", "structured"),
    [("gpt-5.2", 200_000, True), (PLAIN, 200_000, None), ("gemini-2.5-pro", 1_000_000, None)],
)
def test_the_profile_comes_from_the_catalogue(make, model, window, structured):
    """A model's profile tells its window and what it can do; a user's own profile stands."""
    profile = make(model).profile
    assert profile["max_input_tokens"] == window
    assert profile["tool_calling"] is True
    assert profile.get("structured_output") is structured
    assert make(model, profile={"max_input_tokens": 5}).profile == {"max_input_tokens": 5}


def test_token_usage_of_a_batch_is_added_up(llm):
    """``generate`` over several prompts tells the sum of their usage."""
    result = llm.generate([[HumanMessage("Hello")], [HumanMessage("Hello again")]])
    usages = [generation[0].message.usage_metadata["total_tokens"] for generation in result.generations]
    assert result.llm_output["token_usage"]["total_tokens"] == sum(usages)


def test_identifying_params_name_model_and_gateway(gateway, make):
    """What identifies a model: its id, its gateway and what is set."""
    assert make(temperature=1)._identifying_params == {
        "model": "gpt-5.2",
        "base_url": gateway.base_url,
        "temperature": 1,
    }
    assert make()._llm_type == "flash-chat"
