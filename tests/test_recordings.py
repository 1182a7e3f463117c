"""The cassettes of this repository, as files. Each rule is one test that lists all offenders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "cassettes"
TEXTS = {f"{path.parent.name}/{path.stem}": path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.yaml"))}


def says_its_origin(text):
    """It says on its first lines that llama.cpp's server answered, and when."""
    return text.startswith("# Recorded on ") and "llama.cpp" in text.partition("\nversion:")[0]


def names_loopback_alone(text):
    """Its requests went to this machine's own servers."""
    hosts = set(re.findall(r"^ +uri: https?://([^/\n]+)", text, re.MULTILINE))
    return hosts != set() and hosts <= {"gateway", "model-server"}


def keeps_plain_headers_alone(text):
    """No header is kept in which a key could stand."""
    headers = set(re.findall(r"^      ([A-Za-z-]+):$", text, re.MULTILINE)) - {"body"}
    return {name.lower() for name in headers} <= {"accept", "content-type"}


def holds_no_key(text):
    """Nor is there anything that looks like one."""
    return not re.search(r"sk-[A-Za-z0-9]|Bearer ", text)


RULES = [says_its_origin, names_loopback_alone, keeps_plain_headers_alone, holds_no_key]
SAMPLE = next(iter(TEXTS.values()))
BROKEN = [
    (says_its_origin, SAMPLE.partition("\n")[2]),
    (names_loopback_alone, SAMPLE.replace("uri: http://", "uri: http://api.openai.com/")),
    (keeps_plain_headers_alone, SAMPLE + "\n      authorization:\n      - x\n"),
    (holds_no_key, SAMPLE + "\n# sk-abc\n"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_cassette_keeps_the_rule(rule):
    """All of them, whatever suite they are of."""
    assert [name for name, text in TEXTS.items() if not rule(text)] == []


@pytest.mark.parametrize(("rule", "text"), BROKEN, ids=[rule.__name__ for rule, _ in BROKEN])
def test_a_cassette_that_breaks_the_rule_is_found(rule, text):
    """An altered copy is an offender."""
    assert not rule(text)


def test_the_suites_that_are_replayed_have_left_their_cassettes():
    """None of them tests nothing."""
    suites = {name.partition("/")[0] for name in TEXTS}
    assert {"langchain_standard", "llama_index_contract", "langchain_comparison", "llama_index_comparison"} <= suites


def test_no_cassette_is_left_over():
    """Each belongs to a test module that still exists."""
    modules = Path(__file__).parent / "integration"
    suites = {name.partition("/")[0] for name in TEXTS}
    assert [suite for suite in suites if not (modules / f"test_{suite}.py").is_file()] == []
