"""The whole handler between a real OpenSearch and a table in memory, and OpenSearch's own API beside it."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from itertools import count
from typing import Any

import pytest
from dynamodb_opensearch.failures import destination as dead_letters
from dynamodb_opensearch.settings import Settings, read_settings
from engines import OpenSearchNode
from fakes.dynamodb import FakeDynamoDB

from opensearch import api

_NUMBERS = count()


class Context:
    """Lambda's context of an invocation that may last so long."""

    aws_request_id = "request"

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


class Function:
    """A sync of its own: an index, a table, a mailbox of dead letters."""

    def __init__(
        self, node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch, *, index: str = "", **changes: Any
    ) -> None:
        self.node = node
        self.index = index or f"f-{next(_NUMBERS)}"
        self.table = FakeDynamoDB()
        self.letters: list[dict[str, Any]] = []
        environment = {
            "OPENSEARCH_ENDPOINT": node.url,
            "OPENSEARCH_AUTH": "none",
            "AWS_REGION": "eu-west-1",
            "TABLE_NAME": "products",
            "TABLE_KEYS": "pk",
            "INDEX": self.index,
            "DEAD_LETTER_ARN": "arn:aws:sqs:eu-west-1:123456789012:letters",
            "REQUEST_TIMEOUT_SECONDS": "2",
        }
        for name, value in environment.items():  # the module reads its settings when it is first imported
            monkeypatch.setenv(name, value)
        stream = import_module("dynamodb_opensearch.functions.sync")
        monkeypatch.setattr(stream, "_dynamodb", lambda: self.table)
        monkeypatch.setattr(dead_letters, "connect", lambda _: self)
        settings: Settings = read_settings(environment)
        self.sync = stream.SyncFunction(replace(settings, sync_name=self.index, **changes))

    def deliver(self, messages: Any, name: str) -> dict[int, str]:
        """Stand in for the dead letters' destination."""
        del name
        self.letters += [json.loads(message) for message in messages]
        return {}

    def handle(self, *records: Any, seconds: float = 30) -> list[str | None]:
        """Invoke the handler; the sequence numbers that it reports."""
        answer = self.sync.handle({"Records": list(records)}, Context(seconds))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def create(self, **body: Any) -> None:
        self.api("PUT", f"/{self.index}", body)

    def close_index(self) -> None:
        self.api("POST", f"/{self.index}/_close")

    def block(self, name: str, *, on: bool) -> None:
        self.api("PUT", f"/{self.index}/_settings", {f"index.blocks.{name}": True if on else None})

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """OpenSearch's own answer, decoded; errors raise."""
        return json.loads(self.raw(method, path, body))

    def raw(self, method: str, path: str, body: Any = None) -> str:
        return api.call(self.node, method, path, body)

    def source(self, document_id: str) -> str | None:
        """A document's ``_source``, byte for byte, or None."""
        return api.source(self.node, self.index, document_id)

    def ids(self) -> set[str]:
        """All documents' ids."""
        self.raw("POST", f"/{self.index}/_refresh")
        found = self.api("POST", f"/{self.index}/_search", {"size": 10_000, "_source": False})
        return {hit["_id"] for hit in found["hits"]["hits"]}


def later(seconds: float, action: Callable[[], Any]) -> threading.Timer:
    """Do something while an invocation is under way."""
    timer = threading.Timer(seconds, action)
    timer.start()
    return timer


def number_of(one: dict[str, Any]) -> str:
    return str(one["dynamodb"]["SequenceNumber"])
