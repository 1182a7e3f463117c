"""What a call asks for, out of the object's parameters and its own."""

import pytest

from flash_integrations._adapters.params import merge_params, refuse_choices
from flash_integrations.errors import InvalidRequestError

TOOLS = [{"type": "function", "function": {"name": "f"}}]


def merged(held=None, more=None, unchecked=None, **call):
    """The parameters of a call."""
    return merge_params("m", held=held or {}, more=more or {}, unchecked=unchecked, call=call)


def test_what_is_nearer_to_the_call_wins():
    """The call over the object's further parameters over its fields."""
    request = merged({"seed": 1, "user": "a", "top_p": 0.1}, {"seed": 2, "user": "b"}, seed=3)
    assert request == {"model": "m", "seed": 3, "user": "b", "top_p": 0.1}


def test_the_calls_model_wins():
    """As in every other integration."""
    assert merged(model="other")["model"] == "other"


def test_extra_bodies_are_laid_over_one_another():
    """Key by key, the call's over the object's, that over the one among its further parameters."""
    request = merged({}, {"extra_body": {"a": 0, "c": 0}}, {"a": 1, "b": 1}, extra_body={"b": 2})
    assert request["extra_body"] == {"a": 1, "b": 2, "c": 0}


@pytest.mark.parametrize("place", [{"tools": TOOLS}, {"extra_body": {"tools": TOOLS}}])
def test_what_the_object_says_of_tools_goes_out_with_tools_alone(place):
    """Endpoints refuse tool_choice without tools."""
    held = {"tool_choice": "auto", "parallel_tool_calls": False, "seed": 1}
    assert merged(held) == {"model": "m", "seed": 1}
    assert merged(held, **place)["tool_choice"] == "auto"


def test_what_the_call_says_of_tools_goes_out_as_it_is():
    """The user's own words are never left out silently."""
    assert merged(tool_choice="none") == {"model": "m", "tool_choice": "none"}


@pytest.mark.parametrize("request_", [{"n": 2}, {"extra_body": {"n": 2}}])
def test_several_choices_cannot_be_streamed(request_):
    """The error says what gives them all."""
    with pytest.raises(InvalidRequestError, match=r"n > 1 cannot be streamed.*generate"):
        refuse_choices(request_, instead="generate() gives them")
    refuse_choices({"n": 1, "extra_body": {"n": 1}}, instead="")
