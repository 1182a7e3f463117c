"""The pytest fixture ``flash_gateway``. Nothing heavy is imported before a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .gateway import LocalGateway

__all__ = ["flash_gateway"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "flash_gateway(**words): words for the LocalGateway of this test's flash_gateway fixture"
    )


@pytest.fixture
def flash_gateway(request: pytest.FixtureRequest) -> Iterator[LocalGateway]:
    """A local gateway for one test; ``@pytest.mark.flash_gateway(enforce_limits=True)`` sets it up differently."""
    from flash_integrations.testing import LocalGateway

    marker = request.node.get_closest_marker("flash_gateway")
    with LocalGateway(**(marker.kwargs if marker else {})) as gateway:
        yield gateway
