"""``backfill``: fills the indices from a scan of the table, or from an export."""

from typing import Annotated

import typer

from dynamodb_opensearch.cli.command import Rcu, command
from dynamodb_opensearch.cli.run.comparison import SEGMENTS
from dynamodb_opensearch.cli.run.survey import survey
from dynamodb_opensearch.cli.run.task import Task, carried_out
from dynamodb_opensearch.cli.show.filled import print_filled
from dynamodb_opensearch.cli.target.configuration import configure
from dynamodb_opensearch.cli.target.flags import RunFlags, TargetFlags
from dynamodb_opensearch.dynamodb import wire
from dynamodb_opensearch.dynamodb.export import location_of
from dynamodb_opensearch.dynamodb.scan import MAXIMUM_SEGMENTS
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.load import Load


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
        int, typer.Option(min=1, max=MAXIMUM_SEGMENTS, metavar="N", help="Number of parts in which the table is read.")
    ] = SEGMENTS,
    export: Annotated[
        str | None,
        typer.Option(
            metavar="ARN",
            help="Read this export in S3 instead of the table: its ARN, or the s3:// URL of its folder.",
        ),
    ] = None,
    no_recheck: Annotated[
        bool,
        typer.Option(
            "--no-recheck",
            metavar="",
            help="Don't check again whether written items were deleted meanwhile: fewer reads; run verify afterwards.",
        ),
    ] = False,
) -> int:
    """Write every item of the table into each index that holds it.

    What the live sync writes meanwhile is newer, and stays. The command reads the whole table once for all indices,
    consistently, which takes one capacity unit for each 4 KB. The indices must exist.
    """
    found = survey(configure(target))
    job: Backfill | Load = Backfill(segments, not no_recheck)
    if export:
        job = Load((_location(export),), not no_recheck)
    task = Task("backfill", job, found.table.item_count, read_units_per_second=rcu)
    with carried_out(task, found, run) as result:
        return print_filled(result, target, as_json=run.as_json)


def _location(export: str) -> str:
    return location_of(wire.connect(connections=1), export) if export.startswith("arn:") else export
