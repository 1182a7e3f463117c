"""Where the demo asks: a key that lies under another row's variable is not passed over in silence."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from flash_integrations.cli.demo import run


@pytest.mark.parametrize("variable", ["SUPERTOKEN_API_KEY", None])
def test_a_key_of_another_row_is_told(monkeypatch, variable):
    """Before the local gateway answers, the demo says which row the key that is set belongs to, and not the key."""
    if variable:
        monkeypatch.setenv(variable, "sk-made-up-secret")
    out = io.StringIO()
    run(Console(file=out, width=200), model="gpt-5.2", question="Hi")
    said = "SUPERTOKEN_API_KEY is set: did you mean provider='supertoken' (or FLASH_PROVIDER=supertoken)?"
    assert (said in out.getvalue()) is (variable is not None)
    assert "the local gateway" in out.getvalue()
    assert "sk-made-up-secret" not in out.getvalue()
