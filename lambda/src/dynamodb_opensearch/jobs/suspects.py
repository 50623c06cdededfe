"""What differed at one look, and whether it still does: a difference counts only once it is certain.

Table and index move on while they are compared, so what differs is looked at again some seconds later. It is a
difference if its document hasn't moved meanwhile. If it has, it is looked at more often: a document that shows what its
item held at an earlier look follows it; one that never does is named as changing, which is no verdict.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from dynamodb_opensearch.core.changes import Settle
from dynamodb_opensearch.core.comparison import Difference, Kind, compare
from dynamodb_opensearch.core.documents import Document, Place, encode_document, exact
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.dynamodb.table import Keyed
from dynamodb_opensearch.jobs.job import Pause, Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.opensearch.layout import Layout
from dynamodb_opensearch.opensearch.reader import Reader

WAITING = 5_000
"""Most documents that wait for their second look: beyond it, reading waits for them."""
LOOKS = 8
"""How often a document that keeps moving is looked at."""
CHUNK = 50
"""Documents that are looked at in one go: their contents, 400 KB each at most if they are ours, are held at once."""
UNSEEN = -1
"""The version of a suspect that nobody has looked at yet: whatever is found first is no proof."""
_MOVING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Suspect:
    """A document that differed when it was looked at."""

    place: Place
    keys: Item | None
    """None where no item belongs to the place."""
    version: int | None
    looks: int = 1
    shown: frozenset[int] = frozenset()
    """What the item held at earlier looks, as ``Looker._fingerprint`` has it."""

    @property
    def id(self) -> str:
        """The document's."""
        return self.place.id


