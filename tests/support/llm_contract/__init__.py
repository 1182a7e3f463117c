"""What LlamaIndex, its agents and its counters ask of an LLM that calls functions, as a suite for any integration.

A test class inherits :class:`LLMContract`, gives the fixture ``llm`` and says with flags what its model is able to do;
what it is not able to do is skipped with a reason. Every scenario runs by the sync methods and by the async ones. A
``pytest.register_assert_rewrite("llm_contract")`` in ``conftest.py`` makes failures show both sides. ::

    class TestMyLLM(LLMContract):
        images = False  # the model sees none

        @pytest.fixture
        def llm(self):
            return MyLLM(model="m", temperature=0, max_tokens=100)

Each file holds the scenarios of one idea; ``scenario`` has the flags and what they have in common.
"""

from __future__ import annotations

import pytest

from .agents import AgentScenarios
from .beside import BesideScenarios
from .content import ContentScenarios
from .dumps import DumpScenarios
from .structured import StructuredScenarios
from .text import TextScenarios
from .tools import ToolScenarios

__all__ = ["LLMContract"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the framework itself calls older names, its own and others
class LLMContract(
    TextScenarios,
    ContentScenarios,
    BesideScenarios,
    DumpScenarios,
    ToolScenarios,
    StructuredScenarios,
    AgentScenarios,
):
    """All of it; ``llm`` answers a question always alike, where it can (temperature 0), and in few tokens."""
