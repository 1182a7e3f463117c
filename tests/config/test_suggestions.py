"""Unknown words, answered."""

from __future__ import annotations

import pytest

from flash_integrations._config.suggestions import FOREIGN_PARAMS, VENDOR_PARAMS, refuse_unknown
from flash_integrations.errors import ConfigurationError

KNOWN = ("model", "base_url", "max_retries", "temperature")


def test_known_words_pass():
    """Words that are known are no fault."""
    refuse_unknown("ChatFlash", ["model", "base_url"], KNOWN)


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("max_retry", "ChatFlash does not take 'max_retry': did you mean 'max_retries'?"),
        ("temprature", "did you mean 'temperature'?"),
        ("zzz", "'zzz': it is not a known argument"),
        *FOREIGN_PARAMS.items(),
    ],
)
def test_an_unknown_word_is_answered(word, advice):
    """The nearest known word is named, or what to write instead of a peer's."""
    with pytest.raises(ConfigurationError) as caught:
        refuse_unknown("ChatFlash", [word], KNOWN)
    assert advice in str(caught.value)


@pytest.mark.parametrize("name", VENDOR_PARAMS)
def test_a_vendors_parameter_goes_into_the_extra_body(name):
    """It is no misspelt parameter of ours, though its name may be near to one (top_k, top_p)."""
    with pytest.raises(ConfigurationError, match=rf"send it as extra_body=\{{'{name}': \.\.\.\}}$"):
        refuse_unknown("ChatFlash", [name], (*KNOWN, "top_p", "extra_body"))


@pytest.mark.parametrize(
    ("word", "known", "advice"),
    [
        ("api_bse", ["api_key"], "use base_url"),
        ("api_url", ["api_key"], "not a known argument"),
        ("apikey", ["api_key"], "did you mean 'api_key'?"),
        ("api_keys", ["api_key"], "did you mean 'api_key'?"),
        ("rpm", ["rate_limit"], 'use rate_limit={"requests_per_minute": ...}'),
        ("max_concurrency", ["rate_limit"], 'use rate_limit={"concurrent": ...}'),
        ("max_concurrency", ["num_workers"], "use num_workers"),
        ("model_kwargs", ["additional_kwargs", "model_name"], "use additional_kwargs"),
        ("extra_body", ["additional_kwargs"], "use additional_kwargs"),
        ("additional_kwargs", ["model_kwargs"], "use model_kwargs"),
        ("check_embedding_ctx_len", ["embeddings_cache"], "no tokenizer is loaded"),
        ("modle", ["model"], "did you mean 'model'?"),
    ],
)
def test_advice_leads_nowhere_wrong(word, known, advice):
    """A key's place is suggested for a near word alone, a peer's misspelt word is known, names differ by class."""
    with pytest.raises(ConfigurationError) as caught:
        refuse_unknown("ChatFlash", [word], known)
    assert advice in str(caught.value)


def test_all_faults_are_named_at_once():
    """Nobody has to find his mistakes one by one."""
    with pytest.raises(ConfigurationError, match=r"'modle'.*; 'zzz'"):
        refuse_unknown("ChatFlash", ["modle", "model", "zzz"], KNOWN)
