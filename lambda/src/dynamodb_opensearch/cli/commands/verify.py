"""``verify``: compares the whole table with the whole index, or a sample of both."""

from math import ceil
from pathlib import Path
from typing import Annotated

import typer

from dynamodb_opensearch.cli.command import ComparisonFlags, command
from dynamodb_opensearch.cli.output import INTERRUPTED, print_json
from dynamodb_opensearch.cli.run.checkpoint import now
from dynamodb_opensearch.cli.run.comparison import SEGMENTS, compared, note_result, subject
from dynamodb_opensearch.cli.run.counts import total_of
from dynamodb_opensearch.cli.run.task import Result
from dynamodb_opensearch.cli.show.report import Report, check_report_path, write_report
from dynamodb_opensearch.cli.show.sampling import statement
from dynamodb_opensearch.cli.show.verdict import print_verified
from dynamodb_opensearch.cli.target.configuration import configure
from dynamodb_opensearch.cli.target.flags import RunFlags, TargetFlags
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.dynamodb.scan import MAXIMUM_SEGMENTS
from dynamodb_opensearch.jobs.verify import Verify

SAMPLE_SEGMENTS = 1_000
"""Segments of the table when a sample is read."""


@command(
    "verify",
    "dynamodb-opensearch verify --function products-opensearch-sync --report diff.jsonl --report diff.html",
    "dynamodb-opensearch verify --terraform . --sample 1",
)
def verify(
    target: TargetFlags,
    run: RunFlags,
    comparison: ComparisonFlags,
    *,
    sample: Annotated[
        float,
        typer.Option(min=0.0001, max=100, metavar="PERCENT", help="Compare only this percentage of both sides."),
    ] = 100,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed draws another sample.")] = 0,
    report: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Write all differences to a file: .jsonl for repair, .json for programs, .html for people.",
        ),
    ] = None,
) -> int:
    """Compare every item with its document, and every document with its item, and name each difference.

    A difference is checked again some seconds later, and counts only if its document hasn't changed in between. Exit
    code 0: the index equals the table. Exit code 1: it doesn't, or some documents couldn't be judged because they kept
    changing. A full run notes its result in the index, where status finds it. Other indices behind an alias are
    compared only if you name them.
    """
    reports = report or ()
    for path in reports:
        check_report_path(path)
    settings = configure(target).settings
    segments = comparison.segments or _segments(sample)
    job = Verify(segments, sample, seed, comparison.patience, others=comparison.others)
    with compared("verify", job, settings, run, comparison.rcu) as result:
        if not result.done:
            return _print_interrupted(result, as_json=run.as_json)
        statements = _statements(result) if sample < 100 else []
        written = Report(
            subject(result.survey),
            result.checkpoint.started_at,
            now(),
            sample,
            result.counts,
            statements,
            result.checkpoint.notices,
            result.checkpoint.findings,
        )
        unwritten = [problem for path in reports if (problem := _unwritten(path, written))]
        if sample >= 100:
            note_result(result)
        code = print_verified(result, target, reports, statements, as_json=run.as_json)
        if unwritten:  # raised only now, so that hours of comparing have their result
            raise ConfigurationError("; ".join(unwritten))
        return code


def _print_interrupted(result: Result, *, as_json: bool) -> int:
    if as_json:
        print_json(result.to_json())
    return INTERRUPTED


def _segments(percent: float) -> int:
    """Enough segments that one of them is no larger than the sample."""
    return SEGMENTS if percent >= 100 else max(SAMPLE_SEGMENTS, min(ceil(100 / percent), MAXIMUM_SEGMENTS))


def _statements(result: Result) -> list[str]:
    """What the sample says about all items, and about all documents."""
    counts = result.counts
    items = total_of(counts, ("missing", "stale", "wrong content"))
    documents = total_of(counts, ("ghost", "wrong place"))
    return [
        statement(min(found, counts.get(side, 0)), counts.get(side, 0), side)
        for found, side in ((items, "items"), (documents, "documents"))
    ]


def _unwritten(path: Path, report: Report) -> str | None:
    """Write a report. Return the problem if it can't be written."""
    try:
        write_report(path, report)
    except ConfigurationError as error:
        return str(error)
    return None
