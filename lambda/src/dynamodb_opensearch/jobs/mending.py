"""Repairs differences: writes documents as their items are now, and deletes those that have no item.

Every document is read again before it is written or deleted. A document in its place whose key is known is settled, so
the table's present state decides. Any other document is deleted only if it is still the document that was named, in the
place that was named, and if no item has its id, or the item with this id has its document where it belongs. Afterwards
all documents are compared again.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from dynamodb_opensearch.core.changes import Settle
from dynamodb_opensearch.core.comparison import Difference
from dynamodb_opensearch.core.converge import Refusal
from dynamodb_opensearch.core.documents import Place
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.keys import is_hashed
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.core.versions import MAXIMUM
from dynamodb_opensearch.jobs.fill import finding, finish
from dynamodb_opensearch.jobs.job import Pause, Step
from dynamodb_opensearch.jobs.side import Side
from dynamodb_opensearch.jobs.suspects import UNSEEN, Looker, Page, Suspect, by_index, held_ids, looked_through
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.tracing import trace
from dynamodb_opensearch.opensearch.reader import Hit

_LAST = "OpenSearch refuses its item's document where that belongs, so this is the last one"
_HIGHEST = "its version is the highest that OpenSearch has, so no write and no delete can pass it: delete it by hand"


def mended(page: Page, looker: Looker, patience_seconds: float) -> Iterator[Step | Pause]:
    """Repair a page's differences, compare these documents again, and yield the result as a step.

    Raises:
        ConfigurationError: the sync writes to another index by now; or see ``fill.finish``.
        OutOfTimeError: see ``fill.finish``.
    """
    mending = _mend(page.differences, looker)
    spared = {difference.place for difference, _ in mending.left} | mending.refused_places
    tried = [difference for difference in page.differences if difference.place not in spared]
    again = Page(
        None,
        Counter(),
        [Suspect(difference.place, difference.keys, UNSEEN) for difference in tried],
        looker.counted,
        due=time.monotonic(),
    )
    for looked in looked_through(again, looker, patience_seconds):
        if isinstance(looked, Pause):
            yield looked
    remaining = [(difference.place, str(difference.kind)) for difference in again.differences]
    remaining += [(suspect.place, "it keeps changing") for suspect in again.changing]
    remaining += [(suspect.place, str(reason)) for suspect, reason in again.faulty]
    ends = {place: "remaining" for place, _ in remaining}
    counts = page.all_counts
    for place, end in (
        *((difference.place, ends.get(difference.place, "repaired")) for difference in tried),
        *((place, "refused") for place in mending.refused_places),
        *((difference.place, "left") for difference, _ in mending.left),
    ):
        counts.update(looker.counted(place, end))
    findings = [
        *page.findings,
        *map(finding, mending.refused),
        *({"kind": "left", **difference.place.to_json(), "reason": why} for difference, why in mending.left),
        *({"kind": "remaining", **place.to_json(), "reason": why} for place, why in remaining),
    ]
    yield Step(page.position, counts, findings, page.notices)


@dataclass(slots=True)
class _Mended:
    """What couldn't be repaired."""

    refused: list[Refusal] = field(default_factory=list)
    refused_places: set[Place] = field(default_factory=set)
    left: list[tuple[Difference, str]] = field(default_factory=list)
    """Each difference that repair may not touch, with the reason."""


def _mend(differences: Sequence[Difference], looker: Looker) -> _Mended:
    """Repair the differences of each index by itself."""
    mended = _Mended()
    for side in looker.sides:
        own = [difference for difference in differences if looker.sides.of(difference.place) is side]
        if own:
            mending = _Mending(looker.sync, side)
            mending.mend(own)
            mended.refused += mending.refused
            mended.refused_places |= {side.layout.home(refusal.write.id) for refusal in mending.refused}
            mended.left += mending.left
    return mended


