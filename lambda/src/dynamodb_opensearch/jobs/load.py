"""Fills the indices from exports of the table in S3: only the second look uses the table's capacity.

A full export shows the table at one moment: its items are written as in a backfill, with a version of that moment. An
incremental export names the items that changed: their keys are settled, so each index gets the items as they are *now*.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dynamodb_opensearch.aws import briefly
from dynamodb_opensearch.core.changes import Settle
from dynamodb_opensearch.core.errors import ConfigurationError, UndecodableError
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.core.versions import scan_version
from dynamodb_opensearch.dynamodb.export import Export
from dynamodb_opensearch.jobs.fill import check_digest, digest_of, fill, finding, finish
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import ExportFile, Unit

_LINES = 1_000  # lines of one step


@dataclass(frozen=True, slots=True)
class Load:
    """One or more exports of the table, each by the S3 URL of its folder: ``s3://bucket/prefix/AWSDynamoDB/0169…-a1b2``."""

    exports: tuple[str, ...]
    recheck: bool = True
    """Whether to look up the items of a full export that were written, to find those deleted since. An incremental
    export that begins at the full one's time finds these too, and reads only what changed."""

    def plan(self, sync: Sync) -> Sequence[Unit]:
        """One unit for each data file: the export's URL, the file's key, and its number of lines.

        Raises:
            ConfigurationError: an export can't be read, isn't DynamoDB JSON, or is of another table.
            OutOfTimeError: S3 couldn't be reached for some seconds.
        """
        exports = ((url.rstrip("/"), Export(url, sync.table_arn, briefly)) for url in self.exports)
        digest = digest_of(sync)
        return [ExportFile(url, key, count, digest) for url, export in exports for key, count in export.files()]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step]:
        """Yield a step for each thousand lines; the position is the number of lines done. See ``job.Job.run``."""
        assert isinstance(unit, ExportFile)  # noqa: S101 (see ``plan``)
        check_digest(sync, unit.layout)
        url, key, count = unit.export, unit.key, unit.lines
        export, done = Export(url, sync.table_arn, sync.deadline), int(position or 0)
        with closing(export.lines(key)) as lines:
            remaining = islice(lines, done, None)
            while chunk := list(islice(remaining, _LINES)):
                first, done = done + 1, done + len(chunk)
                try:
                    yield self._load(sync, export, chunk, done if done < count else None)
                except UndecodableError as error:
                    raise ConfigurationError(f"{url}: {key}, lines {first} to {done}: {error}") from None
        if done != count:
            raise ConfigurationError(f"{url}: {key} has {done} lines, and should have {count}: the export is damaged")
        if count == 0:
            yield Step(None)

    def _load(self, sync: Sync, export: Export, lines: Sequence[Mapping[str, Any]], position: int | None) -> Step:
        """Write or settle the items of some lines."""
        deadline = sync.deadline()
        if export.is_full:
            version = scan_version(export.moment(), sync.conflict_window)
            items = [line["Item"] for line in lines]
            return Step(position, *fill(sync, items, version, deadline, look=tuple if self.recheck else None))
        schema = sync.settings.key_schema
        keys = {schema.id_of(line["Keys"]): line["Keys"] for line in lines}
        settles = [
            Settle(index, key, its)
            for key, its in keys.items()
            for index, projection in sync.projections.items()
            if projection.may_hold(its)
        ]
        refusals = finish(sync, settles, deadline, Tally())
        counts = Counter(items=len(lines))
        for index in sync.projections:
            refused = sum(refusal.write.index == index for refusal in refusals)
            settled = sum(settle.index == index for settle in settles) - refused
            counts.update(sync.counted(index, {"settled": settled, "refused": refused}))
        return Step(position, counts, [finding(refusal) for refusal in refusals])
