"""Secrets beside the key: in no traceback that shows locals, and a request without a key is told from a bad key."""

from __future__ import annotations

import copy
import logging
import pickle
import re
import traceback

import pytest
from langchain_core.load import dumps
from langchain_core.tracers.base import BaseTracer
from replay import WHOLE, Answer, chunk, refuse, replay

from flash_integrations import FlashClient, errors
from flash_integrations._config.endpoint import Credential
from flash_integrations._config.redaction import (
    HIDDEN,
    RedactedDict,
    Redactor,
    mask_secrets,
    without_secrets,
)
from flash_integrations.langchain import ChatFlash, FlashEmbeddings
from flash_integrations.llama_index import FlashEmbedding, FlashLLM

SECRET = "SECRET-made-up-0123456789"
MESSAGES = [{"role": "user", "content": "Hi"}]
OF_A_CALL = {"extra_headers": {"x-api-key": SECRET}, "extra_query": {"token": SECRET}}
CUT = Answer([chunk({"content": "a"})], end="drop")

CALLS = {
    "chat": lambda params, call: FlashClient(**params).chat(model="m", messages=MESSAGES, **call),
    "stream": lambda params, call: list(FlashClient(**params).stream_chat(model="m", messages=MESSAGES, **call)),
    "embed": lambda params, call: FlashClient(**params).embed(["Hi"], model="m", **call),
    "ChatFlash": lambda params, call: ChatFlash(model="m", **params).invoke("Hi", **call),
    "FlashEmbeddings": lambda params, call: FlashEmbeddings(model="m", **params).embed_documents(["Hi"], **call),
    "FlashLLM": lambda params, call: FlashLLM(model="m", **params).complete("Hi", **call),
}
HELD = {
    "ChatFlash": lambda params: ChatFlash(model="m", model_kwargs=OF_A_CALL, **params).invoke("Hi"),
    "FlashEmbeddings": lambda params: FlashEmbeddings(model="m", model_kwargs=OF_A_CALL, **params).embed_query("Hi"),
    "FlashLLM": lambda params: FlashLLM(model="m", additional_kwargs=OF_A_CALL, **params).complete("Hi"),
    "FlashEmbedding": lambda params: FlashEmbedding(
        model="m", additional_kwargs=OF_A_CALL, **params
    ).get_text_embedding("Hi"),
}


def showing(call):
    """The locals that show the secret in the frames of a failing call, its causes' too, by function and name."""
    with pytest.raises(errors.FlashError) as caught:
        call()
    found, left = [], [traceback.TracebackException.from_exception(caught.value, capture_locals=True)]
    while left:
        error = left.pop()
        for frame in error.stack:
            if frame.filename != __file__:
                found += [(frame.name, name) for name, shown in (frame.locals or {}).items() if SECRET in shown]
        context = None if error.__suppress_context__ else error.__context__
        left += [each for each in (error.__cause__, context) if each is not None]
    return found


@pytest.mark.parametrize("answer", [refuse(401), refuse(500), CUT], ids=["refused", "failed", "cut"])
@pytest.mark.parametrize("name", CALLS)
def test_secret_headers_of_an_object_stand_in_no_local(name, answer):
    """Neither our frames nor those of httpx and the frameworks show what default_headers and default_query hold."""
    with replay(answer) as server:
        params = {"default_headers": {"x-gateway-auth": SECRET}, "default_query": {"api_token": SECRET}}
        params |= {"base_url": server.base_url, "max_retries": 0}
        assert showing(lambda: CALLS[name](params, {})) == []
        assert SECRET in server.heads[0]


@pytest.mark.parametrize("answer", [refuse(401), CUT], ids=["refused", "cut"])
@pytest.mark.parametrize("name", CALLS)
def test_secret_headers_of_a_call_stand_in_the_callers_own_words_alone(name, answer):
    """The frameworks pass ``kwargs`` on as they were given; nothing that is made of them shows the secret."""
    with replay(answer) as server:
        params = {"base_url": server.base_url, "max_retries": 0}
        shown = {local for _, local in showing(lambda: CALLS[name](params, OF_A_CALL))}
        assert shown <= ({"kwargs", "bound_args"} if name.startswith("Flash") or name == "ChatFlash" else set())
        assert SECRET in server.heads[0]


@pytest.mark.parametrize("name", HELD)
def test_secret_headers_among_further_words_stand_in_no_local(name):
    """Headers held in model_kwargs or additional_kwargs are hidden, in the object's repr too."""
    with replay(refuse(401)) as server:
        assert showing(lambda: HELD[name]({"base_url": server.base_url, "max_retries": 0})) == []
        assert SECRET in server.heads[0]


@pytest.mark.parametrize("headers", [{"X": "ключ"}, {"X": 7}, {"X Y": "a"}, {"X": "a\nb"}])
def test_headers_that_cannot_be_sent_stand_in_no_local(headers):
    """Also where httpx refuses them, the key among them; the traceback can be shown with its locals."""
    with replay(refuse(401)) as server:
        params = {
            "base_url": server.base_url,
            "api_key": SECRET,
            "default_headers": {"x-gateway-auth": SECRET, **headers},
        }
        assert showing(lambda: FlashClient(**params).models()) == []


