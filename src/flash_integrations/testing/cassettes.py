"""Settings for vcrpy: cassettes without keys, matched by what was asked, readable, and telling where they come from.

A cassette proves content and translation. It holds each body whole, so what concerns streaming (time, cuts, cancelled
answers) is tested on sockets, with ``LocalGateway``. With pytest-recording, in ``conftest.py``::

    import os

    import pytest

    from flash_integrations.testing import cassettes


    @pytest.fixture(scope="module")
    def vcr_config():
        places = {"https://api.supertoken.cc/v1": "supertoken"}
        return cassettes.settings(places, secrets=[os.environ["SUPERTOKEN_API_KEY"]])


    def pytest_recording_configure(config, vcr):
        cassettes.register(vcr, note="Recorded from supertoken.cc: pytest --record-mode=once")

and in ``test_answers.py``::

    import pytest

    from flash_integrations import FlashClient


    @pytest.mark.vcr
    def test_hello():
        with FlashClient(provider="supertoken") as client:
            answer = client.chat(model="gpt-5.2", messages=[{"role": "user", "content": "Say hello."}])
        assert "hello" in answer.text.lower()

Then, in a shell::

    pip install flash-integrations pytest pytest-recording "vcrpy>=8"
    SUPERTOKEN_API_KEY=sk-... pytest --record-mode=once     # asks, and writes cassettes/test_answers/test_hello.yaml
    SUPERTOKEN_API_KEY=sk-played pytest --block-network     # plays: any key will do, but a client wants one
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigurationError

__all__ = ["register", "same_json", "settings"]

_KEPT_HEADERS = frozenset({"accept", "content-type"})
_SAME_JSON = "same JSON"
_HIDDEN = "***"
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = frozenset({"localhost", "::1"})


def settings(places: Mapping[str, str], *, secrets: Sequence[str] = ()) -> dict[str, Any]:
    """Words for ``VCR.use_cassette``, which must know what :func:`register` registers.

    Args:
        places: what is recorded: base URLs, and the name by which cassettes call each one's host. Requests to other
            places go through unrecorded.
        secrets: texts that may not stand in a cassette, wherever they turn up; three asterisks take their place.

    Raises:
        ConfigurationError: a place that is no URL with a host, such as "https://api.supertoken.cc/v1".
    """
    hosts = {_named_host(url): name for url, name in places.items()}
    return {
        "match_on": ["method", "path", _SAME_JSON],
        "allow_playback_repeats": False,
        "decode_compressed_response": True,
        "before_record_request": _request_filter(hosts, secrets),
        "before_record_response": _response_filter(secrets),
        "serializer": "yaml",
    }


def register(vcr: Any, *, note: str = "") -> None:
    """Teach a ``vcr.VCR`` the matcher and the file format that :func:`settings` names.

    Args:
        vcr: the object, such as ``pytest_recording_configure`` is given.
        note: lines that stand at the head of every cassette it writes: what it was recorded from, when and how.
    """
    vcr.register_matcher(_SAME_JSON, same_json)
    vcr.register_serializer("yaml", _Yaml(note))


def same_json(one: Any, other: Any) -> None:
    """Assert that two requests ask for the same: equal JSON, whatever ids the tool calls in it were given.

    Nor does the indentation of a tool's description count: it is often a docstring, which Python 3.13 keeps without.

    Raises:
        AssertionError: they do not.
    """
    asked, recorded = _comparable(one.body), _comparable(other.body)
    assert asked == recorded, f"{asked} is not {recorded}"  # noqa: S101 - how vcrpy's matchers say no


def _comparable(body: bytes | str | None) -> Any:
    """A body's JSON with its tool calls' ids numbered in the order they turn up; another body as it is."""
    try:
        asked = json.loads(body or b"null")
    except ValueError:
        return body
    numbers: dict[str, str] = {}

    def number(call_id: Any) -> str:
        return numbers.setdefault(str(call_id), f"call {len(numbers) + 1}")

    for message in asked.get("messages", ()) if isinstance(asked, dict) else ():
        for call in message.get("tool_calls") or ():
            call["id"] = number(call.get("id"))
        if "tool_call_id" in message:
            message["tool_call_id"] = number(message["tool_call_id"])
    if isinstance(asked, dict) and isinstance(tools := asked.get("tools"), list):
        asked["tools"] = [_without_indentation(tool) for tool in tools]
    return asked


def _without_indentation(tool: Any) -> Any:
    """A tool, its description as :func:`inspect.getdoc` gives docstrings."""
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or not isinstance(text := function.get("description"), str):
        return tool
    return {**tool, "function": {**function, "description": inspect.cleandoc(text)}}


def _named_host(url: str) -> str:
    """The host of a place to record."""
    try:
        host = _host(url)
    except ValueError:  # a port that is no number
        host = ""
    if urlsplit(url).scheme not in _PORTS or not host.partition(":")[0]:
        raise ConfigurationError(f"a place to record must be a URL such as 'https://api.supertoken.cc/v1', not {url!r}")
    return host


def _host(url: str) -> str:
    """Host and port, written in one way: "localhost" and "127.0.0.1" are one place, and so are :443 and none."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    return f"{'127.0.0.1' if name in _LOOPBACK else name}:{parts.port or _PORTS.get(parts.scheme)}"


def _request_filter(hosts: Mapping[str, str], secrets: Sequence[str]) -> Callable[[Any], Any]:
    def kept(request: Any) -> Any:
        """The request as it is written down, or None."""
        from vcr.request import Request

        parts = urlsplit(request.uri)
        name = parts.netloc if parts.netloc in hosts.values() else hosts.get(_host(request.uri))
        if name is None:
            return None
        headers = {header: text for header, text in request.headers.items() if header.lower() in _KEPT_HEADERS}
        return Request(request.method, f"http://{name}{parts.path}", _without(request.body, secrets), headers)

    return kept


def _response_filter(secrets: Sequence[str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def kept(response: dict[str, Any]) -> dict[str, Any]:
        """The answer as it is written down."""
        headers = {name: texts for name, texts in response["headers"].items() if name.lower() in _KEPT_HEADERS}
        return {**response, "headers": headers, "body": {"string": _without(response["body"]["string"], secrets)}}

    return kept


def _without(body: bytes | str | None, secrets: Sequence[str]) -> bytes | str | None:
    for secret in filter(None, secrets):
        if isinstance(body, bytes):
            body = body.replace(secret.encode(), _HIDDEN.encode())
        elif body is not None:
            body = body.replace(secret, _HIDDEN)
    return body


class _Yaml:
    """vcrpy's file format: YAML whose bodies are blocks of text that can be read, under a note."""

    def __init__(self, note: str) -> None:
        self._note = "".join(f"# {line}\n" for line in note.splitlines())

    def serialize(self, cassette: dict[str, Any]) -> str:
        """The text of a cassette's file."""
        import yaml

        def represent(dumper: Any, text: str) -> Any:
            style = "|" if "\n" in text else None
            return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

        dumper: Any = type("Dumper", (yaml.SafeDumper,), {})
        dumper.add_representer(str, represent)
        written: str = yaml.dump(cassette, Dumper=dumper, allow_unicode=True, width=2**30, sort_keys=False)
        return self._note + written

    def deserialize(self, text: str) -> Any:
        """A cassette, from its file."""
        import yaml

        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
