"""What LlamaIndex, its agents and its counters ask of an LLM that calls functions, as a suite for any integration.

A test class inherits :class:`LLMContract`, gives the fixture ``llm`` and says with flags what its model is able to do;
what it is not able to do is skipped with a reason. Needs pytest-asyncio in auto mode. ::

    class TestMyLLM(LLMContract):
        @pytest.fixture
        def llm(self):
            return MyLLM(model="m", temperature=0, max_tokens=100)
"""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from llama_index.core.agent.workflow import AgentStream, FunctionAgent, ReActAgent, ToolCallResult
from llama_index.core.base.llms.types import ChatMessage, MessageRole, ThinkingBlock, ToolCallBlock
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, PrivateAttr

HELLO = "Say hello."
HELLO_MESSAGES = [ChatMessage(role="user", content=HELLO)]
COUNT = "Count in words from one to nine."
ONE = "What is the weather in Paris?"
BOTH = "What are the weather and the time in Paris?"
SUNNY = "Sunny in Paris"
CAT = "The cat is called Banana."


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


def get_time(city: str) -> str:
    """The time in a city."""
    return f"Noon in {city}"


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


PROMPT = PromptTemplate("The weather in {city} is {degrees} degrees.")
PARIS = {"city": "Paris", "degrees": 20}


class Listener(BaseEventHandler):
    """Counts the framework's events by name."""

    _counts: Counter = PrivateAttr(default_factory=Counter)

    def handle(self, event, **kwargs):
        self._counts[type(event).__name__] += 1


def called(method, *args, **words):
    """What a method gives, sync or async: an answer, or the items of a stream as a list."""

    async def awaited():
        answer = await given
        return [item async for item in answer] if isinstance(answer, AsyncIterator) else answer

    given = method(*args, **words)
    if inspect.isawaitable(given):
        return asyncio.run(awaited())
    return list(given) if isinstance(given, Iterator) else given


def last_of(answer):
    """An answer, or of a stream's items the last one."""
    return answer[-1] if isinstance(answer, list) else answer


def said(response):
    """The text of a chat's or a completion's answer."""
    return response.text if hasattr(response, "text") else response.message.content or ""


async def run_agent(agent, question):
    """An agent's events and its answer."""
    handler = agent.run(question, max_iterations=4)
    return [event async for event in handler.stream_events()], str(await handler)


