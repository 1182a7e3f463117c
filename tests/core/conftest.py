"""Settings of the property-based tests of the core."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The same examples on every run, and no clock: a slow machine fails nothing.
settings.register_profile("core", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("core")
