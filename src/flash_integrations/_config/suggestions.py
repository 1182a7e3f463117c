"""Errors for unknown arguments, which name the argument that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping

from ..errors import ConfigurationError

_NO_TOKENIZER = "leave it out: texts are always sent as texts, no tokenizer is loaded"

_AT_ONCE = ("concurrent", "concurrency", "max_concurrency", "max_concurrent", "max_concurrent_requests")

_GEMINI = ("safety_settings", "thinking_config", "cached_content")


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
    "num_ctx": "set OLLAMA_CONTEXT_LENGTH on the server: Ollama's /v1 takes none",
    "num_predict": "use max_tokens",
    **dict.fromkeys(_GEMINI, 'use extra_body={"extra_body": {"google": {...}}}, as Gemini has it'),
    **dict.fromkeys(("requests_per_minute", "rpm", "requests_per_second"), _limit("requests_per_minute")),
    **dict.fromkeys(("requests_per_hour", "rph"), _limit("requests_per_hour")),
    **dict.fromkeys(("tokens_per_minute", "tpm"), _limit("tokens_per_minute")),
    **dict.fromkeys(_AT_ONCE, _limit("concurrent")),
}
"""Parameters of langchain-openai, llama-index-llms-openai and others that are unknown here, and what to use instead."""

VENDOR_PARAMS = {
    "top_k": "vLLM, SGLang, llama.cpp, OpenRouter, DashScope",
    "min_p": "vLLM, SGLang, llama.cpp, OpenRouter",
    "top_a": "OpenRouter",
    "typical_p": "llama.cpp",
    "repetition_penalty": "vLLM, SGLang, OpenRouter",
    "repeat_penalty": "llama.cpp",
    "length_penalty": "vLLM",
    "min_tokens": "vLLM, SGLang",
    "best_of": "vLLM",
    "use_beam_search": "vLLM",
    "ignore_eos": "vLLM, SGLang, llama.cpp",
    "stop_token_ids": "vLLM, SGLang",
    "bad_words": "vLLM",
    "skip_special_tokens": "vLLM, SGLang",
    "include_stop_str_in_output": "vLLM",
    "truncate_prompt_tokens": "vLLM",
    "prompt_logprobs": "vLLM",
    "chat_template": "vLLM",
    "chat_template_kwargs": "vLLM, SGLang, llama.cpp",
    "add_generation_prompt": "vLLM",
    "continue_final_message": "vLLM, SGLang",
    "documents": "vLLM",
    "mm_processor_kwargs": "vLLM",
    "structured_outputs": "vLLM",
    "guided_json": "vLLM before 0.12",
    "guided_regex": "vLLM before 0.12",
    "guided_choice": "vLLM before 0.12",
    "guided_grammar": "vLLM before 0.12",
    "regex": "SGLang",
    "ebnf": "SGLang",
    "separate_reasoning": "SGLang",
    "grammar": "llama.cpp",
    "json_schema": "llama.cpp",
    "cache_prompt": "llama.cpp",
    "mirostat": "llama.cpp",
    "dry_multiplier": "llama.cpp",
    "models": "OpenRouter",
    "transforms": "OpenRouter",
    "route": "OpenRouter",
    "plugins": "OpenRouter",
    "usage": "OpenRouter",
    "include_reasoning": "OpenRouter, Groq",
    "reasoning_format": "Groq, llama.cpp",
    "thinking": "Z.ai, Moonshot, DeepSeek, Volcengine Ark, Anthropic",
    "enable_thinking": "DashScope, SiliconFlow",
    "thinking_budget": "DashScope, SiliconFlow",
    "enable_search": "DashScope",
    "search_options": "DashScope",
    "result_format": "DashScope",
    "incremental_output": "DashScope",
    "vl_high_resolution_images": "DashScope",
    "translation_options": "DashScope",
    "do_sample": "Z.ai",
    "tool_stream": "Z.ai",
    "reasoning_split": "MiniMax",
    "mask_sensitive_info": "MiniMax",
    "safe_prompt": "Mistral",
    "random_seed": "Mistral",
    "prompt_mode": "Mistral",
    "search_parameters": "xAI",
    "deferred": "xAI",
    "search_mode": "Perplexity",
    "search_domain_filter": "Perplexity",
    "search_recency_filter": "Perplexity",
    "return_images": "Perplexity",
    "return_related_questions": "Perplexity",
    "cache_control": "OpenRouter",
    "fallbacks": "LiteLLM",
    "input_type": "NVIDIA NIM, Voyage, Cohere",
    "truncate": "NVIDIA NIM, Cohere",
    "truncation": "Voyage",
    "output_dimension": "Voyage, Mistral",
    "output_dtype": "Voyage, Mistral",
    "late_chunking": "Jina",
    "embedding_type": "Jina",
    "text_type": "DashScope",
}
"""Parameters of one vendor's own, and who takes them: that name's API reference, 2024 to 2026. No common format has
them; ``extra_body`` sends them as they are."""

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
    if name in VENDOR_PARAMS or name in FOREIGN_PARAMS:
        return _instead(name, known)
    # A misspelt foreign parameter must not be mistaken for a distant one of ours: hence the order of the cutoffs.
    others = {*FOREIGN_PARAMS, *VENDOR_PARAMS}
    for names, cutoff in ((known, 0.8), (others, 0.85), ({*known} - _EXACT, 0.6)):
        if near := difflib.get_close_matches(name, names, n=1, cutoff=cutoff):
            return _instead(near[0], known) if names is others else f"did you mean {near[0]!r}?"
    return "it is not a known argument"


def _instead(name: str, known: Collection[str]) -> str:
    if name in FOREIGN_PARAMS:
        return FOREIGN_PARAMS[name]
    return f"{_in_extra_body(name, known)} ({VENDOR_PARAMS[name]})"


def refuse_routing(where: str, provider: object, known: Collection[str]) -> None:
    """Refuse a gateway's routing among its upstreams as ``provider``; a dumped ``Provider`` has a name.

    Raises:
        ConfigurationError: says where routing goes.
    """
    if isinstance(provider, Mapping) and "name" not in provider:
        advice = _in_extra_body("provider", known)
        raise ConfigurationError(f"{where}: provider names the gateway; its routing (OpenRouter) is another: {advice}")


def _in_extra_body(name: str, known: Collection[str]) -> str:
    """How a class sends a parameter of a vendor's own.

    Args:
        name: the parameter.
        known: what the class's constructor takes; one that takes no more of a request's body leaves it to the call.
    """
    body = f'{{"{name}": ...}}'
    if "extra_body" in known:
        return f"use extra_body={body}"
    if "additional_kwargs" in known:
        return f'use additional_kwargs={{"extra_body": {body}}}'
    return f"it belongs to the call, as in chat(..., extra_body={body})"
