"""A DynamoDB table and the OpenSearch index that follows it: what every job works on, and how both are reached."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch import wire
from dynamodb_opensearch.aws import code_of, credentials_advice, heals
from dynamodb_opensearch.bulk import Index, Limits
from dynamodb_opensearch.client import Client
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.documents import KeySchema
from dynamodb_opensearch.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.jobs.capacity import CapacityLimit
from dynamodb_opensearch.jobs.stored import Catalogue
from dynamodb_opensearch.settings import Settings
from dynamodb_opensearch.truth import Keyed, Reading, Table


@dataclass(frozen=True, slots=True)
class Pair:
    """The two sides, connected. Threads may share it."""

    settings: Settings
    table_arn: str
    table_id: str
    """A table that is made anew under its name has another."""
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
    capacity: CapacityLimit | None = None
    """What reads may cost, None: what they like. Whoever runs the job pays between its steps."""

    @property
    def conflict_window(self) -> int:
        """Seconds; see ``versions``."""
        return self.settings.conflict_window_seconds


def open_pair(
    settings: Settings,
    *,
    threads: int = 1,
    capacity: CapacityLimit | None = None,
    page_items: int | None = None,
    deadline: Callable[[], Deadline] | None = None,
) -> Pair:
    """Connect both sides; the table is described, OpenSearch isn't asked yet.

    Args:
        threads: how many will use the pair at the same time.
        capacity: is told what each read took.

    Raises:
        ConfigurationError: there is no such table, it can't be described, or its keys are others.
        OutOfTimeError: see ``describe_table``.
    """
    dynamodb = wire.connect(connections=threads * 5 + 1, on_capacity=capacity.spend if capacity else None)
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
        table_id=described.table_id,
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
        capacity=capacity,
        **({"deadline": deadline} if deadline else {}),
    )


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


def readings(
    pair: Pair,
    keys: Iterable[Keyed],
    deadline: Deadline,
    *,
    keys_only: bool = False,
    unreadable: Callable[[Keyed], None] | None = None,
) -> Iterator[Reading]:
    """What consistent reads of these keys found, in any order; each is answered for.

    Args:
        unreadable: is given each key that DynamoDB refuses for its own sake: no item can have it. Without it such a
            key is an error.

    Raises:
        ConfigurationError: the table can't be read.
        OutOfTimeError: it was throttled or out of reach until the deadline.
    """
    waiting = {one.id: one for one in keys}
    attempt = 0

    def leave_out(key: Keyed) -> None:
        assert unreadable is not None  # noqa: S101 (for the type checker)
        del waiting[key.id]
        unreadable(key)

    refused = leave_out if unreadable else None
    while waiting:
        for reading in pair.table.read(list(waiting.values()), deadline, keys_only=keys_only, unreadable=refused):
            del waiting[reading.id]
            yield reading
        attempt += 1
        if waiting and not deadline.back_off(attempt):
            raise OutOfTimeError(f"the table {pair.settings.table_name!r} is throttled or out of reach")


def catalogue_of(pair: Pair) -> Catalogue:
    """The pair's index, to be read from."""
    return Catalogue(pair.client, pair.settings.index, pair.settings.request_timeout_seconds)


_Answer = TypeVar("_Answer")


def ask(request: Callable[[], _Answer], deadline: Deadline, call: str, subject: str) -> _Answer:
    """Ask AWS, again while it throttles or is out of reach, as long as the deadline allows.

    Raises:
        ConfigurationError: AWS refused it, see ``aws_error``.
        OutOfTimeError: the time was over.
    """
    attempt = 0
    while True:
        try:
            return request()
        except (BotoCoreError, ClientError) as error:
            if not heals(error):
                raise aws_error(error, call, subject) from None
            attempt += 1
            if not deadline.back_off(attempt):
                raise OutOfTimeError(f"{subject}: {call} failed to the last ({_said(error)})") from None


def briefly() -> Deadline:
    """For what is asked before anything is begun: a wrong endpoint looks like an outage, and is to be told at once."""
    return Deadline.after(_BRIEFLY_SECONDS)


_BRIEFLY_SECONDS = 10.0
ASKED_ONCE = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 1})
"""For a client whose calls go through ``ask``: trying again is done where the deadline is known."""


def aws_error(error: BotoCoreError | ClientError, call: str, subject: str) -> ConfigurationError:
    """What to tell somebody whose call AWS refused."""
    if not isinstance(error, ClientError):
        return ConfigurationError(f"{subject}: {call} failed ({_said(error)}){credentials_advice(error)}")
    code = code_of(error)
    advice = next((advice for words, advice in _ADVICE.items() if words in code), "see AWS's message")
    return ConfigurationError(f"{subject}: {call} answered {_said(error)}; {advice}")


def _said(error: BotoCoreError | ClientError) -> str:
    if not isinstance(error, ClientError):
        return str(error)
    message = str(error.response["Error"].get("Message", ""))[:300]
    return f"{code_of(error)} ({message})"


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
