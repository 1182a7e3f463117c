"""What a refusal says about the size of a batch of texts: how many there may be, or only that they are too many.

Texts seen on the wire (2026): DashScope, SiliconFlow, TEI, OpenAI, Azure, Voyage, Cohere, Gemini, Vertex, Mistral,
Jina, Zhipu, Qianfan, and Pydantic's validators before any of them.
"""

from __future__ import annotations

import re

from ....errors import APIStatusError, AuthenticationError, BadRequestError, FlashError, QuotaExceededError, ServerError

_THINGS = (
    r"(?:inputs?|texts?|documents?|items?|elements?|entries|strings?|sentences?"
    r"|instances?(?:\(s\))?|requests?|records?)"
)
_MANY_THINGS = r"(?:inputs|texts|documents|items|elements|entries|strings|sentences|instances|records)"
_AT_MOST = (
    r"(?:at most|up to|(?:more|fewer|less|greater|larger) than|max(?:imum)?|limit(?:ed)?(?: \w+)?"
    r"|exceeds?|only|over|to)"
)
_ABOUT_BATCH = re.compile(
    r"batch[ _-]?size|batch is too (?:large|big|long)|batch limit|per batch"
    r"|in (?:one|a|the|each) (?:\w+ )?batch|more batches"
    rf"|too many {_THINGS}|(?:number|count|amount|length|size) of (?:the )?(?:\w+ ){{0,2}}{_THINGS}"
    rf"|(?:maximum|max|at most|up to|more than|larger than|exceeds?) (?:of |is |allowed )?(?:\w+ )?\d+ {_THINGS}\b"
    rf"|\d+ {_THINGS} (?:is|are) allowed"
    rf"|\b{_AT_MOST} (?:\w+ ){{0,2}}(?:[\d,]+ )?{_MANY_THINGS}\b|\d+ {_MANY_THINGS}(?: \w+){{0,3}} (?:at most|limit)"
    rf"|\b{_MANY_THINGS}\b (?:\w+ ){{0,4}}{_AT_MOST}\W"
    r"|array too long|array_above_max_length|too_long|list should have at most|ensure this value has at most"
    r"|(?:input|array|list)\b.{0,30}(?:length|size)\b"
    r".{0,40}(?:exceed|larger|greater|more than|at most|max|less|between|≤|<)"
    r"|max_tokens_per_request|max \d+ tokens per request"
    r"|tokens? (?:per|in (?:the|a|your)) (?:\w+ ){0,2}(?:batch|request)"
    r"|tokens per submitted batch|'?\$\.input'? is invalid"
    r"|(?:request|payload|body|content)(?: entity)?(?: size)?(?: is)? too large|(?:request|payload|body) size exceeds"
    r"|批(?:量|次|处理)"
    r"|(?:条数|数组|数量|个数|列表).{0,12}(?:超过|最多|最大|不得|上限|过多|大于)"
    r"|(?:最多|不超过|不能超过)\D{0,8}\d+ ?(?:条|个|行)",
    re.IGNORECASE | re.DOTALL,
)
_ONE_ALONE = re.compile(
    r"only (?:one|a single|1) (?:input|text|string|document)\b|single (?:string|input|text)\b.{0,40}\bnot support"
    r"|(?:batch(?:es|ing)?|arrays?|lists?|multiple)(?: \w+){0,2} (?:is |are )?(?:not |un)(?:supported|allowed|accepted)"
    r"|not support(?:ed)? (?:\w+ ){0,2}(?:batch(?:es|ing)?|arrays?|lists?|multiple)\b"
    r"|(?:不支持|暂不支持)(?:批量|数组|多条)|(?:只|仅)支持单[条个]",
    re.IGNORECASE | re.DOTALL,
)
"""Refusals of any batch at all."""

_NOT_ABOUT_BATCH = re.compile(r"physical batch size", re.IGNORECASE)  # llama.cpp: one text is too long for it

_SURELY = re.compile(r"batch[ _-]?size|per batch|批(?:量|次)(?:大小|条数)", re.IGNORECASE)

_LIMIT = re.compile(
    r"(?:larger than|greater than|more than|at most|up to|max(?:imum)?\w*|limit\w*|exceed(?:s|ed|ing)?|<=|≤"
    r"|between 1 and|\b1 to|\[[01],|less than or equal to|only (?:\w+ )?|size of(?= \d)"
    r"|不(?:得|能|可|应)?(?:超过|大于|多于)|最多|最大|上限|超过|小于等于)"
    r"(?P<between>[^\d.;!?。]{0,48}?)(?P<limit>\d[\d,]*)(?P<after>[ _-]?tokens?)?",
    re.IGNORECASE,
)
_BELOW = re.compile(
    r"(?:(?:less|fewer|smaller) than|<(?!=)|少于|小于(?!等于))\D{0,12}?(\d[\d,]*)(?! ?tokens?)", re.IGNORECASE
)
_ALLOWED = re.compile(rf"(\d[\d,]*) {_THINGS} (?:(?:is|are) allowed|at most)", re.IGNORECASE)
_MORE_THAN = re.compile(r"\b(\d+) ?[>/] ?(\d+)")  # "100 > 64": what was sent, and how much may be

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
    if _NOT_ABOUT_BATCH.search(text):
        return None
    refused = isinstance(error, BadRequestError)
    if refused and _ONE_ALONE.search(text):
        return 1
    # Relays make a 500 of their upstream's 400; only the plainest words count there.
    about = _ABOUT_BATCH if refused else _SURELY
    told = isinstance(error, BadRequestError | ServerError) and about.search(text)
    if error.status_code != PAYLOAD_TOO_LARGE and not told:
        return None
    named = [_number(found["limit"]) for found in _LIMIT.finditer(text) if not found["after"]]
    named += [_number(found) for found in _ALLOWED.findall(text)]
    named += [_number(found) - 1 for found in _BELOW.findall(text)]
    named += [_number(most) for sent, most in _MORE_THAN.findall(text) if _number(sent) == size]
    fitting = [number for number in named if 1 <= number < size]
    return max(fitting, default=(size + 1) // 2)


def _number(digits: str) -> int:
    return int(digits.replace(",", "")[:12] or 0)
