"""Bodies on the wire and the checks of what is sent name the same parameters."""

from __future__ import annotations

from flash_integrations._core.endpoints.chat.request import CHECKS
from flash_integrations._core.wire import ChatParams


def test_every_parameter_of_a_chat_call_is_checked():
    """What ChatParams documents is what `chat_call` checks, no more and no less."""
    assert CHECKS.keys() == ChatParams.__annotations__.keys()