@dataclass(slots=True)
class Page:
    """A page that was looked at. It is certain when no suspects are left."""

    position: Any
    counts: Counter[str]
    suspects: list[Suspect]
    differences: list[Difference] = field(default_factory=list)
    changing: list[Suspect] = field(default_factory=list)
    """Those that differed and moved at every look."""
    notices: Counter[str] = field(default_factory=Counter)
    due: float = 0

    @property
    def all_counts(self) -> Counter[str]:
        """What was looked at, and what came out."""
        found = Counter(str(difference.kind) for difference in self.differences)
        return self.counts + found + Counter(changing=len(self.changing))

    def step(self) -> Step:
        """The page as a job's step, when it is certain."""
        return Step(self.position, self.all_counts, self.findings, self.notices)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What must be told one by one."""
        changing = ({"kind": "changing", **suspect.place.to_json()} for suspect in self.changing)
        return [*(difference.to_json() for difference in self.differences), *changing]


def certain(looks: Iterable[Page], looker: "Looker", patience_seconds: float) -> Iterator[Page | Pause]:
    """The pages in their order, each once nothing of it is in doubt."""
    waiting: deque[Page] = deque()
    for page in looks:
        page.due = time.monotonic() + patience_seconds
        waiting.append(page)
        while waiting and (_is_due(waiting[0]) or sum(len(one.suspects) for one in waiting) > WAITING):
            yield from looked_through(waiting.popleft(), looker, patience_seconds)
    while waiting:
        yield from looked_through(waiting.popleft(), looker, patience_seconds)


def looked_through(page: Page, looker: "Looker", patience_seconds: float) -> Iterator[Page | Pause]:
    """The page, once nothing of it is in doubt. Its first look is when it is due."""
    while page.suspects:
        yield Pause(page.due)
        looker.look_again(page)
        moving = any(suspect.looks > 2 for suspect in page.suspects)
        page.due = time.monotonic() + (min(patience_seconds, _MOVING_SECONDS) if moving else patience_seconds)
    yield page


def _is_due(page: Page) -> bool:
    return not page.suspects or page.due <= time.monotonic()


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at both sides, and says what differs at this moment."""

    sync: Sync
    reader: Reader
    layout: Layout
    """As it was when the comparison began."""

    def look_again(self, page: Page) -> None:
        """Clear what is equal by now, name what hasn't moved, and keep the rest for another look."""
        suspects, page.suspects = page.suspects, []
        for same in by_index(suspects):
            for start in range(0, len(same), CHUNK):
                self._look_at(same[start : start + CHUNK], page)

    def _look_at(self, suspects: Sequence[Suspect], page: Page) -> None:
        keyed = keyed_at_home(suspects, self.layout)
        expected: dict[str, tuple[str | None, int]] = {
            reading.id: (None if reading.item is None else encode_document(reading.item).decode(), reading.read_at)
            for reading in self.sync.table.read_all(keyed, self.sync.deadline(), unreadable=nobodys)
        }
        for is_wanted in (True, False):  # of what has no item, the content is no matter, and may be of any size
            some = [one for one in suspects if (expected.get(one.id, (None, 0))[0] is not None) is is_wanted]
            places = [one.place for one in some]
            documents = self.reader.get(places, self.sync.deadline(), sources=is_wanted)
            for suspect, document in zip(some, documents, strict=True):
                self._conclude(suspect, expected.get(suspect.id, (None, 0)), document, page)

    def _conclude(
        self, suspect: Suspect, expected: tuple[str | None, int], document: Document | None, page: Page
    ) -> None:
        wrong = self._judge(suspect, expected, document)
        version = document and document.version
        if wrong is None:
            return
        if version == suspect.version:
            page.differences.append(Difference(wrong[0], suspect.place, suspect.keys, version, wrong[1]))
        elif document is not None and document.source and self._fingerprint(document.source) in suspect.shown:
            return
        elif suspect.looks < LOOKS:
            shown = suspect.shown | ({self._fingerprint(expected[0])} if expected[0] else set())
            page.suspects.append(replace(suspect, version=version, looks=suspect.looks + 1, shown=shown))
        else:
            page.changing.append(suspect)

    def _judge(
        self, suspect: Suspect, expected: tuple[str | None, int], document: Document | None
    ) -> tuple[Kind, tuple[str, ...]] | None:
        if not self.layout.is_home(suspect.place):
            # By its id another document of the same shard may answer: the one that replaced it.
            is_there = document is not None and document.routing == suspect.place.routing
            return (Kind.WRONG_PLACE, ()) if is_there else None
        if suspect.keys is not None:
            return compare(expected[0], document, expected[1], self.layout.kept)
        return None if document is None else (Kind.GHOST, ())

    def _fingerprint(self, source: str) -> int:
        """Equal for equal contents, whatever the order of their members and the spelling of their numbers."""
        try:
            return _hash(self.layout.kept.of(exact(source)))
        except (RecursionError, ValueError):  # no document of ours
            return hash(source)


class Placed(Protocol):
    """Whatever is about a document in its place."""

    @property
    def place(self) -> Place:
        """Where that is."""


_Placed = TypeVar("_Placed", bound=Placed)


def by_index(ones: Iterable[_Placed]) -> Iterator[list[_Placed]]:
    """Those of one index together, as ``Reader`` takes them."""
    found: defaultdict[str, list[_Placed]] = defaultdict(list)
    for one in ones:
        found[one.place.index].append(one)
    yield from found.values()


def nobodys(key: Keyed) -> None:
    """A key that DynamoDB refuses to look for: no item has it, so there is nothing to be told of it."""
    del key


def keyed_at_home(suspects: Iterable[Suspect], layout: Layout) -> list[Settle]:
    """Those that an item may belong to, as the table is asked for them."""
    return [Settle(one.id, one.keys) for one in suspects if one.keys is not None and layout.is_home(one.place)]


def _hash(value: Any) -> int:
    match value:
        case dict():
            return hash(("object", frozenset((name, _hash(one)) for name, one in value.items())))
        case list():
            return hash(("list", tuple(map(_hash, value))))
        case _:
            return hash((type(value).__name__, value))
