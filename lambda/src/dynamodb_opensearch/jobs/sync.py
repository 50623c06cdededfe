"""The sync that a job works on: a DynamoDB table and the OpenSearch index that follows it, and how both are reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.dynamodb import wire
from dynamodb_opensearch.dynamodb.capacity import CapacityLimit
from dynamodb_opensearch.dynamodb.description import describe_table
from dynamodb_opensearch.dynamodb.scan import Scan
from dynamodb_opensearch.dynamodb.table import Table
from dynamodb_opensearch.opensearch.bulk import Index, Limits
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.index import IndexAdmin
from dynamodb_opensearch.opensearch.reader import Reader
from dynamodb_opensearch.settings import Settings


@dataclass(frozen=True, slots=True)
class Sync:
    """One sync's table and index, connected. Threads may share it."""

    settings: Settings
    table_arn: str
    table_id: str
    """A table that is recreated under its name has another id."""
    stream_arn: str | None
    key_types: Mapping[str, str]
    """Key attribute -> ``S``, ``N`` or ``B``."""
    dynamodb: Any
    table: Table
    client: Client
    index: Index
    page_items: int | None = None
    """Most items of one page of a scan; None: as many as fit into DynamoDB's 1 MB."""
    deadline: Callable[[], Deadline] = lambda: Deadline.after(300)
    """How long one page may take, including all waiting for a throttled table or a busy cluster."""
    capacity: CapacityLimit | None = None
    """How many read units reads may use; None: no limit. The job's runner waits for them between its steps."""

    @property
    def scan(self) -> Scan:
        """The scan of the table."""
        settings = self.settings
        return Scan(
            self.dynamodb, settings.table_name, settings.key_schema, self.deadline, self.page_items, self.capacity
        )

    @property
    def reader(self) -> Reader:
        """The reader of the index."""
        return Reader(self.client, self.settings.index, self.settings.request_timeout_seconds)

    @property
    def index_admin(self) -> IndexAdmin:
        """What creates and changes the index."""
        return IndexAdmin(self.client, self.settings.index, self.deadline)

    @property
    def conflict_window(self) -> int:
        """The conflict window in seconds; see ``versions``."""
        return self.settings.conflict_window_seconds


def open_sync(
    settings: Settings,
    *,
    threads: int = 1,
    capacity: CapacityLimit | None = None,
    page_items: int | None = None,
    deadline: Callable[[], Deadline] | None = None,
) -> Sync:
    """Connect to the table and to OpenSearch. The table is described; OpenSearch isn't called yet.

    Args:
        threads: how many threads use the result at the same time.
        capacity: what counts the read units of each read.

    Raises:
        ConfigurationError: the table doesn't exist, can't be described, or has other keys than TABLE_KEYS says.
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
    return Sync(
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
