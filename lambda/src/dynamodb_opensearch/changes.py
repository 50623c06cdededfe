"""From a batch of stream records to one change per document. No I/O, and no decision about failures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dynamodb_opensearch.documents import KeySchema
from dynamodb_opensearch.errors import UndecodableError
from dynamodb_opensearch.items import Item
from dynamodb_opensearch.versions import coalesced_version, own_version


class Write(NamedTuple):  # a third of a frozen dataclass's time to make
    """Write this content with this version. ``image`` None deletes."""

    id: str
    keys: Item
    version: int
    highest_own: int
    sequence_number: str | None
    image: Item | None


@dataclass(frozen=True, slots=True)
class Settle:
    """Read the item consistently, then write what is there *now*: for whatever isn't the plain fast path."""

    id: str
    keys: Item
    highest_own: int = 0
    sequence_number: str | None = None
    stored: int = 0
    """The version known to stand in the index, learnt before the next read; 0 if none is."""
    conflicts: int = 0
    """How often another writer came between the read and the write."""


Change = Write | Settle


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A record that isn't what AWS documents, and what is known of it."""

    position: int
    reason: str
    keys: Item | None
    sequence_number: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """One invocation's records, coalesced."""

    changes: Mapping[str, Change]
    """By document id, in the order of first appearance."""
    first_positions: Mapping[str, int]
    """Document id -> index of its first record in the batch."""
    undecodable: Sequence[Undecodable]
    latest_second: int
    """Epoch second of the youngest record, 0 without any."""


def coalesce(records: Sequence[Mapping[str, Any]], schema: KeySchema) -> Batch:
    """The last change of each document wins; its version beats the batch's earlier ones of that document.

    An INSERT or MODIFY with its new image is written as it stands, a REMOVE deletes, and a record without a new image
    (KEYS_ONLY, OLD_IMAGE) is settled by a read.

    Args:
        records: the ``Records`` of a DynamoDB stream event, oldest first.

    Raises:
        ConfigurationError: the records are another table's.
    """
    changes: dict[str, Change] = {}
    first_positions: dict[str, int] = {}
    undecodable: list[Undecodable] = []
    latest_second = 0
    for position, record in enumerate(records):
        try:
            change, second = _decode(record, schema)
        except UndecodableError as error:
            undecodable.append(_undecodable(position, record, schema, str(error)))
            continue
        latest_second = max(latest_second, second)
        earlier = changes.get(change.id)
        if earlier is None:
            first_positions[change.id] = position
            changes[change.id] = change
        else:
            changes[change.id] = _merge(earlier, change)
    return Batch(changes, first_positions, undecodable, latest_second)


def _decode(record: Mapping[str, Any], schema: KeySchema) -> tuple[Change, int]:
    try:
        event_name, data = record["eventName"], record["dynamodb"]
        keys, sequence_number, created_at = data["Keys"], data["SequenceNumber"], data["ApproximateCreationDateTime"]
        image = data.get("NewImage")
        schema.check(keys)
    except (AttributeError, KeyError, TypeError):
        raise UndecodableError(
            "the record lacks eventName, Keys, SequenceNumber or ApproximateCreationDateTime"
        ) from None
    document_id = schema.id_of(keys)
    own = own_version(created_at, sequence_number)
    change: Change
    if event_name == "REMOVE":
        change = Write(document_id, keys, own, own, sequence_number, None)
    elif event_name not in {"INSERT", "MODIFY"}:
        raise UndecodableError("eventName must be INSERT, MODIFY or REMOVE")
    elif image is not None:
        change = Write(document_id, keys, own, own, sequence_number, image)
    else:
        change = Settle(document_id, keys, own, sequence_number)
    return change, int(created_at)


def _merge(earlier: Change, last: Change) -> Change:
    highest_own = max(earlier.highest_own, last.highest_own)
    if isinstance(last, Settle):
        return Settle(last.id, last.keys, highest_own, last.sequence_number)
    version = coalesced_version(last.version, earlier.highest_own)
    return Write(last.id, last.keys, version, highest_own, last.sequence_number, last.image)


def _undecodable(position: int, record: Any, schema: KeySchema, reason: str) -> Undecodable:
    """What a dead letter can tell of the record: its keys only if they are whole, for a settle needs them whole."""
    data = record.get("dynamodb") if isinstance(record, Mapping) else None
    data = data if isinstance(data, Mapping) else {}
    keys, sequence_number = data.get("Keys"), data.get("SequenceNumber")
    try:
        schema.id_of(keys or {})
    except UndecodableError:
        keys = None
    return Undecodable(position, reason, keys, sequence_number if isinstance(sequence_number, str) else None)
