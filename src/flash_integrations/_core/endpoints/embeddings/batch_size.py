"""What a refusal says about the size of a batch of texts: how many there may be, or only that they are too many."""

from __future__ import annotations

import re

from ....errors import APIStatusError, AuthenticationError, BadRequestError, FlashError, QuotaExceededError, ServerError
from ...failures.text_rows import FROM_MEMORY, TextTable

_THINGS = (
    r"(?:inputs?|texts?|documents?|items?|elements?|entries|strings?|sentences?"
    r"|instances?(?:\(s\))?|requests?|records?)"
)
_MANY_THINGS = r"(?:inputs|texts|documents|items|elements|entries|strings|sentences|instances|records)"
_AT_MOST = (
    r"(?:at most|up to|(?:more|fewer|less|greater|larger) than|max(?:imum)?|limit(?:ed)?(?: \w+)?"
    r"|exceeds?|only|over|to)"
)

BATCH_NAMED = TextTable.of(
    (
        r"batch[ _-]?size",
        "DashScope, page-assist#371; text-embeddings-inference; Azure",
        "Value error, batch size is invalid, it should not be larger than 10.: input.contents",
    ),
    (r"per batch", FROM_MEMORY, "at most 32 texts per batch"),
    (r"批(?:量|次)(?:大小|条数)", "SiliconFlow", "批量大小不能超过25"),
)
"""Refusals that name the batch's size: they count under 500 too, which relays make of their upstream's 400."""

BATCH_TOO_LARGE = TextTable.of(
    (
        r"array too long|array_above_max_length",
        "OpenAI",
        "Invalid 'input': array too long. Expected an array with maximum length 64, but got an array with length 100.",
    ),
    (r"too_long", "Pydantic's code, before vLLM and others", "too_long: input"),
    (
        r"list should have at most|ensure this value has at most",
        "Pydantic, before vLLM and others",
        "List should have at most 32 items after validation, not 100",
    ),
    (
        r"max_tokens_per_request|max \d+ tokens per request",
        "OpenAI",
        "Requested 451235 tokens, max 300000 tokens per request",
    ),
    (
        r"tokens per submitted batch",
        "Voyage",
        "The max allowed tokens per submitted batch is 120000. Your batch has 130000 tokens after truncation.",
    ),
    (r"tokens? (?:per|in (?:the|a|your)) (?:\w+ ){0,2}(?:batch|request)", FROM_MEMORY, "too many tokens in your batch"),
    (
        r"in (?:one|a|the|each) (?:\w+ )?batch",
        "Gemini",
        "* BatchEmbedContentsRequest.requests: at most 90 requests can be in one batch",
    ),
    (r"more batches", "Mistral", "Too many inputs in request, split into more batches."),
    (rf"too many {_THINGS}", "Azure", "Too many inputs. The max number of inputs is 16."),
    (
        rf"(?:number|count|amount|length|size) of (?:the )?(?:\w+ ){{0,2}}{_THINGS}",
        "Cohere",
        "invalid request: total number of texts must be at most 96 - received 100",
    ),
    (
        rf"\d+ {_THINGS} (?:is|are) allowed",
        "Vertex",
        "25 instance(s) is allowed per prediction. Actual: 100",
    ),
    (r"'?\$\.input'? is invalid", "OpenAI", "'$.input' is invalid. Please check the API reference"),
    (
        r"(?:request|payload|body|content)(?: entity)?(?: size)?(?: is)? too large|(?:request|payload) size exceeds",
        "nginx; Gemini",
        "Request payload size exceeds the limit: 20971520 bytes.",
    ),
    (r"batch is too (?:large|big|long)|batch limit", FROM_MEMORY, "Embedding batch limit exceeded, limit=16"),
    (
        rf"(?:maximum|max|at most|up to|more than|larger than|exceeds?) (?:of |is |allowed )?(?:\w+ )?\d+ {_THINGS}\b",
        "Jina, NIM",
        "maximum 32 inputs",
    ),
    (
        rf"\b{_AT_MOST} (?:\w+ ){{0,2}}(?:[\d,]+ )?{_MANY_THINGS}\b",
        FROM_MEMORY,
        "You can only embed 5 texts at a time",
    ),
    (rf"\d+ {_MANY_THINGS}(?: \w+){{0,3}} (?:at most|limit)", FROM_MEMORY, "one request supports 10 texts at most"),
    (rf"\b{_MANY_THINGS}\b (?:\w+ ){{0,4}}{_AT_MOST}\W", FROM_MEMORY, "Inputs count cannot be greater than 12"),
    (
        r"(?:input|array|list)\b.{0,30}(?:length|size)\b.{0,40}(?:exceed|er than|more than|at most|max|less|between|≤)",
        "Baidu Qianfan",
        "The input array length must be ≤ 64.",
    ),
    (r"批(?:处理|量|次)", FROM_MEMORY, "批处理超过限制"),
    (
        r"(?:条数|数组|数量|个数|列表).{0,12}(?:超过|最多|最大|不得|上限|过多|大于)",
        "Zhipu",
        "input数组最大不得超过64条",
    ),
    (r"(?:最多|不超过|不能超过)\D{0,8}\d+ ?(?:条|个|行)", FROM_MEMORY, "单次请求最多支持 32 条"),
)
"""Refusals of a batch for its size, in other words."""

BATCH_OF_ONE = TextTable.of(
    (r"only (?:one|a single|1) (?:input|text|string|document)\b", FROM_MEMORY, "Only one input is supported"),
    (
        r"single (?:string|input|text)\b.{0,40}\bnot support",
        FROM_MEMORY,
        "input must be a single string; arrays are not supported",
    ),
    (
        r"(?:batch(?:es|ing)?|arrays?|lists?|multiple)(?: \w+){0,2} (?:is |are )?(?:not |un)(?:supported|allowed)",
        FROM_MEMORY,
        "Batching is not supported",
    ),
    (
        r"not support(?:ed)? (?:\w+ ){0,2}(?:batch(?:es|ing)?|arrays?|lists?|multiple)\b",
        FROM_MEMORY,
        "this model does not support batch input",
    ),
    (r"(?:不支持|暂不支持)(?:批量|数组|多条)|(?:只|仅)支持单[条个]", FROM_MEMORY, "该模型不支持批量输入"),
)
"""Refusals of any batch at all."""

_NOT_ABOUT_BATCH = re.compile(r"physical batch size", re.IGNORECASE)  # llama.cpp: one text is too long for it

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
    if isinstance(error, BadRequestError):
        if BATCH_OF_ONE.find(text):
            return 1
        about_batch = bool(BATCH_NAMED.find(text) or BATCH_TOO_LARGE.find(text))
    else:
        about_batch = isinstance(error, ServerError) and BATCH_NAMED.find(text) is not None
    if error.status_code != PAYLOAD_TOO_LARGE and not about_batch:
        return None
    named = [_number(found["limit"]) for found in _LIMIT.finditer(text) if not found["after"]]
    named += [_number(found) for found in _ALLOWED.findall(text)]
    named += [_number(found) - 1 for found in _BELOW.findall(text)]
    named += [_number(most) for sent, most in _MORE_THAN.findall(text) if _number(sent) == size]
    fitting = [number for number in named if 1 <= number < size]
    return max(fitting, default=(size + 1) // 2)


def _number(digits: str) -> int:
    return int(digits.replace(",", "")[:12] or 0)
