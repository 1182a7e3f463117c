"""How fast a gateway may be called."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ...errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How fast a provider may be called. None means no such limit.

    Attributes:
        requests_per_minute: requests in any 60 seconds.
        requests_per_hour: requests in any 3,600 seconds.
        tokens_per_minute: tokens in any 60 seconds, of requests and answers. Estimated before sending, then corrected
            by the answer's usage.
        concurrent: requests at once; a stream counts until it ends.
    """

    requests_per_minute: int | None = None
    requests_per_hour: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigurationError(f"rate_limit: {limit.name} must be an int of at least 1, not {value!r}")
