"""The examples as a user runs them: each in a process of its own, without a key, and in a user's own words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXTS = EXAMPLES / "corpus" / "texts"
NO_KEY = "No FLASH_API_KEY is set: the local gateway answers, by rules and without a model.\n"


def run(script, *params, code=0, **environment):
    """Run an example to its end; gives its output and error output."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script), *map(str, params)],
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def at(gateway):
    """The environment of a user whose key is for this gateway."""
    return {"FLASH_BASE_URL": gateway.base_url, "FLASH_API_KEY": gateway.api_key}


def test_a_folder_is_asked_without_a_key():
    """The answer comes from the right passage, its source is named, and whose answer it is is said."""
    said, errors = run("rag_over_folder.py", TEXTS, "Which bird took the bone out of the Wolf's throat?")
    answer, _, sources = said.partition("Sources:\n")
    assert "a small bone in the meat stuck in his throat" in answer
    assert sources.splitlines()[0] == "- fables.en.md: The Wolf and the Crane"
    assert errors == NO_KEY


def test_only_what_the_answer_cites_is_named(flash_gateway):
    """With a key of one's own the model's citations choose the sources."""
    flash_gateway.script("The Crane did [1].")
    said, errors = run(
        "rag_over_folder.py", TEXTS, "Which bird took the bone out of the Wolf's throat?", **at(flash_gateway)
    )
    assert said == "The Crane did [1].\nSources:\n- fables.en.md: The Wolf and the Crane\n"
    assert errors == ""


def test_kept_vectors_are_used_again(flash_gateway, tmp_path):
    """A second run with the same store sends the question alone to be embedded."""
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "one.txt").write_text("The moon is made of rock.", encoding="utf-8")
    params = (texts, "What is the moon made of?", "--store", tmp_path / "kept.json")
    assert run("rag_over_folder.py", *params, **at(flash_gateway)) == run(
        "rag_over_folder.py", *params, **at(flash_gateway)
    )
    sent = [each.body["input"] for each in flash_gateway.requests if each.path.endswith("/embeddings")]
    assert sent == [["The moon is made of rock."], ["What is the moon made of?"], ["What is the moon made of?"]]


@pytest.fixture
def folder(tmp_path):
    """A folder of one text."""
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "one.txt").write_text("The moon is made of rock.", encoding="utf-8")
    return folder


def embedded(gateway):
    """Which texts the gateway embedded, questions left out."""
    sent = [each.body["input"] for each in gateway.requests if each.path.endswith("/embeddings")]
    return [text for texts in sent for text in texts if not text.endswith("?")]


@pytest.mark.parametrize(
    ("change", "params", "told"),
    [
        ({"one.txt": "The moon is made of cheese."}, (), "other texts (one.txt)"),
        ({"Two.MD": "The sun is made of gas."}, (), "other texts (Two.MD)"),
        ({}, ("--embedding-model", "text-embedding-3-small"), "vectors of text-embedding-3-large"),
    ],
    ids=["a changed file", "a new file", "another model"],
)
def test_what_has_changed_is_embedded_anew(change, params, told, flash_gateway, folder):
    """A store made from other files or with another model is not used, and that is said; the new one is kept."""
    asked, store = "What is it made of?", folder.parent / "kept.json"
    run("rag_over_folder.py", folder, asked, "--store", store, **at(flash_gateway))
    for name, text in change.items():
        (folder / name).write_text(text, encoding="utf-8")
    flash_gateway.clear()
    _, first = run("rag_over_folder.py", folder, asked, "--store", store, *params, **at(flash_gateway))
    _, second = run("rag_over_folder.py", folder, asked, "--store", store, *params, **at(flash_gateway))
    assert first == f"{store} was made from {told}: embedding all anew.\n"
    assert second == ""
    assert sorted(embedded(flash_gateway)) == sorted(
        path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())
    )


def test_a_store_of_unknown_origin_is_not_trusted(flash_gateway, folder):
    """Where nothing tells what a store was made from, it is made anew."""
    store = folder.parent / "kept.json"
    store.write_text("{}", encoding="utf-8")
    _, errors = run("rag_over_folder.py", folder, "What?", "--store", store, **at(flash_gateway))
    assert errors == f"{store} was made from nobody knows what: embedding all anew.\n"
    assert embedded(flash_gateway) == ["The moon is made of rock."]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (None, b"", "{folder} is no folder"),
        ("notes.pdf", b"x", "{folder} has no .md or .txt file in it"),
        ("empty.txt", b"", "the files in {folder} have no text in them"),
        ("latin.txt", "Äsop".encode("latin-1"), "{file} is not in UTF-8 (byte 0): save it in that encoding"),
    ],
    ids=["no folder", "no texts", "no text", "another encoding"],
)
def test_a_folder_that_cannot_be_read_is_told_in_one_line(name, content, told, flash_gateway, tmp_path):
    """It ends with code 2 and says what is wrong where, before anything is asked."""
    folder = tmp_path / "texts"
    if name:
        folder.mkdir()
        (folder / name).write_bytes(content)
    _, errors = run("rag_over_folder.py", folder, "What?", code=2, **at(flash_gateway))
    assert errors == f"rag_over_folder.py: {told.format(folder=folder, file=folder / (name or ''))}\n"
    assert flash_gateway.requests == []


def test_each_file_is_heard():
    """With --each-file passages come from every file, so that one in another language is among them."""
    said, _ = run("rag_over_folder.py", TEXTS, "狐狸为什么说葡萄是酸的？", "--each-file", "--passages", 2)
    sources = said.partition("Sources:\n")[2]
    assert sources.count("- analects.zh.md: ") == sources.count("- fables.en.md: ") == 2


def test_an_agent_shows_its_tools_and_its_words():
    """Both tools are called, with their arguments shown, and the answer has what they gave."""
    said, errors = run("agent_with_tools.py")
    assert '[add] {"first": 17, "second": 25}' in said
    assert '[read_fable] {"title": "Two Crabs"}' in said
    assert "[add gave: 42.0]" in said
    answer = said.partition("add says: ")[2]
    assert answer.startswith("42.0")
    assert "Example is the best precept." in answer
    assert errors == NO_KEY


def test_an_agent_is_asked_in_a_users_words(flash_gateway):
    """The question and the model of the command line are what goes out."""
    flash_gateway.script("Nothing to add.")
    said, _ = run("agent_with_tools.py", "Hello?", "--model", "gpt-5.1", **at(flash_gateway))
    assert said == "Nothing to add.\n"
    request = flash_gateway.requests[0]
    assert (request.model, request.body["messages"][-1]["content"]) == ("gpt-5.1", "Hello?")


@pytest.mark.parametrize("script", ["rag_over_folder.py", "agent_with_tools.py", "chat_service.py"])
def test_each_example_tells_its_words(script):
    """--help explains the command, and asks no gateway."""
    said, errors = run(script, "--help")
    assert said.startswith("usage: ")
    assert errors == ""
