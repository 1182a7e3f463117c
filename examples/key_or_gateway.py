"""Where the examples get their answers from: the gateway that your key is for, or the local one where no key is set.

An application of yours needs none of this: it sets the key's variable, and that is all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from flash_integrations.testing import LocalGateway


@contextmanager
def key_or_gateway() -> Iterator[None]:
    """Leave the environment as it is if it names a key or a gateway; else start a local gateway and name that."""
    if any(os.environ.get(name, "").strip() for name in ("FLASH_API_KEY", "FLASH_PROVIDER", "FLASH_BASE_URL")):
        yield
        return
    with LocalGateway() as gateway:
        os.environ.update(FLASH_BASE_URL=gateway.base_url, FLASH_API_KEY=gateway.api_key)
        print("No FLASH_API_KEY is set: the local gateway answers, by rules and without a model.", file=sys.stderr)
        try:
            yield
        finally:
            del os.environ["FLASH_BASE_URL"], os.environ["FLASH_API_KEY"]
