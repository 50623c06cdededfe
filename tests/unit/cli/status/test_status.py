"""cli/status: each part on its own, even when the others fail; one screen."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.cli.output import ERROR, REMAINS, WELL
from dynamodb_opensearch.cli.run.progress import span
from dynamodb_opensearch.cli.status.metrics import Metrics, Series, logged, published, read_metrics
from dynamodb_opensearch.cli.status.screen import judge, screen, sparkline
from dynamodb_opensearch.cli.status.status import (
    EventSourceMapping,
    IndexStatus,
    Letters,
    Observer,
    Part,
    Status,
    _part,
)
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import SyncError
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.note import last_verified
from dynamodb_opensearch.settings import read_settings
from dynamodb_opensearch.telemetry import emit
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from rich.console import Console

NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
MAPPING = EventSourceMapping("u-1", "Enabled", "OK", "User action")
METRICS = Metrics("CloudWatch", Series(60, [None, 0.5, 42.0, 1.2]), 12_345, 7, 0)
HEALTHY = Status(
    at=NOW,
    function="products-opensearch-sync",
    table="arn:aws:dynamodb:eu-west-1:123456789012:table/products",
    mappings=Part([MAPPING]),
    iterator_age_seconds=Part(0.3),
    metrics=Part(METRICS),
    letters=Part(Letters(0)),
    items=Part(2_375),
    indices={
        "products": IndexStatus(
            Part(2_375), Part({"at": "2026-11-24T09:00:00Z", "items": 2_375, "differences": 0}), Part("products")
        )
    },
)


def changed(**changes: Any) -> Status:
    """The healthy status with other parts; ``documents`` and ``verified`` are its index's."""
    own = {name: changes.pop(name) for name in ("documents", "verified") if name in changes}
    return replace(HEALTHY, indices={"products": replace(HEALTHY.indices["products"], **own)}, **changes)


def shown(status: Status, *, watched: bool = True) -> str:
    file = io.StringIO()
    Console(file=file, width=80, color_system=None).print(screen(status, watched=watched))
    return file.getvalue()


def emf_line(capsys: pytest.CaptureFixture[str], *, sync: str, lag: float, **counts: Any) -> str:
    """A line as the function prints it."""
    latest = int(datetime.now(UTC).timestamp() - lag)
    emit(Tally(**counts), sync_name=sync, latest_second=latest, remaining_seconds=1)
    return capsys.readouterr().out.strip()


def test_the_functions_own_log_lines_tell_its_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        emf_line(capsys, sync="s", lag=30, writes=10, retries=2),
        emf_line(capsys, sync="s", lag=5, writes=1),
        emf_line(capsys, sync="another", lag=500, writes=1000),
        '{"message": "not metrics"}',
        '{"Sync": "s", "_aws": {}, "Writes": 1}',
        '{"Sync": "s", "_aws": {"Timestamp": "now"}, "Writes": 1}',
        '{"Sync": "s", "_aws": {"Timestamp": 1e99}, "Writes": 1}',
        '{"Sync": "s", "_aws": {"Timestamp": 1}, "Writes": {}}',
        "[" * 100_000,
        "START RequestId: 1 CloudWatchMetrics",
    ]

    def ask(**arguments: Any) -> dict[str, Any]:
        assert arguments["logGroupName"] == "/aws/lambda/s"
        if "nextToken" not in arguments:
            return {"events": [{"message": line} for line in lines[:2]], "nextToken": "t"}
        return {"events": [{"message": line} for line in lines[2:]]}

    found = logged(ask, "/aws/lambda/s", "s", datetime.now(UTC))
    assert (found["Writes"].total, found["Retries"].total, found["DeadLetters"].total) == (11, 2, 0)
    assert found["Lag"].highest == pytest.approx(31_000, abs=1_500)
    assert sum(value is not None for value in found["Lag"].values) in {1, 2}


def test_cloudwatchs_minutes_stand_at_their_place() -> None:
    def ask(**arguments: Any) -> dict[str, Any]:
        [query] = arguments["MetricDataQueries"]
        stamps = [NOW - timedelta(minutes=minutes, seconds=30) for minutes in (0, 3, 14)]
        return {"MetricDataResults": [{"Id": query["Id"], "Timestamps": stamps, "Values": [1.0, 2.0, 3.0]}]}

    series = published(ask, "N", {"Sync": "s"}, {"Lag": "Maximum"}, NOW)["Lag"]
    assert [value for value in series.values if value is not None] == [3, 2, 1]
    assert (series.values[-1], series.values[-4], series.values[0], series.latest) == (1, 2, 3, 1)


