"""The table, page by page, in segments that many workers share. Never reads eventually: what it shows is there."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dynamodb_opensearch.items import Item
from dynamodb_opensearch.jobs.pair import Pair, ask
from dynamodb_opensearch.truth import projection, read_at, sdk_keys

MAXIMUM_SEGMENTS = 1_000_000
"""DynamoDB's limit of a parallel scan."""


class Page(NamedTuple):
    """What one Scan call read."""

    items: Sequence[Item]
    next_key: Item | None
    """Where the segment goes on; None at its end."""
    read_at: int
    """Epoch second at which the answer was sent, by DynamoDB's clock."""


def pages(pair: Pair, segment: int, segments: int, start_key: Item | None) -> Iterator[Page]:
    """The segment's pages from a key on. An empty page is no end.

    Raises:
        ConfigurationError: the table can't be scanned.
        OutOfTimeError: it was throttled or out of reach until the deadline.
    """
    while True:
        page = read_page(pair, segment, segments, start_key)
        yield page
        start_key = page.next_key
        if start_key is None:
            return


def read_page(pair: Pair, segment: int, segments: int, start_key: Item | None, *, keys_only: bool = False) -> Page:
    """One page of a segment. Read again, it shows what is there by then.

    Args:
        keys_only: whether the items' keys are enough; the page is no longer for that.

    Raises:
        ConfigurationError: the table can't be scanned.
        OutOfTimeError: it was throttled or out of reach until the deadline.
    """
    request: dict[str, Any] = {
        "TableName": pair.settings.table_name,
        "Segment": segment,
        "TotalSegments": segments,
        "ConsistentRead": True,
    }
    if start_key:
        request["ExclusiveStartKey"] = sdk_keys(start_key)
    if limit := _limit(pair):
        request["Limit"] = limit
    if keys_only:
        request |= projection(pair.settings.key_schema)
    subject = f"the table {pair.settings.table_name!r}"
    answer = ask(lambda: pair.dynamodb.scan(**request), pair.deadline(), "Scan", subject)
    if pair.capacity and not keys_only and (consumed := answer.get("ConsumedCapacity")):
        pair.capacity.measure(float(consumed["CapacityUnits"]), len(answer["Items"]))
    return Page(answer["Items"], answer.get("LastEvaluatedKey"), read_at(answer))


def _limit(pair: Pair) -> int | None:
    """Most items of a page; None: as many as DynamoDB puts into 1 MB."""
    limits = [pair.page_items, pair.capacity and pair.capacity.page_items]
    return min((one for one in limits if one), default=None)
