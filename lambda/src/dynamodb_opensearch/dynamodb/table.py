"""Reads the table consistently: what a settle writes is what DynamoDB has *now*. Never writes, never decides."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import islice
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.aws import heals
from dynamodb_opensearch.core.changes import Reading
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.core.items import Item, binary
from dynamodb_opensearch.core.keys import KeySchema

_MOST_KEYS = 100  # BatchGetItem's limit
_PARALLEL_READS = 4  # at most so many answers are under way, or wait for their items to be taken

# Keys of one read, while the items' size is unknown and when they are small. An item has up to 400 KB, as JSON perhaps
# more, and as Python objects many times that: the first reads, and those after the size has jumped, must fit into a
# small function.
_FIRST_KEYS = 5
_MOST_ITEMS = 25
_READ_BYTES = 1024**2
"""How many bytes of JSON an answer should have, by the largest items seen so far."""


class DynamoDB(Protocol):
    """The part of boto3's DynamoDB client that is used."""

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N803 (AWS's name)
        """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""


class Keyed(Protocol):
    """Anything that names an item: a document's id and the primary key behind it."""

    @property
    def id(self) -> str:
        """The document's id."""

    @property
    def keys(self) -> Item:
        """The primary key as DynamoDB JSON."""


_Key = TypeVar("_Key", bound=Keyed)


@dataclass(frozen=True, slots=True)
class _Answer(Generic[_Key]):
    """The result of one read."""

    readings: Sequence[Reading]
    refused: Sequence[_Key] = ()
    """Keys that DynamoDB itself refuses, such as those of another type."""
    size: int = 0
    """Bytes of JSON."""


class Table:
    """One DynamoDB table, for consistent reads."""

    def __init__(self, client: Callable[[], DynamoDB], name: str, schema: KeySchema) -> None:
        self._connect = client  # called at the first use: most batches need no read
        self._client: DynamoDB | None = None
        self._lock = Lock()
        self._name = name
        self._schema = schema
        self._pool = ThreadPoolExecutor(_PARALLEL_READS, thread_name_prefix="table")

    def read(
        self,
        keys: Iterable[_Key],
        deadline: Deadline,
        *,
        keys_only: bool = False,
        unreadable: Callable[[_Key], None] | None = None,
    ) -> Iterator[Reading]:
        """The items with these keys, read some chunks ahead; those that couldn't be read are left out.

        Args:
            keys: each at most once.
            keys_only: whether the item's keys are enough.
            unreadable: gets each key that DynamoDB itself refuses, such as one of another type; a key without an item
                isn't refused. Without it such a key is an error.

        Raises:
            ConfigurationError: the table can't be read at all.
        """
        wanted = projection(self._schema) if keys_only else {}
        remaining = iter(keys)
        open_reads: deque[Future[_Answer[_Key]]] = deque()
        heaviest = 0.0  # bytes of an item, by the answer with the largest items

        def submit() -> None:
            if chunk := list(islice(remaining, _MOST_KEYS if keys_only else _keys_per_read(heaviest))):
                open_reads.append(self._pool.submit(self._read, chunk, wanted, deadline))

        try:
            for _ in range(_PARALLEL_READS):
                submit()
            while open_reads:
                answer = open_reads.popleft().result()
                for key in answer.refused:
                    if unreadable is None:
                        raise self._refused_key(key)
                    unreadable(key)
                heaviest = max(heaviest, answer.size / max(len(answer.readings), 1))
                yield from answer.readings
                del answer  # before the next one is requested
                submit()
        finally:
            for read in open_reads:
                read.cancel()
            wait(open_reads)

    def read_all(
        self,
        keys: Iterable[Keyed],
        deadline: Deadline,
        *,
        keys_only: bool = False,
        unreadable: Callable[[Keyed], None] | None = None,
    ) -> Iterator[Reading]:
        """Read until every key has its reading; yields them in any order.

        Args:
            unreadable: gets each key that DynamoDB itself refuses: no item can have it. Without it such a key is an
                error.

        Raises:
            ConfigurationError: the table can't be read.
            OutOfTimeError: it was throttled or out of reach until the deadline.
        """
        waiting = {key.id: key for key in keys}
        attempt = 0

        def leave_out(key: Keyed) -> None:
            assert unreadable is not None  # noqa: S101 (for the type checker)
            del waiting[key.id]
            unreadable(key)

        refused = leave_out if unreadable else None
        while waiting:
            for reading in self.read(list(waiting.values()), deadline, keys_only=keys_only, unreadable=refused):
                del waiting[reading.id]
                yield reading
            attempt += 1
            if waiting and not deadline.back_off(attempt):
                raise OutOfTimeError(f"the table {self._name!r} is throttled or out of reach")

    def _read(self, keyed: Sequence[_Key], extra: Mapping[str, Any], deadline: Deadline) -> "_Answer[_Key]":
        if deadline.remaining_seconds() <= 0:
            return _Answer([])
        request = {"Keys": [sdk_keys(key.keys) for key in keyed], "ConsistentRead": True, **extra}
        try:
            answer = self._connected().batch_get_item(RequestItems={self._name: request})
        except ClientError as error:
            if heals(error):
                return _Answer([])
            if error.response["Error"]["Code"] == "ValidationException":
                return self._halved(keyed, extra, deadline)
            raise ConfigurationError(
                f"TABLE_NAME is {self._name!r}: BatchGetItem answered {error.response['Error']['Code']}; "
                "check that the table exists with these keys and that the role may dynamodb:BatchGetItem"
            ) from None
        except BotoCoreError as error:
            if heals(error):
                return _Answer([])
            raise ConfigurationError(f"TABLE_NAME is {self._name!r}: it can't be read ({error})") from None
        # Only one table was asked for, which AWS may name by name or by ARN. No list of items isn't an empty one.
        tables = list(answer.get("Responses", {}).values())
        if not tables:
            return _Answer([])
        at = read_at(answer)
        unprocessed = [key for rest in answer.get("UnprocessedKeys", {}).values() for key in rest["Keys"]]
        unread = {self._schema.id_of(key) for key in unprocessed}
        items = {self._schema.id_of(item): item for item in tables[0]}
        readings = [Reading(key.id, items.get(key.id), at) for key in keyed if key.id not in unread]
        return _Answer(readings, size=_size_of(answer))

    def _halved(self, keyed: Sequence[_Key], extra: Mapping[str, Any], deadline: Deadline) -> "_Answer[_Key]":
        """DynamoDB refuses all keys because of one: ask by halves, down to that one."""
        if len(keyed) == 1:
            return _Answer([], refused=list(keyed))
        middle = len(keyed) // 2
        halves = [self._read(half, extra, deadline) for half in (keyed[:middle], keyed[middle:])]
        return _Answer(
            [reading for half in halves for reading in half.readings],
            [key for half in halves for key in half.refused],
            sum(half.size for half in halves),
        )

    def _connected(self) -> DynamoDB:
        with self._lock:  # else each of the first reads would make a client
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _refused_key(self, key: Keyed) -> ConfigurationError:
        return ConfigurationError(
            f"TABLE_NAME is {self._name!r}: BatchGetItem answered ValidationException for the key of the document "
            f"{key.id[:200]!r}; check the table's keys and their types; the role may need dynamodb:BatchGetItem"
        )


def _keys_per_read(heaviest: float) -> int:
    return max(min(int(_READ_BYTES / heaviest), _MOST_ITEMS), 1) if heaviest else _FIRST_KEYS


def _size_of(answer: Mapping[str, Any]) -> int:
    return int(answer["ResponseMetadata"]["HTTPHeaders"].get("content-length", 0))


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
    """The parameters of a read that needs the keys alone."""
    names = {f"#{number}": name for number, name in enumerate(schema.names)}
    return {"ProjectionExpression": ",".join(names), "ExpressionAttributeNames": names}


def sdk_keys(keys: Item) -> dict[str, Any]:
    """Keys in the SDK's form: binary as bytes."""
    return {name: {"B": binary(value["B"])} if "B" in value else value for name, value in keys.items()}
