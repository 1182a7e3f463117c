"""Errors as values: each pickles and copies with all it carries, and says in one line what happened."""

from __future__ import annotations

import copy
import pickle

import pytest

from flash_integrations import errors
from flash_integrations._core.completion.completion import Choice, Completion
from flash_integrations._core.completion.usage import Usage

PARTIAL = Completion(id="c1", choices=(Choice(text="Hel"),), usage=Usage(total_tokens=3))
KINDS = [getattr(errors, name) for name in errors.__all__]


def made(kind):
    """An error with everything a call puts into it."""
    if issubclass(kind, errors.APIStatusError):
        error = kind("no", status_code=429, code="c", type="t", request_id="r", hint="Wait")
    else:
        error = kind("no")
    error.partial, error.provider, error.model, error.retries = PARTIAL, "flashapi", "gpt-5.2", 2
    if hasattr(kind, "retry_after"):
        error.retry_after = 7.0
    return error


def pickled(value):
    """What comes out of a pickle."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


@pytest.mark.parametrize("copied", [pickled, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", KINDS)
def test_errors_pickle_and_copy(kind, copied):
    """Type, message and every attribute come back, the partial answer too."""
    error = made(kind)
    again = copied(error)
    assert type(again) is kind
    assert vars(again) == vars(error)
    assert (str(again), again.args) == (str(error), error.args)
    assert again.partial.text == "Hel"


class TheirError(Exception):
    """An error of a framework's."""


class BothError(errors.RateLimitError, TheirError):
    """An adapter's error is ours and the framework's, with a constructor of its own."""

    def __init__(self, *, of):
        super().__init__(of.message, status_code=of.status_code)


def test_errors_of_two_families_pickle():
    """No constructor is in the way."""
    error = BothError(of=errors.RateLimitError("slow down", status_code=429))
    error.retry_after = 3.0
    again = pickled(error)
    assert isinstance(again, TheirError)
    assert (again.message, again.status_code, again.retry_after) == ("slow down", 429, 3.0)


def test_an_error_of_a_missing_extra_pickles():
    """It says the same on the other side, though ImportError keeps its message in a place of its own."""
    error = errors.MissingExtraError("pip install it")
    again = pickled(error)
    assert type(again) is errors.MissingExtraError
    assert (str(again), again.message) == (str(error), error.message) == ("pip install it", "pip install it")


def test_connection_errors_pickle_with_what_was_reached():
    """Whether the gateway was reached, and whether an answer was empty, is kept."""
    assert pickled(errors.APIConnectionError("no", reached=False)).reached is False
    assert pickled(errors.MalformedResponseError("no", empty=True)).empty is True


def test_a_status_error_says_what_it_knows():
    """Message, status, code and id in one line, and what to do about it."""
    error = errors.NotFoundError("no such model", status_code=404, code="model_not_found", request_id="r7", hint="Look")
    assert str(error) == "no such model (status 404, code model_not_found, request id r7). Look"
    assert str(errors.ServerError("boom")) == "boom"


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_a_flash_error(kind):
    """One name catches them all."""
    assert issubclass(kind, errors.FlashError)


def test_the_tree():
    """Who is caught with whom."""
    pairs = [
        (errors.InvalidRequestError, ValueError),
        (errors.APITimeoutError, errors.APIConnectionError),
        (errors.ContextLengthError, errors.BadRequestError),
        (errors.ContentFilterError, errors.BadRequestError),
        (errors.BadRequestError, errors.APIStatusError),
        (errors.RateLimitError, errors.APIStatusError),
        (errors.QuotaExceededError, errors.APIStatusError),
        (errors.MissingExtraError, errors.ConfigurationError),
        (errors.MissingExtraError, ImportError),
    ]
    assert [pair for pair in pairs if not issubclass(*pair)] == []
    assert not issubclass(errors.QuotaExceededError, errors.RateLimitError)
    assert not issubclass(errors.ConfigurationError, ValueError)
