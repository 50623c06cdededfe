"""Mends differences: writes documents as their items are now, and deletes those that have no item.

Everything that is written or deleted is read again first. A document with a key is settled, so the table decides, now.
One without a key is deleted only if it is still the document that was named, in the place that was named, if no item
can have its id, and if the item that its id belongs to has its document where it should be. Afterwards all of them are
compared again.
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
from dynamodb_opensearch.jobs.suspects import UNSEEN, Looker, Page, Suspect, by_index, looked_through, nobodys
from dynamodb_opensearch.opensearch.reader import Hit

_HIGHEST = "its version is the highest that OpenSearch has, so no write and no delete can pass it: delete it by hand"


def mended(page: Page, looker: Looker, patience_seconds: float) -> Iterator[Step | Pause]:
    """Mend a page's differences, look at them again, and tell what came out.

    Raises:
        ConfigurationError: the sync writes elsewhere by now; or see ``backfill.finish``.
        OutOfTimeError: see there.
    """
    mending = _Mending(looker)
    mending.mend(page.differences)
    spared = {one.place for one, _ in mending.left} | {looker.layout.home(one.write.id) for one in mending.refused}
    mended_ones = [one for one in page.differences if one.place not in spared]
    again = Page(None, Counter(), [Suspect(one.place, one.keys, UNSEEN) for one in mended_ones], due=time.monotonic())
    for looked in looked_through(again, looker, patience_seconds):
        if isinstance(looked, Pause):
            yield looked
    remaining = [(one.place, str(one.kind)) for one in again.differences]
    remaining += [(one.place, "it is changing all the time") for one in again.changing]
    counts = page.all_counts + Counter(
        repaired=len(mended_ones) - len(remaining),
        refused=len(mending.refused),
        left=len(mending.left),
        remaining=len(remaining),
    )
    findings = [
        *page.findings,
        *map(finding, mending.refused),
        *({"kind": "left", **one.place.to_json(), "reason": why} for one, why in mending.left),
        *({"kind": "remaining", **place.to_json(), "reason": why} for place, why in remaining),
    ]
    yield Step(page.position, counts, findings, page.notices)


class _Mending:
    """What was tried on some differences, and what came of it."""

    def __init__(self, looker: Looker) -> None:
        self._sync, self._reader, self._layout = looker.sync, looker.reader, looker.layout
        self._schema = self._sync.settings.key_schema
        self.refused = list[Refusal]()
        self.left: list[tuple[Difference, str]] = []
        """With the reason why nobody may touch them."""

    def mend(self, differences: Sequence[Difference]) -> None:
        """Settle what has a key, then remove what has none.

        Raises:
            ConfigurationError: the sync writes elsewhere by now; or see ``backfill.finish``.
            OutOfTimeError: see there.
        """
        now = self._reader.resolve(self._sync.deadline())
        if not now.is_same(self._layout):
            raise ConfigurationError(
                f"{now.name} was written to {self._layout.index} when it was compared, and is to {now.index} now, or "
                "in another way: nothing more was mended; compare again from the start (--restart)"
            )
        settles, strays = [], []
        for one in differences:
            if one.version is not None and one.version >= MAXIMUM:
                self.left.append((one, _HIGHEST))
            elif one.keys is not None and self._layout.is_home(one.place):
                settles.append(Settle(one.place.id, one.keys, stored=one.version or 0))
            else:
                strays.append(one)
        self._settle(settles)
        self._remove(strays)

    def _settle(self, settles: Sequence[Settle]) -> None:
        self.refused += finish(self._sync, settles, self._sync.deadline(), Tally())

    def _remove(self, strays: Sequence[Difference]) -> None:
        there = self._still_there(strays)
        self._settle(self._without_home([one for one in there if not self._layout.is_home(one.place)]))
        refused = {refusal.write.id for refusal in self.refused}
        removable = []
        for one in there:
            if why := self._reason_to_leave(one, refused):
                self.left.append((one, why))
            else:
                removable.append(one)
        for same in by_index(removable):
            hits = [Hit(one.place, one.version) for one in same if one.version is not None]
            self._reader.delete(hits, self._sync.deadline())

    def _still_there(self, strays: Sequence[Difference]) -> list[Difference]:
        """Those that are where they were, as they were: read again, without their content."""
        found = []
        for same in by_index(strays):
            documents = self._reader.get([one.place for one in same], self._sync.deadline(), sources=False)
            found += [
                one
                for one, document in zip(same, documents, strict=True)
                if document and (document.version, document.routing) == (one.version, one.place.routing)
            ]
        return found

    def _without_home(self, strays: Sequence[Difference]) -> list[Settle]:
        """Of strays whose items exist those that have no document where it belongs, to be settled first.

        Within one shard there is one document of an id: a stray may stand there in the place of the right one.
        """
        keys = {one.place.id: keys for one in strays if (keys := self._keys_of(one))}
        settles = [Settle(document_id, one) for document_id, one in keys.items()]
        found = self._sync.table.read_all(settles, self._sync.deadline(), keys_only=True, unreadable=nobodys)
        existing = {reading.id for reading in found if reading.item is not None}
        settles = [one for one in settles if one.id in existing]
        homes = [self._layout.home(one.id) for one in settles]
        documents = self._reader.get(homes, self._sync.deadline(), sources=False)
        return [
            replace(one, stored=document.version if document else 0)
            for one, document in zip(settles, documents, strict=True)
            if document is None or document.routing != self._layout.routing
        ]

    def _keys_of(self, stray: Difference) -> Item | None:
        return stray.keys or self._schema.keys_of_id(stray.place.id, self._sync.key_types)

    def _reason_to_leave(self, stray: Difference, refused: Iterable[str]) -> str | None:
        """Why a stray must stay, None if it may go: its item has its document elsewhere, or nobody can be its item."""
        if stray.place.id in refused:
            return "OpenSearch refuses its item's document where that belongs, so this is the last one"
        if is_hashed(stray.place.id) and stray.keys is None:
            return (
                "its id is a hash, and it doesn't hold the key: nothing proves that its item is gone; if you know "
                "better, delete it by hand"
            )
        return None
