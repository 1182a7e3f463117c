"""Unknown words, answered."""

from __future__ import annotations

import pytest

from flash_integrations._config.suggestions import FOREIGN_PARAMS, VENDOR_PARAMS, refuse_routing, refuse_unknown
from flash_integrations._core.endpoints.chat.request import CHECKS
from flash_integrations._core.endpoints.checks import refuse_misspelt
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


PLACES = {
    "extra_body": ([*KNOWN, "extra_body"], 'use extra_body={"NAME": ...}'),
    "additional_kwargs": ([*KNOWN, "additional_kwargs"], 'use additional_kwargs={"extra_body": {"NAME": ...}}'),
    "a client": (KNOWN, 'it belongs to the call, as in chat(..., extra_body={"NAME": ...})'),
}


@pytest.mark.parametrize(("known", "advice"), PLACES.values(), ids=PLACES)
def test_a_vendors_own_parameter_goes_by_extra_body(known, advice):
    """Every one of the table is answered with the place it has in that class, and with who takes it."""
    known = [*known, "top_p", "presence_penalty", "modalities"]  # which look like some of them
    with pytest.raises(ConfigurationError) as caught:
        refuse_unknown("ChatFlash", VENDOR_PARAMS, known)
    answers = str(caught.value).removeprefix("ChatFlash does not take ").split("; ")
    assert answers == [f"{name!r}: {advice.replace('NAME', name)} ({who})" for name, who in VENDOR_PARAMS.items()]


def test_a_misspelt_vendors_parameter_is_known():
    """It is nearer to what it stands for than to what is known here."""
    with pytest.raises(ConfigurationError, match=r'use extra_body=\{"enable_thinking": \.\.\.\}'):
        refuse_unknown("ChatFlash", ["enable_thinkin"], [*KNOWN, "extra_body"])


@pytest.mark.parametrize("name", VENDOR_PARAMS)
def test_a_vendors_own_parameter_is_no_misspelt_one_in_a_call(name):
    """Calls send what they do not know; none of the table is taken for a slip."""
    refuse_misspelt(name, CHECKS)
    assert name not in CHECKS
    assert name not in FOREIGN_PARAMS


def test_routing_is_no_provider():
    """OpenRouter's ``provider`` is told from the gateway's name, and from a provider that was dumped."""
    with pytest.raises(ConfigurationError, match=r'use extra_body=\{"provider": \.\.\.\}'):
        refuse_routing("ChatFlash", {"order": ["azure"]}, ["extra_body"])
    for provider in (None, "flashapi", {"name": "mine", "base_url": "https://example.com/v1"}):
        refuse_routing("ChatFlash", provider, ["extra_body"])
