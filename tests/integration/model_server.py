"""A real language model that answers: llama.cpp's server as a context manager."""

from __future__ import annotations

import http.client
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

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


class ModelServer:
    """llama-server on a free port of 127.0.0.1, from entering to leaving; entering gives its :class:`Endpoint`.

    Args:
        installation: what to run.
        api_key: the key the server asks for.
        start_timeout: seconds it may take to load the model.

    Raises:
        NotAvailable: on entering, when the server ends or is not ready in time; with the end of its log.
    """

    def __init__(self, installation: Installation, *, api_key: str = "x", start_timeout: float = 120) -> None:
        self.installation = installation
        self.start_timeout = start_timeout
        self.port = _free_port()
        self.endpoint = Endpoint(
            base_url=f"http://127.0.0.1:{self.port}/v1",
            api_key=api_key,
            model=installation.model.name,
            tools=installation.model.tools,
        )
        self.log = installation.gguf.parent / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """The server's command line."""
        model = self.installation.model
        template = ["--chat-template-file", str(HERE / model.template)] if model.template else []
        return [
            *(str(self.installation.binary), "--model", str(self.installation.gguf), "--alias", model.name),
            *("--host", "127.0.0.1", "--port", str(self.port), "--api-key", self.endpoint.api_key),
            *("--ctx-size", str(model.context), "--parallel", "4", "--kv-unified", "--threads", "2"),
            # A cached prompt changes the sums' order, and with it now and then a token.
            *("--no-cache-prompt", "--n-predict", "400", "--jinja", *template, "--offline", "--no-webui"),
        ]

    def __enter__(self) -> Endpoint:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command(),
                env=server_environment(self.installation.binary),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return self.endpoint

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self.start_timeout
        while not _is_healthy(self.port):
            if process.poll() is not None:
                raise NotAvailable(f"the model server ended with {process.returncode}:\n{self._end_of_log()}")
            if time.monotonic() > deadline:
                raise NotAvailable(f"no model server after {self.start_timeout} s:\n{self._end_of_log()}")
            time.sleep(0.1)

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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
