"""Prints the result of a comparison or a repair, for people or as JSON, and decides the exit code."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from dynamodb_opensearch.cli.output import INTERRUPTED, REMAINS, WELL, counted, print_json, stdout, tell
from dynamodb_opensearch.cli.run.counts import DIFFERENCES, UNDECIDED, UNMENDED, total_of
from dynamodb_opensearch.cli.run.task import Result
from dynamodb_opensearch.cli.show.summary import IN_JSON, print_counts, print_findings, print_notices, with_findings
from dynamodb_opensearch.cli.target.flags import TargetFlags
from dynamodb_opensearch.core.comparison import Difference
from dynamodb_opensearch.jobs.repair import Repair
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.settings import Settings

MENDED = ("repaired", *UNMENDED)


def print_verified(
    result: Result, target: TargetFlags, reports: Sequence[Path], statements: Sequence[str], *, as_json: bool
) -> int:
    """Print what differs and what to do about it, and return the exit code."""
    differences, undecided = total_of(result.counts, DIFFERENCES), total_of(result.counts, UNDECIDED)
    code = REMAINS if differences or undecided else WELL
    if as_json:
        more = {"differences": differences, "undecided": undecided, "statements": list(statements)}
        more |= {"notices": dict(result.checkpoint.notices), "notes": result.survey.notices(_others(result))}
        more |= {"reports": [str(path) for path in reports]}
        print_json({**with_findings(result, differences + result.counts.get("changing", 0)), **more})
        return code
    console = stdout()
    settings, counts = result.settings, result.counts
    sides = f"{counted(counts.get('items', 0), 'item')} and {counted(counts.get('documents', 0), 'document')}"
    print_counts(console, result, f"Compared {sides} of {settings.table_name} and {settings.index}", shown(counts))
    if code == WELL and not statements:
        console.print("The index equals the table.", style="green")
    print_findings(console, result.checkpoint.findings(), differences + counts.get("changing", 0))
    for statement in statements:
        console.print(f"{statement}.", soft_wrap=True)
    for path in reports:
        console.print(f"report: {path}", soft_wrap=True)
    print_notices(result.checkpoint.notices)
    if differences:
        lines = next((path for path in reports if path.suffix == ".jsonl"), None)
        tell(f"\nNext: {target.command_line('repair', *(('--report', lines) if lines else ()))}")
    elif undecided:
        tell("\nNext: verify again when there are fewer writes")
    return code


def print_repaired(result: Result, target: TargetFlags, shown: Sequence[str], *, as_json: bool) -> int:
    """Print what was repaired, and return the exit code."""
    unmended = total_of(result.counts, (*UNMENDED, *UNDECIDED))
    if as_json:
        print_json({**result.to_json(), "findings": list(islice(_unmended(result), IN_JSON))})
    elif result.done:
        repaired = counted(result.counts.get("repaired", 0), "document")
        console = stdout()
        print_counts(console, result, f"Mended {repaired} of {result.settings.index}", shown)
        print_findings(console, _unmended(result), unmended)
        tell(f"\nNext: {target.command_line('verify')}")
    if not result.done:
        return INTERRUPTED
    return REMAINS if unmended else WELL


def print_named(
    report: Path, settings: Settings, named: Mapping[str, int], differences: Iterator[Difference], *, as_json: bool
) -> int:
    """Print what a repair of this report would look at, and return the exit code."""
    total = sum(named.values())
    if as_json:
        print_json({"command": "repair", "dryRun": True, "report": str(report), "counts": dict(named)})
        return REMAINS if total else WELL
    console = stdout()
    console.print(f"Would look at {counted(total, 'document')} of {settings.index}, and repair what still differs")
    print_findings(console, (difference.to_json() for difference in differences), total)
    return REMAINS if total else WELL


def _others(result: Result) -> Sequence[str]:
    job = result.task.job
    comparison = job.comparison if isinstance(job, Repair) else job
    return comparison.others if isinstance(comparison, Verify) else ()


def shown(counts: Mapping[str, int]) -> Sequence[str]:
    """Which counts of a comparison are shown."""
    return (*DIFFERENCES, *(name for name in UNDECIDED if counts.get(name)))


def _unmended(result: Result) -> Iterator[Mapping[str, Any]]:
    return (finding for finding in result.checkpoint.findings() if finding.get("kind") in {*UNMENDED, "changing"})
