"""FlashLLM over real sockets: its eight methods, what it sends, and what it says of its model."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from base64 import b64decode, b64encode

import openai
import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, MessageRole
from llama_index.core.schema import ImageDocument, ImageNode, TextNode
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel
from replay import WHOLE, plain, replay

from flash_integrations import AsyncFlashClient, FlashClient, register_model
from flash_integrations.errors import ConfigurationError, InvalidRequestError
from flash_integrations.llama_index import FlashEmbedding, FlashLLM
from flash_integrations.testing import Answer

MESSAGES = [ChatMessage(role="user", content="hi")]


async def collected(coroutine):
    """All items of an async stream."""
    return [item async for item in await coroutine]


METHODS = {
    "chat": lambda llm, **options: [llm.chat(MESSAGES, **options)],
    "stream_chat": lambda llm, **options: list(llm.stream_chat(MESSAGES, **options)),
    "complete": lambda llm, **options: [llm.complete("hi", **options)],
    "stream_complete": lambda llm, **options: list(llm.stream_complete("hi", **options)),
    "achat": lambda llm, **options: [asyncio.run(llm.achat(MESSAGES, **options))],
    "astream_chat": lambda llm, **options: asyncio.run(collected(llm.astream_chat(MESSAGES, **options))),
    "acomplete": lambda llm, **options: [asyncio.run(llm.acomplete("hi", **options))],
    "astream_complete": lambda llm, **options: asyncio.run(collected(llm.astream_complete("hi", **options))),
}
STREAMING = {name for name in METHODS if "stream" in name}


def text_of(response):
    """The text of either kind of response."""
    return response.text if hasattr(response, "text") else response.message.content


@pytest.fixture(params=METHODS)
def method(request):
    """The name of one of the eight methods."""
    return request.param


# --- the eight methods ----------------------------------------------------------------------------------------------


def test_every_method_gives_the_answer_with_its_usage(method):
    """Each method's last word is the whole answer; what streams adds up to it."""
    with replay(WHOLE) as server:
        responses = METHODS[method](FlashLLM(model="gpt-5.2", base_url=server.base_url))
    last = responses[-1]
    assert text_of(last) == "Hello"
    assert last.additional_kwargs == {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    assert last.raw["usage"]["total_tokens"] == 11
    assert last.raw["choices"][0]["finish_reason"] == "stop"
    if method in STREAMING:
        assert [each.delta for each in responses] == ["Hel", "lo", ""]
        assert [text_of(each) for each in responses] == ["Hel", "Hello", "Hello"]


def test_every_method_works_where_gpt_models_only_stream(method, gateway, llm):
    """Behind a gateway that refuses plain requests each method answers, and each request was a stream."""
    responses = METHODS[method](llm)
    assert text_of(responses[-1])
    assert responses[-1].additional_kwargs["completion_tokens"] > 0
    assert [(request.stream, request.status) for request in gateway.requests] == [(True, 200)]


def test_models_that_answer_plainly_are_asked_plainly(gateway, llm_of):
    """A model that needs no stream is asked without one, unless the caller streams."""
    llm_of(model="claude-sonnet-4-6").chat(MESSAGES)
    assert [request.stream for request in gateway.requests] == [False]


def test_the_peer_fails_there(gateway):
    """OpenAILike, told that the model chats, is refused by the same gateway: why this package is there."""
    peer = OpenAILike(
        model="gpt-5.2", api_base=gateway.base_url, api_key=gateway.api_key, is_chat_model=True, max_retries=0
    )
    with pytest.raises(openai.BadRequestError, match="stream"):
        peer.chat(MESSAGES)
    assert [request.stream for request in gateway.requests] == [False]


def test_a_stream_of_a_whole_answer_is_one_item_and_the_end():
    """Where the gateway answers a stream with plain JSON, the stream gives it all the same."""
    with replay(plain("Hello")) as server:
        items = list(FlashLLM(model="m", base_url=server.base_url).stream_chat(MESSAGES))
    assert "".join(item.delta for item in items) == "Hello" == items[-1].message.content


def test_one_object_works_in_several_loops_and_threads(llm):
    """The same object answers in one event loop after another, and in many tasks at once."""

    async def many():
        return await asyncio.gather(*(llm.acomplete("hi") for _ in range(20)))

    texts = {response.text for _ in range(2) for response in asyncio.run(many())}
    assert texts == {llm.complete("hi").text}


# --- what is sent ---------------------------------------------------------------------------------------------------


def sent(method="chat", *, call=None, **options):
    """The body that goes out."""
    with replay(WHOLE) as server:
        METHODS[method](FlashLLM(base_url=server.base_url, **{"model": "gpt-5.2", **options}), **(call or {}))
        return server.bodies[0]


BARE = {
    "model": "gpt-5.2",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}


def test_only_what_was_set_is_sent(method):
    """No default temperature, no nulls, no empty lists, by whatever method."""
    assert sent(method) == BARE
    call = {"temperature": None, "tools": None, "tool_choice": None, "stop": []}
    assert sent(method, temperature=0.5, call=call) == BARE


def test_what_the_object_holds_is_sent_and_the_call_says_more():
    """Sampling parameters of the object go out; those of the call go over them."""
    body = sent(temperature=0, seed=7, max_tokens=5, call={"seed": 8, "new_thing": True})
    assert body == {**BARE, "temperature": 0, "seed": 8, "max_tokens": 5, "new_thing": True}


def test_additional_kwargs_go_into_every_body_unchecked():
    """What a gateway adds goes by additional_kwargs; a call's own words go over them."""
    more = {"enable_thinking": True, "temperature": 9, "extra_body": {"a": 1}}
    body = sent(additional_kwargs=more, call={"extra_body": {"b": 2}})
    assert body == {**BARE, "enable_thinking": True, "temperature": 9, "a": 1, "b": 2}
    assert sent(additional_kwargs=more, call={"temperature": 0})["temperature"] == 0


def test_headers_in_additional_kwargs_are_headers():
    """extra_headers mean the same there as in a call."""
    with replay(WHOLE) as server:
        llm = FlashLLM(model="m", base_url=server.base_url, additional_kwargs={"extra_headers": {"x-who": "me"}})
        llm.chat(MESSAGES)
        assert "x-who: me" in server.heads[0].lower()
        assert "extra_headers" not in server.bodies[0]


def test_streaming_cannot_be_switched_off_by_a_call():
    """stream=False beside a call neither reaches the body nor changes the wire."""
    assert sent(call={"stream": False}) == BARE


@pytest.mark.parametrize("method", METHODS)
def test_a_call_that_asks_for_a_stream_gets_one_or_an_error(llm, gateway, method):
    """stream=True agrees with the streaming methods; the others name those, and send nothing."""
    if method in STREAMING:
        assert METHODS[method](llm, stream=True)
        return
    with pytest.raises(InvalidRequestError, match="stream_chat or stream_complete streams"):
        METHODS[method](llm, stream=True)
    assert gateway.requests == []


PIXEL = b64encode(b"\x89PNG\r\n\x1a\n-").decode()


@pytest.mark.parametrize("method", [name for name in METHODS if "complete" in name])
def test_image_documents_go_with_a_prompt(llm, gateway, tmp_path, method):
    """Image data, files and URLs, of documents, nodes and blocks, stand in the message after the text."""
    file = tmp_path / "a.png"
    file.write_bytes(b64decode(PIXEL))
    url = "https://host.test/a.png"
    images = [
        ImageDocument(image=PIXEL, image_mimetype="image/png"),
        ImageNode(image_path=str(file)),
        ImageNode(image_url=url),
        ImageBlock(url=url),
    ]
    METHODS[method](llm, image_documents=images)
    text, *parts = gateway.requests[-1].body["messages"][0]["content"]
    assert text == {"type": "text", "text": "hi"}
    here = f"data:image/png;base64,{PIXEL}"
    assert [part["image_url"]["url"] for part in parts] == [here, here, url, url]


@pytest.mark.parametrize("method", [name for name in METHODS if "complete" in name])
def test_what_is_no_image_is_refused(llm, gateway, method):
    """The error names what was given, and nothing is sent."""
    with pytest.raises(InvalidRequestError, match=r"image_documents must hold ImageDocuments .* not TextNode"):
        METHODS[method](llm, image_documents=[TextNode(text="a")])
    assert gateway.requests == []


@pytest.mark.parametrize("method", [name for name in METHODS if "chat" in name])
def test_image_documents_beside_messages_are_refused(llm, gateway, method):
    """Messages hold their own images; the error says how."""
    with pytest.raises(InvalidRequestError, match=r"blocks=\[TextBlock\(\), ImageBlock\(\)\]"):
        METHODS[method](llm, image_documents=[])
    assert gateway.requests == []


def test_words_for_tools_wait_for_tools():
    """A tool_choice that the object holds goes out with tools alone, for endpoints refuse it without."""
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    options = {"tool_choice": "required", "parallel_tool_calls": False}
    assert sent(**options) == BARE
    assert sent(**options, call={"tools": tools}) == {**BARE, **options, "tools": tools}


def test_a_class_as_response_format_becomes_a_schema():
    """A Pydantic class may be named where the wire wants its schema."""

    class Album(BaseModel):
        title: str

    wanted = sent(call={"response_format": Album})["response_format"]
    assert wanted["json_schema"]["name"] == "Album"
    assert wanted["json_schema"]["schema"]["required"] == ["title"]


def test_completions_go_through_the_users_own_prompt_function():
    """completion_to_prompt is applied unless the prompt is said to be formatted."""
    options = {"completion_to_prompt": lambda prompt: f"<{prompt}>"}
    assert sent("complete", **options)["messages"][0]["content"] == "<hi>"
    assert sent("complete", **options, call={"formatted": True})["messages"][0]["content"] == "hi"
    assert sent("astream_complete", **options)["messages"][0]["content"] == "<hi>"


def test_a_files_content_goes_out_sync_and_async(tmp_path):
    """A picture on the disk is sent, and by the async methods read away from the loop."""
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    messages = [ChatMessage(role="user", blocks=[ImageBlock(path=path)])]
    with replay(WHOLE) as server:
        llm = FlashLLM(model="m", base_url=server.base_url)
        llm.chat(messages)
        asyncio.run(llm.achat(messages))
        one, other = server.bodies
    assert one == other
    assert one["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")


def test_bad_values_are_refused_before_sending(method):
    """A value out of its bounds is an InvalidRequestError, and a ValueError, with nothing sent."""
    with replay(WHOLE) as server:
        with pytest.raises(InvalidRequestError, match="temperature"):
            METHODS[method](FlashLLM(model="m", base_url=server.base_url, temperature=3))
        assert server.bodies == []


@pytest.mark.parametrize("options", [{"n": 2}, {"additional_kwargs": {"n": 2}}], ids=["n", "additional_kwargs"])
def test_several_choices_cannot_be_streamed(options):
    """Streams refuse n at once, before they are iterated; chat gives all choices in raw."""
    with replay(WHOLE) as server:
        llm = FlashLLM(model="m", base_url=server.base_url, **options)
        for stream, asked in ((llm.stream_chat, MESSAGES), (llm.stream_complete, "hi")):
            with pytest.raises(InvalidRequestError, match="n > 1"):
                stream(asked)
        for stream, asked in ((llm.astream_chat, MESSAGES), (llm.astream_complete, "hi")):
            with pytest.raises(InvalidRequestError, match="n > 1"):
                asyncio.run(stream(asked))
        assert server.bodies == []


def test_several_choices_come_in_raw(gateway, llm):
    """Of n choices the message is the first, and raw has them all, though the wire was streamed."""
    gateway.script(Answer(choices=[Answer("one"), Answer("two")]))
    response = llm.chat(MESSAGES, n=2)
    assert response.message.content == "one"
    assert [choice["message"]["content"] for choice in response.raw["choices"]] == ["one", "two"]


# --- what it says of itself -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "window"),
    [
        ({"model": "gpt-5.2"}, 200_000),
        ({"model": "gpt-5.2", "provider": "openai"}, 256_000),
        ({"model": "gpt-5.1"}, 128_000),
        ({"model": "gemini-2.5-pro"}, 1_000_000),
        ({"model": "gpt-5.2", "base_url": "https://host.test/v1"}, 200_000),
        ({"model": "unlisted"}, 128_000),
        ({"model": "gpt-5.2", "context_window": 5}, 5),
    ],
    ids=str,
)
def test_the_context_window_is_the_catalogues(options, window):
    """Each model's window comes from its row, or else the smallest listed; what the user says counts more."""
    assert FlashLLM(api_key="k", **options).metadata.context_window == window


