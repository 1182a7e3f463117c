"""The READMEs say what is true: their code runs, and the two languages show the same code and tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flash_integrations.testing import LocalGateway

ROOT = Path(__file__).parents[1]
READMES = ["README.md", "README.zh-CN.md"]


def blocks(name):
    """The Python blocks of a README."""
    return re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def gateway(monkeypatch):
    with LocalGateway() as gateway:
        monkeypatch.setenv("FLASH_BASE_URL", gateway.base_url)
        monkeypatch.setenv("FLASH_API_KEY", gateway.api_key)
        yield gateway


@pytest.mark.parametrize("name", READMES)
def test_the_code_runs(name, gateway, capsys):
    """Each block does as it stands, after those before it, at a gateway named by the environment."""
    names = {"__name__": "readme"}
    for block in blocks(name):
        exec(compile(block, name, "exec"), names)  # noqa: S102 - our own README
    names["test_my_chain"](gateway)
    said = capsys.readouterr().out
    assert "City(name='Paris', country='France')" in said or "name='Paris' country='France'" in said
    assert "get_weather" in said
    assert "Sources: ['The Wolf and the Crane'" in said
    assert all(request.status == 200 for request in gateway.requests)
    assert all(request.stream for request in gateway.requests if request.path.endswith("/chat/completions"))


def code(block):
    """A block without comments and texts, which differ between languages."""
    return re.sub(r'"[^"]*"', '""', re.sub(r"\s*#.*", "", block))


def test_both_languages_show_the_same_code():
    """Block by block, but for comments and texts."""
    english, chinese = map(blocks, READMES)
    assert [code(block) for block in english] == [code(block) for block in chinese]


def test_both_languages_have_the_same_parts():
    """As many headings, tables and rows, in the same order."""
    shapes = []
    for name in READMES:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        shapes.append([line.partition(" ")[0][:3] for line in lines if line.startswith(("#", "|", "- ", "```"))])
    assert shapes[0] == shapes[1]
