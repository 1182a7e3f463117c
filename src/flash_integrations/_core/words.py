"""Words that are not known, answered with the one that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from ..errors import ConfigurationError

PEER_WORDS = {
    "openai_api_key": "use api_key",
    "openai_api_base": "use base_url",
    "api_base": "use base_url",
    "openai_organization": "gateways have no organizations; default_headers sends any header",
    "organization": "gateways have no organizations; default_headers sends any header",
    "openai_proxy": "set HTTPS_PROXY, or give an http_client with a proxy",
    "is_chat_model": "leave it out: every model is called as a chat model",
    "use_responses_api": "leave it out: calls always go to /chat/completions",
    "use_previous_response_id": "leave it out: calls always go to /chat/completions",
    "stream_chunk_timeout": "use timeout={'progress': seconds}",
    "reuse_client": "leave it out: connections are always shared",
    "default_retry": "use max_retries",
    "tiktoken_model_name": "leave it out: no tokenizer is ever downloaded",
    "streaming": "leave it out: what streams are the streaming methods, and the wire where it must",
    "reasoning": "use reasoning_effort",
    "root_client": "use client, a FlashClient, or http_client, an httpx.Client",
    "http_socket_options": "give an http_client of your own",
    "azure_endpoint": "use base_url",
    "verbose": "set logging's level for 'flash_integrations'",
    "api_version": "gateways have none; default_query sends any query parameter",
    "check_embedding_ctx_length": "leave it out: texts go out as texts, never as token ids",
    "tiktoken_enabled": "leave it out: no tokenizer is ever downloaded",
    "embedding_ctx_length": "leave it out: texts are not cut; a text that is too long is an error that tells which",
    "allowed_special": "leave it out: there is no tokenizer",
    "disallowed_special": "leave it out: there is no tokenizer",
    "skip_empty": "leave out empty texts yourself: each vector belongs to one text",
    "deployment": "use model",
    "deployment_name": "use model",
    "azure_deployment": "use model",
    "openai_api_type": "leave it out: gateways speak OpenAI's own format",
    "api_type": "leave it out: gateways speak OpenAI's own format",
    "openai_api_version": "gateways have none; default_query sends any query parameter",
    "headers": "use default_headers",
    "retry_min_seconds": "leave it out: waits follow Retry-After and grow; see max_retry_after",
    "retry_max_seconds": "use max_retry_after",
    "max_retries_per_request": "use max_retries",
    "mode": "leave it out: query_model names another model for queries",
    "query_engine": "use query_model",
    "text_engine": "use model",
}
"""Words of langchain-openai and llama-index that mean nothing here, and what to write instead."""


def refuse_unknown(where: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse words that ``where`` does not take.

    Raises:
        ConfigurationError: names each unknown word with the nearest known one, or what to write instead of a peer's.
    """
    faults = []
    for word in given:
        if word in known:
            continue
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
        advice = PEER_WORDS.get(word) or (f"did you mean {near[0]!r}?" if near else "it is not a known argument")
        faults.append(f"{word!r}: {advice}")
    if faults:
        raise ConfigurationError(f"{where} does not take {'; '.join(faults)}")
