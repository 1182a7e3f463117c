"""Words that are not known, answered with the one that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from ..errors import ConfigurationError

PEER_WORDS = {
    "openai_api_key": "use api_key",
    "openai_api_base": "use base_url",
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
