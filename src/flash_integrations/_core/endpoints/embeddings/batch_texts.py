"""Sentences about the size of a batch of texts, one row a vendor's; what is made of them: ``batch_size``."""

from __future__ import annotations

from ...failures.text_rows import FROM_MEMORY, TextTable

_MANY = r"(?:inputs|texts|documents|items|elements|entries|strings|sentences|instances|records)"
_THINGS = (
    r"(?:inputs?|texts?|documents?|items?|elements?|entries|strings?|sentences?|instances?(?:\(s\))?"
    r"|requests?|records?)"
)
_AT_MOST = (
    r"(?:at most|up to|(?:more|fewer|less|greater|larger) than|max(?:imum)?|limit(?:ed)?(?: \w+)?"
    r"|exceeds?|only|over|to)"
)

BATCH_NAMED = TextTable.of(
    (
        r"batch[ _-]?size",
        "DashScope, memodb-io/memobase#142; SiliconFlow; text-embeddings-inference; Azure",
        "Value error, batch size is invalid, it should not be larger than 10.: input.contents",
    ),
    (r"per batch", FROM_MEMORY, "at most 32 texts per batch"),
    (r"批[量次](?:大小|条数)", "SiliconFlow", "批量大小不能超过25"),
)
"""Refusals that name the batch's size: they count under 500 too, which relays make of their upstream's 400."""

BATCH_TOO_LARGE = TextTable.of(
    (
        r"array too long",
        "OpenAI",
        "Invalid 'input': array too long. Expected an array with maximum length 64, but got an array with length 100.",
    ),
    (r"array_above_max_length", "OpenAI's code", "array_above_max_length"),
    (r"too_long", "Pydantic 2's code, before vLLM and others", "too_long: input"),
    (
        r"list should have at most",
        "Pydantic 2, before vLLM and others",
        "List should have at most 32 items after validation, not 100",
    ),
    (r"ensure this value has at most", "Pydantic 1", "ensure this value has at most 32 items"),
    (r"max \d+ tokens per request", "OpenAI", "Requested 451235 tokens, max 300000 tokens per request"),
    (r"max_tokens_per_request", "OpenAI's type", "max_tokens_per_request"),
    (
        r"tokens per submitted batch",
        "Voyage, sigoden/aichat#825",
        "The max allowed tokens per submitted batch is 120000. Your batch has 130000 tokens after truncation.",
    ),
    (
        r"too many tokens in batch",
        "Mistral, aurelio-labs/semantic-router#297",
        "Too many tokens in batch. Max is 16384 got 17555",
    ),
    (
        r"split into more batches",
        "Mistral's code 3210, chroma-core/chroma#5597, raphaelmansuy/edgequake-llm#74",
        "Too many tokens overall, split into more batches.",
    ),
    (
        r"in (?:one|a|the|each) (?:\w+ )?batch",
        "Gemini, langchain-ai/langchainjs#4491",
        "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch",
    ),
    (
        rf"too many {_THINGS}",
        "Azure, diemus/azure-openai-proxy#7; Vertex, topoteretes/cognee#4856",
        "Unable to submit request because it included too many instances.",
    ),
    (
        rf"(?:number|count|amount|length|size) of (?:the )?(?:\w+ ){{0,2}}{_THINGS}",
        "Cohere, misbahsy/RAGTune#2",
        "invalid request: total number of texts must be at most 96 - received 131",
    ),
    (
        rf"\d+ {_THINGS} (?:is|are) allowed",
        "Vertex, langchain-ai/langchain#5316",
        "5 instance(s) is allowed per prediction. Actual: 6",
    ),
    (
        r"'?\$\.input'? is invalid",
        "OpenAI, openai-php/client#171",
        "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
    ),
    (
        r"(?:request|payload|body|content)(?: entity)?(?: size)?(?: is)? too large",
        "nginx",
        "413 Request Entity Too Large",
    ),
    (r"(?:request|payload) size exceeds", "Gemini", "Request payload size exceeds the limit: 20971520 bytes."),
    (rf"max(?:imum)? (?:of |is |allowed )?(?:\w+ )?\d+ {_THINGS}\b", "Jina, NIM", "maximum 32 inputs"),
    (
        r"(?:input|array|list)\b.{0,30}(?:length|size)\b.{0,40}(?:exceed|er than|more than|at most|max|less|between|≤)",
        "Baidu Qianfan",
        "The input array length must be ≤ 64.",
    ),
    (
        r"(?:条数|数组|数量|个数|列表).{0,12}(?:超过|最多|最大|不得|上限|过多|大于)",
        "Zhipu",
        "input数组最大不得超过64条",
    ),
    (r"tokens? (?:per|in (?:the|a|your)) (?:\w+ ){0,2}(?:batch|request)", FROM_MEMORY, "too many tokens in your batch"),
    (r"batch is too (?:large|big|long)", FROM_MEMORY, "the batch is too large"),
    (r"batch limit", FROM_MEMORY, "Embedding batch limit exceeded, limit=16"),
    (
        rf"(?:at most|up to|more than|larger than|exceeds?) (?:of |is |allowed )?(?:\w+ )?\d+ {_THINGS}\b",
        FROM_MEMORY,
        "a request has up to 16 requests",
    ),
    (r"more batches", FROM_MEMORY, "please use more batches"),
    (rf"\b{_AT_MOST} (?:\w+ ){{0,2}}(?:[\d,]+ )?{_MANY}\b", FROM_MEMORY, "You can only embed 5 texts at a time"),
    (rf"\d+ {_MANY}(?: \w+){{0,3}} (?:at most|limit)", FROM_MEMORY, "one request supports 10 texts at most"),
    (rf"\b{_MANY}\b (?:\w+ ){{0,4}}{_AT_MOST}\W", FROM_MEMORY, "Inputs count cannot be greater than 12"),
    (r"批(?:处理|[量次])", FROM_MEMORY, "批处理超过限制"),
    (r"(?:最多|不超过|不能超过)\D{0,8}\d+ ?[条个行]", FROM_MEMORY, "单次请求最多支持 32 条"),
)
"""Refusals of a batch for its size, in other words."""

