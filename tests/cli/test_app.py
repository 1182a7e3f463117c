"""The command line as a user meets it: in a process of its own, by exit code and output."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from flash_integrations import FlashClient, get_provider
from flash_integrations.errors import NotFoundError
from flash_integrations.testing import LocalGateway

HINT = "this command needs more packages: pip install 'flash-integrations[all]'"
COMMAND = [sys.executable, "-m", "flash_integrations.cli"]


def run(*params, **environment):
    """Run the command; gives exit code, output and error output."""
    done = subprocess.run(
        [*COMMAND, *params],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "160", **environment},
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def demo():
    return run("demo")


def test_demo_ends_well(demo):
    """Without a key the demo runs to its end on the local gateway, and says whose answers these are."""
    code, out, err = demo
    assert (code, err) == (0, "")
    assert "the local gateway, which makes its answers up" in out


def test_demo_shows_each_call_with_usage(demo):
    """Whole and streamed answers of both frameworks are in the table, with finish reason and tokens."""
    for call in ("invoke", "stream", "chat", "stream_chat"):
        assert re.search(rf"│ (?:LangChain|LlamaIndex) +│ {call} +│ +\d+ │ stop +│ +\d+ │ +\d+ │ +\d+ │", demo[1])


def test_demo_calls_a_tool_and_tells_its_result(demo):
    """In both frameworks the tool is called with its argument, and the model tells what it gave."""
    assert demo[1].count("get_weather({'city': 'Paris'}) = sunny in Paris, 21 degrees") == 2
    assert len(re.findall(r"its result sent back → .*sunny in Paris, 21 degrees", demo[1])) == 2


def test_demo_shows_an_answer_as_an_object(demo):
    """Structured output comes as the class that was asked for, in both frameworks."""
    assert demo[1].count("City(name='Paris', country='France')") == 2


def test_demo_proves_that_every_request_was_a_stream(demo):
    """The gateway's own record says that all requests were streams."""
    streamed, total = re.search(r"record: (\d+) of (\d+) requests were streams", demo[1]).groups()
    assert streamed == total != "0"


def test_demo_asks_the_gateway_that_is_named():
    """With a URL and a key in the environment the demo goes there."""
    with LocalGateway() as gateway:
        code, out, _ = run("demo", FLASH_BASE_URL=gateway.base_url, FLASH_API_KEY=gateway.api_key)
        assert code == 0
        assert gateway.base_url in out
        assert {request.path for request in gateway.requests} == {"/v1/chat/completions"}


@pytest.mark.parametrize(
    ("params", "environment", "said"),
    [
        (["demo"], {"FLASH_PROVIDER": "nope"}, "unknown provider 'nope'"),
        (["demo"], {"FLASH_PROVIDER": "supertoken"}, "set SUPERTOKEN_API_KEY"),
        (["demo"], {"FLASH_BASE_URL": "ftp://host"}, "FLASH_BASE_URL must be a URL"),
        (["gateway", "--provider", "nope"], {}, "unknown provider 'nope'"),
    ],
)
def test_a_mistake_ends_in_one_line(params, environment, said):
    """A user's mistake is told in one line on the error output, with exit code 2."""
    code, _, err = run(*params, **environment)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_a_missing_package_ends_in_one_line(tmp_path):
    """Without a framework the demo names what is missing and which extra has it."""
    (tmp_path / "pydantic").mkdir()
    (tmp_path / "pydantic" / "__init__.py").write_text("raise ModuleNotFoundError(name='pydantic')")
    code, _, err = run("demo", PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    assert code == 2
    assert err == "flash-integrations: pydantic is not installed: " + HINT + "\n"


def test_a_wrong_key_ends_in_one_line_without_the_key():
    """A refusal is told in one line, exit code 1, and does not show the key."""
    with LocalGateway() as gateway:
        code, _, err = run("demo", FLASH_BASE_URL=gateway.base_url, FLASH_API_KEY="sk-not-the-key")
    assert code == 1
    assert "AuthenticationError" in err
    assert err.count("\n") == 1
    assert "sk-not-the-key" not in err


# A shell that runs the suite in the background has its programs ignore Ctrl-C, and they hand that on.
IN_THE_FOREGROUND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from flash_integrations.cli import main
main()
"""


@contextmanager
def serving(*params):
    """The gateway's process, on a free port; what it prints after Ctrl-C is added to the list that is given."""
    with subprocess.Popen(
        [sys.executable, "-c", IN_THE_FOREGROUND, "gateway", "--port", "0", *params],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "160", "PYTHONUNBUFFERED": "1"},
    ) as process:
        printed = []
        try:
            yield process.stdout, printed
            process.send_signal(signal.SIGINT)
            printed += process.communicate(timeout=120)[0].splitlines()
            assert process.returncode == 0
        finally:
            process.kill()


def test_gateway_serves_until_interrupted():
    """The gateway says how to reach it, is reachable, and ends on Ctrl-C."""
    with serving() as (output, printed):
        line = next(line for line in output if "export" in line)
        found = re.search(r"FLASH_BASE_URL=(\S+) FLASH_API_KEY=(\S+)", line)
        code, out, _ = run("demo", FLASH_BASE_URL=found[1], FLASH_API_KEY=found[2])
        assert code == 0
        assert found[1] in out
    assert printed[-1] == "stopped"


def test_gateway_shows_its_requests_and_code_that_keeps_the_rows_rules():
    """The client it prints has the row's rules and limits; --log has a line for each, --strict-models refuses."""
    with serving("--provider", "supertoken", "--strict-models", "--log") as (output, printed):
        code = next(line for line in output if "FlashClient(" in line)
        params = dict(re.findall(r"(\w+)='([^']+)'", code))
        client = FlashClient(**params)
        asked = [{"role": "user", "content": "Hello"}]
        with client:
            assert client.provider.rate_limit == get_provider("supertoken").rate_limit
            client.chat(model="gpt-5.2", messages=asked)
            assert set(client.models()) == set(get_provider("supertoken").models)
            with pytest.raises(NotFoundError):
                client.chat(model="gpt-none", messages=asked)
    assert [line for line in printed if "/v1" in line] == [
        "POST /v1/chat/completions gpt-5.2 stream 200",
        "GET /v1/models - plain 200",
        "POST /v1/chat/completions gpt-none stream 404",
    ]
