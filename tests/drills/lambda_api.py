"""Answers the two calls of Lambda's API that the command makes, for the functions that run in this process.

See https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html and API_ListEventSourceMappings.html
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from drills.event_source_mapping import EventSourceMapping
from drills.function import Function


class LambdaApi:
    """The functions and event source mappings that are deployed now."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.functions: dict[str, Function] = {}
        self.mappings: list[EventSourceMapping] = []

    def answer(self, target: str) -> dict[str, Any] | None:
        """Answer a GET request; None if there is no such resource."""
        parts = urlsplit(target)
        path = parts.path.strip("/").split("/")
        match path:
            case ["2015-03-31", "functions", name, "configuration"] if unquote(name) in self.functions:
                return _configuration(self.functions[unquote(name)])
            case ["2015-03-31", "event-source-mappings"]:
                [name] = parse_qs(parts.query)["FunctionName"]
                found = [mapping for mapping in self.mappings if mapping.function.name == name]
                return {"EventSourceMappings": [_mapping(mapping) for mapping in found]}
        return None


@contextmanager
def lambda_api() -> Iterator[LambdaApi]:
    """Serve the API on loopback while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = api.answer(self.path)
            body = json.dumps(answer or {"Message": f"Function not found: {self.path}"}).encode()
            self.send_response(200 if answer else 404)
            if answer is None:
                self.send_header("x-amzn-ErrorType", "ResourceNotFoundException")
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log no requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = LambdaApi(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


def _configuration(function: Function) -> dict[str, Any]:
    return {
        "FunctionName": function.name,
        "Environment": {"Variables": function.environment},
        "Timeout": int(function.timeout_seconds),
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": f"/aws/lambda/{function.name}"},
    }


def _mapping(mapping: EventSourceMapping) -> dict[str, Any]:
    return {
        "UUID": mapping.uuid,
        "EventSourceArn": mapping.stream.arn,
        "State": "Enabled" if mapping.enabled else "Disabled",
        "StateTransitionReason": "User action",
        "LastProcessingResult": mapping.last_result,
    }
