"""Looks again at documents that differed, until it is certain whether they do: only then a difference counts.

Table and index change while they are compared, so a document that differs is looked at again some seconds later. It is
a difference if it hasn't changed meanwhile. If it has, it is looked at more often. If it shows what its item held at an
earlier look, the sync is following the item. If it never does, it is reported as changing, which decides nothing.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from dynamodb_opensearch.core.changes import Settle
from dynamodb_opensearch.core.comparison import Difference, Kind, compare
from dynamodb_opensearch.core.documents import Document, Place, exact
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.keys import is_hashed
from dynamodb_opensearch.core.projections import Faulty
from dynamodb_opensearch.core.reasons import Reason
from dynamodb_opensearch.dynamodb.table import Keyed
from dynamodb_opensearch.jobs.job import Pause, Step
from dynamodb_opensearch.jobs.side import Side, Sides
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.tracing import trace

WAITING = 5_000
"""Most documents that may wait for their second look. If there are more, reading waits for them."""
LOOKS = 8
"""How often a document that keeps changing is looked at."""
CHUNK = 50
"""Documents that are looked at together. Memory holds all their contents; each of ours has at most 400 KB."""
UNSEEN = -1
"""The version of a suspect that wasn't looked at yet: whatever the first look finds proves nothing."""
_MOVING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Suspect:
    """A document that differed at its last look."""

    place: Place
    keys: Item | None
    """The key of the document's item; None where no item belongs to the place."""
    version: int | None
    looks: int = 1
    shown: frozenset[int] = frozenset()
    """Fingerprints of what the item held at earlier looks: see ``_fingerprint``."""

    @property
    def id(self) -> str:
        """The document's id."""
        return self.place.id


@dataclass(slots=True)
class Page:
    """A page after its first look. It is certain when no suspects are left."""

    position: Any
    counts: Counter[str]
    suspects: list[Suspect]
    counted: Callable[[Place, str], Counter[str]]
    """Gives the counts for one document of a kind in a place; see ``Looker.counted``."""
    differences: list[Difference] = field(default_factory=list)
    changing: list[Suspect] = field(default_factory=list)
    """Documents that differed and had changed at every look."""
    faulty: list[tuple[Suspect, Reason]] = field(default_factory=list)
    """Documents whose item none can be made of, so that nothing says what they must hold."""
    notices: Counter[str] = field(default_factory=Counter)
    due: float = 0

    @property
    def all_counts(self) -> Counter[str]:
        """The counts of what was looked at, and of what was found."""
        found = [(difference.place, str(difference.kind)) for difference in self.differences]
        found += [(suspect.place, "changing") for suspect in self.changing]
        found += [(suspect.place, "untransformed") for suspect, _ in self.faulty]
        counts = Counter(self.counts)
        for place, kind in found:
            counts.update(self.counted(place, kind))
        return counts

    def step(self) -> Step:
        """Return the page as a job's step, when it is certain."""
        return Step(self.position, self.all_counts, self.findings, self.notices)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What is reported one by one."""
        changing = ({"kind": "changing", **suspect.place.to_json()} for suspect in self.changing)
        faulty = (
            {"kind": "untransformed", **suspect.place.to_json(), "reason": str(reason)}
            for suspect, reason in self.faulty
        )
        return [*(difference.to_json() for difference in self.differences), *changing, *faulty]


def certain(looks: Iterable[Page], looker: "Looker", patience_seconds: float) -> Iterator[Page | Pause]:
    """Yield the pages in their order, each as soon as it is certain."""
    waiting: deque[Page] = deque()
    for page in looks:
        page.due = time.monotonic() + patience_seconds
        waiting.append(page)
        while waiting and (_is_due(waiting[0]) or sum(len(other.suspects) for other in waiting) > WAITING):
            yield from looked_through(waiting.popleft(), looker, patience_seconds)
    while waiting:
        yield from looked_through(waiting.popleft(), looker, patience_seconds)


def looked_through(page: Page, looker: "Looker", patience_seconds: float) -> Iterator[Page | Pause]:
    """Yield the page as soon as it is certain, after pauses. The next look is when the page is due."""
    while page.suspects:
        yield Pause(page.due)
        looker.look_again(page)
        moving = any(suspect.looks > 2 for suspect in page.suspects)
        page.due = time.monotonic() + (min(patience_seconds, _MOVING_SECONDS) if moving else patience_seconds)
    yield page


def _is_due(page: Page) -> bool:
    return not page.suspects or page.due <= time.monotonic()


Expected = str | Faulty | None
"""What a document must hold; None if it mustn't exist."""


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at both sides, and finds what differs at this moment."""

    sync: Sync
    sides: Sides

    def counted(self, place: Place, kind: str) -> Counter[str]:
        """The counts for one document of a kind in a place."""
        return self.sync.counted(self.sides.of(place).name, {kind: 1})

    def look_again(self, page: Page) -> None:
        """Clear documents that are equal by now, record those that haven't changed, and keep the rest for later."""
        suspects, page.suspects = page.suspects, []
        for group in by_index(suspects):
            side = self.sides.of(group[0].place)
            for start in range(0, len(group), CHUNK):
                self._look_at(side, group[start : start + CHUNK], page)

    def _look_at(self, side: Side, found: Sequence[Suspect], page: Page) -> None:
        nameless = {suspect.id for suspect in found if suspect.keys is None and is_hashed(suspect.id)}
        traced = trace(self.sync, nameless)  # the item may have come since the last look
        suspects = [replace(suspect, keys=suspect.keys or traced.get(suspect.id)) for suspect in found]
        keyed = keyed_at_home(suspects, side)
        expected = {
            reading.id: (expected_of(reading.item, side), reading.read_at)
            for reading in self.sync.table.read_all(keyed, self.sync.deadline(), unreadable=ignore_key)
        }
        for is_wanted in (True, False):  # without an item, the content doesn't matter and may have any size
            chosen = [
                suspect for suspect in suspects if (expected.get(suspect.id, (None, 0))[0] is not None) is is_wanted
            ]
            places = [suspect.place for suspect in chosen]
            documents = side.reader.get(places, self.sync.deadline(), sources=is_wanted)
            for suspect, document in zip(chosen, documents, strict=True):
                text, read_at = expected.get(suspect.id, (None, 0))
                if isinstance(text, Faulty):
                    page.faulty.append((suspect, text.reason))
                else:
                    self._conclude(side, suspect, (text, read_at), document, page)

    def _conclude(
        self, side: Side, suspect: Suspect, expected: tuple[str | None, int], document: Document | None, page: Page
    ) -> None:
        wrong = _judge(side, suspect, expected, document)
        version = document and document.version
        if wrong is None:
            return
        if version == suspect.version:
            page.differences.append(Difference(wrong[0], suspect.place, suspect.keys, version, wrong[1]))
        elif document is not None and document.source and _fingerprint(side, document.source) in suspect.shown:
            return
        elif suspect.looks < LOOKS:
            shown = suspect.shown | ({_fingerprint(side, expected[0])} if expected[0] else set())
            page.suspects.append(replace(suspect, version=version, looks=suspect.looks + 1, shown=shown))
        else:
            page.changing.append(suspect)