def test_what_redacts_does_not_show_what():
    """Its repr hides both the key and the other secrets, which it takes out of texts."""
    redact = Redactor(Credential("sk-the-key", provider="custom", url="https://h.test/v1", variable=None), (SECRET,))
    assert SECRET not in repr(redact)
    assert "sk-the-key" not in repr(redact)
    assert redact(f"sk-the-key {SECRET} rest") == "********** ********** rest"


def test_veiled_headers_are_the_headers():
    """Only their repr differs, and only in what is secret."""
    veiled = RedactedDict({"x-api-key": SECRET, "x-team": "blue"})
    assert veiled == {"x-api-key": SECRET, "x-team": "blue"}
    assert repr(veiled) == "{'x-api-key': '**********', 'x-team': 'blue'}"


# --- no key ---------------------------------------------------------------------------------------------------------


def unpickled(value):
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


@pytest.mark.parametrize(
    "ask",
    [
        lambda params: unpickled(FlashClient(**params)).chat(model="m", messages=MESSAGES),
        lambda params: list(unpickled(FlashClient(**params)).stream_chat(model="m", messages=MESSAGES)),
        lambda params: unpickled(FlashClient(**params)).embed(["Hi"], model="m"),
        lambda params: unpickled(ChatFlash(model="m", **params)).invoke("Hi"),
        lambda params: unpickled(FlashLLM(model="m", **params)).complete("Hi"),
    ],
    ids=["chat", "stream", "embed", "ChatFlash", "FlashLLM"],
)
def test_a_refusal_of_a_request_without_a_key_says_so(ask):
    """A key given as api_key= stays out of a pickle; the 401 that comes of it says that no key was sent."""
    with replay(refuse(401, "Incorrect API key provided")) as server:
        with pytest.raises(errors.AuthenticationError) as caught:
            ask({"base_url": server.base_url, "api_key": SECRET})
        assert "authorization" not in server.heads[0].lower()
    wanted = f"set FLASH_BASE_URL={server.base_url} and FLASH_API_KEY, or give api_key= (pickles do not keep it)"
    assert caught.value.hint == f"No key was sent: {wanted}"


@pytest.mark.parametrize(
    "params",
    [{"api_key": SECRET}, {"api_key": lambda: SECRET}, {"default_headers": {"x-api-key": SECRET}}],
    ids=["text", "function", "header"],
)
def test_a_refusal_of_a_key_does_not_say_that_none_was_sent(params):
    """Whichever way the key went."""
    with replay(refuse(401)) as server, pytest.raises(errors.AuthenticationError) as caught:
        FlashClient(base_url=server.base_url, **params).models()
    assert caught.value.hint is None


# --- the table: classes, places of a secret, ways out ---------------------------------------------------------------

BODY = {"extra_headers": {"x-api-key": SECRET}, "extra_query": {"token": SECRET}, "extra_body": {"api_key": SECRET}}
MCP = [{"type": "mcp", "server_url": "https://h.test", "authorization": SECRET, "headers": {"X-Api": SECRET}}]
MORE = {ChatFlash: "model_kwargs", FlashEmbeddings: "model_kwargs"}
CLASSES = [ChatFlash, FlashEmbeddings, FlashLLM, FlashEmbedding]
PLACES = {
    "api_key": lambda _: {"api_key": SECRET},
    "default_headers": lambda _: {"default_headers": {"x-api-key": SECRET}},
    "default_query": lambda _: {"default_query": {"token": SECRET}},
    "a URL": lambda kind: {
        MORE.get(kind, "additional_kwargs"): {"extra_body": {"fetch": [f"https://me:{SECRET}@h.test/v1"]}}
    },
    "a field": lambda kind: {"extra_body" if kind in MORE else "additional_kwargs": {"api_key": SECRET}},
    **{
        place: lambda kind, place=place: {MORE.get(kind, "additional_kwargs"): {place: BODY[place], "max_tokens": 7}}
        for place in BODY
    },
}


def ask(one):
    return {
        ChatFlash: lambda: one.invoke("Hi"),
        FlashEmbeddings: lambda: one.embed_query("Hi"),
        FlashLLM: lambda: one.complete("Hi"),
        FlashEmbedding: lambda: one.get_text_embedding("Hi"),
    }[type(one)]()


