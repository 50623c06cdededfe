"""The table, page by page, in segments that many workers share. Never reads eventually: what it shows is there."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.items import Item
from dynamodb_opensearch.jobs.pair import Pair, aws_error
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
    """
    request: dict[str, Any] = {
        "TableName": pair.settings.table_name,
        "Segment": segment,
        "TotalSegments": segments,
        "ConsistentRead": True,
    }
    if start_key:
        request["ExclusiveStartKey"] = sdk_keys(start_key)
    if pair.page_items:
        request["Limit"] = pair.page_items
    if keys_only:
        request |= projection(pair.settings.key_schema)
    try:
        answer = pair.dynamodb.scan(**request)
    except (BotoCoreError, ClientError) as error:
        raise aws_error(error, "Scan", f"the table {pair.settings.table_name!r}") from None
    return Page(answer["Items"], answer.get("LastEvaluatedKey"), read_at(answer))
