"""Compares both sides: every item with its document, and every document with its item.

The table is scanned, and each page's documents are fetched. The index is listed, and ids that the scan hasn't shown are
looked up in the table. Memory is bounded: it holds the documents that wait for their second look, and a set that may
forget.
"""

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from zlib import crc32

from dynamodb_opensearch.core.comparison import compare
from dynamodb_opensearch.core.documents import Document, Place, encode_document, exact, member
from dynamodb_opensearch.core.errors import ConfigurationError, UndecodableError
from dynamodb_opensearch.core.items import Item, unescape_name
from dynamodb_opensearch.core.keys import is_hashed
from dynamodb_opensearch.jobs.job import NO_IDENTITY, Pause, Step
from dynamodb_opensearch.jobs.seen import Seen
from dynamodb_opensearch.jobs.suspects import CHUNK, Looker, Page, Suspect, certain, ignore_key, keyed_at_home
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Segment, ShardPart, Unit
from dynamodb_opensearch.opensearch.layout import Layout
from dynamodb_opensearch.opensearch.reader import Hit, Reader, Shard

PARTS = 64
"""How many parts all shards are divided into together, if there are fewer shards than that."""
TOGETHER = 1_000
"""Documents that are fetched together: a small item may have a large document, if something else wrote it."""


@dataclass(frozen=True, slots=True)
class Verify:
    """Compares all of both sides, or a sample."""

    segments: int
    """How many segments the table is read in."""
    percent: float = 100
    """The percentage of segments, and of documents by a hash of their ids, that is compared."""
    seed: int = 0
    """Another seed is another sample."""
    patience_seconds: float = field(default=10, metadata=NO_IDENTITY)
    """Time between two looks at a document that differs: longer than the sync's lag."""
    seen: Path | None = field(default=None, metadata=NO_IDENTITY)
    """A ``seen_file`` that all workers share; None: the table is asked for every document's id."""
    others: tuple[str, ...] = ()
    """Indices behind the alias that the sync doesn't write to: all of their documents are in the wrong place."""

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """The table's segments, then the index's shards. Few shards are divided, so that every worker has some.

        Raises:
            ConfigurationError: the index, or one of ``others``, can't be compared.
        """
        reader = sync.reader
        layout = reader.resolve(sync.deadline())
        layout.check_comparable()
        _check_others(self.others, layout)
        indices = (layout.index, *self.others)
        shards = [Shard(index, number) for index in indices for number in range(layout.shards(index))]
        for index in indices:
            reader.refresh(index, sync.deadline())
        most = PARTS // len(shards)
        parts = [part for shard in shards for part in reader.parts(shard, most, sync.deadline())]
        count = max(round(self.segments * self.percent / 100), 1)
        chosen = sorted(random.Random(self.seed).sample(range(self.segments), count))  # noqa: S311 (a sample)
        digest = layout.digest(self.others)
        return [
            *(Segment(number, self.segments, digest) for number in chosen),
            *(ShardPart(part.index, part.number, part.first, digest, part.last) for part in parts),
        ]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step | Pause]:
        """Yield a step for each page, once all its differences are certain. See ``job.Job.run``."""
        for page in self.pages(self.looker(sync, unit), unit, position):
            yield page if isinstance(page, Pause) else page.step()

    def looker(self, sync: Sync, unit: Unit) -> Looker:
        """Return what looks at both sides for a unit.

        Raises:
            ConfigurationError: the unit was planned for another index.
        """
        reader = sync.reader
        layout = reader.resolve(sync.deadline())
        if not isinstance(unit, Segment | ShardPart) or unit.layout != layout.digest(self.others):
            raise ConfigurationError(
                f"since this began, {layout.name} was switched or an index behind it was recreated (it is written "
                f"to {layout.index} now): compare again from the start (--restart)"
            )
        return Looker(sync, reader, layout)

    def pages(self, looker: Looker, unit: Unit, position: Any) -> Iterator[Page | Pause]:
        """Yield the unit's pages from a position on, each once all its differences are certain."""
        with Seen.opened(self.seen) as seen:
            looks = _FirstLook(looker.sync, looker.reader, looker.layout, seen)
            if isinstance(unit, ShardPart):
                found = looks.at_documents(unit.shard, position, self.percent)
            else:
                assert isinstance(unit, Segment)  # noqa: S101 (see ``looker``)
                found = looks.at_items(unit, position)
            yield from certain(found, looker, self.patience_seconds)


def _check_others(others: Sequence[str], layout: Layout) -> None:
    for name in others:
        if name not in layout.others:
            raise ConfigurationError(
                f"--other-index {name}: it isn't another index behind {layout.name}; those are: "
                f"{', '.join(layout.others) or 'none'}"
            )
        if name in layout.closed_others:
            raise ConfigurationError(
                f"--other-index {name}: it is closed; open it (POST /{name}/_open), or leave it out"
            )


