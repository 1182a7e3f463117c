"""Reasoning and images of earlier turns: {core, LangChain, LlamaIndex} x {sync, async} x {whole, streamed}.

What went back on the wire is the same in every cell, and so is what a refusal changes.
"""

from __future__ import annotations

import asyncio
import json
from functools import reduce
from operator import add

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage, messages_from_dict, messages_to_dict
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.memory import ChatMemoryBuffer
from replay import DONE, USAGE_EVENT, WHOLE, Answer, chunk, plain, refuse, replay

from flash_integrations import AsyncFlashClient, FlashClient, ModelCard, Provider, errors
from flash_integrations.langchain import ChatFlash
from flash_integrations.llama_index import FlashLLM

SIGNATURE = {"google": {"thought_signature": "sig"}}
FUNCTION = {"name": "add", "arguments": '{"a": 1}'}
TOOL_CALL = {"id": "call_1", "type": "function", "function": FUNCTION, "extra_content": SIGNATURE}
DETAIL = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
BLOCK = {"type": "thinking", "signature": ""}
URL = "data:image/png;base64,iVBORw0KGgo="


def piece(**delta):
    """A chunk with such a delta."""
    return chunk(delta)


KINDS = {
    "DeepSeek": (
        [piece(reasoning_content="1 "), piece(reasoning_content="+ 1")],
        {"reasoning_content": "1 + 1"},
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
    ),
    "OpenRouter": (
        [
            piece(reasoning="1 ", reasoning_details=[{**DETAIL, "text": "1 "}]),
            piece(reasoning="+ 1", reasoning_details=[{**DETAIL, "text": "+ 1"}]),
            piece(reasoning_details=[{**DETAIL, "signature": "s1"}]),
        ],
        {"reasoning": "1 + 1", "reasoning_details": [{**DETAIL, "text": "1 + 1", "signature": "s1"}]},
        "When `thinking` is enabled, a final `assistant` message must start with a thinking block",
    ),
    "LiteLLM": (
        [
            piece(reasoning_content="1 ", thinking_blocks=[{**BLOCK, "thinking": "1 "}]),
            piece(reasoning_content="+ 1", thinking_blocks=[{**BLOCK, "thinking": "+ 1"}]),
            piece(thinking_blocks=[{**BLOCK, "thinking": "", "signature": "s1"}]),
        ],
        {
            "reasoning_content": "1 + 1",
            "thinking_blocks": [{"type": "thinking", "thinking": "1 + 1", "signature": "s1"}],
        },
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.",
    ),
}
"""The pieces of a stream, what the plain message has, and the refusal of a conversation without it."""


def stream_of(pieces):
    """A stream of these pieces and a tool call."""
    first = {**TOOL_CALL, "index": 0, "function": {"name": "add", "arguments": ""}}
    rest = {"index": 0, "function": {"arguments": FUNCTION["arguments"]}}
    calls = [piece(tool_calls=[first]), piece(tool_calls=[rest]), chunk({}, "tool_calls")]
    return Answer([*pieces, *calls, USAGE_EVENT, DONE])


# --- the cells: each answers a conversation, and keeps it as its users do ---------------------------------------------

USER, RESULT = {"role": "user", "content": "1+1"}, {"role": "tool", "tool_call_id": "call_1", "content": "2"}


class Core:
    """The core: a conversation of dicts."""

    start, result = [USER], [RESULT]

    def __init__(self, params):
        own = {name: params[name] for name in ("send_reasoning", "split_think_tags") if name in params}
        self.client = FlashClient(**{name: params[name] for name in params if name not in own})
        self.own = {"model": "m", **own}

    def whole(self, messages):
        return self.client.chat(messages=messages, **self.own).choices[0].message

    def streamed(self, messages):
        with self.client.stream_chat(messages=messages, **self.own) as stream:
            list(stream)
        return stream.completion.choices[0].message

    async def awhole(self, messages):
        return (await self.client.to_async().chat(messages=messages, **self.own)).choices[0].message

    async def astreamed(self, messages):
        async with self.client.to_async().stream_chat(messages=messages, **self.own) as stream:
            [_ async for _ in stream]
        return stream.completion.choices[0].message

    @staticmethod
    def told(message):
        return message.get("content"), message.get("reasoning_content")


class LangChain:
    """ChatFlash: a conversation that a checkpoint keeps."""

    start, result = [HumanMessage("1+1")], [ToolMessage("2", tool_call_id="call_1")]
    version = None

    def __init__(self, params):
        self.llm = ChatFlash(model="m", output_version=self.version, **params)

    def whole(self, messages):
        return self.llm.invoke(self.kept(messages))

    def streamed(self, messages):
        return reduce(add, self.llm.stream(self.kept(messages)))

    async def awhole(self, messages):
        return await self.llm.ainvoke(self.kept(messages))

    async def astreamed(self, messages):
        return reduce(add, [piece async for piece in self.llm.astream(self.kept(messages))])

    @staticmethod
    def kept(messages):
        """The conversation out of JSON, as checkpoints and histories keep it."""
        return messages_from_dict(json.loads(json.dumps(messages_to_dict(messages))))

    @staticmethod
    def told(message):
        reasoning = [block["reasoning"] for block in message.content_blocks if block["type"] == "reasoning"]
        return message.text, "".join(reasoning) or None


