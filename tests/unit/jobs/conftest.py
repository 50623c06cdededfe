from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from unit.jobs.redriving import Stream, World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr("dynamodb_opensearch.failures.queue._WAIT_SECONDS", 0)
    with mock_aws():
        yield World()


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(used: Stream) -> Stream:
        client = boto3.client

        def connect(name: str, **options: Any) -> Any:
            return used if name == "dynamodbstreams" else client(name, **options)

        monkeypatch.setattr(boto3, "client", connect)
        return used

    return use
