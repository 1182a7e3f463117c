"""Ten thousand texts turned into vectors: this package beside its peers, against one server.

    python benchmarks/embeddings.py               # prints the table
    python benchmarks/embeddings.py --texts 400   # a smoke run

The server is a process of its own on loopback: 384 dimensions, an answer after 50 ms, ten requests at once, a 429 for
the eleventh. Each client runs in a fresh process and is measured from the call to the vectors: wall time, CPU time,
and how much the process's peak memory grew. All are the sync calls an application makes; re-sends and time-outs are the
clients' defaults.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import importlib.metadata
import json
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

DIMENSIONS = 384
LATENCY = 0.05
AT_ONCE = 10

Embed = Callable[[list[str]], list[list[float]]]


def flash_embeddings(url: str) -> Embed:
    from flash_integrations.langchain import FlashEmbeddings

    return FlashEmbeddings(base_url=url, rate_limit={"concurrent": AT_ONCE}).embed_documents


def flash_embedding(url: str) -> Embed:
    from flash_integrations.llama_index import FlashEmbedding

    return FlashEmbedding(base_url=url, rate_limit={"concurrent": AT_ONCE}).get_text_embedding_batch


def openai_embeddings(url: str, **words: Any) -> Embed:
    from langchain_openai import OpenAIEmbeddings

    made = OpenAIEmbeddings(base_url=url, api_key="x", check_embedding_ctx_length=False, **words)
    return made.embed_documents


def openai_like(url: str) -> Embed:
    from llama_index.embeddings.openai_like import OpenAILikeEmbedding

    made = OpenAILikeEmbedding(model_name="text-embedding-3-large", api_base=url, api_key="x", embed_batch_size=100)
    return made.get_text_embedding_batch


CLIENTS: dict[str, Callable[[str], Embed]] = {
    "FlashEmbeddings": flash_embeddings,
    "OpenAIEmbeddings, chunk_size=100": lambda url: openai_embeddings(url, chunk_size=100),
    "OpenAIEmbeddings, its default of 1000": openai_embeddings,
    "FlashEmbedding": flash_embedding,
    "OpenAILikeEmbedding, embed_batch_size=100": openai_like,
}
"""What is compared, by the name the table gives it. The tokenizer's download is turned off where there is one."""


# --- the server -----------------------------------------------------------------------------------------------------


class Server:
    """Answers embedding requests over HTTP/1.1, each after the latency; refuses what is too many at once."""

    def __init__(self) -> None:
        vector = [((at * 37) % 101 - 50) / 100 for at in range(DIMENSIONS)]
        self._rows = {
            "base64": json.dumps(base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *vector)).decode()),
            "float": json.dumps(vector),
        }
        self._live = 0

    async def serve(self) -> None:
        """Listen, say where on standard output, and answer until the process is ended."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=1 << 24)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                size = int(head.partition("content-length:")[2].partition("\r\n")[0])
                request = json.loads(await reader.readexactly(size))
                self._live += 1
                try:
                    status, answer = await self._answer(request)
                finally:
                    self._live -= 1
                lines = (
                    f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(answer)}\r\n\r\n"
                )
                writer.write(lines.encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, request: dict[str, Any]) -> tuple[int, bytes]:
        if self._live > AT_ONCE:
            return 429, b'{"error":{"message":"too many at once","type":"rate_limit_error"}}'
        await asyncio.sleep(LATENCY)
        row = self._rows[request.get("encoding_format") or "float"]
        rows = ",".join(
            f'{{"object":"embedding","index":{at},"embedding":{row}}}' for at in range(len(request["input"]))
        )
        usage = '{"prompt_tokens":1,"total_tokens":1}'
        return 200, f'{{"object":"list","data":[{rows}],"model":"m","usage":{usage}}}'.encode()


# --- one client -----------------------------------------------------------------------------------------------------


def measure(name: str, url: str, count: int) -> dict[str, float]:
    """Wall and CPU seconds and megabytes of one client's call; its first call, for one text, is not measured."""
    embed = CLIENTS[name](url)
    embed(["warm up"])
    texts = [f"This is text number {at}, which says nothing in particular about anything." for at in range(count)]
    before = _peak()
    wall, cpu = time.perf_counter(), time.process_time()
    vectors = embed(texts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if [len(vectors), len(vectors[-1])] != [count, DIMENSIONS]:
        raise SystemExit(f"{name}: {len(vectors)} vectors of {len(vectors[-1])} numbers")
    return {"wall": wall, "cpu": cpu, "memory": _peak() - before}


def _peak() -> float:
    """The process's peak memory so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _run(*words: str) -> Any:
    done = subprocess.run(  # noqa: S603 - this file
        [sys.executable, __file__, *words], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip() or f"{words} ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


# --- all of them ----------------------------------------------------------------------------------------------------


def table(count: int, rounds: int) -> str:
    """The table as Markdown: of each client the best of some rounds, taken in turns."""
    command = [sys.executable, __file__, "--serve"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this file
    try:
        port = server.stdout.readline().strip() if server.stdout else ""
        words = ("--url", f"http://127.0.0.1:{port}/v1", "--texts", str(count), "--client")
        runs = [{name: _run(*words, name) for name in CLIENTS} for _ in range(rounds)]
    finally:
        server.terminate()
        server.wait()
    best = {name: min((run[name] for run in runs), key=lambda got: got["wall"]) for name in CLIENTS}
    lines = ["| client | wall s | CPU s | memory MB | texts/s |", "|---|---|---|---|---|"]
    for name, got in best.items():
        speed = f"{count / got['wall']:,.0f}"
        lines.append(f"| {name} | {got['wall']:.2f} | {got['cpu']:.2f} | {got['memory']:.0f} | {speed} |")
    result = count * DIMENSIONS * 32 / 1e6  # an 8-byte pointer to a 24-byte float
    return "\n".join([*lines, "", f"The vectors themselves are {result:.0f} MB of Python floats."])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=10_000, help="how many texts")
    parser.add_argument("--rounds", type=int, default=3, help="how often each client runs; the best counts")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--client", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(Server().serve())
    elif given.client:
        print(json.dumps(measure(given.client, given.url, given.texts)))
    else:
        names = ("flash-integrations", "langchain-openai", "llama-index-embeddings-openai-like", "openai")
        print(table(given.texts, given.rounds))
        print("Versions:", ", ".join(f"{name} {_version(name)}" for name in names))


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    main()
