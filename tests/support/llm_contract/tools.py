"""Tools: calls that the model makes, one or several, and what becomes of their results."""

from __future__ import annotations

import pytest
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock

from .scenario import BOTH, HELLO_MESSAGES, ONE, SUNNY, Scenarios, last_of, said

either = pytest.mark.parametrize("name", ["chat_with_tools", "stream_chat_with_tools"])


def selected(llm, response):
    """The calls to carry out."""
    return llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)


class ToolScenarios(Scenarios):
    """Whole and streamed, the same calls."""

    @either
    def test_chat_with_tools(self, llm, call, offered, name):
        """The model calls the tool that it needs: a selection and a block, whole on the last item of a stream."""
        answer = call(llm, name, offered, ONE)
        items = answer if isinstance(answer, list) else [answer]
        selections = [selected(llm, item) for item in items]
        ((made,), blocks) = selections[-1], items[-1].message.blocks
        assert (made.tool_name, made.tool_kwargs) == ("get_weather", {"city": "Paris"})
        assert [block.tool_call_id for block in blocks if isinstance(block, ToolCallBlock)] == [made.tool_id] != [""]
        assert self.finish_reason(items[-1]) == "tool_calls"

    @either
    def test_parallel_tool_calls(self, llm, call, offered, name):
        """Two calls come at once where that is allowed, each with an id of its own."""
        self.need("parallel_tool_calls")
        calls = selected(llm, last_of(call(llm, name, offered, BOTH, allow_parallel_tool_calls=True)))
        assert sorted(made.tool_name for made in calls) == ["get_time", "get_weather"]
        assert len({made.tool_id for made in calls}) == 2

    @either
    def test_tool_required(self, llm, call, offered, name):
        """A tool is called where the model would not think of it."""
        self.need("tool_required")
        assert selected(llm, last_of(call(llm, name, offered, "Good morning.", tool_required=True)))

    def test_no_tool_call(self, llm, call):
        """An answer in words has no calls: an error for whoever insists, else an empty list."""
        response = call(llm, "chat", HELLO_MESSAGES)
        assert selected(llm, response) == []
        with pytest.raises(ValueError, match="tool"):
            llm.get_tool_calls_from_response(response)

    @either
    def test_tool_round_trip(self, llm, call, offered, name):
        """A tool's result goes back with its call's id, and the answer is made of it."""
        history = [ChatMessage(role="user", content=ONE)]
        response = last_of(call(llm, name, offered, chat_history=history))
        (made,) = selected(llm, response)
        result = ChatMessage(role="tool", content=SUNNY, additional_kwargs={"tool_call_id": made.tool_id})
        answer = last_of(call(llm, name, offered, chat_history=[*history, response.message, result]))
        assert "sunny" in said(answer).lower()

    def test_predict_and_call(self, llm, call, offered):
        """The tool is called and its output is the answer."""
        answer = call(llm, "predict_and_call", offered, ONE)
        assert answer.response == SUNNY == answer.sources[0].content
