"""What a refusal blames: the questions that the rows of ``quirks`` ask of it."""

from __future__ import annotations

import re

from ...errors import APIStatusError, BadRequestError, FlashError
from .refusal_texts import NOT_TAKEN, VALUE_FAULTS


def text_of(error: FlashError) -> str:
    """A refusal's words, its code and the parameter it names; "" for what is no refusal."""
    return f"{error.message} {error.code or ''} {error.param or ''}" if isinstance(error, APIStatusError) else ""


def names(error: FlashError, *patterns: str) -> bool:
    """Whether a refusal's text holds all the patterns."""
    text = text_of(error)
    return bool(text) and all(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)


def blames_value(error: FlashError) -> bool:
    """Whether a refusal blames this value, and would take another: a fact is for the whole process."""
    return VALUE_FAULTS.find(text_of(error)) is not None


def refuses(error: FlashError, name: str) -> bool:
    """Whether the request was refused because it had ``name``."""
    named = isinstance(error, BadRequestError) and names(error, rf"(?<![\w]){re.escape(name)}(?![\w])")
    return named and NOT_TAKEN.find(text_of(error)) is not None and not blames_value(error)
