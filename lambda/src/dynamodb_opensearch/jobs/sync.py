"""The sync that a job works on: a DynamoDB table, the OpenSearch indices that follow it, and how they are reached."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.dynamodb import wire
from dynamodb_opensearch.dynamodb.capacity import CapacityLimit
from dynamodb_opensearch.dynamodb.description import describe_table
from dynamodb_opensearch.dynamodb.scan import Scan
from dynamodb_opensearch.dynamodb.table import Table
from dynamodb_opensearch.opensearch.bulk import Limits, Writer
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.index import IndexAdmin
from dynamodb_opensearch.opensearch.reader import Reader
from dynamodb_opensearch.settings import Settings


def _five_minutes() -> Deadline:
    return Deadline.after(300)


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Sync:
    """One sync's table and indices, connected. Threads may share it."""

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
    writer: Writer
    page_items: int | None = None
    """Most items of one page of a scan; None: as many as fit into DynamoDB's 1 MB."""
    deadline: Callable[[], Deadline] = _five_minutes
    """How long one page may take, including all waiting for a throttled table or a busy cluster."""
    check: Callable[[], None] = _nothing
    """Raises a ConfigurationError if the indices are to hold something else by now. For jobs that delete."""
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
    def projections(self) -> Mapping[str, Projection]:
        """The indices that the job works on, by their names, and what each holds."""
        return {projection.index: projection for projection in self.settings.projections}

    def reader(self, index: str) -> Reader:
        """The reader of an index."""
        return Reader(self.client, index, self.settings.request_timeout_seconds)

    def index_admin(self, index: str) -> IndexAdmin:
        """What creates and changes an index."""
        return IndexAdmin(self.client, index, self.deadline)

    def counted(self, index: str, counts: Mapping[str, int]) -> Counter[str]:
        """The counts of what was done in an index: where there are several, also under ``index/name``. None is 0."""
        if len(self.settings.projections) == 1:
            return +Counter(counts)
        return Counter(counts) + Counter({f"{index}/{name}": count for name, count in counts.items()})

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
    check: Callable[[], None] | None = None,
) -> Sync:
    """Connect to the table and to OpenSearch. The table is described; OpenSearch isn't called yet.

    Args:
        threads: how many threads use the result at the same time.
        capacity: what counts the read units of each read.
        check: see ``Sync.check``; it is called every half a minute at most.

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
        table=Table(lambda: dynamodb, settings.table_name, settings.key_schema),
        client=client,
        writer=Writer(
            client,
            settings.projections,
            Limits(settings.bulk_bytes, settings.bulk_actions),
            connections,
            settings.request_timeout_seconds,
        ),
        page_items=page_items,
        deadline=deadline or _five_minutes,
        check=_NowAndThen(check or _nothing),
        capacity=capacity,
    )


class _NowAndThen:
    """A check that is repeated once some time has gone by. Threads that share it may repeat it more often."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._due = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._due:
            self._check()
            self._due = time.monotonic() + _CHECK_SECONDS


_CHECK_SECONDS = 30
