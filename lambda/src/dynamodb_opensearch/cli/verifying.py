"""``verify`` and ``repair``: what differs, and its mending."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from math import ceil
from pathlib import Path
from typing import Any

from dynamodb_opensearch.cli.configuration import configure
from dynamodb_opensearch.cli.filling import count_documents
from dynamodb_opensearch.cli.flags import RunFlags, TargetFlags
from dynamodb_opensearch.cli.journal import now
from dynamodb_opensearch.cli.output import (
    INTERRUPTED,
    REMAINS,
    WELL,
    counted,
    print_json,
    stderr,
    stdout,
    tell,
    warn,
)
from dynamodb_opensearch.cli.progress import waiting
from dynamodb_opensearch.cli.reports import Report, check_report_path, write_report
from dynamodb_opensearch.cli.running import Result, Task, carried_out, describe
from dynamodb_opensearch.cli.summary import DIFFERENCES, print_counts, print_findings, with_findings
from dynamodb_opensearch.client import Client
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.errors import SyncError
from dynamodb_opensearch.jobs.comparison import Difference
from dynamodb_opensearch.jobs.pair import TableDescription
from dynamodb_opensearch.jobs.repair import Repair
from dynamodb_opensearch.jobs.report import read_differences
from dynamodb_opensearch.jobs.sampling import statement
from dynamodb_opensearch.jobs.scan import MAXIMUM_SEGMENTS
from dynamodb_opensearch.jobs.stored import Catalogue
from dynamodb_opensearch.jobs.verified import note_verified
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.jobs.vouched import vouched_file
from dynamodb_opensearch.settings import Settings

SEGMENTS, SAMPLE_SEGMENTS = 64, 1_000
"""Of the table, in whole and for a sample. A constant, so that the same command finds its checkpoint again."""


def verify(
    target: TargetFlags,
    run: RunFlags,
    *,
    reports: Sequence[Path],
    percent: float,
    seed: int,
    segments: int | None,
    patience: float,
    rcu: float | None,
) -> int:
    """Compare; the exit code."""
    for path in reports:
        check_report_path(path)
    settings = configure(target).settings
    job = Verify(segments or _segments(percent), percent, seed, patience)
    with _compared("verify", job, settings, run, rcu) as result:
        if not result.done:
            return _tell_interrupted(result, as_json=run.as_json)
        statements = _statements(result) if percent < 100 else []
        report = Report(
            result.table_arn,
            settings.index,
            result.journal.started_at,
            now(),
            result.counts,
            statements,
            result.journal.findings,
        )
        for path in reports:
            write_report(path, report)
        if percent >= 100:
            _note(settings, result)
        return _tell_verified(result, target, reports, statements, as_json=run.as_json)


def repair(
    target: TargetFlags,
    run: RunFlags,
    *,
    report: Path | None,
    dry_run: bool,
    segments: int | None,
    patience: float,
    rcu: float | None,
) -> int:
    """Mend; the exit code."""
    settings = configure(target).settings
    if report is None:
        return mend_all(target, run, settings, "repair", dry_run=dry_run, segments=segments, patience=patience, rcu=rcu)
    table = describe(settings)
    named = _count_kinds(read_differences(report, table.arn, settings.index))
    total = sum(named.values())
    if dry_run:
        return _tell_named(report, settings, table, named, as_json=run.as_json)
    identity = {"report": str(report.resolve()), "sha256": sha256(report.read_bytes()).hexdigest()[:16]}
    task = Task("repair", Repair(report), total, ("repaired", "refused"), parallel=False, identity=identity)
    with carried_out(task, settings, table, run) as result:
        return _tell_repaired(result, target, ("repaired", "refused"), as_json=run.as_json)


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
) -> int:
    """Compare all, and mend what differs as soon as that is certain; the exit code."""
    name = f"{name} --dry-run" if dry_run else name
    job = Verify(segments or SEGMENTS, patience_seconds=patience, repair=not dry_run)
    with _compared(name, job, settings, run, rcu) as result:
        differing = any(result.counts.get(kind) for kind in DIFFERENCES)
        if result.done and not differing:
            _note(settings, result)
        if result.done and (dry_run or not differing):
            return _tell_verified(result, target, (), (), as_json=run.as_json)
        return _tell_repaired(result, target, (*DIFFERENCES, "changing", "repaired", "refused"), as_json=run.as_json)


def _tell_repaired(result: Result, target: TargetFlags, shown: Sequence[str], *, as_json: bool) -> int:
    """Print what a mending did; the exit code."""
    refused = result.counts.get("refused", 0)
    if as_json:
        print_json({**result.to_json(), "findings": list(_refused(result))})
    elif result.done:
        repaired = counted(result.counts.get("repaired", 0), "document")
        console = stdout()
        print_counts(console, result, f"Mended {repaired} of {result.settings.index}", shown)
        print_findings(console, _refused(result), refused)
        tell(f"\nNext: {target.command_line('verify')}")
    if not result.done:
        return INTERRUPTED
    return REMAINS if refused else WELL


def _count_kinds(differences: Iterator[Difference]) -> dict[str, int]:
    """How many there are of each kind."""
    counts = dict.fromkeys(DIFFERENCES, 0)
    for one in differences:
        counts[str(one.kind)] += 1
    return counts


def _tell_verified(
    result: Result, target: TargetFlags, reports: Sequence[Path], statements: Sequence[str], *, as_json: bool
) -> int:
    """Print what differs, and what to do about it; the exit code."""
    total = sum(result.counts.get(kind, 0) for kind in DIFFERENCES)
    if as_json:
        more = {"differences": total, "statements": list(statements), "reports": [str(path) for path in reports]}
        print_json({**with_findings(result, total), **more})
        return REMAINS if total else WELL
    console = stdout()
    settings, counts = result.settings, result.counts
    sides = f"{counted(counts.get('items', 0), 'item')} and {counted(counts.get('documents', 0), 'document')}"
    print_counts(console, result, f"Compared {sides} of {settings.table_name} and {settings.index}", _shown(counts))
    if total == 0 and not statements:
        console.print("The index equals the table.", style="green")
    print_findings(console, result.journal.findings(), total)
    for one in statements:
        console.print(f"{one}.", soft_wrap=True)
    for path in reports:
        console.print(f"report: {path}", soft_wrap=True)
    if total:
        lines = next((path for path in reports if path.suffix == ".jsonl"), None)
        tell(f"\nNext: {target.command_line('repair', *(('--report', lines) if lines else ()))}")
    return REMAINS if total else WELL


def _shown(counts: Mapping[str, int]) -> Sequence[str]:
    return (*DIFFERENCES, "changing") if counts.get("changing") else DIFFERENCES


def _tell_named(
    report: Path, settings: Settings, table: TableDescription, named: Mapping[str, int], *, as_json: bool
) -> int:
    """What a repair of a report would mend; the exit code."""
    total = sum(named.values())
    if as_json:
        print_json({"command": "repair", "dryRun": True, "report": str(report), "counts": dict(named)})
        return REMAINS if total else WELL
    console = stdout()
    console.print(f"Would mend {counted(total, 'document')} of {settings.index}")
    differences = read_differences(report, table.arn, settings.index)
    print_findings(console, (one.to_json() for one in differences), total)
    return REMAINS if total else WELL


def _tell_interrupted(result: Result, *, as_json: bool) -> int:
    if as_json:
        print_json(result.to_json())
    return INTERRUPTED


@contextmanager
def _compared(name: str, job: Verify, settings: Settings, run: RunFlags, rcu: float | None) -> Iterator[Result]:
    """Run the comparison, with a memory that its workers share, of what the table's side has shown."""
    with waiting(stderr(), "asking the table and the index"):
        table, documents = describe(settings), count_documents(settings)
    expected = round((table.item_count + documents) * job.percent / 100)
    with vouched_file(documents) as vouched:
        job = replace(job, vouched=vouched)
        task = Task(name, job, expected, ("items", "documents"), read_units_per_second=rcu)
        with carried_out(task, settings, table, run) as result:
            yield result


