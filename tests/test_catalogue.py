"""Providers, models and limits: every figure of the sources, and rows of one's own."""

from __future__ import annotations

import copy
import pickle
from typing import get_args

import pytest

from flash_integrations import Provider, RateLimit, get_provider, list_models, register_model, register_provider
from flash_integrations.catalogue import ModelCard, ProviderName, context_window, list_providers, read_catalogue
from flash_integrations.errors import ConfigurationError

K = 1_000
DOCUMENTED = RateLimit(requests_per_minute=60, requests_per_hour=3_600, concurrent=10)


# --- the figures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "url", "variable", "stream", "limits"),
    [
        ("flashapi", "https://ai.flashapi.top/v1", "FLASH_API_KEY", "gpt", DOCUMENTED),
        ("supertoken", "https://api.supertoken.cc/v1", "SUPERTOKEN_API_KEY", "gpt", DOCUMENTED),
        ("floxai", "https://api.floxai.io/v1", "FLOXAI_API_KEY", "none", None),
        ("uniapi", "https://api.uniapi.io/v1", "FLOXAI_API_KEY", "none", None),
        ("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "none", None),
        ("custom", "", None, "all", None),
    ],
)
def test_the_rows(name, url, variable, stream, limits):
    """URL, key variable, stream rule and default limits of each provider."""
    row = get_provider(name)
    assert (row.name, row.base_url, row.key_variable, row.stream, row.rate_limit) == (
        name,
        url,
        variable,
        stream,
        limits,
    )
    assert row.require_finish_reason


def test_there_are_no_other_rows():
    """The six rows, in the order of the file."""
    assert [row.name for row in list_providers()] == ["flashapi", "supertoken", "floxai", "uniapi", "openai", "custom"]


def test_the_tiers():
    """OpenAI's three tiers; the other rows have none."""
    assert get_provider("openai").tiers == {
        "free": RateLimit(requests_per_minute=3, tokens_per_minute=40_000),
        "tier1": RateLimit(requests_per_minute=500, tokens_per_minute=200_000),
        "tier2": RateLimit(requests_per_minute=5_000, tokens_per_minute=2_000_000),
    }
    assert [row.name for row in list_providers() if row.tiers] == ["openai"]


GATEWAY_MODELS = {
    "gpt-5.2": 200 * K,
    "gpt-5.2-codex": 200 * K,
    "gpt-5.1": 128 * K,
    "gpt-5-codex-mini": 128 * K,
    "claude-opus-4-6": 200 * K,
    "claude-sonnet-4-6": 200 * K,
    "claude-haiku-4-5": 200 * K,
    "gemini-2.5-pro": 1_000 * K,
    "gemini-2.0-flash": 1_000 * K,
}
MODELS = {
    "flashapi": GATEWAY_MODELS,
    "supertoken": GATEWAY_MODELS,
    "floxai": {"gpt-4o": None, "gpt-4.1": None, "o3": None, "o4-mini": None},
    "openai": {
        "gpt-5.2": 256 * K,
        "gpt-4o": 128 * K,
        "gpt-4o-mini": 128 * K,
        "o3": 200 * K,
        "o4-mini": 128 * K,
        "dall-e-3": None,
        "whisper-1": None,
        "tts-1": None,
        "text-embedding-3-large": 8_191,
    },
    "custom": {},
}


@pytest.mark.parametrize("name", MODELS)
def test_the_models(name):
    """The models of each row with their context windows, as the sources give them."""
    assert {card.name: card.context_window for card in list_models(name)} == MODELS[name]
    assert {name: card.name for name, card in get_provider(name).models.items()} == {
        name: name for name in MODELS[name]
    }


def test_the_kinds_of_models():
    """What does not chat says what it does."""
    kinds = {card.name: card.kind for card in list_models() if card.kind != "chat"}
    assert kinds == {
        "dall-e-3": "image",
        "whisper-1": "transcription",
        "tts-1": "speech",
        "text-embedding-3-large": "embedding",
    }


def test_all_models_can_be_listed():
    """Without a provider, those of all rows; an unknown provider is an error."""
    assert len(list_models()) == sum(len(row.models) for row in list_providers())
    with pytest.raises(ConfigurationError, match="unknown provider 'nobody'"):
        list_models("nobody")


@pytest.mark.parametrize(
    ("model", "provider", "tokens"),
    [
        ("gpt-5.2", "flashapi", 200 * K),
        ("gpt-5.2", "openai", 256 * K),
        ("gpt-5.2", "custom", 200 * K),  # elsewhere the smallest listed figure
        ("gpt-4o", "floxai", 128 * K),  # listed there without a figure
        ("gpt-4.1", "floxai", 128 * K),  # no row gives a figure
        ("gemini-2.5-pro", "openai", 1_000 * K),
        ("text-embedding-3-large", "custom", 8_191),
        ("a-model-nobody-lists", "openai", 128 * K),
    ],
)
def test_context_windows(model, provider, tokens):
    """The row's own figure, else the smallest that any row lists, else 128,000."""
    assert context_window(model, get_provider(provider)) == tokens


