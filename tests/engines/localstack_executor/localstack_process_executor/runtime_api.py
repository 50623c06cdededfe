"""Serves the Lambda Runtime API, version 2018-06-01, from which a function's process gets its events.

    GET  /runtime/invocation/next            blocks until there is an event
    POST /runtime/invocation/ID/response     the handler's result
    POST /runtime/invocation/ID/error        the handler's exception
    POST /runtime/init/error                 the module could not be imported

See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. AWS's own runtime client (awslambdaric) is the other
end, so handler lookup, the context object, error serialisation and logging set-up are real.
"""

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PREFIX = "/2018-06-01/runtime"


@dataclass(frozen=True, slots=True)
class Event:
    """An event with the headers that make its context."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """The function's answer to an event, or its failure to initialise."""

    body: bytes
    is_error: bool


class RuntimeApi:
    """Serves one function's process on its own loopback port."""

    def __init__(self) -> None:
        self.idle = threading.Event()  # set once the function has asked for its first event: it is initialised
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._answers: queue.Queue[Answer] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    @property
    def address(self) -> str:
        """`host:port`, the value of AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_port}"

    def send(self, event: Event) -> None:
        self._events.put(event)

    def receive(self, timeout_seconds: float) -> Answer | None:
        """Return the next answer; None if there is none in time."""
        try:
            return self._answers.get(timeout=timeout_seconds)
        except queue.Empty:
            return None

    def close(self) -> None:
        self._events.put(None)  # frees the thread that waits for an event
        self._server.shutdown()
        self._server.server_close()

    def next_event(self) -> Event | None:
        """Block until there is an event; return None if the API is closed. The server's threads call it."""
        self.idle.set()
        return self._events.get()

    def take_answer(self, answer: Answer) -> None:
        """Take an answer. The server's threads call it."""
        self._answers.put(answer)


def _handler_of(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            if self.path != f"{PREFIX}/invocation/next":
                self._respond(404, {}, b"")
            elif event := api.next_event():
                self._respond(200, event.headers, event.body)
            else:
                self._respond(410, {}, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            api.take_answer(Answer(body, is_error=self.path.endswith("/error")))
            self._respond(202, {}, b'{"status":"OK"}')

        def _respond(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Log no requests."""

    return Handler