def test_a_registered_model_has_its_window():
    """A model of the user's own brings its figure."""
    register_model("my-model", context_window=42)
    llm = FlashLLM(model="my-model", base_url="https://host.test/v1", api_key="k")
    assert llm.metadata.context_window == 42


def test_metadata_says_what_the_model_can():
    """A chat model that calls functions, without a limit to its answer, unless the user says otherwise."""
    metadata = FlashLLM(model="gpt-5.2").metadata
    assert (metadata.model_name, metadata.is_chat_model, metadata.is_function_calling_model) == ("gpt-5.2", True, True)
    assert (metadata.num_output, metadata.system_role) == (-1, MessageRole.SYSTEM)
    options = {"max_tokens": 9, "is_function_calling_model": False, "system_role": "developer"}
    metadata = FlashLLM(model="gpt-5.2", **options).metadata
    assert (metadata.num_output, metadata.is_function_calling_model) == (9, False)
    assert metadata.system_role == MessageRole.DEVELOPER
    assert FlashLLM(model="gpt-5.2", max_tokens=9, num_output=7).metadata.num_output == 7


# --- construction ---------------------------------------------------------------------------------------------------


def test_the_peers_words_are_understood():
    """LlamaIndex's own names for connection and model mean the same."""
    llm = FlashLLM(
        model_name="m", api_base="https://host.test/v1", api_key="k", request_timeout=5, stop_sequences=["x"]
    )
    assert (llm.model, llm.base_url, llm.timeout, llm.stop) == ("m", "https://host.test/v1", 5, ["x"])


