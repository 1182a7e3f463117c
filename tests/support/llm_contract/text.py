"""Text: questions and answers, whole and streamed, and what a request may say besides."""

from __future__ import annotations

import asyncio

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.prompts import PromptTemplate

from .scenario import CAT, COUNT, HELLO, HELLO_MESSAGES, WHICH_CAT, Scenarios, last_of, said

SAY_HELLO = PromptTemplate("Say {word}.")


class TextScenarios(Scenarios):
    """The eight calls, and the prompts above them."""

    def test_metadata(self, llm):
        """The model has a name and a window, chats, and takes tools if it is said to."""
        assert isinstance(llm, FunctionCallingLLM)
        assert llm.metadata.model_name
        assert llm.metadata.context_window > 0
        assert llm.metadata.is_chat_model
        assert llm.metadata.is_function_calling_model is self.tools

    @pytest.mark.parametrize("name", ["chat", "complete"])
    def test_whole_answers(self, llm, call, name):
        """A question is answered with text, which ended by itself."""
        response = call(llm, name, HELLO_MESSAGES if name == "chat" else HELLO)
        assert said(response)
        assert self.finish_reason(response) == "stop"
        if name == "chat":
            assert response.message.role == MessageRole.ASSISTANT

    @pytest.mark.parametrize("name", ["stream_chat", "stream_complete"])
    def test_streams(self, llm, call, name):
        """Each item has what is new and the text so far; the last one is the whole answer, which ended by itself."""
        items = call(llm, name, HELLO_MESSAGES if name == "stream_chat" else HELLO)
        deltas = [item.delta or "" for item in items]
        assert sum(map(bool, deltas)) > 1
        assert [said(item) for item in items] == ["".join(deltas[: at + 1]) for at in range(len(items))]
        assert self.finish_reason(items[-1]) == "stop"

    def test_a_stream_ends_as_the_whole_answer(self, llm, call):
        """The last item of a stream is the message that a whole call gives, and a completion has the same text."""
        self.need("deterministic")
        last = call(llm, "stream_chat", HELLO_MESSAGES)[-1]
        assert last.message == call(llm, "chat", HELLO_MESSAGES).message
        assert said(last) == call(llm, "complete", HELLO).text == call(llm, "stream_complete", HELLO)[-1].text

    def test_a_stream_can_be_left(self, llm):
        """Whoever has enough closes the stream, and asks again."""
        items = llm.stream_chat(HELLO_MESSAGES)
        next(items)
        items.close()
        assert llm.complete(HELLO).text

    def test_an_async_stream_can_be_left(self, llm):
        """Whoever has enough closes the stream, and asks again in the same loop."""

        async def ask():
            items = await llm.astream_chat(HELLO_MESSAGES)
            await anext(items)
            await items.aclose()
            return await llm.acomplete(HELLO)

        assert asyncio.run(ask()).text

    def test_one_object_serves_many_loops(self, llm):
        """Each asyncio.run finds a connection that works, for calls side by side too."""

        async def ask():
            return await asyncio.gather(llm.achat(HELLO_MESSAGES), llm.acomplete(HELLO))

        assert all(said(response) for _ in range(2) for response in asyncio.run(ask()))

    @pytest.mark.parametrize("earlier", [[("system", CAT)], [("user", CAT), ("assistant", "I see.")]])
    def test_earlier_messages_are_heard(self, llm, call, earlier):
        """What the system message or an earlier turn says, the model knows."""
        said_so_far = [*earlier, ("user", WHICH_CAT)]
        text = said(call(llm, "chat", [ChatMessage(role=role, content=content) for role, content in said_so_far]))
        assert "Banana" in text if self.understands else text

    @pytest.mark.parametrize("role", [MessageRole.CHATBOT, MessageRole.MODEL])
    def test_other_words_for_the_assistant(self, llm, call, role):
        """Answers that other integrations kept under their own word for the model go out as the assistant's."""
        earlier = [ChatMessage(role="user", content="Hi."), ChatMessage(role=role, content="Hello.")]
        assert said(call(llm, "chat", [*earlier, *HELLO_MESSAGES]))

    def test_the_developers_messages(self, llm, call):
        """A message of the developer is taken."""
        self.need("developer_role")
        assert said(call(llm, "chat", [ChatMessage(role="developer", content="Be brief."), *HELLO_MESSAGES]))

    def test_a_name_goes_with_a_message(self, llm, call):
        """Messages may say who speaks."""
        named = ChatMessage(role="user", content=HELLO, additional_kwargs={"name": "ann"})
        assert said(call(llm, "chat", [named]))

    def test_stop(self, llm, call):
        """An answer ends before a stop word, whole and streamed."""
        whole = call(llm, "complete", COUNT).text
        stop = whole.split()[-2]
        for name in ("complete", "stream_complete"):
            text = last_of(call(llm, name, COUNT, stop=[stop])).text
            assert stop not in text
            if self.deterministic:
                assert text.strip() == whole.partition(stop)[0].strip()

    def test_max_tokens(self, llm, call):
        """An answer that reaches its limit says so, whole and streamed."""
        messages = [ChatMessage(role="user", content=COUNT)]
        for name in ("chat", "stream_chat"):
            assert self.finish_reason(last_of(call(llm, name, messages, max_tokens=3))) == "length"

    def test_prompts(self, llm, call):
        """A template is filled in and asked, whole and streamed, with the same words."""
        whole = call(llm, "predict", SAY_HELLO, word="hello")
        streamed = "".join(call(llm, "stream", SAY_HELLO, word="hello"))
        assert whole
        assert streamed
        if self.deterministic:
            assert streamed == whole == said(call(llm, "chat", HELLO_MESSAGES))

    def test_the_system_prompt_goes_before_prompts(self, llm, call):
        """What system_prompt says, the model knows."""
        llm.system_prompt = CAT
        text = call(llm, "predict", PromptTemplate(WHICH_CAT))
        assert "Banana" in text if self.understands else text
