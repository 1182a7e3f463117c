"""Dumps, pickles and copies: the same settings, and no key."""

from __future__ import annotations

import copy
import pickle

import pytest

from .scenario import HELLO, Scenarios

WAYS = {
    "dict": lambda llm: type(llm).from_dict(llm.to_dict()),
    "json": lambda llm: type(llm).from_json(llm.to_json()),
    "pickle": lambda llm: pickle.loads(pickle.dumps(llm)),  # noqa: S301 - our own
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


class DumpScenarios(Scenarios):
    """What an object shows of itself."""

    @pytest.mark.parametrize("way", WAYS)
    def test_dumps(self, llm, way):
        """What comes of a dump names its class, has the same settings, and the object is not changed by it."""
        before = llm.to_dict()
        other = WAYS[way](llm)
        assert other.to_dict() == llm.to_dict() == before
        assert before["class_name"] == llm.class_name()
        assert llm.complete(HELLO).text

    def test_no_dump_shows_the_key(self, llm):
        """Neither before a call nor after."""
        for _ in range(2):
            shown = [repr(llm), str(llm), llm.to_dict(), llm.to_json(), llm.model_dump(), llm.to_payload()]
            assert self.secret is None or self.secret not in f"{shown} {pickle.dumps(llm)!r}"
            assert llm.complete(HELLO).text

    @pytest.mark.parametrize("way", ["copy", "deepcopy"])
    def test_copies_answer(self, llm, call, way):
        """A copy needs nothing more to answer, and changing it changes nothing else."""
        other = WAYS[way](llm)
        other.system_prompt = "Be kind."
        assert llm.system_prompt is None
        assert call(other, "complete", HELLO).text