BATCH_OF_ONE = TextTable.of(
    (r"only (?:one|a single|1) (?:input|text|string|document)\b", FROM_MEMORY, "Only one input is supported"),
    (
        r"single (?:string|input|text)\b.{0,40}\bnot support",
        FROM_MEMORY,
        "input must be a single string; several are not supported",
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
    (r"(?:不支持|暂不支持)(?:批量|数组|多条)", FROM_MEMORY, "该模型不支持批量输入"),
    (r"[只仅]支持单[条个]", FROM_MEMORY, "该模型只支持单条输入"),
)
"""Refusals of any batch at all."""

NOT_ABOUT_BATCH = TextTable.of(
    (
        r"physical batch size",
        "llama.cpp, for which one text is too long; gpustack/gpustack#472",
        "input is too large to process. increase the physical batch size",
    )
)
"""Refusals that name a batch and mean something else."""

_FIGURE = r"[^\d.;!?。]{0,48}?(\d[\d,]*+)(?![ _-]?tokens?)"

FIGURES = TextTable.of(
    (
        rf"larger than{_FIGURE}",
        "DashScope, memodb-io/memobase#142",
        "Value error, batch size is invalid, it should not be larger than 10.: input.contents",
    ),
    (rf"at most{_FIGURE}", "Cohere, misbahsy/RAGTune#2", "total number of texts must be at most 96 - received 131"),
    (
        rf"max(?:imum)?\w*{_FIGURE}",
        "SiliconFlow, apecloud/ApeRAG#716; Azure, diemus/azure-openai-proxy#7",
        "input batch size 136 > maximum allowed batch size 64",
    ),
    (rf"≤{_FIGURE}", "Baidu Qianfan", "The input array length must be ≤ 64."),
    (rf"less than or equal to{_FIGURE}", "Pydantic's less_than_equal", "Input should be less than or equal to 64"),
    (rf"超过{_FIGURE}", "Zhipu", "input数组最大不得超过64条"),
    (
        rf"(\d[\d,]*) {_THINGS} (?:is|are) allowed",
        "Vertex, langchain-ai/langchain#5316",
        "5 instance(s) is allowed per prediction. Actual: 6",
    ),
    (rf"greater than{_FIGURE}", FROM_MEMORY, "Inputs count cannot be greater than 12"),
    (rf"more than{_FIGURE}", FROM_MEMORY, "no more than 16 inputs"),
    (rf"up to{_FIGURE}", FROM_MEMORY, "up to 32 texts"),
    (rf"limit\w*{_FIGURE}", FROM_MEMORY, "too many texts: 100 (limit 48)"),
    (rf"exceed(?:s|ed|ing)?{_FIGURE}", FROM_MEMORY, "batch size 100 exceeds 64"),
    (rf"<={_FIGURE}", FROM_MEMORY, "batch size must be <= 1"),
    (rf"between 1 and{_FIGURE}", FROM_MEMORY, "batch size should be between 1 and 50"),
    (rf"\b1 to{_FIGURE}", FROM_MEMORY, "Input array must contain 1 to 32 items"),
    (rf"\[[01],{_FIGURE}", FROM_MEMORY, "batch size is out of range: [1, 25]"),
    (rf"only (?:\w+ )?{_FIGURE}", FROM_MEMORY, "You can only embed 5 texts at a time"),
    (rf"size of(?= \d){_FIGURE}", FROM_MEMORY, "this model takes a batch size of 1"),
    (rf"不(?:得|能|可|应)?[大多]于{_FIGURE}", FROM_MEMORY, "文本条数不能大于16"),
    (rf"最多{_FIGURE}", FROM_MEMORY, "单次请求最多支持 32 条"),
    (rf"最大{_FIGURE}", FROM_MEMORY, "批量最大为 32"),
    (rf"上限{_FIGURE}", FROM_MEMORY, "批量上限 32"),
    (rf"小于等于{_FIGURE}", FROM_MEMORY, "批量应小于等于 32"),
    (rf"(\d[\d,]*) {_THINGS} at most", FROM_MEMORY, "one request supports 10 texts at most"),
    (r"\b(\d+) ?> ?(\d+)", FROM_MEMORY, "Too many inputs: 100 > 32"),
    (r"\b(\d+) ?/ ?(\d+)", FROM_MEMORY, "batch too large: 100/64"),
)
"""How many texts may be sent, by the last group; a group before it is how many were."""

_MORE_THAN_MAY_BE = r"\D{0,12}?(\d[\d,]*+)(?! ?tokens?)"

BELOW = TextTable.of(
    (
        r"\(inclusive\) to (\d+) \(exclusive\)",
        "Vertex, topoteretes/cognee#4856",
        (
            "Unable to submit request because it included too many instances. ... a batchSize value of 1234 "
            "but the supported range is from 1 (inclusive) to 251 (exclusive)."
        ),
    ),
    (rf"less than{_MORE_THAN_MAY_BE}", FROM_MEMORY, "The number of inputs must be less than 33"),
    (rf"fewer than{_MORE_THAN_MAY_BE}", FROM_MEMORY, "`input` must have fewer than 65 elements"),
    (rf"smaller than{_MORE_THAN_MAY_BE}", FROM_MEMORY, "batch size must be smaller than 33"),
    (rf"<(?!=){_MORE_THAN_MAY_BE}", FROM_MEMORY, "batch size must be < 33"),
    (rf"少于{_MORE_THAN_MAY_BE}", FROM_MEMORY, "文本条数应少于 33"),
    (rf"小于(?!等于){_MORE_THAN_MAY_BE}", FROM_MEMORY, "文本条数应小于 33"),
)
"""One more than how many texts may be sent."""
