"""Text as the scripted model sees it: tokens, words and sentences, in English and Chinese, by rules alone."""

from __future__ import annotations

import re

__all__ = ["CJK", "has_cjk", "sentences", "stemmed", "tokens", "vocabulary", "word_stems", "words"]

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
"""Ranges of the characters that are written without spaces, for use inside ``[...]`` of a pattern."""

_TOKEN = re.compile(rf"\s*(?:[{CJK}]|[^\W{CJK}]+|[^\w\s])|\s+")
_HAS_CJK = re.compile(f"[{CJK}]")
_RUN = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")
_ENDING = re.compile(r"(?<=[a-z]{2}[a-z])(?:ies|ing|ed|er|or|es|s|e|y)$")
_BULLET = re.compile(r"^\s*(?:[-*•#>]+|\d+[.)])\s*")


def vocabulary(text: str) -> frozenset[str]:
    """The words of a text that is nothing but words, as a set."""
    return frozenset(text.split())


_COMMON = vocabulary(
    "a about all also an and any are as at be been but by can could did do does for from get give had has have he her "
    "his how i if in into is it its just let like may me my no not now of on one only or our out please she should so "
    "some such tell than that the their them then there these they this those to up us use using want was we were what "
    "when where which who whom whose why will with would you your yes am im whats s t"
)
_CJK_COMMON = re.compile("[的了吗呢是在和与有我你您他她它们这那哪个什么怎样请把被就都也很吧啊之及或给对从到为]+")


def tokens(text: str) -> list[str]:
    """Cut a text into tokens that join to the same text; a CJK character is one, a word keeps the space before it."""
    return _TOKEN.findall(text)


def has_cjk(text: str) -> bool:
    """Whether a CJK character occurs."""
    return _HAS_CJK.search(text) is not None


def words(text: str) -> list[str]:
    """The words that carry meaning, lower-case and in order; CJK text gives its pairs of neighbouring characters.

    ``get_weather`` and ``getWeather`` are two words each; common words are left out.
    """
    found: list[str] = []
    for run in _RUN.findall(_HUMP.sub(" ", text.replace("_", " "))):
        if has_cjk(run):
            for part in filter(None, _CJK_COMMON.split(run)):
                found += [part] if len(part) == 1 else [part[at : at + 2] for at in range(len(part) - 1)]
        elif (word := run.lower()) not in _COMMON:
            found.append(word)
    return found


def stemmed(text: str) -> list[str]:
    """The words of a text without their endings, to be compared with another's: "adds" and "adder" are "add"."""
    return [_ENDING.sub("", word) if len(word) > 4 or word.endswith("s") else word for word in words(text)]


def word_stems(text: str) -> set[str]:
    """The different ones among :func:`stemmed`."""
    return set(stemmed(text))


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order, without bullets and blank ones. A line's end also ends a sentence."""
    return [found for part in _SENTENCE_END.split(text) if (found := _BULLET.sub("", part).strip())]
