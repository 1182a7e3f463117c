"""The corpus that the examples carry, as tests read it: its passages, its questions, and recall as a figure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[2] / "examples" / "corpus"
FILES = ("analects.zh.md", "fables.en.md")


@dataclass(frozen=True, slots=True)
class Passage:
    """One chapter or fable: the heading that names it, its text, and the file it stands in."""

    name: str
    text: str
    file: str

    @property
    def whole(self) -> str:
        """What is embedded: the name says what a fable is about, and a text seldom does."""
        return f"{self.name}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the languages of it and of its answer, the passage that answers it, and the words that do."""

    question: str
    asked_in: str
    answered_in: str
    passage: str
    holds: str

    @property
    def crosses(self) -> bool:
        return self.asked_in != self.answered_in


def passages() -> list[Passage]:
    """Every passage, in order."""
    found = []
    for file in FILES:
        for part in (FOLDER / "texts" / file).read_text(encoding="utf-8").split("\n## ")[1:]:
            name, _, text = part.partition("\n")
            found.append(Passage(name.strip(), text.strip(), file))
    return found


def questions() -> list[Question]:
    """Every question, in order."""
    lines = (FOLDER / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [Question(**json.loads(line)) for line in lines]


def ranking(vectors: Sequence[Sequence[float]], query: Sequence[float]) -> list[int]:
    """The numbers of the passages by their cosine with a question, nearest first."""
    table, wanted = np.asarray(vectors), np.asarray(query)
    cosines = table @ wanted / (np.linalg.norm(table, axis=1) * np.linalg.norm(wanted))
    return [int(at) for at in np.argsort(-cosines, kind="stable")]


def recall(
    embed_passages: Callable[[list[str]], list[list[float]]],
    embed_questions: Callable[[list[str]], list[list[float]]],
    *,
    depth: int = 3,
) -> dict[tuple[str, str], float]:
    """Recall: the share of questions whose passage is among the ``depth`` nearest ones.

    Keys are (which questions, which passages): "all", "same language" or "across languages"; and "together", the
    nearest of the whole corpus, or "each file", the nearest of each file.
    """
    known, asked = passages(), questions()
    vectors = embed_passages([passage.whole for passage in known])
    queries = embed_questions([question.question for question in asked])
    found: dict[tuple[str, str], list[bool]] = {}
    for question, query in zip(asked, queries, strict=True):
        ranked = [known[at] for at in ranking(vectors, query)]
        shelf = [passage for passage in ranked if f".{question.answered_in}." in passage.file]
        for where, nearest in (("together", ranked), ("each file", shelf)):
            hit = question.passage in {passage.name for passage in nearest[:depth]}
            for group in ("all", "across languages" if question.crosses else "same language"):
                found.setdefault((group, where), []).append(hit)
    return {key: sum(hits) / len(hits) for key, hits in found.items()}


def table(name: str, measured: dict[tuple[str, str], float]) -> str:
    """A row of the table in the corpus's README."""
    groups = ("all", "same language", "across languages")
    cells = [f"{measured[group, where]:.2f}" for where in ("together", "each file") for group in groups]
    return f"| {name} | {' | '.join(cells)} |"
