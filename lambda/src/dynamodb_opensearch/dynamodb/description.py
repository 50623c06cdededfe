"""What DescribeTable says of a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from dynamodb_opensearch.aws import ask, briefly
from dynamodb_opensearch.core.deadline import Deadline


@dataclass(frozen=True, slots=True)
class TableDescription:
    """The parts of DescribeTable's answer that jobs need."""

    arn: str
    stream_arn: str | None
    key_types: Mapping[str, str]
    """Key attribute -> ``S``, ``N`` or ``B``; the partition key first."""
    table_id: str
    item_count: int
    """Up to some hours old: DynamoDB counts now and then."""
    size_bytes: int


def describe_table(dynamodb: Any, name: str, deadline: Deadline | None = None) -> TableDescription:
    """Describe a table, before any work begins.

    Args:
        deadline: some seconds by default.

    Raises:
        ConfigurationError: there is no such table, or it can't be described.
        OutOfTimeError: it was out of reach until the deadline.
    """
    describe = partial(dynamodb.describe_table, TableName=name)
    table = ask(describe, deadline or briefly(), "DescribeTable", f"the table {name!r}")["Table"]
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in table["AttributeDefinitions"]}
    schema = sorted(table["KeySchema"], key=lambda key: bool(key["KeyType"] != "HASH"))
    return TableDescription(
        arn=table["TableArn"],
        stream_arn=table.get("LatestStreamArn"),
        key_types={key["AttributeName"]: types[key["AttributeName"]] for key in schema},
        table_id=str(table.get("TableId", "")),
        item_count=table.get("ItemCount", 0),
        size_bytes=table.get("TableSizeBytes", 0),
    )
