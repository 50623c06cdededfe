"""Compares both sides: every item with its document, and every document with its item.

The table is scanned once, and each page's documents are fetched from every index. Each index is listed, and ids that
the scan hasn't shown are looked up in the table. Memory is bounded: it holds the documents that wait for their second
look, and a set that may forget.
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
from dynamodb_opensearch.core.documents import Document, Place, exact, member
from dynamodb_opensearch.core.errors import ConfigurationError, UndecodableError
from dynamodb_opensearch.core.items import Item, unescape_name
from dynamodb_opensearch.core.keys import is_hashed
from dynamodb_opensearch.core.projections import Faulty
from dynamodb_opensearch.jobs.job import NO_IDENTITY, Pause, Step
from dynamodb_opensearch.jobs.seen import Seen
from dynamodb_opensearch.jobs.side import Side, Sides
from dynamodb_opensearch.jobs.suspects import (
    CHUNK,
    Looker,
    Page,
    Suspect,
    certain,
    expected_of,
    held_ids,
    keyed_at_home,
)
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.tracing import trace
from dynamodb_opensearch.jobs.unit import Segment, ShardPart, Unit
from dynamodb_opensearch.opensearch.reader import Hit, Shard

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
        sides = Sides.resolve(sync)
        sides.check_comparable()
        check_others(self.others, sides, sync)
        shards: list[tuple[Side, Shard]] = []
        for index in (*(side.layout.index for side in sides), *self.others):
            side = sides.by_index[index]
            side.reader.refresh(index, sync.deadline())
            shards += [(side, Shard(index, number)) for number in range(side.layout.shards(index))]
        most = PARTS // len(shards)
        parts = [part for side, shard in shards for part in side.reader.parts(shard, most, sync.deadline())]
        count = max(round(self.segments * self.percent / 100), 1)
        chosen = sorted(random.Random(self.seed).sample(range(self.segments), count))  # noqa: S311 (a sample)
        digest = sides.digest(self.others)
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
        sides = Sides.resolve(sync)
        if not isinstance(unit, Segment | ShardPart) or unit.layout != sides.digest(self.others):
            homes = ", ".join(f"{side.name} is written to {side.layout.index}" for side in sides)
            raise ConfigurationError(
                f"since this began, an alias was switched, an index was recreated, or what an index is to hold was "
                f"changed ({homes} now): compare again from the start (--restart)"
            )
        return Looker(sync, sides)

    def pages(self, looker: Looker, unit: Unit, position: Any) -> Iterator[Page | Pause]:
        """Yield the unit's pages from a position on, each once all its differences are certain."""
        with Seen.opened(self.seen) as seen:
            looks = _FirstLook(looker, seen)
            if isinstance(unit, ShardPart):
                found = looks.at_documents(unit.shard, position, self.percent)
            else:
                assert isinstance(unit, Segment)  # noqa: S101 (see ``looker``)
                found = looks.at_items(unit, position)
            yield from certain(found, looker, self.patience_seconds)


def check_others(others: Sequence[str], sides: Sides, sync: Sync) -> None:
    """Check that these are indices behind the aliases that the sync doesn't write to.

    Raises:
        ConfigurationError: one isn't, or it is closed.
    """
    known = sides.others()
    homes = {side.layout.index: side.name for side in sides}
    if others:  # an index that the job leaves alone is still the sync's own
        names = (*sync.projections, *sync.settings.unselected)
        homes |= {sync.reader(name).resolve(sync.deadline()).index: name for name in names}
    for name in others:
        if name in homes:
            raise ConfigurationError(f"--other-index {name}: the sync writes to it itself, as {homes[name]}")
        if name not in known:
            aliases, theirs = ", ".join(side.name for side in sides), ", ".join(known) or "none"
            raise ConfigurationError(
                f"--other-index {name}: it isn't another index behind {aliases}; those are: {theirs}"
            )
        if name in sides.by_index[name].layout.closed_others:
            raise ConfigurationError(
                f"--other-index {name}: it is closed; open it (POST /{name}/_open), or leave it out"
            )


