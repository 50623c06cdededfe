"""The commands: their options, their help, and nothing else. Those of ``index`` stand in a module of their own."""

from pathlib import Path
from typing import Annotated

import typer

from dynamodb_opensearch.cli import filling, index_commands, recovering, redriving, screen, verifying
from dynamodb_opensearch.cli.application import Json, OtherIndex, Patience, Rcu, Segments, app, command
from dynamodb_opensearch.cli.flags import RunFlags, TargetFlags
from dynamodb_opensearch.jobs.scan import MAXIMUM_SEGMENTS

__all__ = ["app", "index_commands"]


@command(
    "backfill",
    "dynamodb-opensearch backfill --function products-opensearch-sync",
    "dynamodb-opensearch backfill --terraform . --rcu 500",
    "dynamodb-opensearch backfill --terraform . --export s3://my-exports/AWSDynamoDB/01700000000000-a1b2c3d4",
)
def backfill(
    target: TargetFlags,
    run: RunFlags,
    *,
    rcu: Rcu = None,
    segments: Annotated[
        int, typer.Option(min=1, max=MAXIMUM_SEGMENTS, metavar="N", help="Parts that the table is read in.")
    ] = verifying.SEGMENTS,
    export: Annotated[
        str | None,
        typer.Option(
            metavar="ARN",
            help="Read this export in S3, by its ARN or its folder's s3:// URL, instead of the table.",
        ),
    ] = None,
    no_recheck: Annotated[
        bool,
        typer.Option(
            "--no-recheck",
            metavar="",
            help="Don't look up once more what was written, for items deleted meanwhile: fewer reads; verify tells.",
        ),
    ] = False,
) -> int:
    """Write every item of the table into the index.

    What the live sync writes meanwhile stays: it is newer. It reads the whole table once, consistently, which takes a
    capacity unit for each 4 KB. The index must be there.
    """
    return filling.backfill(target, run, segments=segments, rcu=rcu, export=export, recheck=not no_recheck)


@command(
    "verify",
    "dynamodb-opensearch verify --function products-opensearch-sync --report diff.jsonl --report diff.html",
    "dynamodb-opensearch verify --terraform . --sample 1",
)
def verify(
    target: TargetFlags,
    run: RunFlags,
    *,
    sample: Annotated[
        float,
        typer.Option(min=0.0001, max=100, metavar="PERCENT", help="Compare only so much of both sides."),
    ] = 100,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed is another sample.")] = 0,
    report: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Write all differences into a file: .jsonl for repair, .json for programs, .html for people.",
        ),
    ] = None,
    segments: Segments = None,
    patience: Patience = 10,
    rcu: Rcu = None,
    other_index: OtherIndex = None,
) -> int:
    """Compare every item with its document, and every document with its item, and name each difference.

    What differs is looked at again some seconds later, and counts only if its document hasn't moved. Exit code 0: the
    index equals the table. 1: it doesn't, or a document changed at every look and nobody can say. The result of a full
    run is noted in the index, where status finds it. Other indices behind an alias are left out, unless they are named.
    """
    return verifying.verify(
        target,
        run,
        reports=report or (),
        percent=sample,
        seed=seed,
        segments=segments,
        patience=patience,
        rcu=rcu,
        others=other_index or (),
    )


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
    return verifying.repair(
        target,
        run,
        report=report,
        dry_run=dry_run,
        segments=segments,
        patience=patience,
        rcu=rcu,
        others=other_index or (),
    )


@command(
    "redrive",
    "dynamodb-opensearch redrive --function products-opensearch-sync",
    "dynamodb-opensearch redrive arn:aws:sqs:eu-west-1:123456789012:letters --terraform .",
)
def redrive(
    target: TargetFlags,
    run: RunFlags,
    *,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="ARN of the queue or bucket of failures, or the queue's URL; by default the function's own.",
        ),
    ] = None,
    drop_expired: Annotated[
        bool,
        typer.Option(
            "--drop-expired",
            metavar="",
            help="Delete failures whose records the stream has no more: after recover, or repair.",
        ),
    ] = False,
    drop_keyless: Annotated[
        bool,
        typer.Option(
            "--drop-keyless",
            metavar="",
            help="Delete failures that tell no key of the table: after verify.",
        ),
    ] = False,
) -> int:
    """Settle what failed: dead letters, and AWS's own records of failed batches.

    What is done is deleted. What still fails is kept, with its new reason.
    """
    return redriving.redrive(target, run, source, drop_expired=drop_expired, drop_keyless=drop_keyless)


@command(
    "recover",
    "dynamodb-opensearch recover --function products-opensearch-sync --since 36h",
    "dynamodb-opensearch recover --terraform . --since 2026-11-24T09:00Z --bucket my-exports",
)
def recover(
    target: TargetFlags,
    run: RunFlags,
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="When changes began to be lost: 2026-11-24T09:00Z, or 90m, 36h, 3d ago.")
    ],
    bucket: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Have DynamoDB export what has changed since into this bucket. Needs point-in-time recovery.",
        ),
    ] = None,
    prefix: Annotated[str, typer.Option(metavar="TEXT", help="Of the export's files.")] = "dynamodb-opensearch",
    patience: Patience = 10,
    rcu: Rcu = None,
) -> int:
    """Bring back what was lost: an outage longer than the stream's 24 hours, or a bad deployment.

    With a bucket: by exports of what has changed since. Without: by comparing all, as repair does. Let the live sync
    run again first.
    """
    return recovering.recover(target, run, since=since, bucket=bucket, prefix=prefix, patience=patience, rcu=rcu)


@command(
    "status",
    "dynamodb-opensearch status --function products-opensearch-sync --watch",
    "dynamodb-opensearch status --terraform . --json | jq .letters.waiting",
)
def status(
    target: TargetFlags,
    *,
    watch: Annotated[bool, typer.Option("--watch", metavar="", help="Show it anew every two seconds.")] = False,
    as_json: Json = False,
) -> int:
    """Show how the sync is doing, on one screen.

    Exit code 1: the mapping doesn't run or its last batch failed, dead letters wait, the last verification found
    differences, or something is broken: OpenSearch doesn't answer or refuses, or the function, the table or the failure
    destination isn't there. What you may not ask for is shown, and changes no exit code. 2: nothing can be asked.
    """
    return screen.status(target, watch=watch, as_json=as_json)
