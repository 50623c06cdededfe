"""Prints the result of a comparison or a repair, for people or as JSON, and decides the exit code."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from dynamodb_opensearch.cli.output import INTERRUPTED, REMAINS, WELL, counted, print_json, stdout, tell
from dynamodb_opensearch.cli.run.counts import DIFFERENCES, UNDECIDED, UNMENDED, held_of, total_of
from dynamodb_opensearch.cli.run.task import Result
from dynamodb_opensearch.cli.show.summary import (
    IN_JSON,
    by_index,
    console_for,
    print_counts,
    print_findings,
    print_notices,
    with_findings,
)
from dynamodb_opensearch.cli.target.flags import TargetFlags
from dynamodb_opensearch.core.comparison import Difference
from dynamodb_opensearch.jobs.repair import Repair
from dynamodb_opensearch.jobs.verify import Verify

MENDED = ("repaired", *UNMENDED)
_UNDECIDED_ONE_BY_ONE = ("changing", "untransformed")
"""Kinds of findings about a document that couldn't be judged."""


def print_verified(
    result: Result,
    target: TargetFlags,
    reports: Mapping[str, Sequence[Path]],
    statements: Mapping[str, Sequence[str]],
    *,
    as_json: bool,
) -> int:
    """Print what differs and what to do about it, and return the exit code.

    Args:
        reports: index -> the files with its differences.
        statements: index -> what a sample says about it.
    """
    differences, undecided = total_of(result.counts, DIFFERENCES), total_of(result.counts, UNDECIDED)
    code = REMAINS if differences or undecided else WELL
    if as_json:
        print_json(_verified(result, reports, statements))
        return code
    for index in result.indices:
        _print_index(result, index, reports.get(index, ()), statements.get(index, ()))
    print_notices(result.checkpoint.notices)
    if differences:
        tell("\nNext: " + "\n      ".join(_repairs(result, target, reports)))
    elif result.counts.get("untransformed"):
        tell("\nNext: correct the items or the transform, as the reasons say, and verify again")
    elif undecided:
        tell("\nNext: verify again when there are fewer writes")
    return code


def _verified(
    result: Result, reports: Mapping[str, Sequence[Path]], statements: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    return {
        **with_findings(result, _number_of_findings(result.counts)),
        "differences": total_of(result.counts, DIFFERENCES),
        "undecided": total_of(result.counts, UNDECIDED),
        "statements": [statement for index in result.indices for statement in statements.get(index, ())],
        "notices": dict(result.checkpoint.notices),
        "notes": result.survey.notices(_others(result)),
        "reports": [str(path) for index in result.indices for path in reports.get(index, ())],
        **by_index(
            result,
            differences=lambda index: total_of(result.counts_of(index), DIFFERENCES),
            undecided=lambda index: total_of(result.counts_of(index), UNDECIDED),
            reports=lambda index: [str(path) for path in reports.get(index, ())],
        ),
    }


def _print_index(result: Result, index: str, reports: Sequence[Path], statements: Sequence[str]) -> None:
    counts, console = result.counts_of(index), console_for(result, index)
    sides = f"{counted(held_of(counts), 'item')} and {counted(counts.get('documents', 0), 'document')}"
    print_counts(
        console, result, f"Compared {sides} of {result.settings.table_name} and {index}", shown(counts), counts
    )
    if not total_of(counts, (*DIFFERENCES, *UNDECIDED)) and not statements:
        which = "" if len(result.indices) == 1 else f" {index}"
        console.print(f"The index{which} equals the table.", style="green", soft_wrap=True)
    print_findings(console, result.findings_of(index), _number_of_findings(counts))
    for statement in statements:
        console.print(f"{statement}.", soft_wrap=True)
    for path in reports:
        console.print(f"report: {path}", soft_wrap=True)


def _number_of_findings(counts: Mapping[str, int]) -> int:
    return total_of(counts, (*DIFFERENCES, *_UNDECIDED_ONE_BY_ONE))


def _repairs(result: Result, target: TargetFlags, reports: Mapping[str, Sequence[Path]]) -> Iterable[str]:
    """Return the commands that repair what was found: one for each index's report, or one without a report."""
    differing = [index for index in result.indices if total_of(result.counts_of(index), DIFFERENCES)]
    found = {
        index: next((path for path in reports.get(index, ()) if path.suffix == ".jsonl"), None) for index in differing
    }
    if not all(found.values()):
        return [target.command_line("repair")]
    return [target.command_line("repair", "--report", str(path)) for path in found.values()]


def print_repaired(result: Result, target: TargetFlags, shown: Sequence[str], *, as_json: bool) -> int:
    """Print what was repaired, and return the exit code."""
    unmended = total_of(result.counts, (*UNMENDED, *UNDECIDED))
    if as_json:
        findings = list(islice(_unmended(result.checkpoint.findings()), IN_JSON))
        print_json({**result.to_json(), "findings": findings, **by_index(result)})
    elif result.done:
        for index in result.indices:
            counts, console = result.counts_of(index), console_for(result, index)
            repaired = counted(counts.get("repaired", 0), "document")
            print_counts(console, result, f"Mended {repaired} of {index}", shown, counts)
            print_findings(console, _unmended(result.findings_of(index)), total_of(counts, (*UNMENDED, *UNDECIDED)))
        tell(f"\nNext: {target.command_line('verify')}")
    if not result.done:
        return INTERRUPTED
    return REMAINS if unmended else WELL


def print_named(
    report: Path, index: str, named: Mapping[str, int], differences: Iterator[Difference], *, as_json: bool
) -> int:
    """Print what a repair of this report would look at, and return the exit code."""
    total = sum(named.values())
    if as_json:
        print_json({"command": "repair", "dryRun": True, "report": str(report), "counts": dict(named)})
        return REMAINS if total else WELL
    console = stdout()
    console.print(f"Would look at {counted(total, 'document')} of {index}, and repair what still differs")
    print_findings(console, (difference.to_json() for difference in differences), total)
    return REMAINS if total else WELL


def _others(result: Result) -> Sequence[str]:
    job = result.task.job
    comparison = job.comparison if isinstance(job, Repair) else job
    return comparison.others if isinstance(comparison, Verify) else ()


def shown(counts: Mapping[str, int]) -> Sequence[str]:
    """Which counts of a comparison are shown."""
    return (*DIFFERENCES, *(name for name in UNDECIDED if counts.get(name)))


def _unmended(findings: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    kinds = {*UNMENDED, *_UNDECIDED_ONE_BY_ONE}
    return (finding for finding in findings if finding.get("kind") in kinds)
