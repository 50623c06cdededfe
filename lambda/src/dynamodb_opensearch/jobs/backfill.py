"""Fills the index from a scan of the table, beside the live sync."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dynamodb_opensearch.core.changes import Settle
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.versions import scan_version
from dynamodb_opensearch.jobs.fill import fill, finding, take_back
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Segment, Unit


@dataclass(frozen=True, slots=True)
class Backfill:
    """Fills the index from a parallel scan of the table."""

    segments: int
    recheck: bool = True
    """Whether to take a second look at each page: see ``fill``."""

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """One unit for each segment of the scan."""
        del sync
        return [Segment(number, self.segments) for number in range(self.segments)]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step]:
        """Yield two steps for each page: one before its items are written, one after. See ``job.Job.run``.

        A position is the key to continue from, and the keys of the page that may have been written since.
        """
        assert isinstance(unit, Segment)  # noqa: S101 (see ``plan``)
        segment, schema = unit, sync.settings.key_schema
        start_key, begun = position or (None, [])
        if begun:
            gone, refused = take_back(sync, [Settle(schema.id_of(keys), keys) for keys in begun], sync.deadline())
            counts = Counter(items=len(gone), gone=len(gone) - len(refused), refused=len(refused))
            yield Step([start_key, []], counts, [finding(refusal) for refusal in refused])
        for page in sync.scan.pages(segment.number, segment.total, start_key):
            if page.items and self.recheck:
                yield Step([start_key, [schema.keys_of(item) for item in page.items]], is_intent=True)
            version = scan_version(page.read_at, sync.conflict_window)
            look = partial(_ids_of_page, sync, segment, start_key) if self.recheck else None
            counts, findings = fill(sync, page.items, version, sync.deadline(), look=look)
            start_key = page.next_key
            yield Step(start_key and [start_key, []], counts, findings)


def _ids_of_page(sync: Sync, segment: Segment, start_key: Item | None) -> set[str]:
    page = sync.scan.page(segment.number, segment.total, start_key, keys_only=True)
    return {sync.settings.key_schema.id_of(item) for item in page.items}
