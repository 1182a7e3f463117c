"""What a model's name alone says."""

from __future__ import annotations

import pytest

from flash_integrations._core.model_names import is_gpt, is_o_series, refuses_stop, takes_schema

GPT = ["gpt-5.2", "GPT-4o", "openai/gpt-5.1", "ft:gpt-4o:org::id", "azure/openai/gpt-4o", "vendor.x/gpt-4o"]
O_SERIES = ["o1", "o3", "O4-mini", "openai/o3", "ft:o4-mini:x", "o3-mini"]
OTHER = [
    "claude-opus-4-6",
    "gemini-2.5-pro",
    "my-gpt-4",
    "chatgpt-4o-latest",
    "gpt",
    "gpt5",
    "opus",
    "omni-1",
    "",
    "phi-o3",
]


@pytest.mark.parametrize(("names", "gpt"), [(GPT, True), (O_SERIES, False), (OTHER, False)])
def test_gpt_models_begin_with_gpt(names, gpt):
    """`gpt-` in any case, after an optional vendor or `ft:`, is a GPT model."""
    assert {name for name in names if is_gpt(name) is not gpt} == set()


@pytest.mark.parametrize(("names", "o_series"), [(O_SERIES, True), (GPT, False), (OTHER, False)])
def test_o_series_is_o_and_a_digit(names, o_series):
    """`o` and a digit, after an optional vendor or `ft:`, is an o-series model."""
    assert {name for name in names if is_o_series(name) is not o_series} == set()


@pytest.mark.parametrize(
    "name", ["o3", "o4-mini", "O3", "openai/o3", "o3-2025-04-16", "o4-mini-2025-04-16", "openai/o3:free"]
)
def test_o3_and_o4_mini_take_no_stop(name):
    """Dated forms too."""
    assert refuses_stop(name)


@pytest.mark.parametrize("name", ["o1", "o3-mini", "o3-pro", "gpt-4o", "o4", "o3-2025"])
def test_other_models_take_stop(name):
    """Only those two are known to refuse it."""
    assert not refuses_stop(name)


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("gpt-5.2", True),
        ("gpt-4o-mini", True),
        ("gpt-4.1", True),
        ("openai/gpt-5", True),
        ("o3", True),
        ("gpt-4", False),
        ("gpt-4-turbo", False),
        ("gpt-3.5-turbo", False),
        ("ft:gpt-3.5-turbo:x", False),
        ("o1-mini", False),
        ("claude-sonnet-4-6", False),
        ("qwen2.5", False),
    ],
)
def test_models_that_take_schemas_are_known_by_name(model, takes):
    """GPT and o-series models take schemas, but for those that came before them."""
    assert takes_schema(model) is takes
