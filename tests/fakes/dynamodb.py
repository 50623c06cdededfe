"""A table in memory behind ``batch_get_item``, and stream records as Lambda delivers them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

START = 1_700_000_000
"""The epoch second at which tests begin."""


@dataclass(slots=True)
class FakeDynamoDB:
    """One table with the key ``pk``, a string. ``faults`` are asked in turn, one per request."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    now: int = START
    faults: list[Exception | Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None] = field(
        default_factory=list
    )
    """An exception is raised; a function picks the keys that stay unprocessed."""
    reads: list[list[str]] = field(default_factory=list)
    """The keys of each request."""
    before_answer: Callable[[], None] = lambda: None

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N803 (AWS's name)
        """See https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html."""
        [(name, request)] = RequestItems.items()
        assert request["ConsistentRead"] is True
        keys = request["Keys"]
        assert 0 < len(keys) <= 100
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        unprocessed = fault(keys) if fault else []
        wanted = [key["pk"]["S"] for key in keys if key not in unprocessed]
        self.reads.append(wanted)
        found = [self.items[key] for key in wanted if key in self.items]
        self.before_answer()
        return {
            "Responses": {name: found},
            "UnprocessedKeys": {name: {"Keys": unprocessed}} if unprocessed else {},
            "ResponseMetadata": {
                "HTTPStatusCode": 200,
                "HTTPHeaders": {
                    "date": format_datetime(datetime.fromtimestamp(self.now, UTC), usegmt=True),
                    "content-length": str(60 + sum(map(_size_of, found))),
                },
            },
        }


def _size_of(item: Mapping[str, Any]) -> int:
    return len(json.dumps(item, default=lambda data: "=" * (len(data) * 4 // 3)))


def record(
    key: str,
    number: int,
    image: Mapping[str, Any] | None = None,
    *,
    old: Mapping[str, Any] | None = None,
    second: int = START,
    event_name: str = "MODIFY",
) -> dict[str, Any]:
    """A stream record of the item ``key``, the table's ``number``th; without any image as KEYS_ONLY has it.

    Args:
        image: the new item's attributes but for its key.
        old: the same for the old item.
    """
    view = {(False, False): "KEYS_ONLY", (True, False): "NEW_IMAGE", (False, True): "OLD_IMAGE"}
    data: dict[str, Any] = {
        "ApproximateCreationDateTime": second,
        "Keys": {"pk": {"S": key}},
        "SequenceNumber": str(number * 10**20 + 499_659),
        "SizeBytes": 100,
        "StreamViewType": view.get((image is not None, old is not None), "NEW_AND_OLD_IMAGES"),
    }
    if image is not None:
        data["NewImage"] = {"pk": {"S": key}, **image}
    if old is not None:
        data["OldImage"] = {"pk": {"S": key}, **old}
    return {
        "eventID": f"{number:032x}",
        "eventName": event_name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": data,
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/products/stream/2026-01-01T00:00:00.000",
    }


def put(key: str, number: int, value: int, *, second: int = START) -> dict[str, Any]:
    """A record with an image whose attribute ``n`` is ``value``."""
    return record(key, number, {"n": {"N": str(value)}}, second=second)


def remove(key: str, number: int, *, old: Mapping[str, Any] | None = None, second: int = START) -> dict[str, Any]:
    """A REMOVE record."""
    return record(key, number, old=old, second=second, event_name="REMOVE")
