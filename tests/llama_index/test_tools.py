"""Tool calls through FlashLLM: what is offered, what comes back, and what is done with it."""

from __future__ import annotations

import asyncio

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
from llama_index.core.program.function_program import get_function_tool
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from flash_integrations._core.completion.completion import Choice, Completion
from flash_integrations._core.completion.tool_calls import ToolCall
from flash_integrations.errors import InvalidRequestError
from flash_integrations.llama_index import FlashLLM
from flash_integrations.llama_index._to_wire import to_response
from flash_integrations.llama_index._tools import to_tool
from flash_integrations.testing import Answer

ASK = "What are the weather and the time in Paris?"
BOTH = [("get_weather", {"city": "Paris"}), ("get_time", {"city": "Paris"})]


def prepared(tools, user_msg=None, **params):
    """The words of a chat call with tools."""
    model = params.pop("model", "gpt-5.2")
    return FlashLLM(model=model, **params.pop("llm", {}))._prepare_chat_with_tools(tools, user_msg, **params)


def called(selections):
    """Names and arguments of calls."""
    return [(each.tool_name, each.tool_kwargs) for each in selections]


# --- what is offered ------------------------------------------------------------------------------------------------


def test_tools_go_out_as_functions(tools):
    """Name, description and parameters of each tool, and nothing that was not asked for."""
    params = prepared(tools, ASK, allow_parallel_tool_calls=True)
    assert params.keys() == {"messages", "tools"}
    assert params["messages"] == [ChatMessage(role="user", content=ASK)]
    assert [tool["function"]["name"] for tool in params["tools"]] == ["get_weather", "get_time"]
    assert params["tools"][0]["function"]["parameters"]["required"] == ["city"]
    assert "strict" not in params["tools"][0]["function"]


class Tree(BaseModel):
    """A tree."""

    branches: list[Tree] = []


@pytest.mark.parametrize("strict", [None, True], ids=["open", "strict"])
def test_a_class_that_holds_itself_is_a_tool_with_parameters(strict):
    """LlamaIndex drops the fields of a recursive class; the model is told of them all the same."""
    described = to_tool(get_function_tool(Tree), strict=strict)["function"]["parameters"]
    assert described["type"] == "object"
    assert described["properties"]["branches"]["items"] == {"$ref": "#/$defs/Tree"}


def test_the_history_is_not_written_to(tools):
    """The user's message follows the history in the call, and the caller's list stays as it is."""
    history = [ChatMessage(role="system", content="s")]
    params = prepared(tools, ChatMessage(role="user", content="u"), chat_history=history)
    assert [message.content for message in params["messages"]] == ["s", "u"]
    assert len(history) == 1


