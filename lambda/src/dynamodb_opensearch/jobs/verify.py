"""Compares every item with its document and every document with its item, and names each difference.

The table's side is scanned and each page's documents are fetched; the index's side is listed, and ids that the first
side didn't show are looked up in the table. Both sides move on meanwhile, so what differs counts only if its document
still differs, unmoved, some seconds later. Memory is bounded: all that is kept is what waits for its second look, and a
set of marks that may forget.
"""

import json
import random
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zlib import crc32

from dynamodb_opensearch.documents import encode_document, member
from dynamodb_opensearch.errors import UndecodableError
from dynamodb_opensearch.items import Item
from dynamodb_opensearch.jobs.comparison import Difference, Kind, compare
from dynamodb_opensearch.jobs.pair import Pair, catalogue_of, read_items
from dynamodb_opensearch.jobs.repair import mend
from dynamodb_opensearch.jobs.scan import pages
from dynamodb_opensearch.jobs.stored import Catalogue, Document, Hit, Place, Shard, exact
from dynamodb_opensearch.jobs.vouched import Vouched
from dynamodb_opensearch.jobs.work import HOW, Pause, Segment, Step, Unit

WAITING = 20_000
"""Most documents that wait for their second look: beyond it, reading waits for them."""
PARTS = 64
"""Of all shards together, where there are fewer shards than that."""
LOOKS = 5
"""How often a document that keeps moving is looked at, before it counts as changing and not as different."""


