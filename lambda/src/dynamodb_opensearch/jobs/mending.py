"""Repairs differences: writes documents as their items are now, and deletes those that have no item.

Every document is read again before it is written or deleted. A document in its place whose key is known is settled, so
the table's present state decides. Any other document is deleted only if it is still the document that was named, in the
place that was named, and if no item has its id, or the item with this id has its document where it belongs. Afterwards
all documents are compared again.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from dynamodb_opensearch.core.changes import Settle
from dynamodb_opensearch.core.comparison import Difference
from dynamodb_opensearch.core.converge import Refusal
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.keys import is_hashed
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.core.versions import MAXIMUM
from dynamodb_opensearch.jobs.fill import finding, finish
from dynamodb_opensearch.jobs.job import Pause, Step
from dynamodb_opensearch.jobs.suspects import UNSEEN, Looker, Page, Suspect, by_index, ignore_key, looked_through
from dynamodb_opensearch.opensearch.reader import Hit

_HIGHEST = "its version is the highest that OpenSearch has, so no write and no delete can pass it: delete it by hand"


def mended(page: Page, looker: Looker, patience_seconds: float) -> Iterator[Step | Pause]:
    """Repair a page's differences, compare these documents again, and yield the result as a step.

    Raises:
        ConfigurationError: the sync writes to another index by now; or see ``fill.finish``.
        OutOfTimeError: see ``fill.finish``.
    """
    mending = _Mending(looker)
    mending.mend(page.differences)
    spared = {difference.place for difference, _ in mending.left} | {
        looker.layout.home(refusal.write.id) for refusal in mending.refused
    }
    tried = [difference for difference in page.differences if difference.place not in spared]
    again = Page(
        None,
        Counter(),
        [Suspect(difference.place, difference.keys, UNSEEN) for difference in tried],
        due=time.monotonic(),
    )
    for looked in looked_through(again, looker, patience_seconds):
        if isinstance(looked, Pause):
            yield looked
    remaining = [(difference.place, str(difference.kind)) for difference in again.differences]
    remaining += [(suspect.place, "it keeps changing") for suspect in again.changing]
    counts = page.all_counts + Counter(
        repaired=len(tried) - len(remaining),
        refused=len(mending.refused),
        left=len(mending.left),
        remaining=len(remaining),
    )
    findings = [
        *page.findings,
        *map(finding, mending.refused),
        *({"kind": "left", **difference.place.to_json(), "reason": why} for difference, why in mending.left),
        *({"kind": "remaining", **place.to_json(), "reason": why} for place, why in remaining),
    ]
    yield Step(page.position, counts, findings, page.notices)


class _Mending:
    """Repairs some differences, and keeps what couldn't be repaired."""

    def __init__(self, looker: Looker) -> None:
        self._sync, self._reader, self._layout = looker.sync, looker.reader, looker.layout
        self._schema = self._sync.settings.key_schema
        self.refused = list[Refusal]()
        self.left: list[tuple[Difference, str]] = []
        """Each difference that repair may not touch, with the reason."""

    def mend(self, differences: Sequence[Difference]) -> None:
        """Settle the documents that are in their place and have a key, then remove the others.

        Raises:
            ConfigurationError: the sync writes to another index by now; or see ``fill.finish``.
            OutOfTimeError: see ``fill.finish``.
        """
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
                settles.append(Settle(difference.place.id, difference.keys, stored=difference.version or 0))
            else:
                strays.append(difference)
        self._settle(settles)
        self._remove(strays)

    def _settle(self, settles: Sequence[Settle]) -> None:
        self.refused += finish(self._sync, settles, self._sync.deadline(), Tally())

    def _remove(self, strays: Sequence[Difference]) -> None:
        unchanged = self._unchanged(strays)
        self._settle(self._without_home([stray for stray in unchanged if not self._layout.is_home(stray.place)]))
        refused = {refusal.write.id for refusal in self.refused}
        removable = []
        for stray in unchanged:
            if why := self._reason_to_leave(stray, refused):
                self.left.append((stray, why))
            else:
                removable.append(stray)
        for group in by_index(removable):
            hits = [Hit(stray.place, stray.version) for stray in group if stray.version is not None]
            self._reader.delete(hits, self._sync.deadline())

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
        settles = [Settle(document_id, keys) for document_id, keys in keys_by_id.items()]
        found = self._sync.table.read_all(settles, self._sync.deadline(), keys_only=True, unreadable=ignore_key)
        existing = {reading.id for reading in found if reading.item is not None}
        settles = [settle for settle in settles if settle.id in existing]
        homes = [self._layout.home(settle.id) for settle in settles]
        documents = self._reader.get(homes, self._sync.deadline(), sources=False)
        return [
            replace(settle, stored=document.version if document else 0)
            for settle, document in zip(settles, documents, strict=True)
            if document is None or document.routing != self._layout.routing
        ]

    def _keys_of(self, stray: Difference) -> Item | None:
        return stray.keys or self._schema.keys_of_id(stray.place.id, self._sync.key_types)

    def _reason_to_leave(self, stray: Difference, refused: Iterable[str]) -> str | None:
        """Why a stray must stay. None: it may go: its item has its document elsewhere, or no item can have its id."""
        if stray.place.id in refused:
            return "OpenSearch refuses its item's document where that belongs, so this is the last one"
        if is_hashed(stray.place.id) and stray.keys is None:
            return (
                "its id is a hash, and it doesn't hold the key: nothing proves that its item is gone; if you know that "
                "it is, delete the document by hand"
            )
        return None
