"""What refusals say about the size of a batch."""
# ruff: noqa: E501 - the texts are as they came

from __future__ import annotations

import json

import pytest

from flash_integrations._core.endpoints.embeddings.batch_size import smaller_batch
from flash_integrations._core.failures.error_mapping import refusal
from flash_integrations.errors import APIConnectionError, ContextLengthError

SENT = 100
SEEN = [
    (
        400,
        "<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be larger than 10.: input.contents",
        10,
    ),
    (413, "input batch size 100 > maximum allowed batch size 64", 64),
    (422, "batch size 100 > maximum allowed batch size 32", 32),
    (
        400,
        "Invalid 'input': array too long. Expected an array with maximum length 64, but got an array with length 100 instead.",
        64,
    ),
    (400, "Requested 451235 tokens, max 300000 tokens per request", 50),
    (
        400,
        "Too many inputs. The max number of inputs is 16.  We hope to increase the number of inputs per request soon.",
        16,
    ),
    (400, "Too many inputs for model None. The max number of inputs is 1. ", 1),
    (400, "The request has failed because the batch size is larger than 72", 72),
    (
        400,
        "The max allowed tokens per submitted batch is 120000. Your batch has 130000 tokens after truncation. Please lower the number of tokens in the batch.",
        50,
    ),
    (400, "invalid request: total number of texts must be at most 96 - received 100", 96),
    (400, "* BatchEmbedContentsRequest.requests: at most 90 requests can be in one batch", 90),
    (400, "Too many inputs in request, split into more batches.", 50),
    (422, "List should have at most 32 items after validation, not 100", 32),
    (400, "input数组最大不得超过64条", 64),
    (400, "the length of input is too large, max is 16", 16),
    (400, "25 instance(s) is allowed per prediction. Actual: 100", 25),
    (
        400,
        "Unable to submit request because it included too many instances. ... a batchSize value of 100 but the supported range is from 1 (inclusive) to 33 (exclusive).",
        32,
    ),
    (400, "Too many tokens in batch. Max is 16384 got 17555", 50),
    (400, "Too many tokens overall, split into more batches.", 50),
    (400, "Too many inputs, fewer than 32 tokens are taken", 50),
    (400, "the limit of inputs is 1 to 32", 32),
    (400, "Too many inputs, see page 3/32", 50),
    (413, "Request Entity Too Large", 50),
    (400, "maximum 32 inputs", 32),
    (400, "批量大小不能超过25", 25),
    (400, "输入文本数量超过上限，最多支持10条", 10),
    (400, "input文本数量不能超过16", 16),
    (400, "The number of inputs must be less than 33", 32),
    (
        500,
        "input (600 tokens) is too large to process. increase the physical batch size (current batch size: 64)",
        None,
    ),
    (400, "dimensions must be at most 64", None),
    (400, "Invalid type for 'input[0]': expected a string", None),
    (400, "model bge-m3 does not support dimensions", None),
    (429, "Too many requests: at most 3 requests per minute", None),
    (400, "This model's maximum context length is 8192 tokens, however you requested 9000 tokens", None),
    (400, "'$.input' is invalid. Please check the API reference", 50),
    (400, "Maximum batch size is 20, got 100", 20),
    (400, "batch size should be between 1 and 50", 50),
    (400, "embeddings max 16 inputs per request, got 100", 16),
    (400, "Batch size 100 exceeds the limit of 20", 20),
    (400, "Batch size 100 exceeds limit: 20", 20),
    (400, "too many texts: 100 (limit 48)", 48),
    (400, "输入条数超出限制，单次请求最多支持 32 条", 32),
    (400, "The input array length must be ≤ 64.", 64),
    (400, "batch size must be <= 1", 1),
    (400, "Too many inputs: 100 > 32", 32),
    (400, "max batch size exceeded: 100/64", 64),
    (400, "Embedding batch limit exceeded, limit=16", 16),
    (400, "You can only embed 5 texts at a time", 5),
    (400, "This model only supports a batch size of 1", 1),
    (400, "batch size is out of range: [1, 25]", 25),
    (400, "size of input must be less than 11", 10),
    (400, "Input array must contain 1 to 32 items", 32),
    (400, "`input` must have fewer than 65 elements", 64),
    (400, "'input': maximum 24 items", 24),
    (400, "Inputs count cannot be greater than 12", 12),
    (400, "one request supports 10 texts at most", 10),
    (400, "Expected at most ten inputs", 50),
    (400, "100 inputs given but limit is 50", 50),
    (400, "Request payload size exceeds the limit: 20971520 bytes.", 50),
    (400, "Only one input is supported", 1),
    (400, "input must be a single string; arrays are not supported", 1),
    (400, "this model does not support batch input", 1),
    (400, "该模型不支持批量输入", 1),
    (500, "batch size is invalid, it should not be larger than 10.", 10),
    (500, "at most 10 inputs", None),
    (400, "user must be at most 64 characters", None),
    (400, "input[3] is too long: max 50 characters", None),
]
"""Status and words as gateways were seen to send them, and the size to go on with after a batch of a hundred."""


def refused(status, message, **more):
    """The error for a refusal in OpenAI's shape."""
    return refusal(status, {}, json.dumps({"error": {"message": message, **more}}).encode(), now=0)


@pytest.mark.parametrize(("status", "message", "size"), SEEN)
def test_the_size_to_go_on_with(status, message, size):
    """The figure the refusal names, else half; None where it is about something else."""
    assert smaller_batch(refused(status, message), SENT) == size


def test_a_code_is_enough():
    """OpenAI's codes tell without the words."""
    assert smaller_batch(refused(400, "no", code="array_above_max_length"), SENT) == 50
    assert smaller_batch(refused(400, "no", type="max_tokens_per_request"), SENT) == 50


def test_a_page_under_413_halves():
    """Nginx answers a body that is too large with a page."""
    page = b"<html><head><title>413 Request Entity Too Large</title></head></html>"
    assert smaller_batch(refusal(413, {}, page, now=0), SENT) == 50


def test_a_single_text_cannot_be_less():
    """There is no smaller batch than one."""
    assert smaller_batch(refused(413, "too large"), 1) is None


def test_a_figure_that_is_no_smaller_halves():
    """What already holds cannot be the cause."""
    assert smaller_batch(refused(400, "batch size must be at most 2048"), SENT) == 50


def test_other_errors_say_nothing():
    """Lost connections are not about size."""
    assert smaller_batch(APIConnectionError("batch size 10"), SENT) is None


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (500, "input (600 tokens) is too large to process. increase the physical batch size (current batch size: 512)"),
        (413, "Input validation error: `inputs` must have less than 512 tokens. Given: 600"),
        (400, "Range of input length should be [1, 8192]"),
        (400, "Invalid 'input[0]': maximum input length is 8192 tokens."),
    ],
)
def test_a_text_that_is_too_long_is_not_a_batch_that_is(status, message):
    """Embedding servers' words for one long text are a ContextLengthError."""
    assert isinstance(refused(status, message), ContextLengthError)