@dataclass(frozen=True, slots=True)
class Verify:
    """All of both sides, or a sample."""

    segments: int
    percent: float = 100
    """Of the segments, and of the documents by a hash of their ids."""
    seed: int = 0
    """Of the sample."""
    patience_seconds: float = field(default=10, metadata=HOW)
    """Between the two looks at what differs: more than the sync's lag."""
    repair: bool = False
    """Whether to mend each difference once it is certain."""
    vouched: Path | None = field(default=None, metadata=HOW)
    """A ``vouched_file`` that all workers share; None: every document's id is looked up in the table."""

    def plan(self, pair: Pair) -> Sequence[Unit]:
        """The table's segments, then the index's shards; few shards in parts, so that all workers have some."""
        catalogue = catalogue_of(pair)
        catalogue.refresh(pair.deadline())
        _, shards = catalogue.resolve(pair.deadline())
        most = PARTS // len(shards)
        parts = [part for shard in shards for part in catalogue.parts(shard, most, pair.deadline())]
        count = max(round(self.segments * self.percent / 100), 1)
        chosen = sorted(random.Random(self.seed).sample(range(self.segments), count))  # noqa: S311 (a sample)
        return [*(str(Segment(number, self.segments)) for number in chosen), *map(str, parts)]

    def run(self, pair: Pair, unit: Unit, position: Any) -> Iterator[Step | Pause]:
        """A step for each page, once all its differences are certain. See ``work.Job.run``."""
        catalogue = catalogue_of(pair)
        home, _ = catalogue.resolve(pair.deadline())
        with Vouched.opened(self.vouched) as vouched:
            comparer = _Comparer(pair, catalogue, home, vouched)
            if unit.startswith("segment "):
                looks = comparer.look_at_items(Segment.parse(unit), position)
            else:
                looks = comparer.look_at_documents(Shard.parse(unit), position, self.percent)
            for page in _certain(looks, comparer, self.patience_seconds):
                yield page if isinstance(page, Pause) else self._step(pair, catalogue, page)

    def _step(self, pair: Pair, catalogue: Catalogue, page: "_Page") -> Step:
        findings = [difference.to_json() for difference in page.differences]
        if self.repair and page.differences:
            counts, refused = mend(pair, catalogue, page.differences, pair.deadline())
            page.counts.update(counts)
            findings += refused
        return Step(page.position, page.counts, findings)


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A document that differed when it was looked at."""

    place: Place
    keys: Item
    """Empty where no item belongs to the place."""
    version: int | None
    looks: int = 1

    @property
    def id(self) -> str:
        return self.place.id


@dataclass(slots=True)
class _Page:
    """A page that was looked at. It is certain when no suspects are left."""

    position: Any
    counts: Counter[str]
    suspects: list[_Suspect]
    differences: list[Difference] = field(default_factory=list)
    due: float = 0


def _certain(looks: Iterable[_Page], comparer: "_Comparer", patience_seconds: float) -> Iterator[_Page | Pause]:
    """The pages in their order, each once all its suspects are cleared or convicted."""
    waiting: deque[_Page] = deque()
    for page in looks:
        page.due = time.monotonic() + patience_seconds
        waiting.append(page)
        while waiting and (_is_ripe(waiting[0]) or sum(len(one.suspects) for one in waiting) > WAITING):
            yield from _ripened(waiting.popleft(), comparer, patience_seconds)
    while waiting:
        yield from _ripened(waiting.popleft(), comparer, patience_seconds)


def _is_ripe(page: _Page) -> bool:
    return not page.suspects or page.due <= time.monotonic()


def _ripened(page: _Page, comparer: "_Comparer", patience_seconds: float) -> Iterator[_Page | Pause]:
    while page.suspects:
        yield Pause(page.due)
        comparer.look_again(page)
        page.due = time.monotonic() + patience_seconds
    yield page


class _Comparer:
    """Looks at both sides, and tells what differs at this moment."""

    def __init__(self, pair: Pair, catalogue: Catalogue, home: str, vouched: Vouched | None) -> None:
        self._pair = pair
        self._catalogue = catalogue
        self._home = home
        self._vouched = vouched
        self._schema = pair.settings.key_schema

    def look_at_items(self, segment: Segment, position: Any) -> Iterator[_Page]:
        """The items of a segment, beside their documents."""
        for page in pages(self._pair, segment.number, segment.total, position):
            places = [Place(self._home, self._schema.id_of(item)) for item in page.items]
            expected = [encode_document(item).decode() for item in page.items]
            documents = self._catalogue.get(places, self._pair.deadline(), expected)
            suspects = [
                _Suspect(place, self._schema.keys_of(item), document and document.version)
                for place, item, text, document in zip(places, page.items, expected, documents, strict=True)
                if compare(text, document, page.read_at)
            ]
            if self._vouched is not None:
                for place, document in zip(places, documents, strict=True):
                    if document is not None:
                        self._vouched.add(place.id, document.version)
            yield _Page(page.next_key, Counter(items=len(page.items)), suspects)

    def look_at_documents(self, shard: Shard, position: Any, percent: float) -> Iterator[_Page]:
        """The documents of a shard, and whether the table has their items. Their content was looked at from there."""
        while True:
            hits, position = self._catalogue.hits(shard, position, self._pair.deadline())
            chosen = [
                hit for hit in hits if crc32(hit.place.id.encode("utf-8", "surrogatepass")) % 10_000 < percent * 100
            ]
            suspects = self._with_keys([hit for hit in chosen if not self._is_vouched(hit)])
            at_home = {suspect.id: suspect for suspect in suspects if suspect.keys}
            found = read_items(self._pair, at_home.values(), self._pair.deadline(), keys_only=True)
            yield _Page(
                position,
                Counter(documents=len(chosen)),
                [suspect for suspect in suspects if not suspect.keys or found[suspect.id] is None],
            )
            if position is None:
                return

    def _is_vouched(self, hit: Hit) -> bool:
        return self._vouched is not None and self._is_home(hit.place) and self._vouched.holds(hit.place.id, hit.version)

    def look_again(self, page: _Page) -> None:
        """Clear what is equal by now, convict what hasn't moved, and keep the rest for another look."""
        suspects, page.suspects = page.suspects, []
        documents = self._documents(suspects)
        items = read_items(self._pair, [one for one in suspects if one.keys], self._pair.deadline())
        for suspect, document in zip(suspects, documents, strict=True):
            wrong = self._judge(suspect, items.get(suspect.id), document)
            version = document and document.version
            if wrong is None:
                continue
            if version == suspect.version:
                kind, fields = wrong
                page.differences.append(Difference(kind, suspect.place, suspect.keys or None, version, fields))
            elif suspect.looks < LOOKS:
                page.suspects.append(replace(suspect, version=version, looks=suspect.looks + 1))
            else:
                page.counts["changing"] += 1
        page.counts.update(str(difference.kind) for difference in page.differences if not page.suspects)

    def _judge(
        self, suspect: _Suspect, item: Item | None, document: Document | None
    ) -> tuple[Kind, tuple[str, ...]] | None:
        if suspect.keys:
            expected = None if item is None else encode_document(item).decode()
            return compare(expected, document, int(time.time()))
        if document is None:
            return None
        return (Kind.GHOST if self._is_home(suspect.place) else Kind.WRONG_PLACE), ()

    def _is_home(self, place: Place) -> bool:
        return place.index == self._home and place.routing is None

    def _documents(self, suspects: Sequence[_Suspect]) -> list[Document | None]:
        """In chunks: unlike a page's, their size isn't bounded."""
        places = [suspect.place for suspect in suspects]
        chunks = (places[start : start + 100] for start in range(0, len(places), 100))
        return [document for chunk in chunks for document in self._catalogue.get(chunk, self._pair.deadline())]

    def _with_keys(self, hits: Sequence[Hit]) -> list[_Suspect]:
        """Each with the key that its id stands for; a hashed id tells nothing, so the document is asked."""
        suspects = {hit: _Suspect(hit.place, self._keys_of(hit.place), hit.version) for hit in hits}
        keyless = [hit for hit, suspect in suspects.items() if not suspect.keys and self._is_home(hit.place)]
        documents = self._documents([suspects[hit] for hit in keyless])
        for hit, document in zip(keyless, documents, strict=True):
            if document is not None:
                suspects[hit] = replace(suspects[hit], keys=self._keys_in(document, hit.place.id))
        return list(suspects.values())

    def _keys_of(self, place: Place) -> Item:
        keys = self._schema.keys_of_id(place.id, self._pair.key_types) if self._is_home(place) else None
        return keys or {}

    def _keys_in(self, document: Document, document_id: str) -> Item:
        """The key that the document itself tells, if its id is really that key's."""
        content = exact(document.source)
        keys = {}
        for name, kind in self._pair.key_types.items():
            value = content.get(json.loads(member(name)[:-1])) if isinstance(content, dict) else None
            keys[name] = {kind: str(value[0]) if kind == "N" and isinstance(value, tuple) else value}
        try:
            return keys if self._schema.id_of(keys) == document_id else {}
        except UndecodableError:
            return {}