class _FirstLook:
    """Goes through one side, and suspects what differs on the other."""

    def __init__(self, looker: Looker, seen: Seen | None) -> None:
        self._looker, self._sync, self._sides = looker, looker.sync, looker.sides
        self._seen = seen
        self._schema = self._sync.settings.key_schema

    def at_items(self, segment: Segment, position: Any) -> Iterator[Page]:
        """Compare the items of a segment with their documents in each index."""
        for scanned in self._sync.scan.pages(segment.number, segment.total, position):
            page = self._page(scanned.next_key, Counter(items=len(scanned.items)))
            for side in self._sides:
                held = [(item, expected) for item in scanned.items if (expected := expected_of(item, side)) is not None]
                self._compare(side, held, scanned.read_at, page)
                if len(self._sync.projections) > 1:
                    page.counts[f"{side.name}/items"] += len(held)
                elif len(held) < len(scanned.items):
                    page.counts["outside"] += len(scanned.items) - len(held)
            yield page

    def _compare(self, side: Side, held: Sequence[tuple[Item, str | Faulty]], read_at: int, page: Page) -> None:
        """Compare items with what an index must hold of them."""
        page.notices.update(self._not_indexed([item for item, _ in held], side))
        for item, expected in held:
            if isinstance(expected, Faulty):
                suspect = Suspect(side.layout.home(self._schema.id_of(item)), self._schema.keys_of(item), None)
                page.faulty.append((suspect, expected.reason))
        fine = [(item, expected) for item, expected in held if isinstance(expected, str)]
        for start in range(0, len(fine), TOGETHER):
            items, texts = zip(*fine[start : start + TOGETHER], strict=True)
            places = [side.layout.home(self._schema.id_of(item)) for item in items]
            documents = side.reader.get(places, self._sync.deadline(), texts)
            page.suspects += [
                Suspect(place, self._schema.keys_of(item), document and document.version)
                for place, item, text, document in zip(places, items, texts, documents, strict=True)
                if compare(text, document, read_at, side.layout.kept)
            ]
            page.notices.update(self._ignored(documents, side))
            self._note_seen(side, places, documents)

    def at_documents(self, shard: Shard, position: Any, percent: float) -> Iterator[Page]:
        """Look up the items of a shard's documents. The scan of the table has compared their content."""
        side = self._sides.by_index[shard.index]
        size = side.layout.page_hits(shard.index)
        while True:
            hits, position, unlisted = side.reader.hits(shard, position, size, self._sync.deadline())
            chosen = [
                hit for hit in hits if crc32(hit.place.id.encode("utf-8", "surrogatepass")) % 10_000 < percent * 100
            ]
            unknown = [hit for hit in chosen if not self._is_seen(side, hit)]
            suspects = self._with_keys(side, unknown)
            held = held_ids(self._sync, side, keyed_at_home(suspects, side))
            strays = [
                suspect for suspect in suspects if suspect.id not in held or not side.layout.is_home(suspect.place)
            ]
            counts = {"documents": len(chosen), "unlisted": unlisted}
            yield self._page(position, self._sync.counted(side.name, counts), strays)
            if position is None:
                return

    def _page(self, position: Any, counts: Counter[str], suspects: Iterable[Suspect] = ()) -> Page:
        return Page(position, counts, list(suspects), self._looker.counted)

    def _not_indexed(self, items: Sequence[Item], side: Side) -> Counter[str]:
        """Count the attributes that the index mapping leaves out, so that no search finds the items by them."""
        if side.projection.transform:  # its fields have names of their own
            return Counter()
        found = Counter(chain.from_iterable(items)).items()
        names = ((name, side.projection.shape.field_of(name), count) for name, count in found)
        return Counter(
            {
                f"{self._in(side)}{name}: not indexed": count
                for name, field, count in names
                if field is not None and not side.layout.indexes(field_of(field))
            }
        )

    def _ignored(self, documents: Iterable[Document | None], side: Side) -> Counter[str]:
        """Count the fields whose values OpenSearch kept but didn't index, because they are malformed or too long."""
        names = (unescape_name(name) for document in documents if document for name in document.ignored)
        attributes = map(side.projection.shape.attribute_of, names)
        return Counter(f"{self._in(side)}{name}: value kept, but not indexed" for name in attributes)

    def _in(self, side: Side) -> str:
        return f"{side.name}: " if len(self._sync.projections) > 1 else ""

    def _note_seen(self, side: Side, places: Sequence[Place], documents: Sequence[Document | None]) -> None:
        if self._seen is not None:
            for place, document in zip(places, documents, strict=True):
                if document is not None:
                    self._seen.add(side.layout.index, place.id, document.version)

    def _is_seen(self, side: Side, hit: Hit) -> bool:
        return (
            self._seen is not None
            and side.layout.is_home(hit.place)
            and self._seen.holds(side.layout.index, hit.place.id, hit.version)
        )

    def _keeps_keys(self, side: Side) -> bool:
        """Whether the index's documents hold the table's key, so that it can be read from them."""
        fields = [side.projection.shape.field_of(name) for name in self._schema.names]
        named = [field_of(field) for field in fields if field is not None]
        return len(named) == len(fields) and not side.projection.transform and side.layout.keeps(named)

    def _with_keys(self, side: Side, hits: Sequence[Hit]) -> list[Suspect]:
        """Return each with the key that its id encodes. A hashed id encodes none: the document or the table has it."""
        types = self._sync.key_types
        suspects = {hit: Suspect(hit.place, self._schema.keys_of_id(hit.place.id, types), hit.version) for hit in hits}
        hashed = [hit for hit in hits if is_hashed(hit.place.id)]
        readable = hashed if self._keeps_keys(side) else []
        for start in range(0, len(readable), CHUNK):
            chunk = readable[start : start + CHUNK]
            documents = side.reader.get([hit.place for hit in chunk], self._sync.deadline())
            for hit, document in zip(chunk, documents, strict=True):
                if document is not None:
                    suspects[hit] = Suspect(hit.place, self._keys_in(side, document, hit.place.id), hit.version)
        nameless = [hit for hit in hashed if suspects[hit].keys is None]
        traced = trace(self._sync, {hit.place.id for hit in nameless})
        suspects |= {hit: Suspect(hit.place, traced.get(hit.place.id), hit.version) for hit in nameless}
        return list(suspects.values())

    def _keys_in(self, side: Side, document: Document, document_id: str) -> Item | None:
        """Return the key that the document itself holds, if the document's id belongs to that key."""
        try:
            content = exact(document.source)
            keys = {}
            for name, kind in self._sync.key_types.items():
                value = content[field_of(side.projection.shape.field_of(name) or name)]
                keys[name] = {kind: str(value[0]) if kind == "N" and isinstance(value, tuple) else value}
            return keys if self._schema.id_of(keys) == document_id else None
        except (KeyError, RecursionError, TypeError, UndecodableError, ValueError):
            return None


def field_of(name: str) -> str:
    """Return the field that a top-level attribute is written to."""
    return str(json.loads(member(name)[:-1]))
