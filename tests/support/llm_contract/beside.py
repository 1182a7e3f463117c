"""What comes beside the text: counts, logprobs, reasoning, events, and what callers hang on to a call."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from llama_index.core.base.llms.types import ThinkingBlock
from llama_index.core.callbacks import (
    CallbackManager,
    CBEventType,
    EventPayload,
    LlamaDebugHandler,
    TokenCountingHandler,
)
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from pydantic import PrivateAttr

from .scenario import HELLO, HELLO_MESSAGES, Scenarios, last_of, said

CALLS = ["chat", "stream_chat", "complete", "stream_complete"]
anyhow = pytest.mark.parametrize("name", CALLS)


class Listener(BaseEventHandler):
    """Counts the framework's events by name."""

    _counts: Counter = PrivateAttr(default_factory=Counter)

    def handle(self, event, **kwargs):
        self._counts[type(event).__name__] += 1


class Turnstile:
    """A rate limiter that counts."""

    passed = 0

    def acquire(self, num_tokens=0):
        self.passed += 1

    async def async_acquire(self, num_tokens=0):
        self.passed += 1


def counts(response):
    """Prompt, completion and total tokens as LlamaIndex finds them beside an answer."""
    return [response.additional_kwargs.get(f"{kind}_tokens") for kind in ("prompt", "completion", "total")]


class BesideScenarios(Scenarios):
    """Whoever counts, watches or limits calls finds what he looks for."""

    @pytest.fixture
    def listener(self):
        """Hears every event of the framework."""
        listener, root = Listener(), get_dispatcher()
        root.add_event_handler(listener)
        yield listener
        root.event_handlers.remove(listener)

    @pytest.fixture
    def spans(self):
        """Every span of the framework."""
        spans, root = SimpleSpanHandler(), get_dispatcher()
        root.add_span_handler(spans)
        yield spans
        root.span_handlers.remove(spans)

    def hello(self, llm, call, name, **params):
        """Say hello by one of the calls."""
        return call(llm, name, HELLO_MESSAGES if "chat" in name else HELLO, **params)

    @anyhow
    def test_usage(self, llm, call, name):
        """Token counts come with an answer, in streams with the last item; TokenCountingHandler takes them over."""
        self.need("reports_usage")
        counter = TokenCountingHandler(tokenizer=lambda text: [0] * 10_000)
        llm.callback_manager = CallbackManager([counter])
        prompt, completion, total = counts(last_of(self.hello(llm, call, name)))
        assert prompt > 0 < completion
        assert total == prompt + completion
        assert (counter.prompt_llm_token_count, counter.completion_llm_token_count) == (prompt, completion)

    @anyhow
    def test_raw_is_plain_data(self, llm, call, name):
        """What the wire said is there as data that JSON holds, on every item of a stream."""
        answer = self.hello(llm, call, name)
        for item in answer if isinstance(answer, list) else [answer]:
            assert item.raw
            assert json.loads(json.dumps(item.raw)) == item.raw

    @pytest.mark.parametrize("name", ["chat", "stream_chat"])
    def test_logprobs(self, llm, call, name):
        """Asked for, each token of the answer comes with the likely ones, in streams beside its delta."""
        self.need("logprobs")
        answer = self.hello(llm, call, name, logprobs=True, top_logprobs=2)
        last = last_of(answer)
        assert said(last).startswith("".join(likely[0].token for likely in last.logprobs[:2]))
        assert all(each.logprob <= 0 for likely in last.logprobs for each in likely)
        if isinstance(answer, list):
            gathered = [likely for item in answer[:-1] for likely in item.logprobs or []]
            assert gathered == last.logprobs[: len(gathered)] != []

    def test_thinking(self, llm, call):
        """Reasoning comes as a block beside the text, and in streams bit by bit."""
        self.need("thinking")
        self.make_it_think()
        items = self.hello(llm, call, "stream_chat")
        thought = [block.content for block in items[-1].message.blocks if isinstance(block, ThinkingBlock)]
        assert "".join(item.additional_kwargs.get("thinking_delta", "") for item in items) == "".join(thought) != ""

    @anyhow
    def test_events(self, llm, call, listener, spans, name):
        """A call is told once: its start, its end, and between them the items of a stream and nothing else."""
        answer = self.hello(llm, call, name)
        kind = "LLMChat" if "chat" in name else "LLMCompletion"
        between = {f"{kind}InProgressEvent": len(answer)} if isinstance(answer, list) else {}
        assert listener._counts == {f"{kind}StartEvent": 1, **between, f"{kind}EndEvent": 1}
        assert [len(spans.completed_spans), len(spans.open_spans), len(spans.dropped_spans)] == [1, 0, 0]

    @anyhow
    def test_callbacks(self, llm, call, name):
        """Handlers hear of a call's start and of its end with the answer, once each."""
        handler = LlamaDebugHandler(print_trace_on_end=False)
        llm.callback_manager = CallbackManager([handler])
        last = last_of(self.hello(llm, call, name))
        ((_, end),) = handler.get_event_pairs(CBEventType.LLM)
        assert end.payload[EventPayload.RESPONSE if "chat" in name else EventPayload.COMPLETION] == last

    @anyhow
    def test_errors(self, llm, call, listener, spans, name):
        """An error reaches the caller and the handlers, once, and leaves nothing open."""
        self.need("failures")
        handler = LlamaDebugHandler(print_trace_on_end=False)
        llm.callback_manager = CallbackManager([handler])
        self.make_it_fail()
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the integration raises
            self.hello(llm, call, name)
        ((_, end),) = handler.get_event_pairs(CBEventType.LLM)
        assert end.payload[EventPayload.EXCEPTION] is caught.value
        kind = "LLMChat" if "chat" in name else "LLMCompletion"
        assert listener._counts[f"{kind}StartEvent"] == 1
        assert listener._counts[f"{kind}EndEvent"] == 0
        assert not spans.open_spans

    @anyhow
    def test_the_users_rate_limiter(self, llm, call, name):
        """The framework's own rate_limiter is passed once a call."""
        llm.rate_limiter = turnstile = Turnstile()
        self.hello(llm, call, name)
        assert turnstile.passed == 1