def _nothing(**_: Any) -> dict[str, Any]:
    return {"MetricDataResults": [], "events": []}


def _refused(**_: Any) -> dict[str, Any]:
    raise SyncError("no right to ask")


@pytest.mark.parametrize("cloudwatch", [_nothing, _refused])
def test_log_lines_are_read_when_cloudwatch_has_nothing(capsys: pytest.CaptureFixture[str], cloudwatch: Any) -> None:
    line = emf_line(capsys, sync="s", lag=1, writes=3)
    found = read_metrics(
        cloudwatch, lambda **_: {"events": [{"message": line}]}, sync="s", log_group="g", now=datetime.now(UTC)
    )
    assert found is not None
    assert (found.source, found.writes) == ("log lines", 3)


def test_an_idle_sync_has_no_metrics_and_a_refusal_is_reported() -> None:
    assert read_metrics(_nothing, _nothing, sync="s", log_group="g", now=NOW) is None
    assert read_metrics(_nothing, _refused, sync="s", log_group=None, now=NOW) is None
    with pytest.raises(SyncError, match="no right to ask"):
        read_metrics(_refused, _nothing, sync="s", log_group=None, now=NOW)


@pytest.fixture
def observer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Observer]:
    """Observes a table and a queue of moto's, without an OpenSearch and without a function."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    monkeypatch.setattr("dynamodb_opensearch.cli.status.status._PATIENCE_SECONDS", 0.2)
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName="products",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        queue = boto3.client("sqs").create_queue(QueueName="letters")["QueueUrl"]
        for _ in range(3):
            boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
        boto3.client("s3").create_bucket(Bucket="letters-bucket")
        boto3.client("s3").put_object(Bucket="letters-bucket", Key="dead-letters/2026/1.jsonl", Body=b"{}\n")
        boto3.client("s3").put_object(Bucket="letters-bucket", Key="something-else", Body=b"{}\n")
        settings = read_settings(
            {
                "OPENSEARCH_ENDPOINT": "http://127.0.0.1:9",
                "OPENSEARCH_AUTH": "none",
                "AWS_REGION": "us-east-1",
                "TABLE_NAME": "products",
                "TABLE_KEYS": "pk",
                "INDEX": "products",
                "DEAD_LETTER_ARN": "arn:aws:sqs:us-east-1:123456789012:letters",
            }
        )
        yield Observer(settings, None, None)


def test_each_part_fails_alone_and_says_why(observer: Observer) -> None:
    status = observer.look()
    assert status.letters.value is not None
    assert status.letters.value.waiting == 3
    assert status.items == Part(0)
    assert status.mappings.problem == "no function is known: give --function NAME"
    assert "ConnectionRefusedError" in (status.documents.problem or "")
    assert "ConnectionRefusedError" in (status.indices["products"].verified.problem or "")
    assert judge(status) == REMAINS
    value = json.loads(json.dumps(status.to_json()))
    assert value["letters"] == {"waiting": 3, "atLeast": False, "oldestSeconds": None}
    assert value["iteratorAgeSeconds"]["problem"].startswith("no function")


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:s3:::letters-bucket", 1),
        ("arn:aws:sns:us-east-1:123456789012:topic", "they go to an SNS topic, which keeps none"),
        (None, "no failure destination is known"),
        ("arn:aws:sqs:us-east-1:123456789012:nobodys", "sqs: GetQueueAttributes answered"),
        ("arn:aws:s3:::nobodys-bucket", "s3: ListObjectsV2 answered NoSuchBucket"),
    ],
)
def test_other_destinations_say_what_they_can(observer: Observer, arn: str | None, expected: int | str) -> None:
    observer._settings = replace(observer._settings, dead_letter_arn=arn)
    letters = observer.look().letters
    if isinstance(expected, int):
        assert letters.value is not None
        assert letters.value.waiting == expected
        assert letters.value.oldest_seconds is not None
    else:
        assert (letters.problem or "").startswith(expected)
        assert letters.broken == ("answered" in expected)


UNKNOWN: Any = Part(problem="may not ask")
BROKEN: Any = Part(problem="down", broken=True)
PARTS = ("mappings", "iterator_age_seconds", "metrics", "letters", "documents", "items", "verified")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, WELL),
        ({"mappings": Part([replace(MAPPING, state="Disabled")])}, REMAINS),
        ({"mappings": Part([replace(MAPPING, last_result="PROBLEM: Function call failed")])}, REMAINS),
        ({"mappings": Part([])}, REMAINS),
        ({"letters": Part(Letters(1))}, REMAINS),
        ({"verified": Part({"differences": 1})}, REMAINS),
        ({"verified": Part(problem="never"), "metrics": Part(None), "letters": Part(problem="denied")}, WELL),
        *(({part: UNKNOWN}, WELL) for part in PARTS),
        ({"mappings": BROKEN}, REMAINS),
        ({"iterator_age_seconds": BROKEN}, WELL),
        ({"metrics": BROKEN}, WELL),
        ({"letters": BROKEN}, REMAINS),
        ({"documents": BROKEN}, REMAINS),
        ({"items": BROKEN}, REMAINS),
        ({"verified": BROKEN}, WELL),  # if OpenSearch doesn't answer, the documents say so
        (dict.fromkeys(PARTS, UNKNOWN), ERROR),
        (dict.fromkeys(PARTS, BROKEN), ERROR),
    ],
)
def test_the_exit_code_says_whether_something_needs_an_operator(changes: dict[str, Any], code: int) -> None:
    assert judge(changed(**changes)) == code


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """A server that answers everything alike; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "{}"),
        (200, "[]"),
        (200, '{"count": 3}'),
        (200, '"ok"'),
        (200, "null"),
        (200, "<html>Log in</html>"),
        (401, '{"message": "The security token is invalid"}'),
        (403, '{"error": {"type": "security_exception"}, "status": 403}'),
        (404, "{}"),
        (503, '{"error": {"type": "cluster_block_exception"}}'),
    ],
)
def test_an_opensearch_that_refuses_or_is_none_is_broken_in_one_part_each(
    observer: Observer, status: int, body: str
) -> None:
    with answering(status, body) as url:
        observer._settings = replace(observer._settings, endpoint=url)
        observer._client = Client(observer._settings, connections=3)
        index = observer._index(observer._projections[0])
    assert (index.documents.value, index.documents.broken) == (None, True)
    assert (index.verified.value, bool(index.verified.problem)) == (None, True)
    seen = replace(HEALTHY, indices={"products": index})
    assert judge(seen) == REMAINS
    shown(seen)


