"""The notebooks run, and what they show is what is committed: the same outputs, and nothing of this machine."""

from __future__ import annotations

import base64
import difflib
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
PNG = b"\x89PNG\r\n\x1a\n"

# jupyter-client 8.10 and its like tell of their own future.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(notebook):
    """The lines that each cell shows, sorted, for tools end in any order; of a picture, its name."""
    texts = [
        [each["text"] if "text" in each else each["data"].get("text/plain", "") for each in cell.outputs]
        for cell in code_cells(notebook)
    ]
    return [sorted("\n".join(each).splitlines()) for each in texts]


def assert_same(got, committed):
    """Fail with the lines that differ: ``-`` is committed, ``+`` is what came."""
    lines = [
        [f"cell {at}: {line}" for at, cell in enumerate(side, start=1) for line in cell] for side in (committed, got)
    ]
    difference = list(difflib.unified_diff(*lines, "committed", "executed", lineterm="", n=1))
    assert not difference, "\n".join(["the notebook shows something else than is committed:", *difference])


def execute(path):
    """Run a notebook from its beginning, where it stands; gives it with its new outputs."""
    notebook = read(path)
    NotebookClient(
        notebook, timeout=500, coalesce_streams=True, resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
    return notebook


def test_there_are_three():
    """The notebooks that the README names."""
    names = [path.stem for path in NOTEBOOKS]
    assert names == ["01_langchain_quickstart", "02_llamaindex_rag", "03_agents_token_by_token"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_gives_what_is_committed(path):
    """Without a key each runs on the local gateway without an error, and its outputs are the committed ones."""
    assert_same(shown(execute(path)), shown(read(path)))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_takes_the_key_of_the_environment(path, flash_gateway, monkeypatch):
    """With a key in the environment the same cells ask its gateway, and start none of their own."""
    monkeypatch.setenv("FLASH_BASE_URL", flash_gateway.base_url)
    monkeypatch.setenv("FLASH_API_KEY", flash_gateway.api_key)
    first, *rest = shown(execute(path))
    assert first == []
    assert_same(rest, shown(read(path))[1:])
    assert flash_gateway.requests
    assert all(request.status == 200 for request in flash_gateway.requests)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_committed_in_order(path):
    """Each was run from top to bottom in one go, ended without an error, and says whose answers these are."""
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {(output.output_type, output.get("name", "")) for cell in cells for output in cell.outputs}
    assert kinds <= {("stream", "stdout"), ("execute_result", ""), ("display_data", "")}
    assert "local gateway answers, by rules" in shown(read(path))[0][0]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_of_a_machine_is_committed(path):
    """No key, port, folder of a user, time or version stands in a notebook."""
    notebook = read(path)
    text = "\n".join([*(cell.source for cell in notebook.cells), *(str(each) for each in shown(notebook))])
    assert (
        re.findall(r"sk-(?!\.\.\.)\S+|127\.0\.0\.1|localhost|/(?:home|root|tmp|work|Users)/|0x[0-9a-f]{6}", text) == []
    )
    assert re.findall(r"\d{4}-\d\d-\d\dT\d\d", text) == []
    assert dict(notebook.metadata.language_info) == {"name": "python"}
    assert [cell.metadata for cell in notebook.cells if cell.metadata] == []


def test_the_neighbourhood_is_a_picture():
    """The second notebook has its picture, of a size to look at."""
    outputs = [output for cell in code_cells(read(NOTEBOOKS[1])) for output in cell.outputs]
    [picture] = [base64.b64decode(each["data"]["image/png"]) for each in outputs if "image/png" in each.get("data", {})]
    assert picture.startswith(PNG)
    width, height = (int.from_bytes(picture[at : at + 4]) for at in (16, 20))
    assert width >= 600
    assert height >= 400
