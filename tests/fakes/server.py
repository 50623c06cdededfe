"""An HTTP server in place of OpenSearch, and requests that a client sends to it."""

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.settings import Settings, read_settings

BODY = b'{"delete":{"_id":"1"}}\n'
Reply = tuple[int, str, bytes]
"""Status, content type, body."""
Replying = Callable[[dict[str, str]], Reply | None]
"""From a request's headers to the answer; None hangs up."""


class Server:
    """Answers each request by ``reply``, and remembers headers and bodies."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.reply: Replying = lambda _: (200, "application/json", b'{"errors":false}')
        self.headers: dict[str, str] = {}
        """To be sent with every answer."""
        self.connections = self.open_connections = 0
        self.hangs_up_when_idle = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server.connections += 1
                server.open_connections += 1

            def finish(self) -> None:
                super().finish()
                self.connection.close()
                server.open_connections -= 1

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self._reply
                raise AttributeError(name)

            def _reply(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append((self.path, headers, self.rfile.read(int(headers.get("content-length", 0)))))
                reply = server.reply(headers)
                if reply is None:  # hang up without an answer
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, content_type, body = reply
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = server.hangs_up_when_idle

            def log_message(self, *args: Any) -> None:
                del args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # TLS bytes: the test knows
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def settings(url: str, **changes: Any) -> Settings:
    environment = {
        "OPENSEARCH_ENDPOINT": url,
        "OPENSEARCH_AUTH": "none",
        "AWS_REGION": "eu-west-1",
        "TABLE_NAME": "products",
        "TABLE_KEYS": "pk",
        "INDEX": "products",
    }
    return replace(read_settings(environment), **changes)


def post(client: Client, timeout_seconds: float = 5) -> Answer:
    return client.post("/products/_bulk", {"filter_path": "errors"}, BODY, timeout_seconds)


def ask(client: Client, method: str) -> Any:
    """Both ways to OpenSearch: a bulk request, or another."""
    return post(client) if method == "bulk" else client.fetch(method, "/products/_bulk", {}, b"{}", 5)
