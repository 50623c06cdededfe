"""Turns a batch of records into one change per index and document. Decides nothing about failures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.projections import Content, Projection
from dynamodb_opensearch.core.records import UNSEEN, Record, Undecodable, Unseen
from dynamodb_opensearch.core.versions import coalesced_version, settled_version

Address = tuple[str, str]
"""An index and a document's id. Whatever is known of a document is known of it in one index."""


class Write(NamedTuple):  # a third of a frozen dataclass's time to make
    """Write this content with this version; a ``content`` of None deletes the document."""

    index: str  # type: ignore[assignment]  # hides a tuple's method, which a change has no use for
    id: str
    keys: Item
    version: int
    highest_own: int
    sequence_number: str | None
    content: Content | None

    @property
    def address(self) -> Address:
        """Where it goes."""
        return self[:2]


@dataclass(frozen=True, slots=True)
class Settle:
    """Read the item consistently, then write what is there *now*: for everything but the plain fast path."""

    index: str
    id: str
    keys: Item
    highest_own: int = 0
    sequence_number: str | None = None
    stored: int = 0
    """The version known to be in the index before the next read; 0 if none is known."""
    conflicts: int = 0
    """How often another writer came between the read and the write."""

    @property
    def address(self) -> Address:
        """Where it goes."""
        return self.index, self.id


Change = Write | Settle


class Reading(NamedTuple):
    """What a consistent read found. ``item`` is None if there is none."""

    id: str
    item: Item | None
    read_at: int
    """Epoch second, by DynamoDB's clock."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One invocation's records, coalesced."""

    changes: Mapping[Address, Change]
    first_positions: Mapping[Address, int]
    """The position in the batch of the first record that counts for the document in this index. A later one would lose
    its ``highest_own`` on a retry."""
    undecodable: Sequence[Undecodable]
    latest_second: int
    """Epoch second of the youngest record; 0 if there is none."""
    coalesced: int = 0
    """How many changes were replaced by later ones of their documents."""
    dropped: int = 0
    """How often a record concerned no document of an index, neither before the change nor after it."""
    skipped: int = 0
    """How often a record left an index's document as it was."""
    answered: frozenset[str] = frozenset()
    """Indices whose transform made a document of some item, or said that there is none."""


def coalesce(records: Iterable[Record | Undecodable], projections: Iterable[Projection]) -> Batch:
    """Keep, for each index, the last change of each document; its version is higher than those of its earlier records.

    A known item is projected and written, an item that the index doesn't hold is deleted there, and an item that the
    source doesn't show is settled by a read. A record that changes nothing in an index is dropped for that index, by
    itself and before all else, as if it had never been: it neither counts as the last change nor raises a version.

    Args:
        records: oldest first.
    """
    undecodable: list[Undecodable] = []
    decoded: list[tuple[int, Record]] = []
    latest_second = 0
    for position, record in enumerate(records):
        if isinstance(record, Undecodable):
            undecodable.append(record)
        else:
            decoded.append((position, record))
            if record.second > latest_second:  # noqa: PLR1730 (a call takes four times as long)
                latest_second = record.second
    changes: dict[Address, Change] = {}
    first_positions: dict[Address, int] = {}
    coalesced = dropped = skipped = 0
    answered = set()
    for projection in projections:
        own = _Coalescing(projection)
        own.take(decoded)
        own.add_to(changes, first_positions)
        coalesced += own.coalesced
        dropped += own.dropped
        skipped += own.skipped
        answered |= {projection.index} if own.has_answered else set()
    return Batch(changes, first_positions, undecodable, latest_second, coalesced, dropped, skipped, frozenset(answered))


class _Coalescing:
    """The changes of one index."""

    def __init__(self, projection: Projection) -> None:
        self._projection = projection
        self._last: dict[str, Record] = {}
        self._contents: dict[str, Content | Unseen | None] = {}
        """What the index holds of the last records' items, unless it takes all."""
        self._highest_earlier: dict[str, int] = {}
        """The highest own versions of the documents' earlier records, if they have any."""
        self._first_positions: dict[str, int] = {}
        self.coalesced = self.dropped = self.skipped = 0
        self.has_answered = False

    def take(self, records: Iterable[tuple[int, Record]]) -> None:
        last, takes_all = self._last, self._projection.takes_all
        for position, record in records:
            document_id = record.id
            if not takes_all:
                if not self._projection.may_hold(record.keys):
                    continue
                content = self._project(record)
                if self._is_without_effect(record, content):
                    continue
                self._contents[document_id] = content
            earlier = last.get(document_id)
            if earlier is None:
                self._first_positions[document_id] = position
            else:
                self.coalesced += 1
                if earlier.own > self._highest_earlier.get(document_id, -1):
                    self._highest_earlier[document_id] = earlier.own
            last[document_id] = record

    def add_to(self, changes: dict[Address, Change], first_positions: dict[Address, int]) -> None:
        index, takes_all = self._projection.index, self._projection.takes_all
        for document_id, record in self._last.items():
            address = index, document_id
            content = record.new if takes_all else self._contents[document_id]
            changes[address] = _change(index, record, content, self._highest_earlier.get(document_id, -1))
            first_positions[address] = self._first_positions[document_id]

    def _project(self, record: Record) -> Content | Unseen | None:
        if record.new is None or record.new is UNSEEN:
            return record.new
        content = self._projection.project(record.new)
        self.has_answered = self.has_answered or self._projection.has_answered(record.new, content)
        return content

    def _is_without_effect(self, record: Record, content: Content | Unseen | None) -> bool:
        """Whether the record leaves the index as it was. Only a record that shows both items can prove that."""
        if content is UNSEEN or record.old is UNSEEN:
            return False
        if content is None:
            was_nothing = record.old is None or self._projection.project(record.old) is None
            self.dropped += was_nothing
            return was_nothing
        if record.old is None or not self._projection.skip_unchanged:
            return False
        is_same = self._projection.is_same(content, record.old)
        self.skipped += is_same
        return is_same


def _change(index: str, last: Record, content: Content | Unseen | None, highest_earlier: int) -> Change:
    """The change for a document's last record."""
    highest_own = max(highest_earlier, last.own)
    if content is UNSEEN:
        return Settle(index, last.id, last.keys, highest_own, last.sequence_number)
    version = coalesced_version(last.own, highest_earlier)
    return Write(index, last.id, last.keys, version, highest_own, last.sequence_number, content)


def settled(settle: Settle, reading: Reading, projection: Projection, conflict_window: int) -> Write | None:
    """The write for what a read found; None if no version is left for it, so that a later read must get one.

    Args:
        reading: of a read that began after ``settle.stored`` was known.
        conflict_window: seconds.
    """
    version = settled_version(
        stored=settle.stored,
        highest_own=settle.highest_own,
        read_at=reading.read_at,
        conflict_window=conflict_window,
    )
    if version is None:
        return None
    content = None if reading.item is None else projection.project(reading.item)
    return Write(settle.index, settle.id, settle.keys, version, settle.highest_own, settle.sequence_number, content)
