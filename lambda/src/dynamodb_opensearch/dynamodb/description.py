"""What DescribeTable says of a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from dynamodb_opensearch.aws import ask, briefly
from dynamodb_opensearch.core.deadline import Deadline


@dataclass(frozen=True, slots=True)
class TableDescription:
    """What DescribeTable tells that jobs need."""

    arn: str
    stream_arn: str | None
    key_types: Mapping[str, str]
    """Key attribute -> ``S``, ``N`` or ``B``; the partition key first."""
    table_id: str
    item_count: int
    """As of some hours ago: DynamoDB counts now and then."""
    size_bytes: int


def describe_table(dynamodb: Any, name: str, deadline: Deadline | None = None) -> TableDescription:
    """Describe a table, before anything is begun.

    Args:
        deadline: some seconds, if nothing else is said.

    Raises:
        ConfigurationError: there is no such table, or it can't be described.
        OutOfTimeError: it was out of reach until the deadline.
    """
    describe = partial(dynamodb.describe_table, TableName=name)
    table = ask(describe, deadline or briefly(), "DescribeTable", f"the table {name!r}")["Table"]
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    schema = sorted(table["KeySchema"], key=lambda one: bool(one["KeyType"] != "HASH"))
    return TableDescription(
        arn=table["TableArn"],
        stream_arn=table.get("LatestStreamArn"),
        key_types={one["AttributeName"]: types[one["AttributeName"]] for one in schema},
        table_id=str(table.get("TableId", "")),
        item_count=table.get("ItemCount", 0),
        size_bytes=table.get("TableSizeBytes", 0),
    )
