"""``repair``: writes what differs as it is in the table, and removes documents without an item."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer

from dynamodb_opensearch.cli.command import OtherIndex, Patience, Rcu, Segments, command
from dynamodb_opensearch.cli.run.comparison import SEGMENTS, announce, compared, note_result, subject
from dynamodb_opensearch.cli.run.counts import DIFFERENCES, UNDECIDED, total_of
from dynamodb_opensearch.cli.run.survey import survey
from dynamodb_opensearch.cli.run.task import Task, carried_out
from dynamodb_opensearch.cli.show.verdict import MENDED, print_named, print_repaired, print_verified, shown
from dynamodb_opensearch.cli.target.configuration import configure
from dynamodb_opensearch.cli.target.flags import RunFlags, TargetFlags
from dynamodb_opensearch.core.comparison import Difference
from dynamodb_opensearch.jobs.repair import RepairReport
from dynamodb_opensearch.jobs.report import read_report
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.settings import Settings

_DECIDING = (*DIFFERENCES, *UNDECIDED)


@command(
    "repair",
    "dynamodb-opensearch repair --function products-opensearch-sync --report diff.jsonl",
    "dynamodb-opensearch repair --terraform . --dry-run",
)
def repair(
    target: TargetFlags,
    run: RunFlags,
    *,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Mend what this report of verify names, a .jsonl file, and nothing else."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Show what would be mended; write nothing.")
    ] = False,
    segments: Segments = None,
    patience: Patience = 10,
    rcu: Rcu = None,
    other_index: OtherIndex = None,
) -> int:
    """Mend what differs: write documents as their items are now, and remove those without an item.

    With a report: what it names and still differs. Without: compares all, and mends each difference once it is certain.
    What was mended is looked at again. Exit code 1: something is still different, was refused, or couldn't be judged.
    """
    settings = configure(target).settings
    others = tuple(other_index or ())
    if report is None:
        return mend_all(
            target,
            run,
            settings,
            "repair",
            dry_run=dry_run,
            segments=segments,
            patience=patience,
            rcu=rcu,
            others=others,
        )
    found = survey(settings)
    read = read_report(report, subject(found))
    named = _count_kinds(read.differences())
    total = sum(named.values())
    if dry_run:
        return print_named(report, settings, named, read.differences(), as_json=run.as_json)
    announce({index: number for index, number in _count_indices(read.differences()).items() if index in others})
    with report.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()[:16]
    identity = {"report": str(report.resolve()), "sha256": digest, "others": list(others)}
    job = RepairReport(report, others, patience)
    task = Task("repair", job, total, (*MENDED, "equal by now"), parallel=False, identity=identity, is_comparison=True)
    with carried_out(task, found, run) as result:
        return print_repaired(result, target, ("equal by now", *MENDED), as_json=run.as_json)


def mend_all(
    target: TargetFlags,
    run: RunFlags,
    settings: Settings,
    name: str,
    *,
    dry_run: bool = False,
    segments: int | None = None,
    patience: float = 10,
    rcu: float | None = None,
    others: Sequence[str] = (),
) -> int:
    """Compare all, and mend what differs as soon as that is certain; the exit code."""
    name = f"{name} --dry-run" if dry_run else name
    comparison = Verify(segments or SEGMENTS, patience_seconds=patience, others=tuple(others))
    with compared(name, comparison, settings, run, rcu, mending=not dry_run) as result:
        differing = total_of(result.counts, _DECIDING)
        if result.done and not differing:
            note_result(result)
        if result.done and (dry_run or not differing):
            return print_verified(result, target, (), (), as_json=run.as_json)
        return print_repaired(result, target, (*shown(result.counts), *MENDED), as_json=run.as_json)


def _count_kinds(differences: Iterator[Difference]) -> dict[str, int]:
    """How many there are of each kind."""
    counts = dict.fromkeys(DIFFERENCES, 0)
    for one in differences:
        counts[str(one.kind)] += 1
    return counts


def _count_indices(differences: Iterator[Difference]) -> Mapping[str, int]:
    return Counter(one.place.index for one in differences)
