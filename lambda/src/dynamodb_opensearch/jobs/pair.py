"""A DynamoDB table and the OpenSearch index that follows it: what every job works on, and how both are reached."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch import wire
from dynamodb_opensearch.bulk import Index, Limits
from dynamodb_opensearch.client import Client
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.documents import KeySchema
from dynamodb_opensearch.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.items import Item
from dynamodb_opensearch.jobs.stored import Catalogue
from dynamodb_opensearch.settings import Settings
from dynamodb_opensearch.truth import Keyed, Table


@dataclass(frozen=True, slots=True)
class Pair:
    """The two sides, connected. Threads may share it."""

    settings: Settings
    table_arn: str
    stream_arn: str | None
    key_types: Mapping[str, str]
    """Key attribute -> ``S``, ``N`` or ``B``."""
    dynamodb: Any
    table: Table
    client: Client
    index: Index
    page_items: int | None = None
    """Most items of one page of a scan, None: as many as fit into DynamoDB's 1 MB."""
    deadline: Callable[[], Deadline] = lambda: Deadline.after(300)
    """How long one page may take, with all waiting for a throttled table or a busy cluster."""

    @property
    def conflict_window(self) -> int:
        """Seconds; see ``versions``."""
        return self.settings.conflict_window_seconds


def open_pair(
    settings: Settings,
    *,
    threads: int = 1,
    on_capacity: Callable[[float], None] | None = None,
    page_items: int | None = None,
    deadline: Callable[[], Deadline] | None = None,
) -> Pair:
    """Connect both sides; the table is described, OpenSearch isn't asked yet.

    Args:
        threads: how many will use the pair at the same time.
        on_capacity: see ``wire.connect``.

    Raises:
        ConfigurationError: there is no such table, it can't be described, or its keys are others.
    """
    dynamodb = wire.connect(connections=threads * 5 + 1, on_capacity=on_capacity)
    described = describe_table(dynamodb, settings.table_name)
    names = tuple(described.key_types)
    if names != settings.key_schema.names:
        raise ConfigurationError(
            f"TABLE_KEYS is {settings.key_schema.spell()!r}, but {settings.table_name} has the keys "
            f"{KeySchema(names).spell()!r}"
        )
    connections = max(threads, settings.bulk_connections)  # one reads and encodes while another's request is under way
    client = Client(settings, connections=connections)
    return Pair(
        settings=settings,
        table_arn=described.arn,
        stream_arn=described.stream_arn,
        key_types=described.key_types,
        dynamodb=dynamodb,
        table=Table(lambda: dynamodb, settings.table_name, settings.key_schema, settings.conflict_window_seconds),
        client=client,
        index=Index(
            client,
            settings.index,
            Limits(settings.bulk_bytes, settings.bulk_actions),
            connections,
            settings.request_timeout_seconds,
        ),
        page_items=page_items,
        **({"deadline": deadline} if deadline else {}),
    )


@dataclass(frozen=True, slots=True)
class TableDescription:
    """What DescribeTable tells that jobs need."""

    arn: str
    stream_arn: str | None
    key_types: Mapping[str, str]
    """Key attribute -> ``S``, ``N`` or ``B``; the partition key first."""
    item_count: int
    """As of some hours ago: DynamoDB counts now and then."""
    size_bytes: int


def describe_table(dynamodb: Any, name: str) -> TableDescription:
    """Describe a table.

    Raises:
        ConfigurationError: there is no such table, or it can't be described.
    """
    try:
        table = dynamodb.describe_table(TableName=name)["Table"]
    except (BotoCoreError, ClientError) as error:
        raise aws_error(error, "DescribeTable", f"the table {name!r}") from None
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    schema = sorted(table["KeySchema"], key=lambda one: bool(one["KeyType"] != "HASH"))
    return TableDescription(
        arn=table["TableArn"],
        stream_arn=table.get("LatestStreamArn"),
        key_types={one["AttributeName"]: types[one["AttributeName"]] for one in schema},
        item_count=table.get("ItemCount", 0),
        size_bytes=table.get("TableSizeBytes", 0),
    )


def read_items(
    pair: Pair,
    keys: Iterable[Keyed],
    deadline: Deadline,
    *,
    keys_only: bool = False,
    unreadable: set[str] | None = None,
) -> dict[str, Item | None]:
    """Document id -> item as it is now, None where there is none; each key is answered for.

    Args:
        unreadable: takes the ids whose keys DynamoDB refuses, such as one of another type: they are left out of what is
            returned, for that isn't the same as no item. Without it such a key is an error.

    Raises:
        ConfigurationError: the table can't be read.
        OutOfTimeError: it was throttled or out of reach until the deadline.
    """
    waiting = {one.id: one for one in keys}
    found: dict[str, Item | None] = {}
    attempt = 0

    def leave_out(key: Keyed) -> None:
        assert unreadable is not None  # noqa: S101 (for the type checker)
        unreadable.add(key.id)
        del waiting[key.id]

    refused = None if unreadable is None else leave_out
    while waiting:
        for reading in pair.table.read(list(waiting.values()), deadline, keys_only=keys_only, unreadable=refused):
            found[reading.id] = reading.item
            del waiting[reading.id]
        attempt += 1
        if waiting and not deadline.back_off(attempt):
            raise OutOfTimeError(f"the table {pair.settings.table_name!r} is throttled or out of reach")
    return found


def catalogue_of(pair: Pair) -> Catalogue:
    """The pair's index, to be read from."""
    return Catalogue(pair.client, pair.settings.index, pair.settings.request_timeout_seconds)


def aws_error(error: BotoCoreError | ClientError, call: str, subject: str) -> ConfigurationError:
    """What to tell somebody whose call AWS refused."""
    if not isinstance(error, ClientError):
        return ConfigurationError(f"{subject}: {call} failed ({error})")
    code = str(error.response["Error"]["Code"])
    advice = next((advice for words, advice in _ADVICE.items() if words in code), "see AWS's message")
    message = str(error.response["Error"].get("Message", ""))[:300]
    return ConfigurationError(f"{subject}: {call} answered {code} ({message}); {advice}")


_ADVICE = {
    "Expired": "renew your AWS credentials, and run the command again: it goes on where it stopped",
    "UnrecognizedClient": "check your AWS credentials",
    "InvalidClientTokenId": "check your AWS credentials",
    "AccessDenied": "allow it to whoever runs this",
    "ResourceNotFound": "check the name, the Region and the account",
    "NonExistent": "check the name, the Region and the account",
    "NoSuch": "check the name, the Region and the account",
    "PointInTimeRecoveryUnavailable": "switch on point-in-time recovery for the table, or work without an export",
}