def _segments(percent: float) -> int:
    """Enough that one of them is no more than what is asked for."""
    return SEGMENTS if percent >= 100 else max(SAMPLE_SEGMENTS, min(ceil(100 / percent), MAXIMUM_SEGMENTS))


def _statements(result: Result) -> list[str]:
    """What the sample says of all items, and of all documents."""
    counts = result.counts
    items = sum(counts.get(kind, 0) for kind in ("missing", "stale", "wrong content"))
    documents = sum(counts.get(kind, 0) for kind in ("ghost", "wrong place"))
    return [
        statement(min(found, counts.get(side, 0)), counts.get(side, 0), side)
        for found, side in ((items, "items"), (documents, "documents"))
    ]


def _note(settings: Settings, result: Result) -> None:
    """In the index, where status finds it. Whoever may only read verifies all the same."""
    client, deadline = Client(settings, connections=1), Deadline.after(30)
    counts = result.counts
    entry = {
        "at": now(),
        "table": result.table_arn,
        "items": counts.get("items", 0),
        "documents": counts.get("documents", 0),
        "differences": sum(counts.get(kind, 0) for kind in DIFFERENCES),
    }
    try:
        home, _ = Catalogue(client, settings.index, settings.request_timeout_seconds).resolve(deadline)
        note_verified(client, home, entry, deadline)
    except SyncError as error:
        warn(f"the result couldn't be noted in the index, so status won't show it: {error}")


def _refused(result: Result) -> Iterator[Mapping[str, Any]]:
    return (one for one in result.journal.findings() if one.get("kind") == "refused")