@pytest.mark.parametrize("kind", [FlashLLM, FlashEmbedding])
@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({"api_base": "https://host.test/v1/"}, "https://host.test/v1"),
        ({"provider": "openai"}, "https://api.openai.com/v1"),
        ({"client": FlashClient(base_url="https://host.test/v1")}, "https://host.test/v1"),
    ],
    ids=["given", "a provider's", "a client's"],
)
def test_api_base_can_be_read(kind, options, url):
    """Where calls go, under the name that OpenAILike gives it, however it was said."""
    assert kind(model="m", **options).api_base == url


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"is_chat_model": True}, "every model is called as a chat model"),
        ({"temprature": 1}, "did you mean 'temperature'"),
        ({"reuse_client": False}, "always shared"),
        ({"stream": True}, "what streams are the streaming methods"),
        ({"image_documents": []}, r"complete\(prompt, image_documents="),
        ({"provider": "nobody"}, "unknown provider"),
        ({"base_url": "host"}, "must be a URL"),
        ({"metadata": {}}, "metadata"),
        ({"model_kwargs": {}}, "use additional_kwargs"),
        ({"extra_body": {}}, "use additional_kwargs"),
        ({"rate_limiter": 5}, "rate_limiter must be a BaseRateLimiter of llama_index.* not int"),
    ],
    ids=str,
)
def test_wrong_words_end_in_an_error_that_says_what_to_do(options, said):
    """A misspelt, a peer's or a meaningless word is refused in the constructor, with advice."""
    with pytest.raises(ConfigurationError, match=said):
        FlashLLM(model="gpt-5.2", **options)


