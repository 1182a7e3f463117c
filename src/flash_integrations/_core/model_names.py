"""What a model's name alone says: GPT or o-series, who refuses ``stop``, who takes JSON schemas."""

from __future__ import annotations

import re

_VENDOR = r"(?:ft:|[\w.\-]+/)*"
_GPT = re.compile(rf"{_VENDOR}gpt-", re.IGNORECASE)
_O_SERIES = re.compile(rf"{_VENDOR}o\d", re.IGNORECASE)
_NO_STOP = re.compile(rf"{_VENDOR}(?:o3|o4-mini)(?:-\d{{4}}-\d{{2}}-\d{{2}})?(?::.*)?$", re.IGNORECASE)

# GPT-3.5, GPT-4 before 4o, and the first o1 models came before schemas (OpenAI's "Structured outputs" guide, 2024).
_BEFORE_SCHEMAS = re.compile(r"(?:^|[:/])(?:gpt-(?:3|4(?![\w.]))|o1-(?:mini|preview))", re.IGNORECASE)


def is_gpt(model: str) -> bool:
    """Whether the id names a GPT model: ``gpt-`` in any case, after an optional ``vendor/`` or ``ft:``."""
    return _GPT.match(model) is not None


def is_o_series(model: str) -> bool:
    """Whether the id names an o-series model: ``o`` and a digit, after an optional ``vendor/`` or ``ft:``."""
    return _O_SERIES.match(model) is not None


def refuses_stop(model: str) -> bool:
    """Whether the model takes no ``stop``: o3 and o4-mini, dated forms too (floxai's page, 2026)."""
    return _NO_STOP.match(model) is not None


def takes_schema(model: str) -> bool:
    """Whether the name alone says that the model takes ``response_format`` with a JSON schema: OpenAI's since 2024."""
    return (is_gpt(model) or is_o_series(model)) and _BEFORE_SCHEMAS.search(model) is None
