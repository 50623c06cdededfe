"""Turns a batch of records into one change per document. Decides nothing about failures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.records import Record, Undecodable
from dynamodb_opensearch.core.versions import coalesced_version


class Write(NamedTuple):  # a third of a frozen dataclass's time to make
    """Write this content with this version; an ``image`` of None deletes the document."""

    id: str
    keys: Item
    version: int
    highest_own: int
    sequence_number: str | None
    image: Item | None


@dataclass(frozen=True, slots=True)
class Settle:
    """Read the item consistently, then write what is there *now*: for everything but the plain fast path."""

    id: str
    keys: Item
    highest_own: int = 0
    sequence_number: str | None = None
    stored: int = 0
    """The version known to be in the index before the next read; 0 if none is known."""
    conflicts: int = 0
    """How often another writer came between the read and the write."""


Change = Write | Settle


@dataclass(frozen=True, slots=True)
class Batch:
    """One invocation's records, coalesced."""

    changes: Mapping[str, Change]
    """By document id, in the order of first appearance."""
    first_positions: Mapping[str, int]
    """Document id -> index of its first record in the batch."""
    undecodable: Sequence[Undecodable]
    latest_second: int
    """Epoch second of the youngest record; 0 if there is none."""


def coalesce(records: Iterable[Record | Undecodable]) -> Batch:
    """Keep the last change of each document; its version is higher than those of the document's earlier records.

    A known image is written as it is, a removal deletes, and an item that the source doesn't show is settled by a read.

    Args:
        records: oldest first.
    """
    last: dict[str, Record] = {}
    highest_earlier: dict[str, int] = {}
    first_positions: dict[str, int] = {}
    undecodable: list[Undecodable] = []
    latest_second = 0
    for position, record in enumerate(records):
        if isinstance(record, Undecodable):
            undecodable.append(record)
            continue
        latest_second = max(latest_second, record.second)
        earlier = last.get(record.id)
        if earlier is None:
            first_positions[record.id] = position
        else:
            highest_earlier[record.id] = max(highest_earlier.get(record.id, -1), earlier.own)
        last[record.id] = record
    changes = {
        document_id: _change(record, highest_earlier.get(document_id, -1)) for document_id, record in last.items()
    }
    return Batch(changes, first_positions, undecodable, latest_second)


def _change(last: Record, highest_earlier: int) -> Change:
    """The change for a document's last record, given the highest own version of its earlier ones, or -1."""
    highest_own = max(highest_earlier, last.own)
    if not last.is_known:
        return Settle(last.id, last.keys, highest_own, last.sequence_number)
    version = coalesced_version(last.own, highest_earlier)
    return Write(last.id, last.keys, version, highest_own, last.sequence_number, last.image)
