"""Mends differences: writes documents as their items are now, and removes those that have no item.

Whatever is written or deleted is read again first. A document with a key is settled, so the table decides, now. One
without is deleted only if it is still the one that was named, in the place that was named, if no item can have its id,
and if the item that its id stands for has its document where it belongs. Afterwards all of them are looked at again.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from dynamodb_opensearch.core.changes import Settle
from dynamodb_opensearch.core.comparison import Difference
from dynamodb_opensearch.core.converge import Refusal
from dynamodb_opensearch.core.errors import ConfigurationError, UndecodableError
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.keys import is_hashed
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.core.versions import MAXIMUM
from dynamodb_opensearch.jobs.fill import finding, finish
from dynamodb_opensearch.jobs.job import HOW, Pause, Step, Unit
from dynamodb_opensearch.jobs.report import Compared, Report, read_report
from dynamodb_opensearch.jobs.suspects import UNSEEN, Looker, Page, Suspect, by_index, looked_through, nobodys
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.opensearch.layout import Layout
from dynamodb_opensearch.opensearch.reader import Hit

_DIFFERENCES = 500  # of one step
_HIGHEST = "its version is the highest that OpenSearch has, so no write and no delete can pass it: delete it by hand"


@dataclass(frozen=True, slots=True)
class Repair:
    """What a report names, as far as it still differs."""

    report: Path
    others: tuple[str, ...] = ()
    """Indices behind the alias that the sync doesn't write to, and that documents may be removed from."""
    patience_seconds: float = field(default=10, metadata=HOW)
    """Between two looks at what still differs."""

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """The report, read from its beginning.

        Raises:
            ConfigurationError: it isn't a report; it is of another table or index, or of one that was made anew; it
                names documents of an index that isn't named here.
        """
        layout = sync.reader.resolve(sync.deadline())
        elsewhere = Counter(one.place.index for one in self._read(sync, layout).differences())
        for index in elsewhere.keys() - {layout.index, *self.others}:
            raise ConfigurationError(
                f"{self.report} names {elsewhere[index]:,} documents of {index}, which this sync doesn't write to: to "
                f"remove them, name it with --other-index {index}"
            )
        return ["report"]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step | Pause]:
        """A step for some hundred differences; the position counts them. See ``job.Job.run``."""
        del unit
        done, reader = int(position or 0), sync.reader
        layout = reader.resolve(sync.deadline())
        looker, report = Looker(sync, reader, layout), self._read(sync, layout)
        remaining = islice(report.differences(), done, None)
        while chunk := list(islice(remaining, _DIFFERENCES)):
            done += len(chunk)
            suspects = [self._suspect(one, sync, layout) for one in chunk]
            page = Page(done, Counter(), suspects, due=time.monotonic())
            for certain in looked_through(page, looker, self.patience_seconds):
                if isinstance(certain, Pause):
                    yield certain
                    continue
                certain.counts["equal by now"] = len(chunk) - len(certain.differences) - len(certain.changing)
                yield from mended(certain, looker, self.patience_seconds)
        yield Step(None)

    def _suspect(self, one: Difference, sync: Sync, layout: Layout) -> Suspect:
        try:
            is_right = one.keys is None or sync.settings.key_schema.id_of(one.keys) == one.place.id
        except (AttributeError, TypeError, UndecodableError):
            is_right = False
        if not is_right or one.place.index not in {layout.index, *self.others}:
            raise ConfigurationError(
                f"{self.report}: the document {one.place.id!r} of {one.place.index} has the key of another, or is in "
                "an index that isn't named here: run verify again"
            )
        return Suspect(one.place, one.keys, one.version)

    def _read(self, sync: Sync, layout: Layout) -> Report:
        layout.check_comparable()
        return read_report(self.report, Compared(sync.table_arn, sync.table_id, layout.name, layout.uuid))


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
