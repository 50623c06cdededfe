"""Mends exactly the differences that a verification named: settles their keys, and removes what no item can own."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from dynamodb_opensearch.changes import Settle
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.jobs.backfill import finding, finish
from dynamodb_opensearch.jobs.comparison import Difference
from dynamodb_opensearch.jobs.pair import Pair, catalogue_of
from dynamodb_opensearch.jobs.report import read_differences
from dynamodb_opensearch.jobs.stored import Catalogue, Hit
from dynamodb_opensearch.jobs.work import Step, Unit
from dynamodb_opensearch.telemetry import Tally

_DIFFERENCES = 500  # of one step


@dataclass(frozen=True, slots=True)
class Repair:
    """What a report names."""

    report: Path

    def plan(self, pair: Pair) -> Sequence[Unit]:
        """The report, read from its beginning.

        Raises:
            ConfigurationError: it isn't a report, or another table's or index's.
        """
        next(iter(read_differences(self.report, pair.table_arn, pair.settings.index)), None)
        return ["report"]

    def run(self, pair: Pair, unit: Unit, position: Any) -> Iterator[Step]:
        """A step for some hundred differences; the position counts them. See ``work.Job.run``."""
        del unit
        done = int(position or 0)
        catalogue = catalogue_of(pair)
        remaining = islice(read_differences(self.report, pair.table_arn, pair.settings.index), done, None)
        while chunk := list(islice(remaining, _DIFFERENCES)):
            counts, refused = mend(pair, catalogue, chunk, pair.deadline())
            done += len(chunk)
            yield Step(done, counts, refused)
        yield Step(None)


def mend(
    pair: Pair, catalogue: Catalogue, differences: Sequence[Difference], deadline: Deadline
) -> tuple[Counter[str], list[dict[str, Any]]]:
    """Mend differences: how many were ``repaired`` or ``refused``, and the refused ones.

    Raises:
        ConfigurationError, OutOfTimeError: see ``backfill.finish``.
    """
    settles = [Settle(one.place.id, one.keys, stored=one.version or 0) for one in differences if one.keys is not None]
    refused = finish(pair, settles, deadline, Tally())
    for one in differences:
        if one.keys is None and one.version is not None:
            catalogue.delete(Hit(one.place, one.version), deadline)
    counts = Counter(repaired=len(differences) - len(refused), refused=len(refused))
    return counts, [finding(refusal) for refusal in refused]
