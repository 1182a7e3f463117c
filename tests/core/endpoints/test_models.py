"""The list of models, in the forms gateways give it."""

from __future__ import annotations

import json

import pytest

from flash_integrations._core.endpoints.models import ModelsReader, models_call
from flash_integrations._core.endpoints.reader import AnswerContext
from flash_integrations._core.environment import Environment
from flash_integrations.errors import APIConnectionError, MalformedResponseError, ServerError

ENV = Environment(clock=lambda: 0.0, unix_time=lambda: 0.0, random=lambda: 0.0, new_id=str)


def listed(body, *, lost=None):
    """The ids in a body."""
    reader = ModelsReader(AnswerContext({}, streamed=False, accepts_done=False, env=ENV))
    reader.feed(body if isinstance(body, bytes) else json.dumps(body).encode())
    reader.close(lost)
    return reader.result(retries=0)


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ({"data": [{"id": "m"}]}, ["m"]),
        ({"data": [], "message": "fine", "success": True}, []),
        ([{"id": "a"}, {"id": "b"}], ["a", "b"]),
        ({"models": [{"name": "a"}, "b"]}, ["a", "b"]),
        ({"data": None}, []),
        ([], []),
    ],
)
def test_every_form_of_a_list_is_read(body, ids):
    """An object with data or models, or a bare list; by id, by name, or as strings."""
    assert listed(body) == ids


@pytest.mark.parametrize("body", [b"", b"  \n", b"<html><title>x</title></html>", b"{"])
def test_a_body_that_is_no_json_is_malformed(body):
    """Nothing, pages and broken JSON are no answers."""
    with pytest.raises(MalformedResponseError):
        listed(body)


@pytest.mark.parametrize("body", [{"error": {"message": "boom"}}, {"success": False, "message": "boom", "data": None}])
def test_an_error_under_200_is_raised(body):
    """Gateways answer 200 and mean an error."""
    with pytest.raises(ServerError, match="boom"):
        listed(body)


def test_a_lost_line_spoils_a_json_body():
    """Half a body is none."""
    with pytest.raises(APIConnectionError):
        listed({"data": []}, lost=APIConnectionError("lost"))


def test_the_call_is_a_get_that_does_not_stream():
    """Nothing is sent but the path."""
    call = models_call()
    assert (call.path, call.body, call.may_stream) == ("/models", None, False)
