"""Runs a comparison for ``verify`` and ``repair``, and notes its result in each index."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from dynamodb_opensearch.cli.output import counted, tell, warn
from dynamodb_opensearch.cli.run.checkpoint import now
from dynamodb_opensearch.cli.run.counts import DIFFERENCES, UNDECIDED, held_of, total_of
from dynamodb_opensearch.cli.run.survey import IndexSurvey, Survey, survey
from dynamodb_opensearch.cli.run.task import Result, Task, carried_out
from dynamodb_opensearch.cli.target.configuration import Configuration
from dynamodb_opensearch.cli.target.flags import RunFlags
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import SyncError
from dynamodb_opensearch.jobs.repair import Repair
from dynamodb_opensearch.jobs.report import Compared
from dynamodb_opensearch.jobs.seen import seen_file
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.note import note_verified

SEGMENTS = 64
"""Segments of the table. A constant, so that the same command finds its checkpoint again."""


@contextmanager
def compared(
    name: str,
    comparison: Verify,
    configuration: Configuration,
    run: RunFlags,
    rcu: float | None,
    *,
    mending: bool = False,
) -> Iterator[Result]:
    """Run a comparison. Its workers share a memory of the documents whose items the table has shown.

    Args:
        mending: whether differences are mended as soon as they are certain.
    """
    found = survey(configuration)
    if mending:
        announce({index: found.elsewhere.get(index) or 0 for index in comparison.others})
    for notice in found.notices(comparison.others):
        tell(f"note: {notice}")
    documents = found.documents + sum(found.elsewhere.get(index) or 0 for index in comparison.others)
    expected = round((found.table.item_count + documents) * comparison.percent / 100)
    with seen_file(documents) as seen:
        comparison = replace(comparison, seen=seen)
        job = Repair(comparison) if mending else comparison
        task = Task(name, job, expected, ("items", "documents"), read_units_per_second=rcu, is_comparison=True)
        with carried_out(task, found, run) as result:
            yield result


def announce(others: Mapping[str, int]) -> None:
    """Say how many documents may be removed from which indices that the sync doesn't write to."""
    for index, number in others.items():
        tell(f"repair removes up to {counted(number, 'document')} of {index}, where this sync doesn't write")


def subject(found: Survey, index: str) -> Compared:
    """Return what the report of an index says was compared."""
    return Compared(found.table.arn, found.table.table_id, index, found.of(index).layout.uuid)


def note_result(result: Result) -> None:
    """Note the result in each index, where status finds it. Without the right to write, only warn."""
    client = Client(result.settings, connections=1)
    for index in result.survey.indices:
        try:
            note_verified(client, index.layout.index, _entry(result, index), Deadline.after(30))
        except SyncError as error:
            warn(f"the result couldn't be noted in the index, so status won't show it: {error}")


def _entry(result: Result, index: IndexSurvey) -> Mapping[str, Any]:
    counts, holds = result.counts_of(index.name), index.projection.identity
    return {
        "at": now(),
        "startedAt": result.checkpoint.started_at,
        "table": result.survey.table.arn,
        "items": held_of(counts),
        "documents": counts.get("documents", 0),
        "differences": total_of(counts, DIFFERENCES),
        "undecided": total_of(counts, UNDECIDED),
        **({"projection": holds} if holds else {}),
    }
