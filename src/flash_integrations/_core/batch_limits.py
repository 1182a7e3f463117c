"""What a refusal says about the size of a batch of texts: how many there may be, or only that they are too many.

Texts seen on the wire (2026): DashScope, SiliconFlow, TEI, OpenAI, Azure, Voyage, Cohere, Gemini, Vertex, Mistral,
Jina, Zhipu, Qianfan, and Pydantic's validators before any of them.
"""

from __future__ import annotations

import re

from ..errors import APIStatusError, AuthenticationError, BadRequestError, FlashError, QuotaExceededError

_THINGS = (
    r"(?:inputs?|texts?|documents?|items?|elements?|entries|strings?|sentences?"
    r"|instances?(?:\(s\))?|requests?|records?)"
)
_ABOUT_BATCH = re.compile(
    r"batch[ _-]?size|batch is too (?:large|big|long)|per batch|in (?:one|a|the|each) (?:\w+ )?batch|more batches"
    rf"|too many {_THINGS}|(?:number|count|amount|length|size) of (?:the )?(?:\w+ ){{0,2}}{_THINGS}"
    rf"|(?:maximum|max|at most|up to|more than|larger than|exceeds?) (?:of |is |allowed )?(?:\w+ )?\d+ {_THINGS}\b"
    rf"|\d+ {_THINGS} (?:is|are) allowed"
    r"|array too long|array_above_max_length|too_long|list should have at most|ensure this value has at most"
    r"|(?:input|array|list)\b.{0,30}(?:length|size)\b"
    r".{0,40}(?:exceed|larger|greater|more than|at most|max|less|between|≤|<)"
    r"|max_tokens_per_request|max \d+ tokens per request"
    r"|tokens? (?:per|in (?:the|a|your)) (?:\w+ ){0,2}(?:batch|request)"
    r"|tokens per submitted batch|'?\$\.input'? is invalid"
    r"|(?:request|payload|body|content)(?: entity)?(?: size)?(?: is)? too large|request size exceeds"
    r"|批(?:量|次|处理)"
    r"|(?:条数|数组|数量|个数|列表).{0,12}(?:超过|最多|最大|不得|上限|过多|大于)"
    r"|(?:最多|不超过|不能超过)\D{0,8}\d+ ?(?:条|个|行)",
    re.IGNORECASE | re.DOTALL,
)
_NOT_ABOUT_BATCH = re.compile(r"physical batch size", re.IGNORECASE)  # llama.cpp: one text is too long for it

_LIMIT = re.compile(
    r"(?:larger than|greater than|more than|at most|up to|max(?:imum)?\w*|limit\w*|exceed(?:s|ed|ing)?|<=|≤"
    r"|between 1 and|less than or equal to|不(?:得|能|可|应)?(?:超过|大于|多于)|最多|最大|上限|超过|小于等于)"
    r"(?P<between>[^\d.;!?。]{0,48}?)(?P<limit>\d[\d,]*)(?P<after>[ _-]?tokens?)?",
    re.IGNORECASE,
)
_BELOW = re.compile(
    r"(?:(?:less|fewer|smaller) than|<(?!=)|少于|小于(?!等于))\D{0,12}?(\d[\d,]*)(?! ?tokens?)", re.IGNORECASE
)
_ALLOWED = re.compile(rf"(\d[\d,]*) {_THINGS} (?:is|are) allowed", re.IGNORECASE)

PAYLOAD_TOO_LARGE = 413


def smaller_batch(error: FlashError, size: int) -> int | None:
    """The size at which a refused batch is worth sending again, or None: it was not refused for its size.

    The figure the refusal names, where it is smaller than what was sent; else half.

    Args:
        error: what the batch came to.
        size: how many texts it had.
    """
    if size < 2 or not isinstance(error, APIStatusError) or isinstance(error, AuthenticationError | QuotaExceededError):
        return None
    text = f"{error.message} {error.code or ''} {error.type or ''}"
    too_large = error.status_code == PAYLOAD_TOO_LARGE
    if not too_large and not (isinstance(error, BadRequestError) and _ABOUT_BATCH.search(text)):
        return None
    if _NOT_ABOUT_BATCH.search(text):
        return None
    named = [_number(found["limit"]) for found in _LIMIT.finditer(text) if not found["after"]]
    named += [_number(found) for found in _ALLOWED.findall(text)]
    named += [_number(found) - 1 for found in _BELOW.findall(text)]
    fitting = [number for number in named if 1 <= number < size]
    return max(fitting, default=(size + 1) // 2)


def _number(digits: str) -> int:
    return int(digits.replace(",", "")[:12] or 0)
