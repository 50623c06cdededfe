"""``verify`` and ``repair``: what differs, and its mending."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import file_digest
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any

from dynamodb_opensearch.cli.configuration import configure
from dynamodb_opensearch.cli.flags import RunFlags, TargetFlags
from dynamodb_opensearch.cli.journal import now
from dynamodb_opensearch.cli.output import INTERRUPTED, REMAINS, WELL, counted, print_json, stdout, tell, warn
from dynamodb_opensearch.cli.reports import Report, check_report_path, write_report
from dynamodb_opensearch.cli.running import Result, Task, carried_out
from dynamodb_opensearch.cli.summary import (
    DIFFERENCES,
    IN_JSON,
    UNDECIDED,
    UNMENDED,
    print_counts,
    print_findings,
    print_notices,
    total_of,
    with_findings,
)
from dynamodb_opensearch.cli.survey import Survey, survey
from dynamodb_opensearch.client import Client
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.errors import ConfigurationError, SyncError
from dynamodb_opensearch.jobs.comparison import Difference
from dynamodb_opensearch.jobs.repair import Repair
from dynamodb_opensearch.jobs.report import Compared, read_report
from dynamodb_opensearch.jobs.sampling import statement
from dynamodb_opensearch.jobs.scan import MAXIMUM_SEGMENTS
from dynamodb_opensearch.jobs.verified import note_verified
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.jobs.vouched import vouched_file
from dynamodb_opensearch.settings import Settings

SEGMENTS, SAMPLE_SEGMENTS = 64, 1_000
"""Of the table, in whole and for a sample. A constant, so that the same command finds its checkpoint again."""
_DECIDING = (*DIFFERENCES, *UNDECIDED)
_MENDED = ("repaired", *UNMENDED)


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
    others: Sequence[str] = (),
) -> int:
    """Compare; the exit code."""
    for path in reports:
        check_report_path(path)
    settings = configure(target).settings
    job = Verify(segments or _segments(percent), percent, seed, patience, others=tuple(others))
    with _compared("verify", job, settings, run, rcu) as result:
        if not result.done:
            return _tell_interrupted(result, as_json=run.as_json)
        statements = _statements(result) if percent < 100 else []
        report = Report(
            _subject(result.survey),
            result.journal.started_at,
            now(),
            percent,
            result.counts,
            statements,
            result.journal.notices,
            result.journal.findings,
        )
        unwritten = [problem for path in reports if (problem := _unwritten(path, report))]
        if percent >= 100:
            _note(result)
        code = _tell_verified(result, target, reports, statements, as_json=run.as_json)
        if unwritten:  # only now: hours of comparing have their result
            raise ConfigurationError("; ".join(unwritten))
        return code


def repair(
    target: TargetFlags,
    run: RunFlags,
    *,
    report: Path | None,
    dry_run: bool,
    segments: int | None,
    patience: float,
    rcu: float | None,
    others: Sequence[str] = (),
) -> int:
    """Mend; the exit code."""
    settings = configure(target).settings
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
    read = read_report(report, _subject(found))
    named = _count_kinds(read.differences())
    total = sum(named.values())
    if dry_run:
        return _tell_named(report, settings, named, read.differences(), as_json=run.as_json)
    _announce({index: number for index, number in _count_indices(read.differences()).items() if index in others})
    with report.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()[:16]
    identity = {"report": str(report.resolve()), "sha256": digest, "others": list(others)}
    job = Repair(report, tuple(others), patience)
    task = Task("repair", job, total, (*_MENDED, "equal by now"), parallel=False, identity=identity, is_comparison=True)
    with carried_out(task, found, run) as result:
        return _tell_repaired(result, target, ("equal by now", *_MENDED), as_json=run.as_json)


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
    job = Verify(segments or SEGMENTS, patience_seconds=patience, repair=not dry_run, others=tuple(others))
    with _compared(name, job, settings, run, rcu) as result:
        differing = total_of(result.counts, _DECIDING)
        if result.done and not differing:
            _note(result)
        if result.done and (dry_run or not differing):
            return _tell_verified(result, target, (), (), as_json=run.as_json)
        return _tell_repaired(result, target, (*_shown(result.counts), *_MENDED), as_json=run.as_json)


def _tell_repaired(result: Result, target: TargetFlags, shown: Sequence[str], *, as_json: bool) -> int:
    """Print what a mending did; the exit code."""
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
    differences, undecided = total_of(result.counts, DIFFERENCES), total_of(result.counts, UNDECIDED)
    code = REMAINS if differences or undecided else WELL
    if as_json:
        more = {"differences": differences, "undecided": undecided, "statements": list(statements)}
        more |= {"notices": dict(result.journal.notices), "notes": result.survey.notices(_others(result))}
        more |= {"reports": [str(path) for path in reports]}
        print_json({**with_findings(result, differences + result.counts.get("changing", 0)), **more})
        return code
    console = stdout()
    settings, counts = result.settings, result.counts
    sides = f"{counted(counts.get('items', 0), 'item')} and {counted(counts.get('documents', 0), 'document')}"
    print_counts(console, result, f"Compared {sides} of {settings.table_name} and {settings.index}", _shown(counts))
    if code == WELL and not statements:
        console.print("The index equals the table.", style="green")
    print_findings(console, result.journal.findings(), differences + counts.get("changing", 0))
    for one in statements:
        console.print(f"{one}.", soft_wrap=True)
    for path in reports:
        console.print(f"report: {path}", soft_wrap=True)
    print_notices(result.journal.notices)
    if differences:
        lines = next((path for path in reports if path.suffix == ".jsonl"), None)
        tell(f"\nNext: {target.command_line('repair', *(('--report', lines) if lines else ()))}")
    elif undecided:
        tell("\nNext: verify again, when less is written")
    return code


def _others(result: Result) -> Sequence[str]:
    job = result.task.job
    return job.others if isinstance(job, Verify) else ()


def _shown(counts: Mapping[str, int]) -> Sequence[str]:
    return (*DIFFERENCES, *(name for name in UNDECIDED if counts.get(name)))


def _tell_named(
    report: Path, settings: Settings, named: Mapping[str, int], differences: Iterator[Difference], *, as_json: bool
) -> int:
    """What a repair of a report would mend; the exit code."""
    total = sum(named.values())
    if as_json:
        print_json({"command": "repair", "dryRun": True, "report": str(report), "counts": dict(named)})
        return REMAINS if total else WELL
    console = stdout()
    console.print(f"Would look at {counted(total, 'document')} of {settings.index}, and mend what still differs")
    print_findings(console, (one.to_json() for one in differences), total)
    return REMAINS if total else WELL


def _tell_interrupted(result: Result, *, as_json: bool) -> int:
    if as_json:
        print_json(result.to_json())
    return INTERRUPTED


@contextmanager
def _compared(name: str, job: Verify, settings: Settings, run: RunFlags, rcu: float | None) -> Iterator[Result]:
    """Run the comparison, with a memory that its workers share, of what the table's side has shown."""
    found = survey(settings)
    if job.repair:
        _announce({index: found.elsewhere.get(index) or 0 for index in job.others})
    for notice in found.notices(job.others):
        tell(f"note: {notice}")
    documents = found.documents + sum(found.elsewhere.get(index) or 0 for index in job.others)
    expected = round((found.table.item_count + documents) * job.percent / 100)
    with vouched_file(documents) as vouched:
        job = replace(job, vouched=vouched)
        task = Task(name, job, expected, ("items", "documents"), read_units_per_second=rcu, is_comparison=True)
        with carried_out(task, found, run) as result:
            yield result


