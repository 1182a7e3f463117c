"""Agents' middleware and our errors: what is tried again, what is handed over, and what works offline."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
    _retry,
)
from langchain_core.exceptions import ModelAuthenticationError, ModelError, ModelRateLimitError
from langchain_core.messages import AIMessage, HumanMessage
from replay import WHOLE, refuse, replay

from flash_integrations import errors
from flash_integrations.langchain import ChatFlash

HELLO = {"messages": [HumanMessage("Hello")]}


def at(server, **params):
    """A model at a replay server that sends nothing again by itself."""
    return ChatFlash(**{"model": "m", "base_url": server.base_url, "rate_limit": None, "max_retries": 0, **params})


def agent(llm, *middleware):
    """An agent without tools."""
    return create_agent(llm, [], middleware=list(middleware))


def again(**params):
    """Retry middleware that does not wait."""
    return ModelRetryMiddleware(
        **{"max_retries": 2, "initial_delay": 0.0, "jitter": False, "on_failure": "error", **params}
    )


RETRYABLE = [refuse(429, "slow down"), refuse(500, "oops"), refuse(503, "overloaded")]
FINAL = [
    (refuse(401, "bad key", code="invalid_api_key"), errors.AuthenticationError),
    (refuse(400, "bad", code="invalid_request_error"), errors.BadRequestError),
    (refuse(429, "no credit", code="insufficient_quota"), errors.QuotaExceededError),
    (refuse(403, "not for you"), errors.PermissionDeniedError),
    (refuse(404, "no such model", code="model_not_found"), errors.NotFoundError),
    (refuse(400, "too long", code="context_length_exceeded"), errors.ContextLengthError),
]


@pytest.mark.parametrize("refusal", RETRYABLE, ids=lambda refusal: refusal.status)
def test_the_retry_middleware_tries_again_what_may_pass(refusal):
    """A failure that may pass is tried again by the agent once our own re-sends are used up."""
    with replay(refusal, WHOLE) as server:
        assert agent(at(server), again()).invoke(HELLO)["messages"][-1].text == "Hello"
    assert len(server.bodies) == 2


async def test_the_retry_middleware_tries_again_in_async_code():
    """The async agent does too."""
    with replay(RETRYABLE[0], WHOLE) as server:
        assert (await agent(at(server), again()).ainvoke(HELLO))["messages"][-1].text == "Hello"
    assert len(server.bodies) == 2


@pytest.mark.skipif(not hasattr(_retry, "default_retry_on"), reason="this langchain's middleware asks no error")
@pytest.mark.parametrize(("refusal", "kind"), FINAL, ids=lambda value: getattr(value, "__name__", None))
def test_the_retry_middleware_leaves_what_will_not_pass(refusal, kind):
    """A refusal that will be one again is raised at once: ``is_retryable`` says so."""
    with replay(refusal) as server, pytest.raises(kind) as caught:
        agent(at(server), again()).invoke(HELLO)
    assert len(server.bodies) == 1
    assert isinstance(caught.value, ModelError)
    assert not caught.value.is_retryable


def test_resends_and_retries_multiply_knowingly():
    """Two sends a try with one re-send of ours, and two tries: four requests, no more."""
    with replay(refuse(500, "oops")) as server, pytest.raises(errors.ServerError):
        agent(at(server, max_retries=1, max_retry_after=0.1), again(max_retries=1)).invoke(HELLO)
    assert len(server.bodies) == 4


async def test_the_fallback_middleware_hands_over():
    """An agent whose model fails goes on with the next one, sync and async."""
    with replay(refuse(401, "bad key", code="invalid_api_key")) as broken, replay(WHOLE) as server:
        agent_ = agent(at(broken), ModelFallbackMiddleware(at(server)))
        assert agent_.invoke(HELLO)["messages"][-1].text == "Hello"
        assert (await agent_.ainvoke(HELLO))["messages"][-1].text == "Hello"
    assert len(server.bodies) == 2


@pytest.mark.parametrize("kind", [ModelRateLimitError, errors.RateLimitError])
def test_with_retry_takes_either_class(kind):
    """``with_retry`` knows an error as LangChain's and as ours."""
    with replay(refuse(429, "slow down"), WHOLE) as server:
        llm = at(server).with_retry(
            retry_if_exception_type=(kind,), wait_exponential_jitter=False, stop_after_attempt=2
        )
        assert llm.invoke("Hello").text == "Hello"


def test_with_retry_leaves_other_classes():
    """An error of another class is raised at once."""
    with replay(refuse(401, "bad key", code="invalid_api_key")) as server:
        llm = at(server).with_retry(retry_if_exception_type=(errors.RateLimitError,), wait_exponential_jitter=False)
        with pytest.raises(ModelAuthenticationError):
            llm.invoke("Hello")
    assert len(server.bodies) == 1


@pytest.mark.parametrize("kind", [ModelAuthenticationError, errors.AuthenticationError])
def test_with_fallbacks_takes_either_class(kind):
    """``with_fallbacks`` hands over on an error of either class."""
    with replay(refuse(401, "bad key", code="invalid_api_key")) as broken, replay(WHOLE) as server:
        llm = at(broken).with_fallbacks([at(server)], exceptions_to_handle=(kind,))
        assert llm.invoke("Hello").text == "Hello"
        assert "".join(part.text for part in llm.stream("Hello")) == "Hello"


def test_the_call_limit_is_kept(gateway, llm):
    """``ModelCallLimitMiddleware`` ends a run after so many calls."""

    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    agent_ = create_agent(llm, [get_weather], middleware=[ModelCallLimitMiddleware(run_limit=1)])
    messages = agent_.invoke({"messages": [HumanMessage("What is the weather in Paris? Use get_weather.")]})["messages"]
    assert len(gateway.requests) == 1
    assert "limit" in messages[-1].text


@pytest.mark.parametrize("trigger", [("tokens", 50), ("fraction", 0.0005)])
def test_long_conversations_are_summed_up_offline(gateway, llm, trigger):
    """``SummarizationMiddleware`` counts tokens and knows the window without a download or a table of its own."""
    middleware = SummarizationMiddleware(llm, trigger=trigger, keep=("messages", 1))
    said = [HumanMessage("word " * 200), AIMessage("word " * 200), HumanMessage("So?")]
    messages = agent(llm, middleware).invoke({"messages": said})["messages"]
    assert len(gateway.requests) == 2
    assert "summary" in messages[0].text


def test_ones_own_counter_may_be_the_models(llm):
    """The model's own count serves as the middleware's counter."""
    middleware = SummarizationMiddleware(
        llm, trigger=("tokens", 50), keep=("messages", 1), token_counter=llm.get_num_tokens_from_messages
    )
    assert middleware.token_counter([HumanMessage("word " * 100)]) > 50
