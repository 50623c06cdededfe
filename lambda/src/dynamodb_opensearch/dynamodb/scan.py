"""Reads the whole table page by page, in segments that workers share. Every read is strongly consistent."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dynamodb_opensearch.aws import ask
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.dynamodb.capacity import CapacityLimit
from dynamodb_opensearch.dynamodb.table import projection, read_at, sdk_keys

MAXIMUM_SEGMENTS = 1_000_000
"""DynamoDB's limit for a parallel scan."""


class Page(NamedTuple):
    """What one Scan call read."""

    items: Sequence[Item]
    next_key: Item | None
    """Where the segment goes on; None at its end."""
    read_at: int
    """Epoch second at which the answer was sent, by DynamoDB's clock."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One table, and how it is scanned."""

    client: Any
    """boto3's DynamoDB client; see ``wire.connect``."""
    table_name: str
    """The table's name or ARN."""
    schema: KeySchema
    deadline: Callable[[], Deadline]
    """How long one page may take."""
    page_items: int | None = None
    """Most items of a page; None for as many as fit into DynamoDB's 1 MB."""
    capacity: CapacityLimit | None = None

    def pages(self, segment: int, segments: int, start_key: Item | None) -> Iterator[Page]:
        """The segment's pages from a key on. An empty page needn't be the last.

        Raises:
            ConfigurationError: the table can't be scanned.
            OutOfTimeError: it was throttled or out of reach until the deadline.
        """
        while True:
            page = self.page(segment, segments, start_key)
            yield page
            start_key = page.next_key
            if start_key is None:
                return

    def page(self, segment: int, segments: int, start_key: Item | None, *, keys_only: bool = False) -> Page:
        """One page of a segment. If it is read again, it shows what is there by then.

        Args:
            keys_only: whether the items' keys are enough; that doesn't make the page longer.

        Raises:
            ConfigurationError: the table can't be scanned.
            OutOfTimeError: it was throttled or out of reach until the deadline.
        """
        request: dict[str, Any] = {
            "TableName": self.table_name,
            "Segment": segment,
            "TotalSegments": segments,
            "ConsistentRead": True,
        }
        if start_key:
            request["ExclusiveStartKey"] = sdk_keys(start_key)
        if limit := self._limit():
            request["Limit"] = limit
        if keys_only:
            request |= projection(self.schema)
        answer = ask(lambda: self.client.scan(**request), self.deadline(), "Scan", f"the table {self.table_name!r}")
        if self.capacity and not keys_only and (consumed := answer.get("ConsumedCapacity")):
            self.capacity.measure(float(consumed["CapacityUnits"]), len(answer["Items"]))
        return Page(answer["Items"], answer.get("LastEvaluatedKey"), read_at(answer))

    def _limit(self) -> int | None:
        limits = [self.page_items, self.capacity and self.capacity.page_items]
        return min((limit for limit in limits if limit), default=None)
