"""``repair``: writes documents that differ as their items are now, and removes documents without an item."""

from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer

from dynamodb_opensearch.cli.command import ComparisonFlags, command
from dynamodb_opensearch.cli.run.comparison import SEGMENTS, announce, compared, note_result, subject
from dynamodb_opensearch.cli.run.counts import DIFFERENCES, UNDECIDED, total_of
from dynamodb_opensearch.cli.run.survey import survey
from dynamodb_opensearch.cli.run.task import Task, carried_out
from dynamodb_opensearch.cli.show.verdict import MENDED, print_named, print_repaired, print_verified, shown
from dynamodb_opensearch.cli.target.configuration import Configuration, configure
from dynamodb_opensearch.cli.target.flags import RunFlags, TargetFlags
from dynamodb_opensearch.core.comparison import Difference
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.repair import RepairReport
from dynamodb_opensearch.jobs.report import index_of, read_report
from dynamodb_opensearch.jobs.verify import Verify

_DECIDING = (*DIFFERENCES, *UNDECIDED)


@command(
    "repair",
    "dynamodb-opensearch repair --function products-opensearch-sync --report diff.jsonl",
    "dynamodb-opensearch repair --terraform . --dry-run",
)
def repair(
    target: TargetFlags,
    run: RunFlags,
    comparison: ComparisonFlags,
    *,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Repair only what this report of verify, a .jsonl file, names."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Show what would be repaired; write nothing.")
    ] = False,
) -> int:
    """Repair differences: write documents as their items are now, and remove documents without an item.

    With a report, it repairs what the report names and still differs, in the index that the report is about. Without
    one, it compares everything, and repairs each difference once it is certain. It checks each repair afterwards. Exit
    code 1: something still differs, was refused, or couldn't be judged.
    """
    configuration = configure(target)
    if report is None:
        return mend_all(target, run, comparison, configuration, "repair", dry_run=dry_run)
    others, index = comparison.others, _index_of(report, configuration)
    found = survey(configuration.select([index]))
    read = read_report(report, subject(found, index))
    named = _count_kinds(read.differences())
    total = sum(named.values())
    if dry_run:
        return print_named(report, index, named, read.differences(), as_json=run.as_json)
    announce({index: number for index, number in _count_indices(read.differences()).items() if index in others})
    with report.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()[:16]
    identity = {"report": str(report.resolve()), "sha256": digest, "others": list(others)}
    job = RepairReport(report, others, comparison.patience)
    task = Task("repair", job, total, (*MENDED, "equal by now"), parallel=False, identity=identity, is_comparison=True)
    with carried_out(task, found, run) as result:
        return print_repaired(result, target, ("equal by now", *MENDED), as_json=run.as_json)


def _index_of(report: Path, configuration: Configuration) -> str:
    """The index that a report is about.

    Raises:
        ConfigurationError: the sync doesn't have it, or the command is to work on others.
    """
    index, settings = index_of(report), configuration.settings
    if index in settings.indices:
        return index
    if index in settings.unselected:
        raise ConfigurationError(
            f"{report} is about the index {index!r}, and --index names {', '.join(settings.indices)}: name the same"
        )
    if len(configuration.holds) < 2:
        return settings.indices[0]  # the report is read as one about this index, and refused
    raise ConfigurationError(
        f"{report} is about the index {index!r}, which isn't an index of the sync; those are "
        f"{', '.join((*settings.indices, *settings.unselected))}: run verify again"
    )


def mend_all(
    target: TargetFlags,
    run: RunFlags,
    comparison: ComparisonFlags,
    configuration: Configuration,
    name: str,
    *,
    dry_run: bool = False,
) -> int:
    """Compare everything, repair each difference as soon as it is certain, and return the exit code."""
    name = f"{name} --dry-run" if dry_run else name
    job = Verify(comparison.segments or SEGMENTS, patience_seconds=comparison.patience, others=comparison.others)
    with compared(name, job, configuration, run, comparison.rcu, mending=not dry_run) as result:
        differing = total_of(result.counts, _DECIDING)
        if result.done and not differing:
            note_result(result)
        if result.done and (dry_run or not differing):
            return print_verified(result, target, {}, {}, as_json=run.as_json)
        return print_repaired(result, target, (*shown(result.counts), *MENDED), as_json=run.as_json)


def _count_kinds(differences: Iterator[Difference]) -> dict[str, int]:
    """Count the differences of each kind."""
    counts = dict.fromkeys(DIFFERENCES, 0)
    for difference in differences:
        counts[str(difference.kind)] += 1
    return counts


def _count_indices(differences: Iterator[Difference]) -> Mapping[str, int]:
    return Counter(difference.place.index for difference in differences)
