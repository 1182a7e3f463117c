"""Errors for unknown arguments, which name the argument that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from ..errors import ConfigurationError

_NO_TOKENIZER = "leave it out: texts are always sent as texts, no tokenizer is loaded"

_AT_ONCE = ("concurrent", "concurrency", "max_concurrency", "max_concurrent", "max_concurrent_requests")


def _limit(name: str) -> str:
    return f'use rate_limit={{"{name}": ...}}'


FOREIGN_PARAMS = {
    "openai_api_key": "use api_key",
    "openai_api_base": "use base_url",
    "api_base": "use base_url",
    "openai_organization": "gateways have no organizations; default_headers sends any header",
    "organization": "gateways have no organizations; default_headers sends any header",
    **dict.fromkeys(("provider_routing", "provider_preferences"), "send them as extra_body={'provider': {...}}"),
    "openai_proxy": "set HTTPS_PROXY, or give an http_client with a proxy",
    "is_chat_model": "leave it out: every model is called as a chat model",
    "use_responses_api": "leave it out: calls always go to /chat/completions",
    "use_previous_response_id": "leave it out: calls always go to /chat/completions",
    "stream_chunk_timeout": "use timeout={'progress': seconds}",
    "reuse_client": "leave it out: connections are always shared",
    "default_retry": "use max_retries",
    "tiktoken_model_name": _NO_TOKENIZER,
    "image_documents": "give images to a call: complete(prompt, image_documents=[...]), or as blocks of a message",
    "stream": "leave it out: what streams are the streaming methods, and the wire where it must (see force_stream)",
    "streaming": "leave it out: what streams are the streaming methods, and the wire where it must",
    "reasoning": "use reasoning_effort",
    "root_client": "use client, a FlashClient, or http_client, an httpx.Client",
    "http_socket_options": "give an http_client of your own",
    "azure_endpoint": "use base_url",
    "verbose": "set logging's level for 'flash_integrations'",
    "api_version": "gateways have none; default_query sends any query parameter",
    "check_embedding_ctx_length": _NO_TOKENIZER,
    "tiktoken_enabled": _NO_TOKENIZER,
    "embedding_ctx_length": "leave it out: texts are not cut; a text that is too long is an error that names it",
    "allowed_special": _NO_TOKENIZER,
    "disallowed_special": _NO_TOKENIZER,
    "skip_empty": "leave out empty texts yourself: each vector belongs to one text",
    "deployment": "use model",
    "deployment_name": "use model",
    "azure_deployment": "use model",
    "openai_api_type": "leave it out: requests are always in OpenAI's own format",
    "api_type": "leave it out: requests are always in OpenAI's own format",
    "openai_api_version": "gateways have none; default_query sends any query parameter",
    "headers": "use default_headers",
    "retry_min_seconds": "leave it out: waits follow Retry-After and grow; see max_retry_after",
    "retry_max_seconds": "use max_retry_after",
    "max_retries_per_request": "use max_retries",
    "mode": "leave it out: query_model names another model for queries",
    "query_engine": "use query_model",
    "text_engine": "use model",
    **dict.fromkeys(("requests_per_minute", "rpm", "requests_per_second"), _limit("requests_per_minute")),
    **dict.fromkeys(("requests_per_hour", "rph"), _limit("requests_per_hour")),
    **dict.fromkeys(("tokens_per_minute", "tpm"), _limit("tokens_per_minute")),
    **dict.fromkeys(_AT_ONCE, _limit("concurrent")),
}
"""Parameters of langchain-openai, llama-index-llms-openai and others that are unknown here, and what to use instead."""

VENDOR_PARAMS = {
    **dict.fromkeys(("top_k", "min_p", "repetition_penalty", "length_penalty"), "vLLM, Qwen and others"),
    **dict.fromkeys(("typical_p", "mirostat", "dry_multiplier", "num_ctx", "num_predict"), "llama.cpp, Ollama"),
    **dict.fromkeys(("guided_json", "guided_choice", "guided_regex", "structured_outputs"), "vLLM"),
    **dict.fromkeys(("chat_template_kwargs", "best_of", "ignore_eos", "min_tokens"), "vLLM, SGLang"),
    **dict.fromkeys(("enable_thinking", "thinking_budget", "enable_search", "search_options"), "DashScope's Qwen"),
    **dict.fromkeys(("thinking", "thinking_config", "safety_settings", "cached_content"), "Claude, GLM, Gemini"),
    **dict.fromkeys(("models", "route", "transforms"), "OpenRouter"),
    **dict.fromkeys(("plugins", "include_reasoning", "usage"), "OpenRouter"),
    **dict.fromkeys(("search_parameters", "deferred"), "xAI"),
}
"""Parameters that are some vendor's alone, and whose: they go out in ``extra_body``, unchecked."""

_ELSEWHERE = {
    "model_kwargs": ("additional_kwargs",),
    "extra_body": ("additional_kwargs",),
    "additional_kwargs": ("model_kwargs",),
    "extra_headers": ("default_headers",),
    "extra_query": ("default_query",),
    "max_concurrency": ("num_workers",),
    "num_workers": ("max_concurrency",),
}
"""Parameters that some of our classes take under another name."""

_EXACT = {"api_key"}
"""Parameters suggested for near-identical names only: a key in a wrong place is worse than no suggestion."""


def refuse_unknown(where: str, given: Iterable[str], known: Collection[str]) -> None:
    """Refuse arguments that ``where`` does not take.

    Args:
        where: the class's name.
        given: the names of the arguments.
        known: the names that the class takes.

    Raises:
        ConfigurationError: names each unknown argument with the nearest known one, or what to use instead.
    """
    faults = []
    for name in given:
        if name in known:
            continue
        faults.append(f"{name!r}: {_advice(name, known)}")
    if faults:
        raise ConfigurationError(f"{where} does not take {'; '.join(faults)}")


def _advice(name: str, known: Collection[str]) -> str:
    for same in _ELSEWHERE.get(name, ()):
        if same in known:
            return f"use {same}"
    if name in FOREIGN_PARAMS:
        return FOREIGN_PARAMS[name]
    if name in VENDOR_PARAMS:
        whose = f"a parameter of {VENDOR_PARAMS[name]}"
        return f"it is {whose}: send it as extra_body={{{name!r}: ...}}{'' if 'extra_body' in known else ' of a call'}"
    # A misspelt foreign parameter must not be mistaken for a distant one of ours: hence the order of the cutoffs.
    for names, cutoff in ((known, 0.8), (FOREIGN_PARAMS, 0.85), ({*known} - _EXACT, 0.6)):
        if near := difflib.get_close_matches(name, names, n=1, cutoff=cutoff):
            return FOREIGN_PARAMS[near[0]] if names is FOREIGN_PARAMS else f"did you mean {near[0]!r}?"
    return "it is not a known argument"
