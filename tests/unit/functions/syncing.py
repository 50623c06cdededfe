"""The sync function between fakes: one batch goes in, and what came of it can be looked at."""

import json
from functools import cached_property, partial
from importlib import import_module
from itertools import count
from typing import Any

import pytest
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.failures import destination as dead_letters
from dynamodb_opensearch.settings import read_settings
from fakes.dynamodb import FakeDynamoDB
from fakes.opensearch import FakeOpenSearch

ENVIRONMENT = {
    "OPENSEARCH_ENDPOINT": "http://search:9200",
    "OPENSEARCH_AUTH": "none",
    "AWS_REGION": "eu-west-1",
    "TABLE_NAME": "products",
    "TABLE_KEYS": "pk",
    "INDEX": "products",
    "DEAD_LETTER_ARN": "arn:aws:sqs:eu-west-1:123456789012:letters",
}


_NUMBERS = count()


class Context:
    """Lambda's."""

    aws_request_id = "request-1"

    def __init__(self, milliseconds: int = 30_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        self.milliseconds -= 200
        return self.milliseconds


class Mailbox:
    """A destination that takes all letters but those at ``lost`` positions."""

    def __init__(self) -> None:
        self.letters: list[dict[str, Any]] = []
        self.lost: set[int] = set()

    def deliver(self, messages: Any, name: str) -> dict[int, str]:
        assert name == "request-1"
        self.letters += [json.loads(message) for position, message in enumerate(messages) if position not in self.lost]
        return dict.fromkeys(self.lost, "AccessDenied")


class World:
    """The function between a fake OpenSearch, a fake DynamoDB and a mailbox for dead letters."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
        for name, value in ENVIRONMENT.items():  # the module reads its settings when it is first imported
            monkeypatch.setenv(name, value)
        stream = import_module("dynamodb_opensearch.functions.sync")
        several = json.loads(environment.get("INDICES", "{}"))
        self.opensearch = FakeOpenSearch(indices={index: {} for index in several})
        self.dynamodb, self.mailbox = FakeDynamoDB(), Mailbox()
        monkeypatch.setattr(stream, "Client", lambda _: self.opensearch)
        monkeypatch.setattr(stream, "_dynamodb", lambda: self.dynamodb)
        monkeypatch.setattr(dead_letters, "connect", lambda _: self.mailbox)
        monkeypatch.setattr(stream, "Deadline", partial(Deadline, sleep=lambda _: None))
        one = {"INDEX": ""} if several else {}
        self._environment = ENVIRONMENT | {"SYNC_NAME": f"sync-{next(_NUMBERS)}"} | one | environment
        self._make = stream.SyncFunction

    @cached_property
    def sync(self) -> Any:
        """Made at first use, and under a name of its own: its logger writes to the standard output of that moment."""
        return self._make(read_settings(self._environment))

    def handle(self, *records: Any) -> list[str | None]:
        answer = self.sync.handle({"Records": list(records)}, Context())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def number_of(one: dict[str, Any]) -> str:
    return str(one["dynamodb"]["SequenceNumber"])
