"""jobs/scan.py and jobs/capacity.py: a throttled table is waited for, and a rate makes pages shorter."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.dynamodb.capacity import CapacityLimit
from dynamodb_opensearch.dynamodb.description import describe_table
from dynamodb_opensearch.dynamodb.scan import Scan
from fakes.dynamodb import FakeDynamoDB
from fakes.opensearch import FakeOpenSearch
from fakes.sync import make_sync
from hypothesis import given
from hypothesis import strategies as st

THROTTLED = ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}, "Scan")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Scan")


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def deadline(self, seconds: float) -> Deadline:
        end = self.now + seconds
        return Deadline(lambda: int((end - self.now) * 1000), self.sleep)


@dataclass
class Scanned:
    """A table of items that cost so many units each. Faults come first, one per request."""

    costs: list[float]
    faults: Iterator[Exception | None]
    requests: list[dict[str, Any]] = field(default_factory=list)

    def scan(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if fault := next(self.faults, None):
            raise fault
        start = int(request.get("ExclusiveStartKey", {"pk": {"S": "0"}})["pk"]["S"])
        end = min(start + request.get("Limit", len(self.costs)), len(self.costs))
        return {
            "Items": [{"pk": {"S": str(number)}} for number in range(start, end)],
            "LastEvaluatedKey": {"pk": {"S": str(end)}} if end < len(self.costs) else None,
            "ConsumedCapacity": {"CapacityUnits": sum(self.costs[start:end])},
            "ResponseMetadata": {"HTTPHeaders": {"date": "Mon, 05 Jan 2026 08:00:00 GMT"}},
        }


def scanning(table: Scanned, time: Time, **changes: Any) -> Scan:
    return make_sync(
        FakeDynamoDB(), FakeOpenSearch(), dynamodb=table, deadline=lambda: time.deadline(300), **changes
    ).scan


@pytest.mark.parametrize("fault", [THROTTLED, EndpointConnectionError(endpoint_url="x")])
def test_a_page_is_asked_for_again_as_long_as_its_time_allows(fault: Exception) -> None:
    time = Time()
    table = Scanned([1, 1, 1, 1], iter([*[fault] * 40, None, *[fault] * 40]))
    found = [item["pk"]["S"] for page in scanning(table, time, page_items=2).pages(0, 1, None) for item in page.items]
    assert found == ["0", "1", "2", "3"]
    assert len(time.slept) == 80


def test_a_page_that_no_time_is_enough_for_can_be_repeated() -> None:
    table, time = Scanned([1], iter([THROTTLED] * 1000)), Time()
    with pytest.raises(OutOfTimeError, match=r"Scan failed until the time was over \(ProvisionedThroughputExceeded"):
        scanning(table, time).page(0, 1, None)
    assert 250 < time.now < 300


def test_a_missing_right_to_scan_is_reported_at_once() -> None:
    time = Time()
    with pytest.raises(ConfigurationError, match=r"Scan answered AccessDeniedException \(no\); allow it"):
        scanning(Scanned([1], iter([DENIED])), time).page(0, 1, None)
    assert time.slept == []


def test_a_description_that_is_throttled_for_a_moment_is_asked_for_again() -> None:
    answers = iter([THROTTLED, None])

    class Described:
        def describe_table(self, **_: Any) -> dict[str, Any]:
            if fault := next(answers):
                raise fault
            schema = {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}
            keys = {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}
            return {"Table": {**schema, **keys, "TableArn": "arn", "TableId": "id-1"}}

    described = describe_table(Described(), "products")
    assert (described.arn, described.table_id, described.key_types) == ("arn", "id-1", {"pk": "S"})


@given(
    rate=st.floats(0.5, 10_000),
    costs=st.lists(st.sampled_from([0.0, 0.5, 1.0, 7.5, 100.0]), min_size=1, max_size=200),
    workers=st.integers(1, 4),
)
def test_every_item_is_read_once_and_the_rate_is_kept(rate: float, costs: list[float], workers: int) -> None:
    time = Time()
    limit = CapacityLimit(rate, time)
    units, read, peak = 0.0, 0, 0.0
    for _ in range(workers):  # they take turns: none reads before what was read so far is paid for
        table = Scanned(costs, iter([]))
        for page in scanning(table, time, capacity=limit).pages(0, 1, None):
            cost = sum(costs[int(item["pk"]["S"])] for item in page.items)
            units, read, peak = units + cost, read + len(page.items), max(peak, cost)
            limit.spend(cost)
            assert units <= rate * time.now + peak * 1.001
            time.sleep(limit.owed_seconds)
    assert read == len(costs) * workers
    assert units <= rate * time.now * 1.001


@pytest.mark.parametrize(
    ("rate", "per_item", "expected"), [(0.5, 100, 1), (10, 1, 32), (10, 0.1, 256), (1000, 2, 2048)]
)
def test_a_page_is_what_the_rate_pays_for_in_a_few_seconds(rate: float, per_item: float, expected: int) -> None:
    limit, time = CapacityLimit(rate, Time()), Time()
    table = Scanned([per_item] * 10_000, iter([]))
    reading = scanning(table, time, capacity=limit).pages(0, 1, None)
    next(reading)
    assert len(next(reading).items) == expected
    assert {request["Limit"] & (request["Limit"] - 1) for request in table.requests} == {0}


def test_idle_time_earns_no_credit() -> None:
    time = Time()
    limit = CapacityLimit(50, time)
    time.sleep(60)
    limit.spend(100)
    assert limit.owed_seconds == pytest.approx(2)