def _announce(others: Mapping[str, int]) -> None:
    """Before anything is removed from indices that the sync doesn't write to: which, and how many."""
    for index, number in others.items():
        tell(f"repair removes up to {counted(number, 'document')} of {index}: this sync doesn't write there")


def _count_indices(differences: Iterator[Difference]) -> Mapping[str, int]:
    return Counter(one.place.index for one in differences)


def _subject(found: Survey) -> Compared:
    return Compared(found.table.arn, found.table.table_id, found.settings.index, found.layout.uuid)


def _segments(percent: float) -> int:
    """Enough that one of them is no more than what is asked for."""
    return SEGMENTS if percent >= 100 else max(SAMPLE_SEGMENTS, min(ceil(100 / percent), MAXIMUM_SEGMENTS))


def _statements(result: Result) -> list[str]:
    """What the sample says of all items, and of all documents."""
    counts = result.counts
    items = total_of(counts, ("missing", "stale", "wrong content"))
    documents = total_of(counts, ("ghost", "wrong place"))
    return [
        statement(min(found, counts.get(side, 0)), counts.get(side, 0), side)
        for found, side in ((items, "items"), (documents, "documents"))
    ]


def _unwritten(path: Path, report: Report) -> str | None:
    """Write a report; why it couldn't be."""
    try:
        write_report(path, report)
    except ConfigurationError as error:
        return str(error)
    return None


def _note(result: Result) -> None:
    """In the index, where status finds it. Whoever may only read verifies all the same."""
    settings, counts = result.settings, result.counts
    entry = {
        "at": now(),
        "startedAt": result.journal.started_at,
        "table": result.survey.table.arn,
        "items": counts.get("items", 0),
        "documents": counts.get("documents", 0),
        "differences": total_of(counts, DIFFERENCES),
        "undecided": total_of(counts, UNDECIDED),
    }
    try:
        note_verified(Client(settings, connections=1), result.survey.layout.index, entry, Deadline.after(30))
    except SyncError as error:
        warn(f"the result couldn't be noted in the index, so status won't show it: {error}")


def _unmended(result: Result) -> Iterator[Mapping[str, Any]]:
    return (one for one in result.journal.findings() if one.get("kind") in {*UNMENDED, "changing"})
