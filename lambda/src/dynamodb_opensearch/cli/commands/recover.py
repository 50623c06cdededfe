"""``recover``: brings back lost changes, from exports of what has changed since, or by a full comparison."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from dynamodb_opensearch.cli.command import ComparisonFlags, Patience, Rcu, command
from dynamodb_opensearch.cli.commands.repair import mend_all
from dynamodb_opensearch.cli.output import INTERRUPTED, print_json, tell
from dynamodb_opensearch.cli.run.exports import Asked, Exports, text_of
from dynamodb_opensearch.cli.run.survey import survey
from dynamodb_opensearch.cli.run.task import Task, alone, carried_out, checkpoint_path, how_to_resume
from dynamodb_opensearch.cli.show.filled import print_filled
from dynamodb_opensearch.cli.target.configuration import configure
from dynamodb_opensearch.cli.target.flags import RunFlags, TargetFlags
from dynamodb_opensearch.core.errors import ConfigurationError, SyncError
from dynamodb_opensearch.dynamodb.point_in_time import exportable_since
from dynamodb_opensearch.jobs.load import Load
from dynamodb_opensearch.jobs.sync import Sync, open_sync


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
        str, typer.Option(metavar="TIME", help="When the loss began: 2026-11-24T09:00Z, or 90m, 36h or 3d ago.")
    ],
    bucket: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Let DynamoDB export what has changed since to this bucket. Needs point-in-time recovery.",
        ),
    ] = None,
    prefix: Annotated[str, typer.Option(metavar="TEXT", help="Prefix of the export's files.")] = "dynamodb-opensearch",
    patience: Patience = 10,
    rcu: Rcu = None,
) -> int:
    """Bring back changes lost in an outage longer than the stream's 24 hours, or in a bad deployment.

    With a bucket, from exports of what has changed since. Without one, by comparing everything, as repair does. Get the
    live sync running again first.
    """
    moment = parse_moment(since, datetime.now(UTC))
    configuration = configure(target)
    settings = configuration.settings
    if bucket is None:
        sync = open_sync(settings)
        if _is_exportable(sync, moment):
            tell(
                f"comparing everything. The table has point-in-time recovery: with --bucket NAME, exports of what "
                f"changed since {text_of(moment)} are enough, and use none of the table's capacity"
            )
        return mend_all(target, run, ComparisonFlags(patience=patience, rcu=rcu), configuration, "recover")
    found, sync = survey(configuration), open_sync(settings)
    # Not the checkpoint of a full comparison: neither may go on from the other's.
    path = run.checkpoint or checkpoint_path("recover --bucket", settings, found.table.arn)
    asked = Asked(found.table.arn, found.table.table_id, moment, bucket, prefix)
    with alone(path):
        exports = Exports(path, asked, sync, restart=run.restart)
        urls = exports.complete()
        if urls is None:
            if run.as_json:
                print_json({"command": "recover", "done": False, "checkpoint": str(exports.path)})
            tell(f"interrupted; the exports go on. {how_to_resume(path)}")
            return INTERRUPTED
        flags = replace(run, checkpoint=path, restart=run.restart or exports.are_new)
        with carried_out(Task("recover", Load(tuple(urls)), None), found, flags, is_alone=True) as result:
            if result.done:
                exports.forget()
            return print_filled(result, target, as_json=run.as_json)


def parse_moment(text: str, now: datetime) -> datetime:
    """Read a time such as ``2026-11-24T09:00Z``, or an age such as ``90m``, ``36h``, ``3d``. Without an offset: UTC.

    Raises:
        ConfigurationError: it is neither, or it is in the future.
    """
    try:
        if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
            moment = now - int(ago[1]) * _LENGTHS[ago[2]]
        else:
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ConfigurationError(
            f"--since {text}: that is outside the years 1 to 9999; give a time such as 36h"
        ) from None
    except ValueError:
        raise ConfigurationError(
            f"--since {text}: give a time such as 2026-11-24T09:00Z, or an age such as 90m, 36h, 3d"
        ) from None
    if moment > now:
        raise ConfigurationError(f"--since {text}: it is in the future; now it is {text_of(now)}")
    return moment


_LENGTHS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def _is_exportable(sync: Sync, since: datetime) -> bool:
    try:
        covered = exportable_since(sync.dynamodb, sync.settings.table_name)
    except SyncError:
        return False
    return covered is not None and covered[0] <= since