def test_parallel_calls_are_forbidden_only_where_the_caller_does(tools):
    """The wire allows them by default, so only their absence is said; o-series models do not know the word."""
    assert "parallel_tool_calls" not in prepared(tools, allow_parallel_tool_calls=True)
    assert prepared(tools, allow_parallel_tool_calls=False)["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in prepared(tools, model="o3", allow_parallel_tool_calls=False)


@pytest.mark.parametrize(
    ("params", "choice"),
    [
        ({}, None),
        ({"tool_required": True}, "required"),
        ({"tool_choice": "none", "tool_required": True}, "none"),
        ({"tool_choice": "any"}, "required"),
        ({"tool_choice": "auto"}, "auto"),
        ({"tool_choice": "get_time"}, {"type": "function", "function": {"name": "get_time"}}),
        ({"tool_choice": {"type": "function"}}, {"type": "function"}),
    ],
    ids=str,
)
def test_the_choice_has_its_words(tools, params, choice):
    """Required, none, a name or a dict become the wire's tool_choice; nothing said is nothing sent."""
    assert prepared(tools, **params).get("tool_choice") == choice


def test_without_tools_nothing_is_said_of_them():
    """An empty list of tools is a plain chat."""
    params = prepared([], ASK, tool_required=True, tool_choice="auto")
    assert params.keys() == {"messages"}


@pytest.mark.parametrize("params", [{"strict": True}, {"llm": {"strict": True}}], ids=["call", "object"])
def test_strict_tools_have_closed_schemas(tools, params):
    """Tools that are to be strict have closed parameters, and say so."""
    function = prepared(tools, **params)["tools"][0]["function"]
    assert function["strict"] is True
    assert function["parameters"]["additionalProperties"] is False


def test_a_tool_that_cannot_be_strict_is_refused_by_name():
    """A tool with free-form arguments has no strict form; the error names it."""

    def note(data: dict) -> str:
        """Notes anything."""
        return str(data)

    with pytest.raises(InvalidRequestError, match="'note' cannot be strict"):
        prepared([FunctionTool.from_defaults(note)], strict=True)


# --- what comes back ------------------------------------------------------------------------------------------------


def test_parallel_calls_come_back_in_every_way(llm, tools):
    """Whole and streamed, sync and async, the same calls with ids of their own, which streams build up."""

    async def streamed():
        items = await llm.astream_chat_with_tools(tools, ASK, allow_parallel_tool_calls=True)
        return [item async for item in items]

    sync = list(llm.stream_chat_with_tools(tools, ASK, allow_parallel_tool_calls=True))
    responses = [
        llm.chat_with_tools(tools, ASK, allow_parallel_tool_calls=True),
        asyncio.run(llm.achat_with_tools(tools, ASK, allow_parallel_tool_calls=True)),
        sync[-1],
        asyncio.run(streamed())[-1],
    ]
    for response in responses:
        selections = llm.get_tool_calls_from_response(response)
        assert called(selections) == BOTH
        assert len({each.tool_id for each in selections}) == 2
    partial = [called(llm.get_tool_calls_from_response(item, error_on_no_tool_call=False)) for item in sync]
    assert len(partial[0]) == 1
    assert partial[-1] == BOTH


def test_one_call_is_left_where_only_one_is_allowed(gateway, llm, tools):
    """A model that makes two calls against its orders is cut to the first, in both copies, streamed or not."""

    async def streamed():
        return [item async for item in await llm.astream_chat_with_tools(tools, ASK)]

    gateway.script(*[Answer(tool_calls=BOTH)] * 4)
    for response in (
        llm.chat_with_tools(tools, ASK),
        asyncio.run(llm.achat_with_tools(tools, ASK)),
        *list(llm.stream_chat_with_tools(tools, ASK))[-2:],
        *asyncio.run(streamed())[-2:],
    ):
        message = response.message
        assert [block.tool_name for block in message.blocks] == ["get_weather"]
        assert [call["function"]["name"] for call in message.additional_kwargs["tool_calls"]] == ["get_weather"]


def test_a_required_tool_is_called(llm, tools):
    """tool_required makes the model call a tool it would not think of."""
    response = llm.chat_with_tools(tools, "Good morning.", tool_required=True)
    assert len(llm.get_tool_calls_from_response(response)) == 1


def test_an_answer_without_calls_is_an_error_only_if_it_is_to_be(llm):
    """Who insists on a call gets a ValueError, who does not an empty list."""
    response = llm.chat([ChatMessage(role="user", content="hi")])
    assert llm.get_tool_calls_from_response(response, error_on_no_tool_call=False) == []
    with pytest.raises(ValueError, match="at least one tool call"):
        llm.get_tool_calls_from_response(response)


def test_broken_arguments_are_not_guessed_at(llm):
    """In a whole answer a torn number is no number: the tool is called without it and complains."""
    torn = Choice(tool_calls=(ToolCall("c1", "pay", '{"amount": 1'),), finish_reason="length")
    response = to_response(Completion(choices=(torn,)))
    assert response.message.blocks[0].tool_kwargs == '{"amount": 1'
    assert called(llm.get_tool_calls_from_response(response)) == [("pay", {})]


def test_responses_of_other_make_are_read(llm):
    """A response with blocks alone, or with the older copy alone, gives its calls."""
    block = ToolCallBlock(tool_call_id="c1", tool_name="f", tool_kwargs={"a": 1})
    older = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    for message in (
        ChatMessage(role="assistant", blocks=[block]),
        ChatMessage(role="assistant", additional_kwargs={"tool_calls": [older]}),
    ):
        assert called(llm.get_tool_calls_from_response(ChatResponse(message=message))) == [("f", {"a": 1})]


# --- what is done with it -------------------------------------------------------------------------------------------


def test_predict_and_call_calls_the_tool(llm, tools):
    """The tool's own answer comes back, sync and async, and several with parallel calls."""
    ask = "What is the weather in Paris?"
    assert str(llm.predict_and_call(tools, ask)) == "Sunny in Paris"
    assert str(asyncio.run(llm.apredict_and_call(tools, ask))) == "Sunny in Paris"
    both = llm.predict_and_call(tools, ASK, allow_parallel_tool_calls=True)
    assert [source.content for source in both.sources] == ["Sunny in Paris", "Noon in Paris"]


def test_a_round_trip_ends_in_an_answer(gateway, llm, tools):
    """The call and its result go back, and the model answers from them."""
    asked = ChatMessage(role="user", content="What is the weather in Paris?")
    message = llm.chat_with_tools(tools, chat_history=[asked]).message
    call_id = message.blocks[0].tool_call_id
    result = ChatMessage(role="tool", content="Sunny in Paris", additional_kwargs={"tool_call_id": call_id})
    final = llm.chat_with_tools(tools, chat_history=[asked, message, result])
    assert "Sunny in Paris" in final.message.content
    sent = gateway.requests[-1].body["messages"]
    assert sent[1]["tool_calls"][0]["id"] == call_id == sent[2]["tool_call_id"]