def test_a_model_is_needed():
    """Without a model there is nothing to call."""
    with pytest.raises(ConfigurationError, match="model="):
        FlashLLM()


def test_a_missing_key_is_told_at_the_first_call(method):
    """The constructor needs no key; the first call names the variable to set."""
    llm = FlashLLM(model="gpt-5.2")
    with pytest.raises(ConfigurationError, match="FLASH_API_KEY"):
        METHODS[method](llm)


@pytest.mark.parametrize("kind", [FlashClient, AsyncFlashClient])
def test_a_sync_or_async_client_serves_both(kind):
    """One client may stand behind many objects, and brings its own connection."""
    with replay(WHOLE) as server:
        llm = FlashLLM(model="m", client=kind(base_url=server.base_url))
        assert llm.complete("hi").text == "Hello" == asyncio.run(llm.acomplete("hi")).text
        with pytest.raises(ConfigurationError, match="base_url"):
            FlashLLM(model="m", client=kind(base_url=server.base_url), base_url=server.base_url)


def test_without_llama_index_the_extra_is_named():
    """Importing the adapter without its framework says what to install, by an ImportError that is ours too."""
    code = """if True:
        import sys
        sys.modules["llama_index.core"] = None
        try:
            import flash_integrations.llama_index
        except ImportError as error:
            from flash_integrations.errors import ConfigurationError
            print(isinstance(error, ConfigurationError), error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("True ")
    assert "pip install 'flash-integrations[llama-index]'" in done.stdout
