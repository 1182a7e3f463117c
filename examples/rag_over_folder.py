"""Answer a question from the texts of a folder, and name the passages that the answer stands on.

::

    python examples/rag_over_folder.py examples/corpus/texts "Which bird took the bone out of the Wolf's throat?"
    python examples/rag_over_folder.py my_notes "..." --store notes.json   # embeds once, and keeps the vectors there

Beside the store stands what it was made from (``notes.json.from``): when files or the embedding model have changed
since, all is embedded anew. Needs
``pip install 'flash-integrations[langchain,gateway]' langchain-text-splitters numpy``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from key_or_gateway import key_or_gateway
from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_text_splitters import MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter

from flash_integrations.langchain import ChatFlash, FlashEmbeddings

PROMPT = """Answer the question from the passages alone, in the language of the question, in one or two sentences.
After each statement give the number of its passage in brackets, such as [1]. If they do not tell, say so.

{passages}

Question: {question}"""


SUFFIXES = (".md", ".txt")


class FolderLoader(BaseLoader):
    """The ``.md`` and ``.txt`` files of a folder, cut into passages that know their file and their heading."""

    def __init__(self, folder: Path, *, size: int = 2000) -> None:
        self.folder = folder
        self._by_heading = MarkdownHeaderTextSplitter([("#", "work"), ("##", "passage")], strip_headers=False)
        self._by_size = RecursiveCharacterTextSplitter(
            chunk_size=size, chunk_overlap=0, separators=["\n\n", "\n", "。", ". ", "，", " ", ""]
        )

    def lazy_load(self) -> Iterator[Document]:
        """The passages, file by file.

        Raises:
            ValueError: the folder has no such file, or one of them is no text in UTF-8.
        """
        paths = [path for path in sorted(self.folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
        if not paths:
            missing = "has no .md or .txt file in it" if self.folder.is_dir() else "is no folder"
            raise ValueError(f"{self.folder} {missing}")
        for path in paths:
            try:
                text = path.read_text(encoding="utf-8-sig")
            except UnicodeDecodeError as error:
                raise ValueError(f"{path} is not in UTF-8 (byte {error.start}): save it in that encoding") from error
            whole = [Document(page_content=text)]
            if path.suffix.lower() == ".md":
                whole = self._by_heading.split_text(text)
            for number, part in enumerate(self._by_size.split_documents(whole), start=1):
                name = part.metadata.get("passage", f"part {number}")
                source = path.relative_to(self.folder).as_posix()
                yield Document(page_content=part.page_content, metadata={"source": source, "passage": name})


def made_from(passages: Sequence[Document], model: str) -> dict[str, Any]:
    """What a store of these passages is made from: the embedding model, and each file by a hash of its passages."""
    files: dict[str, Any] = {}
    for each in passages:
        hashed = files.setdefault(each.metadata["source"], hashlib.sha256())
        hashed.update(f"{each.metadata['passage']}\0{each.page_content}\0".encode())
    return {"embedding_model": model, "files": {name: hashed.hexdigest() for name, hashed in files.items()}}


def open_store(
    passages: Sequence[Document], embeddings: Embeddings, *, model: str, kept: Path | None
) -> InMemoryVectorStore:
    """The passages and their vectors: those kept in a file, if made from the same; else made now, and kept."""
    origin, now = Path(f"{kept}.from"), made_from(passages, model)
    if kept and kept.exists():
        then = json.loads(origin.read_text(encoding="utf-8")) if origin.exists() else {}
        if then == now:
            return InMemoryVectorStore.load(str(kept), embeddings)
        print(f"{kept} was made from {difference(then, now)}: embedding all anew.", file=sys.stderr)
    store = InMemoryVectorStore.from_documents(list(passages), embeddings)
    if kept:
        origin.unlink(missing_ok=True)  # so that a half-written store is never taken for a whole one
        store.dump(str(kept))
        origin.write_text(json.dumps(now, ensure_ascii=False, indent=1), encoding="utf-8")
    return store


def difference(then: dict[str, Any], now: dict[str, Any]) -> str:
    """What is not as it was when a store was made, in words."""
    if not then:
        return "nobody knows what"
    if then["embedding_model"] != now["embedding_model"]:
        return f"vectors of {then['embedding_model']}"
    both = then["files"].keys() | now["files"].keys()
    return "other texts (" + ", ".join(sorted(n for n in both if then["files"].get(n) != now["files"].get(n))) + ")"


def retrieve(store: InMemoryVectorStore, question: str, *, count: int, each_file: bool) -> list[Document]:
    """The nearest passages; with ``each_file`` as many from every file.

    Multilingual embeddings prefer passages in the question's own language to better ones in another. Where files are
    in different languages, asking each of them makes up for that.
    """
    if not each_file:
        return store.similarity_search(question, k=count)
    sources = sorted({entry["metadata"]["source"] for entry in store.store.values()})
    return [
        document
        for source in sources
        for document in store.similarity_search(
            question, k=count, filter=lambda each, source=source: each.metadata["source"] == source
        )
    ]


def answer(llm: BaseChatModel, question: str, passages: Sequence[Document]) -> tuple[str, list[Document]]:
    """The answer, and the passages it cites; all that it was given where it cites none."""
    numbered = "\n\n".join(f"[{number}] {each.page_content}" for number, each in enumerate(passages, start=1))
    text = llm.invoke(PROMPT.format(passages=numbered, question=question)).text
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", text)}
    return text, [each for number, each in enumerate(passages, start=1) if number in cited] or list(passages)


def main() -> None:
    """Print the answer and its sources."""
    parser = argparse.ArgumentParser(description="Answers from a folder, with sources.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("question")
    parser.add_argument("--model", default="gpt-5.2")
    parser.add_argument("--embedding-model", default="text-embedding-3-large")
    parser.add_argument("--store", type=Path, help="a JSON file to keep the vectors in")
    parser.add_argument("--passages", type=int, default=3, help="how many to answer from (%(default)s)")
    parser.add_argument("--each-file", action="store_true", help="take so many from each file, not from all together")
    words = parser.parse_args()
    try:
        passages = FolderLoader(words.folder).load()
    except ValueError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    if not passages:
        parser.exit(2, f"{parser.prog}: the files in {words.folder} have no text in them\n")
    with key_or_gateway():
        embeddings = FlashEmbeddings(model=words.embedding_model)
        store = open_store(passages, embeddings, model=words.embedding_model, kept=words.store)
        found = retrieve(store, words.question, count=words.passages, each_file=words.each_file)
        text, sources = answer(ChatFlash(model=words.model), words.question, found)
    print(text)
    print("Sources:")
    for each in sources:
        print(f"- {each.metadata['source']}: {each.metadata['passage']}")


if __name__ == "__main__":
    main()
