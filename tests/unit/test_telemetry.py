import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch import telemetry
from dynamodb_opensearch.core.changes import Settle
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.dynamodb.table import Table
from dynamodb_opensearch.opensearch import client
from fakes.server import Server

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "OPENSEARCH_ENDPOINT": "https://search.example.com",
    "OPENSEARCH_AUTH": "none",
    "TABLE_NAME": "products",
    "TABLE_KEYS": "pk",
    "INDEX": "products",
    "AWS_REGION": "eu-west-1",
}


def emitted(
    capsys: pytest.CaptureFixture[str], tally: Tally, *, latest_second: int = 0, remaining_seconds: float = 12.5
) -> dict[str, Any]:
    telemetry.emit(tally, sync_name="products", latest_second=latest_second, remaining_seconds=remaining_seconds)
    [line] = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_metrics_are_one_line_of_the_embedded_metric_format(capsys: pytest.CaptureFixture[str]) -> None:
    line = emitted(capsys, Tally(records=3, writes=2, deletes=1))

    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "DynamoDBOpenSearch"
    assert directive["Dimensions"] == [["Sync"]]
    assert line["Sync"] == "products"
    units = {one["Name"]: one["Unit"] for one in directive["Metrics"]}
    assert set(units.values()) == {"Count", "Bytes", "Milliseconds"}
    assert all(name in line for name in units)
    assert (line["Records"], line["Writes"], line["Deletes"], line["RemainingTime"]) == ([3], [2], [1], [12_500])


def test_the_lag_is_reported_only_with_a_youngest_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Lag" not in emitted(capsys, Tally())
    [lag] = emitted(capsys, Tally(), latest_second=1_700_000_000)["Lag"]
    assert lag > 10**10


def test_a_clock_that_is_behind_makes_no_negative_lag(capsys: pytest.CaptureFixture[str]) -> None:
    assert emitted(capsys, Tally(), latest_second=2**33)["Lag"] == [0]
    assert emitted(capsys, Tally(), remaining_seconds=-1)["RemainingTime"] == [0]


def test_a_line_holds_no_more_values_of_a_metric_than_cloudwatch_takes(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    for _ in range(500):
        tally.add_request(10, 0.02)

    line = emitted(capsys, tally)

    assert (line["BulkRequests"], line["BulkBytes"]) == ([500], [5000])
    assert 90 < len(line["BulkLatency"]) <= 100


def test_a_reason_of_dead_letters_is_a_property_and_no_dimension(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    tally.dead_letters.update(["mapper_parsing_exception", "mapper_parsing_exception", "undecodable"])

    line = emitted(capsys, tally)

    assert line["DeadLetters"] == [3]
    assert line["DeadLetters.mapper_parsing_exception"] == 2
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Sync"]]


def test_each_index_with_dead_letters_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    tally.dead_letters.update(["mapper_parsing_exception"] * 3 + ["undecodable"])
    tally.dead_letters_of.update(["orders", "orders", "customers"])

    telemetry.emit(tally, sync_name="products", latest_second=0, remaining_seconds=1)

    whole, *lines = map(json.loads, capsys.readouterr().out.splitlines())
    assert whole["DeadLetters"] == [4], "a record that can't be decoded is of no index"
    assert {line["Index"]: line["DeadLetters"] for line in lines} == {"orders": [2], "customers": [1]}
    for line in lines:
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert [set(dimensions) for dimensions in directive["Dimensions"]] == [{"Sync", "Index"}]
        assert (directive["Namespace"], line["Sync"]) == ("DynamoDBOpenSearch", "products")
        assert [metric["Name"] for metric in directive["Metrics"]] == ["DeadLetters"]


def test_without_dead_letters_there_is_no_line_of_an_index(capsys: pytest.CaptureFixture[str]) -> None:
    assert emitted(capsys, Tally(records=5))["DeadLetters"] == [0]


def test_what_counted_in_no_index_and_what_a_standby_missed_are_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    line = emitted(capsys, Tally(dropped=1, skipped=2, missed=3))

    assert (line["Dropped"], line["Skipped"], line["Missed"]) == ([1], [2], [3])


def test_nothing_of_one_invocation_is_counted_in_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    emitted(capsys, Tally(records=5))
    assert emitted(capsys, Tally(records=1))["Records"] == [1]


def import_handler(**environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**ENVIRONMENT, "PYTHONPATH": str(ROOT / "lambda" / "src"), "PATH": os.environ["PATH"], **environment}
    command = [sys.executable, "-c", "import dynamodb_opensearch.functions.sync as s; print(s._function._logger.level)"]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("level", "number"), [("DEBUG", 10), ("INFO", 20), ("WARNING", 30), ("ERROR", 40)])
def test_the_log_level_is_the_variables(level: str, number: int) -> None:
    result = import_handler(LOG_LEVEL=level)

    assert result.stdout == f"{number}\n", result.stderr


def test_a_wrong_log_level_is_named_with_what_is_allowed() -> None:
    result = import_handler(LOG_LEVEL="VERBOSE")

    assert result.returncode != 0
    message = result.stderr.strip().splitlines()[-1]
    assert "LOG_LEVEL is 'VERBOSE': it must be one of DEBUG, INFO, WARNING, ERROR" in message


@pytest.fixture
def everything_logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Lambda's root logger as its JSON format makes it when the application's log level is DEBUG."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    log, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(log), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield log
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    yield server
    server.close()


def test_at_debug_the_sdk_does_not_log_an_item_that_is_read(
    amazon: Server, everything_logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():  # the module reads its settings when it is first imported
        monkeypatch.setenv(name, value)
    stream = import_module("dynamodb_opensearch.functions.sync")
    item = {"pk": {"S": "a"}, "t": {"S": "s3cr3t"}}
    answer = json.dumps({"Responses": {"products": [item]}, "UnprocessedKeys": {}}).encode()
    amazon.reply = lambda _: (200, "application/x-amz-json-1.0", answer)
    table = Table(stream._dynamodb, "products", KeySchema(("pk",)))

    [reading] = table.read([Settle("products", "a", {"pk": {"S": "a"}})], Deadline(lambda: 60_000))

    assert reading.item == item
    assert "s3cr3t" not in everything_logged.getvalue()


def test_at_debug_the_sdk_does_not_log_the_password(amazon: Server, everything_logged: io.StringIO) -> None:
    secret = json.dumps({"username": "sync", "password": "s3cr3t"})
    amazon.reply = lambda _: (200, "application/x-amz-json-1.1", json.dumps({"SecretString": secret}).encode())

    found = client.read_secret("arn:aws:secretsmanager:eu-west-1:123456789012:secret:search-AbCdEf")

    assert found == ("sync", "s3cr3t")
    assert "s3cr3t" not in everything_logged.getvalue()