class LangChainV1(LangChain):
    """ChatFlash with content blocks."""

    version = "v1"


class LlamaIndex:
    """FlashLLM: a conversation that a memory keeps."""

    start = (ChatMessage("1+1"),)
    result = (ChatMessage(role="tool", content="2", additional_kwargs={"tool_call_id": "call_1"}),)

    def __init__(self, params):
        self.llm = FlashLLM(model="m", **params)

    def whole(self, messages):
        return self.llm.chat(self.kept(messages)).message

    def streamed(self, messages):
        return list(self.llm.stream_chat(self.kept(messages)))[-1].message

    async def awhole(self, messages):
        return (await self.llm.achat(self.kept(messages))).message

    async def astreamed(self, messages):
        return [item async for item in await self.llm.astream_chat(self.kept(messages))][-1].message

    @staticmethod
    def kept(messages):
        """The conversation out of a memory and out of JSON."""
        memory = ChatMemoryBuffer.from_defaults(chat_history=list(messages), token_limit=100_000)
        return [ChatMessage.model_validate_json(message.model_dump_json()) for message in memory.get_all()]

    @staticmethod
    def told(message):
        thought = [block.content for block in message.blocks if block.block_type == "thinking"]
        return message.content, "".join(thought) or None


CELLS = [
    pytest.param(kind, way, id=f"{kind.__name__} {way}")
    for kind in (Core, LangChain, LangChainV1, LlamaIndex)
    for way in ("whole", "streamed", "awhole", "astreamed")
]


def ask(cell, way, messages):
    """An answer, however it is asked for."""
    answer = getattr(cell, way)(messages)
    return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer


def params_for(server, **params):
    """The parameters of a client that knows nothing yet."""
    FlashClient(base_url=server.base_url).forget()
    return {"base_url": server.base_url, "api_key": "sk-test", **params}


def past(body):
    """What the earlier answer says beside its role, content and function."""
    answer = body["messages"][1]
    return {name: value for name, value in answer.items() if name not in ("role", "content", "tool_calls")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("cell", "way"), CELLS)
def test_reasoning_goes_back_as_the_plain_answer_has_it(cell, way, kind):
    """With ``send_reasoning``: details, signed blocks and signatures survive memories and JSON, streamed or whole."""
    pieces, message, _ = KINDS[kind]
    for answer in (stream_of(pieces), plain(None, tool_calls=[TOOL_CALL], **message)):
        with replay(answer, WHOLE) as server:
            asked = cell(params_for(server, send_reasoning=True))
            history = [*cell.start, ask(asked, way, cell.start), *cell.result]
            ask(asked, way, history)
            assert past(server.bodies[1]) == message
            assert server.bodies[1]["messages"][1]["tool_calls"] == [TOOL_CALL]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("cell", "way"), [row for row in CELLS if row.values[0] is not Core])
def test_reasoning_goes_back_once_a_refusal_asks_for_it(cell, way, kind):
    """Nobody gets it unasked; whoever asks gets it at once, and from then on."""
    pieces, message, refusal = KINDS[kind]
    with replay(stream_of(pieces), refuse(400, refusal), WHOLE) as server:
        asked = cell(params_for(server))
        history = [*cell.start, ask(asked, way, cell.start), *cell.result]
        for _ in range(2):
            assert cell.told(ask(asked, way, history))[0] == "Hello"

        assert [past(body) for body in server.bodies[1:]] == [{}, message, message]


@pytest.mark.parametrize(("cell", "way"), CELLS)
def test_a_user_who_forbids_it_gets_the_refusal(cell, way):
    """``send_reasoning=False`` is never learned against."""
    pieces, _, refusal = KINDS["DeepSeek"]
    with replay(stream_of(pieces), refuse(400, refusal)) as server:
        asked = cell(params_for(server, send_reasoning=False))
        history = [*cell.start, ask(asked, way, cell.start), *cell.result]
        with pytest.raises(errors.BadRequestError, match="must be passed back"):
            ask(asked, way, history)
        assert [past(body) for body in server.bodies[1:]] == [{}]


HANDMADE = {
    Core: {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]},
    LangChain: AIMessage("", tool_calls=[{"id": "call_1", "name": "add", "args": {"a": 1}}]),
    LlamaIndex: ChatMessage(role="assistant", content="", additional_kwargs={"tool_calls": [TOOL_CALL]}),
}


@pytest.mark.parametrize(("cell", "way"), [row for row in CELLS if row.values[0] in HANDMADE])
def test_a_handmade_history_gets_the_empty_field(cell, way):
    """Its calls have no reasoning to send back."""
    with replay(refuse(400, "thinking is enabled but reasoning_content is missing in message 1"), WHOLE) as server:
        history = [*cell.start, HANDMADE[cell], *cell.result]
        ask(cell(params_for(server)), way, history)
        assert [past(body) for body in server.bodies] == [{}, {"reasoning_content": ""}]


