"""The table, read consistently: what a settle writes is what DynamoDB says *now*. Reads only, never decides."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.aws import heals
from dynamodb_opensearch.changes import Settle, Write
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.documents import KeySchema
from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.items import Item, binary
from dynamodb_opensearch.versions import settled_version

_MOST_KEYS = 100  # of one BatchGetItem
KEYS_PER_READ = 50  # half of it keeps an answer of large items small
_PARALLEL_READS = 4


class DynamoDB(Protocol):
    """The part of boto3's DynamoDB client that is used."""

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N803 (AWS's name)
        """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""


class Keyed(Protocol):
    """Whatever names an item: a document's id and the primary key behind it."""

    @property
    def id(self) -> str:
        """The document's id."""

    @property
    def keys(self) -> Item:
        """The primary key as DynamoDB JSON."""


class Reading(NamedTuple):
    """What a consistent read found. ``item`` is None where there is none."""

    id: str
    item: Item | None
    read_at: int
    """Epoch second, by DynamoDB's clock."""


class Table:
    """One DynamoDB table, to be read from."""

    def __init__(
        self, client: Callable[[], DynamoDB], name: str, schema: KeySchema, conflict_window_seconds: int
    ) -> None:
        self._client = client  # called at first use: most batches need no read
        self._name = name
        self._schema = schema
        self._conflict_window = conflict_window_seconds
        self._pool = ThreadPoolExecutor(_PARALLEL_READS, thread_name_prefix="truth")

    def settle(self, settles: Iterable[Settle], deadline: Deadline) -> Iterator[Write]:
        """For each key the write that makes its document equal to the item as of now.

        A key that couldn't be read, for throttling or an outage, yields nothing: it can be tried again.

        Raises:
            ConfigurationError: the table can't be read at all.
        """
        asked: dict[str, Settle] = {}
        for reading in self.read(_noted(settles, asked), deadline):
            write = self._write(asked.pop(reading.id), reading.item, reading.read_at)
            if write is not None:
                yield write

    def read(self, keys: Iterable[Keyed], deadline: Deadline, *, keys_only: bool = False) -> Iterator[Reading]:
        """The items with these keys, some chunks ahead; what couldn't be read is left out.

        Args:
            keys: each at most once.
            keys_only: whether the item's keys are enough.

        Raises:
            ConfigurationError: the table can't be read at all.
        """
        wanted = projection(self._schema) if keys_only else {}
        size = _MOST_KEYS if keys_only else KEYS_PER_READ
        remaining = iter(keys)
        open_reads: deque[Future[list[Reading]]] = deque()
        try:
            while chunk := list(islice(remaining, size)):
                open_reads.append(self._pool.submit(self._read, chunk, wanted, deadline))
                if len(open_reads) > _PARALLEL_READS:
                    yield from open_reads.popleft().result()
            while open_reads:
                yield from open_reads.popleft().result()
        finally:
            for read in open_reads:
                read.cancel()
            wait(open_reads)

    def _read(self, keyed: Sequence[Keyed], extra: Mapping[str, Any], deadline: Deadline) -> list[Reading]:
        if deadline.remaining_seconds() <= 0:
            return []
        request = {"Keys": [sdk_keys(one.keys) for one in keyed], "ConsistentRead": True, **extra}
        try:
            answer = self._client().batch_get_item(RequestItems={self._name: request})
        except ClientError as error:
            if heals(error):
                return []
            raise ConfigurationError(
                f"TABLE_NAME is {self._name!r}: BatchGetItem answered {error.response['Error']['Code']}; "
                "check that the table exists with these keys and that the role may dynamodb:BatchGetItem"
            ) from None
        except BotoCoreError as error:
            if heals(error):
                return []
            raise ConfigurationError(f"TABLE_NAME is {self._name!r}: it can't be read ({error})") from None
        # Only one table was asked for; AWS may name it by name or by ARN. No list of items isn't an empty one.
        tables = list(answer.get("Responses", {}).values())
        if not tables:
            return []
        at = read_at(answer)
        unprocessed = [key for one in answer.get("UnprocessedKeys", {}).values() for key in one["Keys"]]
        unread = {self._schema.id_of(key) for key in unprocessed}
        items = {self._schema.id_of(item): item for item in tables[0]}
        return [Reading(one.id, items.get(one.id), at) for one in keyed if one.id not in unread]

    def _write(self, settle: Settle, item: Item | None, read_at: int) -> Write | None:
        version = settled_version(
            stored=settle.stored,
            highest_own=settle.highest_own,
            read_at=read_at,
            conflict_window=self._conflict_window,
        )
        if version is None:  # no number is left: a later read gets one, as time goes on
            return None
        return Write(settle.id, settle.keys, version, settle.highest_own, settle.sequence_number, item)


def read_at(answer: Mapping[str, Any]) -> int:
    """When DynamoDB answered, in epoch seconds by its own clock: ours may be wrong, and decides nothing.

    Raises:
        ConfigurationError: the answer has no usable Date header.
    """
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        stamp = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"DynamoDB's answer has the Date header {date!r}: a proxy must leave it as it is"
        ) from None
    return int(stamp.timestamp())


def projection(schema: KeySchema) -> dict[str, Any]:
    """What a read asks for that wants the keys alone."""
    names = {f"#{number}": name for number, name in enumerate(schema.names)}
    return {"ProjectionExpression": ",".join(names), "ExpressionAttributeNames": names}


def sdk_keys(keys: Item) -> dict[str, Any]:
    """Keys as the SDK takes them: binary as bytes."""
    return {name: {"B": binary(value["B"])} if "B" in value else value for name, value in keys.items()}


def _noted(settles: Iterable[Settle], asked: dict[str, Settle]) -> Iterator[Settle]:
    for settle in settles:
        asked[settle.id] = settle
        yield settle
