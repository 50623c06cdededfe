"""Fills the indices from a scan of the table, beside the live sync."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dynamodb_opensearch.core.changes import Settle
from dynamodb_opensearch.core.converge import Refusal
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.versions import scan_version
from dynamodb_opensearch.jobs.fill import check_digest, digest_of, fill, finding, needs_whole_items, take_back
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Segment, Unit


@dataclass(frozen=True, slots=True)
class Backfill:
    """Fills the indices from a parallel scan of the table: one read of it serves them all."""

    segments: int
    recheck: bool = True
    """Whether to take a second look at each page: see ``fill``."""

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """One unit for each segment of the scan."""
        return [Segment(number, self.segments, digest_of(sync)) for number in range(self.segments)]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step]:
        """Yield two steps for each page: one before its items are written, one after. See ``job.Job.run``.

        A position is the key to continue from, and the keys of the page that may have been written since.
        """
        assert isinstance(unit, Segment)  # noqa: S101 (see ``plan``)
        check_digest(sync, unit.layout)
        segment, schema = unit, sync.settings.key_schema
        start_key, begun = position or (None, [])
        if begun:
            yield _looked_up(sync, begun, [start_key, []])
        for page in sync.scan.pages(segment.number, segment.total, start_key):
            if page.items and self.recheck:
                yield Step([start_key, [schema.keys_of(item) for item in page.items]], is_intent=True)
            version = scan_version(page.read_at, sync.conflict_window)
            look = partial(_page_again, sync, segment, start_key) if self.recheck else None
            counts, findings = fill(sync, page.items, version, sync.deadline(), look=look)
            start_key = page.next_key
            yield Step(start_key and [start_key, []], counts, findings)


def _page_again(sync: Sync, segment: Segment, start_key: Item | None) -> Sequence[Item]:
    keys_only = not needs_whole_items(sync)
    return sync.scan.page(segment.number, segment.total, start_key, keys_only=keys_only).items


def _looked_up(sync: Sync, begun: Sequence[Item], position: Any) -> Step:
    """Settle those of a page's keys that a killed run may have written, if their items are gone by now."""
    schema, counts, refusals = sync.settings.key_schema, Counter[str](), list[Refusal]()
    for projection in sync.projections.values():
        settles = [Settle(projection.index, schema.id_of(keys), keys) for keys in begun if projection.may_hold(keys)]
        gone, refused = take_back(sync, projection, settles, sync.deadline())
        own = {"gone": len(gone) - len(refused), "refused": len(refused)}
        counts.update(sync.counted(projection.index, own))
        counts["items"] += len(gone) if len(sync.projections) == 1 else 0
        refusals += refused
    return Step(position, counts, [finding(refusal) for refusal in refusals])
