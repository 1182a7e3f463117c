"""Which tool to call, from both frameworks' forms."""

import pytest

from flash_integrations._adapters.tool_choice import to_tool_choice
from flash_integrations.errors import InvalidRequestError

TOOLS = [{"type": "function", "function": {"name": "search"}}, {"type": "web_search"}]
NAMED = {"type": "function", "function": {"name": "search"}}


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (None, None),
        (False, None),
        (True, "required"),
        ("any", "required"),
        ("required", "required"),
        ("auto", "auto"),
        ("none", "none"),
        ("search", NAMED),
        ("web_search", {"type": "web_search"}),
        (NAMED, NAMED),
        ({"type": "tool", "name": "search"}, NAMED),
        ({"function": {"name": "search"}}, NAMED),
        ({"type": "any"}, "required"),
        ({"type": "auto"}, "auto"),
        ({"type": "allowed_tools", "mode": "auto"}, {"type": "allowed_tools", "mode": "auto"}),
    ],
)
def test_every_form_becomes_the_wires(choice, wire):
    """OpenAI's, Anthropic's, LangChain's and LlamaIndex's words."""
    assert to_tool_choice(choice, TOOLS) == wire


@pytest.mark.parametrize("choice", ["lookup", {"type": "function", "function": {"name": "lookup"}}])
def test_a_tool_that_is_not_there_is_refused_by_name(choice):
    """Before anything is sent; the tools there are stand in the error."""
    with pytest.raises(InvalidRequestError, match="no tool 'lookup'; the tools: search, web_search"):
        to_tool_choice(choice, TOOLS)
