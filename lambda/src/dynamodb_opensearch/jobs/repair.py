"""Repairs the index: all of it while it is compared, or only the differences that a report of ``verify`` names.

A difference is repaired as soon as it is certain. See ``mending`` for what is written and deleted, and on what proof.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from dynamodb_opensearch.core.comparison import Difference
from dynamodb_opensearch.core.errors import ConfigurationError, UndecodableError
from dynamodb_opensearch.jobs.job import NO_IDENTITY, Pause, Step
from dynamodb_opensearch.jobs.mending import mended
from dynamodb_opensearch.jobs.report import Compared, Report, index_of, read_report
from dynamodb_opensearch.jobs.side import Side, Sides
from dynamodb_opensearch.jobs.suspects import Looker, Page, Suspect, looked_through
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Unit, Whole
from dynamodb_opensearch.jobs.verify import Verify, check_others
from dynamodb_opensearch.opensearch.layout import Layout

_DIFFERENCES = 500  # differences of one step


@dataclass(frozen=True, slots=True)
class Repair:
    """Compares everything, and repairs each difference once it is certain."""

    comparison: Verify

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """See ``Verify.plan``."""
        return self.comparison.plan(sync)

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step | Pause]:
        """Yield a step for each page, once all its differences are certain and repaired. See ``job.Job.run``."""
        looker = self.comparison.looker(sync, unit)
        for page in self.comparison.pages(looker, unit, position):
            if isinstance(page, Pause):
                yield page
            elif page.differences:
                yield from mended(page, looker, self.comparison.patience_seconds)
            else:
                yield page.step()


@dataclass(frozen=True, slots=True)
class RepairReport:
    """Repairs the documents that a report names, if they still differ."""

    report: Path
    others: tuple[str, ...] = ()
    """Indices behind the alias that the sync doesn't write to. Repair may delete documents from them."""
    patience_seconds: float = field(default=10, metadata=NO_IDENTITY)
    """Time between two looks at a difference."""

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """One unit: the report, which is checked first.

        Raises:
            ConfigurationError: it isn't a report; it is about another table or index, or about one that was recreated
                since; or it names documents of an index that isn't among ``others``.
        """
        side = self._side(sync)
        elsewhere = Counter(difference.place.index for difference in self._read(sync, side).differences())
        check_others(self.others, Sides.of_one(side), sync)  # since verify, one may have become an index of the sync
        for index in elsewhere.keys() - {side.layout.index, *self.others}:
            raise ConfigurationError(
                f"{self.report} names {elsewhere[index]:,} documents of {index}, which this sync doesn't write to: to "
                f"remove them, name it with --other-index {index}"
            )
        return [Whole("report")]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step | Pause]:
        """Yield a step for some hundred differences; the position is the number done. See ``job.Job.run``."""
        del unit
        done, side = int(position or 0), self._side(sync)
        looker, report = Looker(sync, Sides.of_one(side)), self._read(sync, side)
        remaining = islice(report.differences(), done, None)
        while chunk := list(islice(remaining, _DIFFERENCES)):
            done += len(chunk)
            suspects = [self._suspect(difference, sync, side.layout) for difference in chunk]
            page = Page(done, Counter(), suspects, looker.counted, due=time.monotonic())
            for certain in looked_through(page, looker, self.patience_seconds):
                if isinstance(certain, Pause):
                    yield certain
                    continue
                differing = len(certain.differences) + len(certain.changing) + len(certain.faulty)
                certain.counts["equal by now"] = len(chunk) - differing
                yield from mended(certain, looker, self.patience_seconds)
        yield Step(None)

    def _suspect(self, difference: Difference, sync: Sync, layout: Layout) -> Suspect:
        try:
            is_right = difference.keys is None or sync.settings.key_schema.id_of(difference.keys) == difference.place.id
        except (AttributeError, TypeError, UndecodableError):
            is_right = False
        if not is_right or difference.place.index not in {layout.index, *self.others}:
            raise ConfigurationError(
                f"{self.report}: the document {difference.place.id!r} of {difference.place.index} has the key of "
                "another, or is in an index that isn't named here: run verify again"
            )
        return Suspect(difference.place, difference.keys, difference.version)

    def _side(self, sync: Sync) -> Side:
        """The index that the report is about.

        Raises:
            ConfigurationError: the job doesn't work on it.
        """
        index = index_of(self.report)
        if index not in sync.projections:
            raise ConfigurationError(
                f"{self.report} is about the index {index!r}: name it with --index, or give a report about "
                f"{', '.join(sync.projections)}"
            )
        return next(side for side in Sides.resolve(sync) if side.name == index)

    def _read(self, sync: Sync, side: Side) -> Report:
        side.layout.check_comparable()
        return read_report(self.report, Compared(sync.table_arn, sync.table_id, side.name, side.layout.uuid))