def counts(response):
    """Prompt, completion and total tokens as LlamaIndex finds them beside an answer."""
    return [response.additional_kwargs.get(f"{kind}_tokens") for kind in ("prompt", "completion", "total")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the framework itself calls older names, its own and others
class LLMContract:
    """The calls; ``llm`` answers a question always alike, where it can (temperature 0), and in few tokens."""

    secret: str | None = None  # the key, which is to be found in no dump
    deterministic = True  # whether the same question always has the same answer
    understands = True  # whether the model can be asked for what it was told just before
    reports_usage = True  # whether token counts come with answers, streams included
    logprobs = True  # whether logprobs=True is answered
    thinking = True  # whether the model shows its reasoning; see make_it_think
    tools = True  # whether the model calls functions
    tool_required = True  # whether it can be made to
    parallel_tool_calls = True  # whether it makes several calls at once
    structured_output = True  # whether it fills a Pydantic class

    @pytest.fixture
    def llm(self):
        """The object under test."""
        raise NotImplementedError

    @pytest.fixture
    def listener(self):
        """Hears every event of the framework."""
        listener, root = Listener(), get_dispatcher()
        root.add_event_handler(listener)
        yield listener
        root.event_handlers.remove(listener)

    @pytest.fixture
    def offered(self):
        """Two tools, for models that call tools."""
        self.need("tools")
        return [FunctionTool.from_defaults(get_weather), FunctionTool.from_defaults(get_time)]

    def need(self, flag):
        """Skip what the model is not able to do."""
        if not getattr(self, flag):
            pytest.skip(f"{type(self).__name__}: {flag} is False")

    def make_it_think(self):
        """Have the next answer come with reasoning, for models that do not reason over "Say hello."."""

    def finish_reason(self, response):
        """Why an answer ended, in the wire's word."""
        raw = response.raw if isinstance(response.raw, dict) else response.raw.model_dump()
        return raw["choices"][0]["finish_reason"]

    # --- text ---

    def test_metadata(self, llm):
        """The model has a name and a window, chats, and takes tools if it is said to."""
        assert isinstance(llm, FunctionCallingLLM)
        assert llm.metadata.model_name
        assert llm.metadata.context_window > 0
        assert llm.metadata.is_chat_model
        assert llm.metadata.is_function_calling_model is self.tools

    def ask(self, llm, call):
        """Say hello by one of the eight calls."""
        return called(getattr(llm, call), HELLO_MESSAGES if "chat" in call else HELLO)

    @pytest.mark.parametrize("call", ["chat", "achat", "complete", "acomplete"])
    def test_whole_answers(self, llm, call):
        """A question is answered with text, which ended by itself."""
        response = self.ask(llm, call)
        assert said(response)
        assert self.finish_reason(response) == "stop"
        if "chat" in call:
            assert response.message.role == MessageRole.ASSISTANT

    @pytest.mark.parametrize("call", ["stream_chat", "astream_chat", "stream_complete", "astream_complete"])
    def test_streams(self, llm, call):
        """Each item has what is new and the text so far; the last one is the whole answer, which ended by itself."""
        items = self.ask(llm, call)
        deltas = [item.delta or "" for item in items]
        assert sum(map(bool, deltas)) > 1
        assert [said(item) for item in items] == ["".join(deltas[: at + 1]) for at in range(len(items))]
        assert self.finish_reason(items[-1]) == "stop"

    def test_a_stream_ends_as_the_whole_answer(self, llm):
        """The last item of a stream is the message that a whole call gives, and a completion has the same text."""
        self.need("deterministic")
        last = self.ask(llm, "stream_chat")[-1]
        assert last.message == llm.chat(HELLO_MESSAGES).message
        assert said(last) == llm.complete(HELLO).text

    def test_a_stream_can_be_left(self, llm):
        """Whoever has enough closes the stream, and asks again."""
        items = llm.stream_chat(HELLO_MESSAGES)
        next(items)
        items.close()
        assert llm.complete(HELLO).text

    def test_one_object_serves_many_loops(self, llm):
        """Each asyncio.run finds a connection that works, for calls side by side too."""

        async def ask():
            return await asyncio.gather(llm.achat(HELLO_MESSAGES), llm.acomplete(HELLO))

        assert all(said(response) for _ in range(2) for response in asyncio.run(ask()))

    @pytest.mark.parametrize("earlier", [[("system", CAT)], [("user", CAT), ("assistant", "I see.")]])
    def test_earlier_messages_are_heard(self, llm, earlier):
        """What the system message or an earlier turn says, the model knows."""
        said_so_far = [*earlier, ("user", "What is the cat called?")]
        text = said(llm.chat([ChatMessage(role=role, content=content) for role, content in said_so_far]))
        assert "Banana" in text if self.understands else text

    def test_stop(self, llm):
        """An answer ends before a stop word."""
        whole = llm.complete(COUNT).text
        stop = whole.split()[-2]
        text = llm.complete(COUNT, stop=[stop]).text
        assert stop not in text
        if self.deterministic:
            assert text.strip() == whole.partition(stop)[0].strip()

    def test_max_tokens(self, llm):
        """An answer that reaches its limit says so, whole and streamed."""
        messages = [ChatMessage(role="user", content=COUNT)]
        for response in (llm.chat(messages, max_tokens=3), list(llm.stream_chat(messages, max_tokens=3))[-1]):
            assert self.finish_reason(response) == "length"

    # --- what comes beside the text ---

    @pytest.mark.parametrize("call", ["chat", "stream_chat"])
    def test_usage(self, llm, call):
        """Token counts come with an answer, in streams with the last item; TokenCountingHandler takes them over."""
        self.need("reports_usage")
        counter = TokenCountingHandler(tokenizer=lambda text: [0] * 10_000)
        llm.callback_manager = CallbackManager([counter])
        prompt, completion, total = counts(last_of(self.ask(llm, call)))
        assert prompt > 0 < completion
        assert total == prompt + completion
        assert (counter.prompt_llm_token_count, counter.completion_llm_token_count) == (prompt, completion)

    def test_logprobs(self, llm):
        """Asked for, each token of the answer comes with the likely ones."""
        self.need("logprobs")
        response = llm.chat(HELLO_MESSAGES, logprobs=True, top_logprobs=2)
        assert said(response).startswith("".join(likely[0].token for likely in response.logprobs[:2]))
        assert all(each.logprob <= 0 for likely in response.logprobs for each in likely)

    def test_thinking(self, llm):
        """Reasoning comes as a block beside the text, and in streams bit by bit."""
        self.need("thinking")
        self.make_it_think()
        items = list(llm.stream_chat(HELLO_MESSAGES))
        thought = [block.content for block in items[-1].message.blocks if isinstance(block, ThinkingBlock)]
        assert "".join(item.additional_kwargs.get("thinking_delta", "") for item in items) == "".join(thought) != ""

    @pytest.mark.parametrize("call", ["chat", "stream_chat"])
    def test_events(self, llm, listener, call):
        """A call is told once: its start, its end, and between them the items of a stream and nothing else."""
        answer = self.ask(llm, call)
        between = {"LLMChatInProgressEvent": len(answer)} if call == "stream_chat" else {}
        assert listener._counts == {"LLMChatStartEvent": 1, **between, "LLMChatEndEvent": 1}

    def test_dumps(self, llm):
        """Dumps name the class, make an object with the same settings and hide the key, which is not lost by them."""
        others = [type(llm).from_dict(llm.to_dict()), pickle.loads(pickle.dumps(llm))]  # noqa: S301 - our own
        assert llm.to_dict()["class_name"] == llm.class_name()
        assert all(other.to_dict() == llm.to_dict() for other in others)
        shown = f"{llm!r} {llm} {llm.to_dict()} {llm.to_json()} {llm.model_dump()} {pickle.dumps(llm)!r}"
        assert self.secret is None or self.secret not in shown
        assert said(llm.complete(HELLO))

    # --- tools ---

    @pytest.mark.parametrize("call", [f"{way}chat_with_tools" for way in ("", "a", "stream_", "astream_")])
    def test_chat_with_tools(self, llm, offered, call):
        """The model calls the tool that it needs: a selection and a block, whole on the last item of a stream."""
        answer = called(getattr(llm, call), offered, ONE)
        items = answer if "stream" in call else [answer]
        selections = [llm.get_tool_calls_from_response(item, error_on_no_tool_call=False) for item in items]
        ((made,), blocks) = selections[-1], items[-1].message.blocks
        assert (made.tool_name, made.tool_kwargs) == ("get_weather", {"city": "Paris"})
        assert [block.tool_call_id for block in blocks if isinstance(block, ToolCallBlock)] == [made.tool_id] != [""]
        assert self.finish_reason(items[-1]) == "tool_calls"

    def test_parallel_tool_calls(self, llm, offered):
        """Two calls come at once where that is allowed, each with an id of its own."""
        self.need("parallel_tool_calls")
        response = llm.chat_with_tools(offered, BOTH, allow_parallel_tool_calls=True)
        calls = llm.get_tool_calls_from_response(response)
        assert sorted(call.tool_name for call in calls) == ["get_time", "get_weather"]
        assert len({call.tool_id for call in calls}) == 2

    def test_tool_required(self, llm, offered):
        """A tool is called where the model would not think of it."""
        self.need("tool_required")
        assert llm.get_tool_calls_from_response(llm.chat_with_tools(offered, "Good morning.", tool_required=True))

    def test_no_tool_call(self, llm):
        """An answer in words has no calls: an error for whoever insists, else an empty list."""
        response = llm.chat(HELLO_MESSAGES)
        assert llm.get_tool_calls_from_response(response, error_on_no_tool_call=False) == []
        with pytest.raises(ValueError, match="tool"):
            llm.get_tool_calls_from_response(response)

    def test_tool_round_trip(self, llm, offered):
        """A tool's result goes back with its call's id, and the answer is made of it."""
        history = [ChatMessage(role="user", content=ONE)]
        response = llm.chat_with_tools(offered, chat_history=history)
        (call,) = llm.get_tool_calls_from_response(response)
        result = ChatMessage(role="tool", content=SUNNY, additional_kwargs={"tool_call_id": call.tool_id})
        answer = llm.chat_with_tools(offered, chat_history=[*history, response.message, result])
        assert "sunny" in said(answer).lower()

    @pytest.mark.parametrize("call", ["predict_and_call", "apredict_and_call"])
    def test_predict_and_call(self, llm, offered, call):
        """The tool is called and its output is the answer."""
        answer = called(getattr(llm, call), offered, ONE)
        assert answer.response == SUNNY == answer.sources[0].content

    # --- structured output ---

    @pytest.mark.parametrize("call", [f"{way}structured_predict" for way in ("", "a", "stream_", "astream_")])
    def test_structured_predict(self, llm, call):
        """A prompt gives an object of the class, which in a stream grows and is whole in the end."""
        self.need("structured_output")
        found = last_of(called(getattr(llm, call), Weather, PROMPT, **PARIS))
        assert found == Weather(**PARIS) if self.understands else isinstance(found, Weather)

    @pytest.mark.parametrize("call", ["chat", "achat", "stream_chat", "astream_chat"])
    def test_as_structured_llm(self, llm, call):
        """as_structured_llm answers in the class: as JSON in the message and as the object in raw."""
        self.need("structured_output")
        last = last_of(called(getattr(llm.as_structured_llm(Weather), call), PROMPT.format_messages(**PARIS)))
        assert last.raw == Weather(**PARIS) if self.understands else isinstance(last.raw, Weather)
        assert Weather.model_validate_json(last.message.content) == last.raw

    # --- agents ---

    @pytest.mark.parametrize("streaming", [True, False])
    def test_function_agent(self, llm, offered, streaming):
        """An agent calls the tool and answers with what it said, streaming or not."""
        events, answer = asyncio.run(run_agent(FunctionAgent(tools=offered, llm=llm, streaming=streaming), ONE))
        streamed = "".join(event.delta for event in events if isinstance(event, AgentStream))
        assert [event.tool_output.content for event in events if isinstance(event, ToolCallResult)] == [SUNNY]
        assert "sunny" in answer.lower()
        assert streamed.endswith(answer) if streaming else streamed == ""

    def test_react_agent(self, llm, offered):
        """An agent that reasons in words, without the wire's tools, comes to an answer."""
        _, answer = asyncio.run(run_agent(ReActAgent(tools=offered, llm=llm), HELLO))
        assert answer
