"""Our errors as LangChain's."""

from __future__ import annotations

import pickle

import pytest
from langchain_core import exceptions as theirs

from flash_integrations import errors
from flash_integrations.langchain._errors import langchain_error_of, translate_errors

TABLE = [
    (errors.AuthenticationError, theirs.ModelAuthenticationError, False),
    (errors.PermissionDeniedError, theirs.ModelPermissionDeniedError, False),
    (errors.QuotaExceededError, theirs.ModelPermissionDeniedError, False),
    (errors.BadRequestError, theirs.ModelInvalidRequestError, False),
    (errors.ContentFilterError, theirs.ModelInvalidRequestError, False),
    (errors.InvalidRequestError, theirs.ModelInvalidRequestError, False),
    (errors.ContextLengthError, theirs.ContextOverflowError, False),
    (errors.NotFoundError, theirs.ModelNotFoundError, False),
    (errors.RateLimitError, theirs.ModelRateLimitError, True),
    (errors.MalformedResponseError, theirs.ModelAPIError, True),
    (errors.ServerError, theirs.ModelAPIError, True),
    (errors.APIConnectionError, theirs.ModelConnectionError, True),
    (errors.StreamInterruptedError, theirs.ModelConnectionError, True),
    (errors.APITimeoutError, theirs.ModelTimeoutError, True),
]


@pytest.mark.parametrize(("ours", "their", "retryable"), TABLE, ids=lambda value: getattr(value, "__name__", value))
def test_each_error_is_both(ours, their, retryable):
    """An error is ours and LangChain's at once, and says whether another try may help."""
    langchain_error = langchain_error_of(ours("broken"))
    assert isinstance(langchain_error, ours)
    assert isinstance(langchain_error, their)
    assert bool(getattr(langchain_error, "is_retryable", False)) is retryable
    assert "broken" in str(langchain_error)


def test_the_table_is_complete():
    """Every error of ours but those of the set-up and the bases has one that is LangChain's, too."""
    known = {ours for ours, _, _ in TABLE}
    every = {getattr(errors, name) for name in errors.__all__}
    of_the_setup = {errors.ConfigurationError, errors.MissingExtraError}
    assert every - known == {errors.FlashError, errors.APIStatusError} | of_the_setup


def test_a_configuration_error_stays_plain():
    """What is wrong with the set-up is no model error."""
    error = errors.ConfigurationError("no key")
    assert langchain_error_of(error) is error


def status_error():
    """An error with everything an error can carry."""
    error = errors.RateLimitError("slow down", status_code=429, code="rate_limit", type="t", request_id="r", hint="h")
    error.retry_after, error.provider, error.model, error.retries = 3.0, "flashapi", "gpt-5.2", 2
    return error


def test_a_langchain_error_keeps_everything():
    """Status, code, request id, provider, model, re-sends and the message survive the translation."""
    error = status_error()
    langchain_error = langchain_error_of(error)
    assert {**vars(error), "is_retryable": None} == {**vars(langchain_error), "is_retryable": None}
    assert str(langchain_error) == str(error)


@pytest.mark.parametrize("ours", [ours for ours, _, _ in TABLE], ids=lambda ours: ours.__name__)
def test_langchain_errors_pickle(ours):
    """An error comes back from a pickle as the same class with the same message."""
    langchain_error = langchain_error_of(ours("broken"))
    again = pickle.loads(pickle.dumps(langchain_error))  # noqa: S301
    assert (type(again), str(again), vars(again)) == (
        type(langchain_error),
        str(langchain_error),
        vars(langchain_error),
    )


def test_the_cause_stays():
    """What caused an error is still told."""
    cause = OSError("line")
    with pytest.raises(errors.APIConnectionError) as caught, translate_errors():
        raise errors.APIConnectionError("lost") from cause
    assert caught.value.__cause__ is cause


REFUSALS = [
    (401, None, theirs.ModelAuthenticationError),
    (403, None, theirs.ModelPermissionDeniedError),
    (402, None, theirs.ModelPermissionDeniedError),
    (404, "model_not_found", theirs.ModelNotFoundError),
    (400, "context_length_exceeded", theirs.ContextOverflowError),
    (400, "content_filter", theirs.ModelInvalidRequestError),
    (429, None, theirs.ModelRateLimitError),
    (500, None, theirs.ModelAPIError),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
@pytest.mark.parametrize("method", ["invoke", "stream"])
def test_refusals_reach_the_caller_as_langchains(gateway, make, refusal, method):
    """What the gateway refuses is LangChain's error from a whole call and from a stream."""
    status, code, their = refusal
    gateway.fault(status, code=code)
    with pytest.raises(their) as caught:
        list(getattr(make(max_retries=0), method)("Hello"))
    assert isinstance(caught.value, errors.FlashError)
    assert caught.value.model == "gpt-5.2"


@pytest.mark.parametrize("method", ["ainvoke", "astream"])
async def test_async_refusals_reach_the_caller_as_langchains(gateway, make, method):
    """The async calls raise the same."""
    gateway.fault(401)

    async def run():
        return await make().ainvoke("Hello") if method == "ainvoke" else [_ async for _ in make().astream("Hello")]

    with pytest.raises(theirs.ModelAuthenticationError):
        await run()


def test_a_cut_stream_tells_what_had_come(gateway, make):
    """A stream that breaks raises after its tokens, with the part that came."""
    gateway.script("one two three four")
    gateway.fault(cut=2, end="drop")
    seen = []
    with pytest.raises(theirs.ModelConnectionError) as caught:
        seen.extend(chunk.text for chunk in make(max_retries=0).stream("Hello"))
    assert "".join(seen) == "one two"
    assert caught.value.partial.text == "one two"


def test_a_refused_parameter_is_langchains_too(gateway, llm):
    """What is refused before sending is an invalid request and a ValueError, and nothing was sent."""
    with pytest.raises(theirs.ModelInvalidRequestError, match="temperature") as caught:
        llm.invoke("Hello", temperature=3)
    assert isinstance(caught.value, ValueError)
    assert gateway.requests == []
