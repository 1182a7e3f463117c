"""A progress bar, by tqdm, which is loaded only where one is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

from ..errors import MissingExtraError


@contextmanager
def progress(total: int, *, shown: bool, label: str) -> Iterator[Callable[[int], None]]:
    """What to tell how many more are done.

    Raises:
        ConfigurationError: (also an ImportError) a bar is wanted and tqdm is not installed.
    """
    if not shown:
        yield lambda _: None
        return
    try:
        tqdm = import_module("tqdm.auto").tqdm
    except ImportError as error:
        raise MissingExtraError("a progress bar needs tqdm: pip install tqdm") from error
    with tqdm(total=total, desc=label) as bar:
        yield bar.update