def ways_out(one):
    """All that an object shows of itself, by way."""
    shown = {
        "repr": repr(one),
        "str": str(one),
        "dump": str(one.model_dump()),
        "json": one.model_dump_json(exclude={"callback_manager", "profile"}),
        "dumpd": dumps(one),
        "pickle": repr(pickle.dumps(one)),
        "client": repr(vars(one._flash())) + repr(pickle.dumps(one._flash())),
    }
    if isinstance(one, ChatFlash):
        shown |= {
            "identity": str(one._identifying_params),
            "cache": one._get_llm_string(),
            "serialized": str(one._serialized),
            "trace": str(one._get_invocation_params(**BODY, tools=MCP)) + str(one._get_ls_params(**BODY)),
        }
    if isinstance(one, FlashLLM | FlashEmbedding):
        shown |= {"to_dict": str(one.to_dict()), "to_json": one.to_json(), "dict": str(one.dict())}
    return shown


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", CLASSES)
def test_a_secret_leaves_by_no_way(kind, place, caplog):
    """By repr, dump, pickle, cache key, trace, error or log; the object and its copies still send it."""
    caplog.set_level(logging.DEBUG, logger="flash_integrations")
    with replay(refuse(401, f"no: {SECRET}")) as server:
        one = kind(model="m", base_url=server.base_url, max_retries=0, **PLACES[place](kind))
        for each in (one, copy.copy(one), copy.deepcopy(one), one.model_copy()):
            assert [way for way, text in ways_out(each).items() if SECRET in text] == []
            with pytest.raises(errors.FlashError) as caught:
                ask(each)
            assert SECRET not in f"{caught.value} {caught.value!r} {vars(caught.value)}"
            assert SECRET in server.heads[-1] or SECRET in str(server.bodies[-1])
    assert SECRET not in caplog.text


@pytest.mark.parametrize("place", BODY)
@pytest.mark.parametrize("kind", CLASSES)
def test_a_secret_put_in_afterwards_leaves_by_no_way(kind, place):
    """Where the dict of an object that was made without any is changed in place."""
    one = kind(model="m", base_url="http://127.0.0.1:9/v1")
    getattr(one, MORE.get(kind, "additional_kwargs"))[place] = BODY[place]
    assert [way for way, text in ways_out(one).items() if SECRET in text] == []


class Recorder(BaseTracer):
    """A tracer that keeps what it would send to its service."""

    def _persist_run(self, run):
        self.text = run.model_dump_json() if hasattr(run, "model_dump_json") else run.json()


@pytest.mark.parametrize("place", BODY)
@pytest.mark.parametrize("way", ["bound", "of the call", "of the object"])
def test_a_tracer_is_told_no_secret(way, place):
    """LangChain's tracers get the run's inputs, parameters, outputs and errors, however the secret was given."""
    recorder = Recorder()
    with replay(refuse(401, f"no: {SECRET}")) as server:
        llm = ChatFlash(
            model="m",
            base_url=server.base_url,
            max_retries=0,
            model_kwargs={place: BODY[place]} if way == "of the object" else {},
        )
        said = {place: BODY[place]}
        asked = llm.bind(**said) if way == "bound" else llm
        with pytest.raises(errors.FlashError):
            asked.invoke("Hi", {"callbacks": [recorder]}, **(said if way == "of the call" else {}))
        assert SECRET in server.heads[-1] or SECRET in str(server.bodies[-1])
    assert "AuthenticationError" in recorder.text
    assert SECRET not in recorder.text


ANSWER_HEADERS = {
    "set-cookie": "a=b",
    "authorization": "Bearer x",
    "x-api-key": "k",
    "x-auth-token": "t",
    "x-ratelimit-remaining-tokens": "5",
    "x-request-id": "r",
}


def test_headers_of_an_answer_come_without_cookies_and_keys():
    """What a caller reads in ``completion.headers``; counts of tokens stay."""
    with replay(Answer(WHOLE.segments, headers=ANSWER_HEADERS)) as server:
        headers = FlashClient(base_url=server.base_url).chat(model="m", messages=MESSAGES).headers
    assert {name for name in ANSWER_HEADERS if name in headers} == {"x-ratelimit-remaining-tokens", "x-request-id"}


@pytest.mark.parametrize("named", ["default_headers", "default_query"])
@pytest.mark.parametrize("kind", CLASSES)
def test_what_is_changed_in_place_is_sent(kind, named):
    """The next call after ``default_headers[...] = ...`` or the like carries the new value."""
    with replay(refuse(401)) as server:
        one = kind(model="m", base_url=server.base_url, max_retries=0, **{named: {"x-team": "red"}})
        getattr(one, named)["x-team"] = "blue"
        with pytest.raises(errors.FlashError):
            ask(one)
        assert re.search("x-team(: |=)blue", server.heads[-1].lower())


@pytest.mark.parametrize("kind", CLASSES)
def test_a_set_of_disabled_params_is_a_list_in_json(kind):
    """JSON holds no sets."""
    one = kind(model="m", disabled_params={"user", "seed"})
    assert one.model_dump(include={"disabled_params"})["disabled_params"] == ["seed", "user"]


def test_what_only_sounds_secret_stays():
    """Token counts and cache keys of a body are in dumps; a schema that describes a password too."""
    plain = {"max_tokens": 1, "prompt_cache_key": "a", "logit_bias": {}, "properties": {"password": {"type": "string"}}}
    assert without_secrets(plain, in_body=True) == plain


def test_user_and_password_of_a_url_are_hidden_where_shown_and_gone_where_kept():
    """A pickle keeps the URL alone: stars would be sent as a user's name."""
    given = {"urls": (f"https://me:{SECRET}@h.test/v1",)}
    assert without_secrets(given, in_body=True) == {"urls": ("https://h.test/v1",)}
    assert mask_secrets(given) == {"urls": (f"https://{HIDDEN}@h.test/v1",)}
