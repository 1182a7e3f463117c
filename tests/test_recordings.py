"""The cassettes of this repository, as files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "cassettes"
CASSETTES = sorted(FOLDER.rglob("*.yaml"))


def test_there_are_some():
    """The suites that are replayed have left their cassettes."""
    suites = {path.parent.name for path in CASSETTES}
    assert {"langchain_standard", "llama_index_contract", "langchain_comparison", "llama_index_comparison"} <= suites


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_cassette_is_honest_and_holds_no_secret(path):
    """It says what it was recorded from, names loopback's own hosts alone, and has no header with a key."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Recorded on ")
    assert "llama.cpp" in text.partition("\nversion:")[0]
    assert set(re.findall(r"^ +uri: https?://([^/\n]+)", text, re.MULTILINE)) <= {"gateway", "model-server"}
    headers = set(re.findall(r"^      ([A-Za-z-]+):$", text, re.MULTILINE)) - {"body"}
    assert {name.lower() for name in headers} <= {"accept", "content-type"}
    assert not re.search(r"sk-[A-Za-z0-9]|Bearer ", text)


def test_no_cassette_is_left_over():
    """Each belongs to a test module that still exists."""
    modules = Path(__file__).parent / "integration"
    for suite in {path.parent.name for path in CASSETTES}:
        assert (modules / f"test_{suite}.py").is_file(), f"cassettes/{suite} belongs to no test"