def test_what_isnt_there_is_broken_and_what_may_not_be_asked_for_isnt(
    observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tries it with the table's part; all parts use the same call."""
    dynamodb = observer._connect("dynamodb")
    assert _part(observer._items) == Part(0)
    observer._settings = replace(observer._settings, table_name="missing")
    assert _part(observer._items).broken

    def denied(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeTable")

    monkeypatch.setattr(dynamodb, "describe_table", denied)
    items = _part(observer._items)
    assert ("AccessDenied" in (items.problem or ""), items.broken) == (True, False)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda x: st.dictionaries(st.sampled_from(["verified", "differences", "items", "at"]), x),
        max_leaves=5,
    )
)
def test_what_another_program_noted_in_the_index_is_no_result_of_ours(section: Any) -> None:
    body = json.dumps({"products": {"mappings": {"_meta": {"dynamodb_opensearch": section}}}})
    client: Any = SimpleNamespace(fetch=lambda *_: body)
    found = last_verified(client, "products", Deadline.after(1))
    seen = changed(verified=Part(found) if found is not None else Part(problem="never"))
    assert judge(seen) in {WELL, REMAINS}
    shown(seen)


def test_all_is_on_one_screen() -> None:
    text = shown(HEALTHY)
    lines = text.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    for words in (
        "products → products",
        "Enabled   last result: OK",
        "1.2 s, at most 42 s",
        "12,345",
        "none waiting",
        "2,375",
        "0 differences in 2,375 items",
        "(3 h ago)",
    ):
        assert words in text


def test_a_screen_full_of_problems_still_fits() -> None:
    problem: Any = Part(problem="the function 'x': ListEventSourceMappings answered AccessDenied (" + "y" * 60)
    names = ("mappings", "iterator_age_seconds", "metrics", "letters", "documents", "items", "verified")
    changes: dict[str, Any] = dict.fromkeys(names, problem)
    lines = shown(changed(**changes)).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("values", "width", "expected"),
    [
        ([], 5, ""),
        ([0.0, 0.0], 5, "▁▁"),
        ([0, 50, 100, None], 5, "▁▅█·"),
        ([1, 9, None, None, 2, 4], 3, "█·▄"),
    ],
)
def test_sparklines(values: list[float | None], width: int, expected: str) -> None:
    assert sparkline(values, width) == expected


@given(st.lists(st.none() | st.floats(0, 1e12)), st.integers(1, 60))
def test_a_sparkline_is_never_too_wide_and_shows_its_highest(values: list[float | None], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) <= width
    assert ("█" in line) == any(values)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0.2 s"), (42, "42 s"), (600, "10 min"), (5 * 3600, "5 h"), (3 * 86400, "3 d")],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text