class _Mending:
    """Repairs some differences of one index, and keeps what couldn't be repaired."""

    def __init__(self, sync: Sync, side: Side) -> None:
        self._sync, self._side = sync, side
        self._reader, self._layout = side.reader, side.layout
        self._schema = sync.settings.key_schema
        self.refused = list[Refusal]()
        self.left: list[tuple[Difference, str]] = []

    def mend(self, differences: Sequence[Difference]) -> None:
        """Settle the documents that are in their place and have a key, then remove the others.

        Raises:
            ConfigurationError: the sync writes to another index by now, or the index is to hold something else; or see
                ``fill.finish``.
            OutOfTimeError: see ``fill.finish``.
        """
        self._sync.check()
        now = self._reader.resolve(self._sync.deadline())
        if not now.is_same(self._layout):
            raise ConfigurationError(
                f"{now.name} was written to {self._layout.index} when it was compared, and is written to {now.index} "
                "now, or in another way: nothing more was repaired; compare again from the start (--restart)"
            )
        settles, strays = [], []
        for difference in differences:
            if difference.version is not None and difference.version >= MAXIMUM:
                self.left.append((difference, _HIGHEST))
            elif difference.keys is not None and self._layout.is_home(difference.place):
                settles.append(self._settle_of(difference.place.id, difference.keys, difference.version or 0))
            else:
                strays.append(difference)
        self._settle(settles)
        self._remove(strays)

    def _settle(self, settles: Sequence[Settle]) -> None:
        self.refused += finish(self._sync, settles, self._sync.deadline(), Tally())

    def _settle_of(self, document_id: str, keys: Item, stored: int = 0) -> Settle:
        return Settle(self._side.name, document_id, keys, stored=stored)

    def _remove(self, strays: Sequence[Difference]) -> None:
        unchanged = self._traced(self._unchanged(strays))
        self._settle(self._without_home([stray for stray in unchanged if not self._layout.is_home(stray.place)]))
        refused = {refusal.write.id for refusal in self.refused}
        removable = []
        for stray in unchanged:
            if stray.place.id in refused:
                self.left.append((stray, _LAST))
            else:
                removable.append(stray)
        for group in by_index(removable):
            hits = [Hit(stray.place, stray.version) for stray in group if stray.version is not None]
            self._reader.delete(hits, self._sync.deadline())

    def _traced(self, strays: Sequence[Difference]) -> list[Difference]:
        """The strays whose items the table proves to be gone, or to belong elsewhere. Settle those that it has."""
        nameless = {stray.place.id for stray in strays if stray.keys is None and is_hashed(stray.place.id)}
        traced = trace(self._sync, nameless)
        known = [replace(stray, keys=traced.get(stray.place.id, stray.keys)) for stray in strays]
        at_home = [stray for stray in known if stray.place.id in traced and self._layout.is_home(stray.place)]
        self._settle([self._settle_of(stray.place.id, traced[stray.place.id], stray.version or 0) for stray in at_home])
        return [stray for stray in known if stray not in at_home]

    def _unchanged(self, strays: Sequence[Difference]) -> list[Difference]:
        """The strays whose documents have the same place and version as before: read again, without their content."""
        found = []
        for group in by_index(strays):
            documents = self._reader.get([stray.place for stray in group], self._sync.deadline(), sources=False)
            found += [
                stray
                for stray, document in zip(group, documents, strict=True)
                if document and (document.version, document.routing) == (stray.version, stray.place.routing)
            ]
        return found

    def _without_home(self, strays: Sequence[Difference]) -> list[Settle]:
        """The settles of strays whose items exist but have no document where it belongs: these come first.

        A shard holds one document of an id, so a stray may have taken the place of the right document.
        """
        keys_by_id = {stray.place.id: keys for stray in strays if (keys := self._keys_of(stray))}
        settles = [self._settle_of(document_id, keys) for document_id, keys in keys_by_id.items()]
        held = held_ids(self._sync, self._side, settles)
        settles = [settle for settle in settles if settle.id in held]
        homes = [self._layout.home(settle.id) for settle in settles]
        documents = self._reader.get(homes, self._sync.deadline(), sources=False)
        return [
            replace(settle, stored=document.version if document else 0)
            for settle, document in zip(settles, documents, strict=True)
            if document is None or document.routing != self._layout.routing
        ]

    def _keys_of(self, stray: Difference) -> Item | None:
        return stray.keys or self._schema.keys_of_id(stray.place.id, self._sync.key_types)
