"""What a gateway taught about a model: facts per (base URL, model, endpoint), for the life of the process.

A refusal that names its cause turns into a fact, once; the same call is then sent in the form the gateway takes. A
refusal after that is raised. A fact is kept for the endpoint whose refusal taught it: what chat refuses says nothing
about embeddings, whose body has other parts. Which facts there are, how they are learned and what they change: the rows
of ``quirks``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any


class LearnedQuirks:
    """The facts of a process. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._facts: dict[tuple[str, str, str], dict[str, Any]] = {}

    def facts(self, base_url: str, model: str | None, *, path: str) -> Mapping[str, Any]:
        """What is known now of a model at an endpoint's path; never changes after it was given out."""
        return self._facts.get((base_url, model or "", path), {})

    def learn(self, base_url: str, model: str | None, name: str, value: Any, *, path: str) -> None:
        """Keep a fact for the endpoint that taught it."""
        with self._lock:
            place = (base_url, model or "", path)
            self._facts[place] = {**self._facts.get(place, {}), name: value}

    def learned(self, base_url: str) -> dict[str, dict[str, Any]]:
        """All facts of a gateway, by model; what several endpoints taught of one model stands together."""
        found: dict[str, dict[str, Any]] = {}
        with self._lock:
            for (url, model, _), facts in self._facts.items():
                if url == base_url:
                    found.setdefault(model, {}).update(facts)
        return found

    def forget(self, base_url: str, model: str | None = None) -> None:
        """Forget a gateway's facts, or those of one model there."""
        with self._lock:
            gone = [place for place in self._facts if place[0] == base_url and model in (None, place[1])]
            for place in gone:
                del self._facts[place]

    def renew_lock(self) -> None:
        """Take a new lock, in a process that forked while a thread held the old one."""
        self._lock = threading.Lock()
