"""Runs llama.cpp's HTTP server with one model on a free port of 127.0.0.1, which it prints, until it is terminated.

A process of its own, with the unpacked wheel on its path: where llama.cpp dies, the tests live to tell of it::

    PYTHONPATH=UNPACKED python xllamacpp_server.py --model FILE --alias NAME --ctx-size TOKENS --api-key KEY
"""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

import xllamacpp


def parameters(asked: argparse.Namespace) -> xllamacpp.CommonParams:
    """llama.cpp's settings for the tests: two threads, four slots over one memory, and no cached prompts."""
    params = xllamacpp.CommonParams()
    params.model.path = asked.model
    params.model_alias = {asked.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [asked.api_key]
    params.n_parallel = 4
    params.n_ctx = asked.ctx_size
    params.kv_unified = True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.n_predict = 400
    params.use_jinja = True
    # A cached prompt changes the order of sums, and with it now and then a token.
    params.cache_prompt = False
    if asked.chat_template_file is not None:
        params.chat_template = asked.chat_template_file.read_text(encoding="utf-8")
    return params


def main() -> None:
    """Load the model, say where it is served, and wait for the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "alias", "api-key"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--ctx-size", type=int, required=True)
    parser.add_argument("--chat-template-file", type=Path)
    server = xllamacpp.Server(parameters(parser.parse_args()))
    print(f"listening on {server.listening_address}", flush=True)  # noqa: T201 - the log of a program
    signal.pause()


if __name__ == "__main__":
    main()
