"""The catalogue's file: nothing in it is ignored, neither a value nor a misspelt key."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files

import pytest

from flash_integrations.catalogue import read_catalogue
from flash_integrations.errors import ConfigurationError


def catalogue_text():
    """The catalogue as it is shipped."""
    return files("flash_integrations").joinpath("catalogue.toml").read_text(encoding="utf-8")


def leaves(table, path=()):
    """Every key of a TOML document that holds a value, as a path."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def as_toml(table):
    """A TOML document of dotted keys with that content."""
    rows = []
    for path in leaves(table):
        value = table
        for key in path:
            value = value[key]
        rows.append(f"{'.'.join(map(json.dumps, path))} = {json.dumps(value)}\n")
    return "".join(rows)


def altered(path, value):
    """The catalogue's text with one value put in, or replaced by what a function makes of it."""
    document = tomllib.loads(catalogue_text())
    table = document
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value(table[path[-1]]) if callable(value) else value
    return as_toml(document)


def another(value):
    """Some other value of the same type."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"{value}x"


@pytest.mark.parametrize("path", list(leaves(tomllib.loads(catalogue_text()))), ids=".".join)
def test_every_key_of_the_catalogue_is_read(path):
    """Whatever is written in the catalogue counts: another value there makes another row, or is refused."""
    before = read_catalogue(catalogue_text())
    try:
        after = read_catalogue(altered(path, another))
    except ConfigurationError:
        return
    assert after != before


TABLES = sorted(
    {path[:-1] for path in leaves(tomllib.loads(catalogue_text())) if path[-2] not in {"models", "tiers"}} | {()}
)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: ".".join(table) or "top")
def test_unknown_keys_of_the_catalogue_are_refused(table):
    """A misspelt key is an error and not a rule that silently does not hold."""
    with pytest.raises(ConfigurationError, match="no_such_key"):
        read_catalogue(altered((*table, "no_such_key"), 1))