def _judge(
    side: Side, suspect: Suspect, expected: tuple[str | None, int], document: Document | None
) -> tuple[Kind, tuple[str, ...]] | None:
    if not side.layout.is_home(suspect.place):
        # Another document of the same shard may be found by this id: the one that replaced it.
        is_there = document is not None and document.routing == suspect.place.routing
        return (Kind.WRONG_PLACE, ()) if is_there else None
    if suspect.keys is None:
        return None if document is None else (Kind.GHOST, ())
    found = compare(expected[0], document, expected[1], side.layout.kept)
    return found and (found[0], tuple(map(side.projection.shape.attribute_of, found[1])))


def _fingerprint(side: Side, source: str) -> int:
    """Return a number that is equal for equal contents, whatever their order of members or spelling of numbers."""
    try:
        return _hash(side.layout.kept.of(exact(source)))
    except (RecursionError, ValueError):  # not a document of ours
        return hash(source)


def expected_of(item: Item | None, side: Side) -> Expected:
    """Return what an index must hold of an item."""
    document = None if item is None else side.projection.document(item)
    return document.decode() if isinstance(document, bytes) else document


class Placed(Protocol):
    """Anything that refers to a document in its place."""

    @property
    def place(self) -> Place:
        """The place of the document."""


_Placed = TypeVar("_Placed", bound=Placed)


def by_index(documents: Iterable[_Placed]) -> Iterator[list[_Placed]]:
    """Yield the documents of each index together, as ``Reader`` takes them."""
    found: defaultdict[str, list[_Placed]] = defaultdict(list)
    for document in documents:
        found[document.place.index].append(document)
    yield from found.values()


def held_ids(sync: Sync, side: Side, settles: Sequence[Settle]) -> set[str]:
    """Return which of these ids have an item that the index holds, or of which no document can be made."""
    projection = side.projection
    readings = sync.table.read_all(
        settles, sync.deadline(), keys_only=projection.is_decided_by_key, unreadable=ignore_key
    )
    return {
        reading.id for reading in readings if reading.item is not None and projection.project(reading.item) is not None
    }


def ignore_key(key: Keyed) -> None:
    """Ignore a key that DynamoDB refuses to look up: no item has it, so there is nothing to report."""
    del key


def keyed_at_home(suspects: Iterable[Suspect], side: Side) -> list[Settle]:
    """Return the suspects that may have an item, in the form in which the table looks up items."""
    return [
        Settle(side.name, suspect.id, suspect.keys)
        for suspect in suspects
        if suspect.keys is not None and side.layout.is_home(suspect.place)
    ]


def _hash(value: Any) -> int:
    match value:
        case dict():
            return hash(("object", frozenset((name, _hash(member)) for name, member in value.items())))
        case list():
            return hash(("list", tuple(map(_hash, value))))
        case _:
            return hash((type(value).__name__, value))