@pytest.mark.parametrize(
    ("provider", "model", "streamed"),
    [
        ("flashapi", "gpt-5.2", True),
        ("flashapi", "GPT-4o", True),
        ("flashapi", "openai/gpt-5.2", True),
        ("flashapi", "ft:gpt-4o:me", True),
        ("flashapi", "claude-opus-4-6", False),
        ("flashapi", "my-gpt-5", False),
        ("supertoken", "gpt-5.1", True),
        ("floxai", "gpt-4o", False),
        ("openai", "gpt-5.2", False),
        ("custom", "anything", True),
    ],
)
def test_whose_whole_answers_are_streamed(provider, model, streamed):
    """The row's rule: GPT models, all, or none."""
    assert get_provider(provider).streams(model) is streamed


# --- one's own ------------------------------------------------------------------------------------------------------


def test_a_row_can_be_registered():
    """It is found by name and listed with its models."""
    mine = Provider("mine", "https://own.example/v1", models={"m": ModelCard("m", 9)})
    assert register_provider(mine) == get_provider("mine")
    assert list_models("mine") == [ModelCard("m", 9)]


@pytest.mark.parametrize("name", ["SuperToken", "supertoken ", " SUPERTOKEN\n"])
def test_a_row_is_found_in_any_spelling_of_its_name(name):
    """Case and blanks around it do not count."""
    assert get_provider(name).name == "supertoken"


def test_a_row_of_exactly_that_name_comes_first():
    """A registered row may differ from another in case alone."""
    register_provider(Provider("SuperToken", "https://own.example/v1"))
    assert get_provider("SuperToken").base_url == "https://own.example/v1"
    assert get_provider("supertoken").base_url == "https://api.supertoken.cc/v1"


def test_a_row_can_be_replaced():
    """A row of the same name takes the place of the old one."""
    register_provider(Provider("openai", "https://own.example/v1"))
    assert get_provider("openai").base_url == "https://own.example/v1"
    assert [row.name for row in list_providers()].count("openai") == 1


def test_a_model_can_be_registered():
    """It joins its row, which keeps the rest; elsewhere the smallest figure now counts it in."""
    card = register_model("gpt-5.2", context_window=7, kind="chat")
    assert list_models("custom") == [card]
    assert context_window("gpt-5.2", get_provider("custom")) == 7
    assert context_window("gpt-5.2", get_provider("openai")) == 256 * K
    register_model("gpt-9", provider="flashapi")
    assert list(get_provider("flashapi").models) == [*GATEWAY_MODELS, "gpt-9"]
    assert get_provider("flashapi").rate_limit == DOCUMENTED


def test_a_model_needs_a_known_row():
    """A model cannot join a row that is not there."""
    with pytest.raises(ConfigurationError, match="unknown provider 'nobody'"):
        register_model("m", provider="nobody")


def test_rows_cannot_be_changed_by_hand():
    """What was given out stays what it was, also when the mapping it was made of changes."""
    models = {"m": ModelCard("m")}
    row = register_provider(Provider("mine", models=models))
    models["n"] = ModelCard("n")
    assert list(get_provider("mine").models) == ["m"]
    with pytest.raises(TypeError):
        row.models["n"] = ModelCard("n")


def pickled(value):
    """What comes out of a pickle."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
@pytest.mark.parametrize("name", ["flashapi", "openai"])
def test_rows_copy_and_pickle(name, copied):
    """A row comes back equal."""
    assert copied(get_provider(name)) == get_provider(name)


# --- rate limits and the file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("figure", ["requests_per_minute", "requests_per_hour", "tokens_per_minute", "concurrent"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "60"])
def test_a_limit_is_a_whole_number(figure, value):
    """Zero, fractions and texts are refused by name."""
    with pytest.raises(ConfigurationError, match=f"rate_limit: {figure} must be an int of at least 1"):
        RateLimit(**{figure: value})


def test_a_row_can_be_like_an_earlier_one():
    """It takes everything it does not name itself."""
    one = '[providers.a]\nbase_url = "https://a.example"\nstream = "none"\n'
    row = read_catalogue(one + '[providers.b]\nlike = "a"\nkey_variable = "B"\n')["b"]
    assert (row.name, row.base_url, row.stream, row.key_variable) == ("b", "https://a.example", "none", "B")


def test_a_row_cannot_be_like_a_later_one():
    """Rows are read in order."""
    with pytest.raises(ConfigurationError, match="'b': like='c' names no earlier one"):
        read_catalogue('[providers.b]\nlike = "c"\n')


def test_the_names_an_editor_offers_are_the_providers_there_are():
    """The Literal beside ``provider`` is the table."""
    assert list(get_args(ProviderName)) == [provider.name for provider in list_providers()]


def test_what_is_known_of_reasoning_is_read_from_the_catalogue():
    """A provider says whether it wants reasoning back and thinks between tags; a model's row counts more."""
    text = """
    [providers.a]
    send_reasoning = true
    split_think_tags = true
    models = { plain = { split_think_tags = false }, other = 1000 }
    """
    row = read_catalogue(text)["a"]
    assert row.send_reasoning
    assert [row.splits_think_tags(model) for model in ("plain", "other", "unlisted")] == [False, True, True]
    assert (Provider("b").send_reasoning, Provider("b").splits_think_tags("m")) == (None, False)


def test_a_registered_model_says_whether_it_thinks_between_tags():
    """The fact counts at its provider."""
    register_provider(Provider("c"))
    register_model("r1", provider="c", split_think_tags=True)
    assert get_provider("c").splits_think_tags("r1")
