"""Answer a question from the texts of a folder, and name the passages that the answer stands on.

::

    python examples/rag_over_folder.py examples/corpus/texts "Which bird took the bone out of the Wolf's throat?"
    python examples/rag_over_folder.py my_notes "..." --store notes.json   # embeds once, and keeps the vectors there

Needs ``flash-integrations[langchain,gateway]``, ``langchain-text-splitters`` and ``numpy``.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

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


class FolderLoader(BaseLoader):
    """The ``.md`` and ``.txt`` files of a folder, cut into passages that know their file and their heading."""

    def __init__(self, folder: Path, *, size: int = 2000) -> None:
        self.folder = folder
        self._by_heading = MarkdownHeaderTextSplitter([("#", "work"), ("##", "passage")], strip_headers=False)
        self._by_size = RecursiveCharacterTextSplitter(
            chunk_size=size, chunk_overlap=0, separators=["\n\n", "\n", "。", ". ", "，", " ", ""]
        )

    def lazy_load(self) -> Iterator[Document]:
        """The passages, file by file."""
        for path in sorted(self.folder.rglob("*")):
            if path.suffix not in {".md", ".txt"}:
                continue
            text = path.read_text(encoding="utf-8")
            whole = self._by_heading.split_text(text) if path.suffix == ".md" else [Document(page_content=text)]
            for number, part in enumerate(self._by_size.split_documents(whole), start=1):
                name = part.metadata.get("passage", f"part {number}")
                source = path.relative_to(self.folder).as_posix()
                yield Document(page_content=part.page_content, metadata={"source": source, "passage": name})


def open_store(folder: Path, embeddings: Embeddings, kept: Path | None) -> InMemoryVectorStore:
    """The folder's passages and their vectors: what was kept in a file, else made now, and kept."""
    if kept and kept.exists():
        return InMemoryVectorStore.load(str(kept), embeddings)
    store = InMemoryVectorStore.from_documents(FolderLoader(folder).load(), embeddings)
    if kept:
        store.dump(str(kept))
    return store


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
    with key_or_gateway():
        store = open_store(words.folder, FlashEmbeddings(model=words.embedding_model), words.store)
        found = retrieve(store, words.question, count=words.passages, each_file=words.each_file)
        text, sources = answer(ChatFlash(model=words.model), words.question, found)
    print(text)
    print("Sources:")
    for each in sources:
        print(f"- {each.metadata['source']}: {each.metadata['passage']}")


if __name__ == "__main__":
    main()
