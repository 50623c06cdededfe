"""``verify``: compares the whole table with all indices, or a sample of both."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Annotated

import typer

from dynamodb_opensearch.cli.command import ComparisonFlags, command
from dynamodb_opensearch.cli.output import INTERRUPTED, print_json
from dynamodb_opensearch.cli.run.checkpoint import now
from dynamodb_opensearch.cli.run.comparison import SEGMENTS, compared, note_result, subject
from dynamodb_opensearch.cli.run.counts import held_of, total_of
from dynamodb_opensearch.cli.run.task import Result
from dynamodb_opensearch.cli.show.report import Report, check_report_path, check_report_paths, write_report
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
            help="Write all differences to a file: .jsonl for repair, .json for programs, .html for people. With "
            "several indices, each gets its own: diff-orders.jsonl for diff.jsonl.",
        ),
    ] = None,
) -> int:
    """Compare every item with its document, and every document with its item, and name each difference.

    A difference is checked again some seconds later, and counts only if its document hasn't changed in between. Exit
    code 0: every index equals the table. Exit code 1: one doesn't, or some documents couldn't be judged because they
    kept changing, or because a transform failed. A full run notes its result in each index, where status finds it.
    Other indices behind an alias are compared only if you name them.
    """
    for path in report or ():
        check_report_path(path)
    configuration = configure(target)
    reports = check_report_paths(report or (), configuration.settings.indices)
    segments = comparison.segments or _segments(sample)
    job = Verify(segments, sample, seed, comparison.patience, others=comparison.others)
    with compared("verify", job, configuration, run, comparison.rcu) as result:
        if not result.done:
            return _print_interrupted(result, as_json=run.as_json)
        statements = {index: _statements(result, index) if sample < 100 else [] for index in result.indices}
        written = {index: _report(result, index, sample, statements[index]) for index in result.indices}
        unwritten = [
            problem
            for index, paths in reports.items()
            for path in paths
            if (problem := _unwritten(path, written[index]))
        ]
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


def _report(result: Result, index: str, percent: float, statements: Sequence[str]) -> Report:
    return Report(
        subject(result.survey, index),
        result.checkpoint.started_at,
        now(),
        percent,
        result.counts_of(index),
        statements,
        result.notices_of(index),
        lambda: result.findings_of(index),
    )


def _statements(result: Result, index: str) -> list[str]:
    """What the sample says about all items that the index holds, and about all its documents.

    An item of which no document could be made says nothing about the others, so it isn't counted.
    """
    counts = result.counts_of(index)
    sides = (
        (("missing", "stale", "wrong content"), held_of(counts) - counts.get("untransformed", 0), "items"),
        (("ghost", "wrong place"), counts.get("documents", 0), "documents"),
    )
    which = "" if len(result.indices) == 1 else f"{index}: "
    return [which + statement(min(total_of(counts, kinds), sampled), sampled, side) for kinds, sampled, side in sides]


def _unwritten(path: Path, report: Report) -> str | None:
    """Write a report. Return the problem if it can't be written."""
    try:
        write_report(path, report)
    except ConfigurationError as error:
        return str(error)
    return None