class _FirstLook:
    """Goes through one side, and suspects what differs on the other."""

    def __init__(self, sync: Sync, reader: Reader, layout: Layout, seen: Seen | None) -> None:
        self._sync = sync
        self._reader = reader
        self._layout = layout
        self._seen = seen
        self._schema = sync.settings.key_schema
        self._keeps_keys = layout.keeps(map(field_of, self._schema.names))

    def at_items(self, segment: Segment, position: Any) -> Iterator[Page]:
        """Compare the items of a segment with their documents."""
        for page in self._sync.scan.pages(segment.number, segment.total, position):
            suspects, notices = list[Suspect](), self._not_indexed(page.items)
            for start in range(0, len(page.items), TOGETHER):
                items = page.items[start : start + TOGETHER]
                places = [self._layout.home(self._schema.id_of(item)) for item in items]
                expected = [encode_document(item).decode() for item in items]
                documents = self._reader.get(places, self._sync.deadline(), expected)
                suspects += [
                    Suspect(place, self._schema.keys_of(item), document and document.version)
                    for place, item, text, document in zip(places, items, expected, documents, strict=True)
                    if compare(text, document, page.read_at, self._layout.kept)
                ]
                notices.update(self._ignored(documents))
                self._note_seen(places, documents)
            yield Page(page.next_key, Counter(items=len(page.items)), suspects, notices=notices)

    def at_documents(self, shard: Shard, position: Any, percent: float) -> Iterator[Page]:
        """Look up the items of a shard's documents. The scan of the table has compared their content."""
        size = self._layout.page_hits(shard.index)
        while True:
            hits, position, unlisted = self._reader.hits(shard, position, size, self._sync.deadline())
            chosen = [
                hit for hit in hits if crc32(hit.place.id.encode("utf-8", "surrogatepass")) % 10_000 < percent * 100
            ]
            unknown = [hit for hit in chosen if not self._is_seen(hit)]
            keyless = [hit for hit in unknown if not self._keeps_keys and is_hashed(hit.place.id)]
            suspects = self._with_keys([hit for hit in unknown if self._keeps_keys or not is_hashed(hit.place.id)])
            keyed = keyed_at_home(suspects, self._layout)
            existing = {
                reading.id
                for reading in self._sync.table.read_all(
                    keyed, self._sync.deadline(), keys_only=True, unreadable=ignore_key
                )
                if reading.item is not None
            }
            strays = [
                suspect for suspect in suspects if suspect.id not in existing or not self._layout.is_home(suspect.place)
            ]
            counts = Counter(documents=len(chosen), unlisted=unlisted, keyless=len(keyless))
            yield Page(position, counts, strays)
            if position is None:
                return

    def _not_indexed(self, items: Sequence[Item]) -> Counter[str]:
        """Count the attributes that the index mapping leaves out, so that no search finds the items by them."""
        names = Counter(chain.from_iterable(items)).items()
        return Counter(
            {f"{name}: not indexed": count for name, count in names if not self._layout.indexes(field_of(name))}
        )

    def _ignored(self, documents: Iterable[Document | None]) -> Counter[str]:
        """Count the fields whose values OpenSearch kept but didn't index, because they are malformed or too long."""
        names = (unescape_name(name) for document in documents if document for name in document.ignored)
        return Counter(f"{name}: value kept, but not indexed" for name in names)

    def _note_seen(self, places: Sequence[Place], documents: Sequence[Document | None]) -> None:
        if self._seen is not None:
            for place, document in zip(places, documents, strict=True):
                if document is not None:
                    self._seen.add(place.id, document.version)

    def _is_seen(self, hit: Hit) -> bool:
        return (
            self._seen is not None and self._layout.is_home(hit.place) and self._seen.holds(hit.place.id, hit.version)
        )

    def _with_keys(self, hits: Sequence[Hit]) -> list[Suspect]:
        """Return each with the key that its id encodes. A hashed id encodes none, so the document is read for it."""
        types = self._sync.key_types
        suspects = {hit: Suspect(hit.place, self._schema.keys_of_id(hit.place.id, types), hit.version) for hit in hits}
        hashed = [hit for hit in hits if is_hashed(hit.place.id)]
        for start in range(0, len(hashed), CHUNK):
            chunk = hashed[start : start + CHUNK]
            documents = self._reader.get([hit.place for hit in chunk], self._sync.deadline())
            for hit, document in zip(chunk, documents, strict=True):
                if document is not None:
                    suspects[hit] = Suspect(hit.place, self._keys_in(document, hit.place.id), hit.version)
        return list(suspects.values())

    def _keys_in(self, document: Document, document_id: str) -> Item | None:
        """Return the key that the document itself holds, if the document's id belongs to that key."""
        try:
            content = exact(document.source)
            keys = {}
            for name, kind in self._sync.key_types.items():
                value = content[field_of(name)]
                keys[name] = {kind: str(value[0]) if kind == "N" and isinstance(value, tuple) else value}
            return keys if self._schema.id_of(keys) == document_id else None
        except (KeyError, RecursionError, TypeError, UndecodableError, ValueError):
            return None


def field_of(name: str) -> str:
    """Return the field that a top-level attribute is written to."""
    return str(json.loads(member(name)[:-1]))