@pytest.mark.parametrize(("cell", "way"), CELLS)
def test_a_providers_row_says_that_reasoning_goes_back(cell, way):
    """Then no refusal is needed."""
    pieces, message, _ = KINDS["OpenRouter"]
    with replay(stream_of(pieces), WHOLE) as server:
        row = Provider("wants", base_url=server.base_url, send_reasoning=True)
        asked = cell({**params_for(server), "provider": row})
        ask(asked, way, [*cell.start, ask(asked, way, cell.start), *cell.result])
        assert past(server.bodies[1]) == message


# --- images -----------------------------------------------------------------------------------------------------------

PICTURE = {"type": "image_url", "image_url": {"url": URL}}
WITH_IMAGE = {
    Core: {**RESULT, "content": [{"type": "text", "text": "2"}, PICTURE]},
    LangChain: ToolMessage([{"type": "text", "text": "2"}, PICTURE], tool_call_id="call_1"),
    LlamaIndex: ChatMessage(
        role="tool",
        blocks=[TextBlock(text="2"), ImageBlock(image=b"iVBORw0KGgo=", image_mimetype="image/png")],
        additional_kwargs={"tool_call_id": "call_1"},
    ),
}


@pytest.mark.parametrize(("cell", "way"), [row for row in CELLS if row.values[0] in HANDMADE])
def test_images_of_tools_move_to_the_user_once_so_refused(cell, way):
    """Behind the result they are from; from then on at once."""
    refusal = "Image URLs are only allowed for messages with role 'user', but this message with role 'tool' has one."
    with replay(refuse(400, refusal), WHOLE) as server:
        asked, history = cell(params_for(server)), [*cell.start, HANDMADE[cell], WITH_IMAGE[cell]]
        ask(asked, way, history)
        ask(asked, way, history)
        first, *later = [[message["role"] for message in body["messages"]] for body in server.bodies]
        assert (first, later) == (["user", "assistant", "tool"], [["user", "assistant", "tool", "user"]] * 2)
        assert server.bodies[0]["messages"][2]["content"][0] == {"type": "text", "text": "2"}
        told, shown = server.bodies[1]["messages"][2:]
        assert told["content"] == "2"
        assert shown["content"][0] == {"type": "text", "text": "From the result of call_1:"}
        assert shown["content"][1]["image_url"]["url"] == URL


# --- think tags -------------------------------------------------------------------------------------------------------

THOUGHTFUL = ["<th", "ink>\n1 ", "+ 1\n</", "think>", "\n\n", "2"]
TAGGED = Answer([*(piece(content=text) for text in THOUGHTFUL), chunk({}, "stop"), USAGE_EVENT, DONE])


@pytest.mark.parametrize(("cell", "way"), CELLS)
@pytest.mark.parametrize("answer", [TAGGED, plain("".join(THOUGHTFUL))], ids=["streamed", "plain"])
def test_think_tags_are_split_by_a_switch(cell, way, answer):
    """In every cell, by parameter or by the row of the provider or of the model; off by default."""
    with replay(answer) as server:
        plain_params = params_for(server)
        model = Provider("by-model", base_url=server.base_url, models={"m": ModelCard("m", split_think_tags=True)})
        provider = Provider("all", base_url=server.base_url, split_think_tags=True)
        for params in ({"split_think_tags": True}, {"provider": model}, {"provider": provider}):
            assert cell.told(ask(cell({**plain_params, **params}), way, cell.start)) == ("2", "1 + 1")
        for params in ({}, {"provider": provider, "split_think_tags": False}):
            assert cell.told(ask(cell({**plain_params, **params}), way, cell.start)) == ("".join(THOUGHTFUL), None)


async def test_a_client_splits_for_all_its_calls():
    """The switch is the constructor's, too; a call's own counts more."""
    with replay(TAGGED) as server:
        client = AsyncFlashClient(split_think_tags=True, **params_for(server))
        messages = [USER]
        assert (await client.chat(model="m", messages=messages)).text == "2"
        assert (await client.chat(model="m", messages=messages, split_think_tags=False)).text == "".join(THOUGHTFUL)


def test_think_tags_stream_as_they_come():
    """Both frameworks give reasoning and text in pieces."""
    with replay(TAGGED) as server:
        params = params_for(server, split_think_tags=True)
        chunks = list(ChatFlash(model="m", **params).stream("1+1"))
        assert [chunk.additional_kwargs.get("reasoning_content", "") for chunk in chunks][:2] == ["1 ", "+ 1"]
        items = list(FlashLLM(model="m", **params).stream_chat(LlamaIndex.start))
        assert [item.additional_kwargs.get("thinking_delta", "") for item in items][:2] == ["1 ", "+ 1"]
        assert "".join(item.delta for item in items) == "2"
