"""Serves recorded answers of DynamoDB Local: a proxy that forwards each request only once.

So a read takes almost no CPU time on this machine, like a read from AWS.

usage: python -m benchmarks.recorded_table URL; prints its port
"""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

_ANSWERS: dict[tuple[str, bytes], bytes] = {}


class RecordedTable(NamedTuple):
    """A running proxy."""

    url: str
    pid: int


@contextmanager
def recorded_table(url: str) -> Iterator[RecordedTable]:
    """Run a proxy for this DynamoDB endpoint, in its own process."""
    command = [sys.executable, "-m", "benchmarks.recorded_table", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        try:
            assert process.stdout is not None
            yield RecordedTable(f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid)
        finally:
            process.terminate()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    url = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = self.headers["X-Amz-Target"], body
        if asked not in _ANSWERS:
            headers = {name: self.headers[name] for name in ("X-Amz-Target", "Content-Type", "Authorization")}
            with urllib.request.urlopen(urllib.request.Request(self.url, body, headers)) as answer:  # noqa: S310 (ours)
                _ANSWERS[asked] = answer.read()
        content = _ANSWERS[asked]
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, *arguments: object) -> None:
        """Log nothing: a line per request would be too much."""


def main() -> None:
    """Serve until the process is ended."""
    _Handler.url = sys.argv[1]
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
