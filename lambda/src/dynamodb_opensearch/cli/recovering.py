"""``recover``: after changes were lost, from exports of what has changed since, or by comparing all."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dynamodb_opensearch.cli.configuration import configure
from dynamodb_opensearch.cli.filling import tell_filled
from dynamodb_opensearch.cli.flags import RunFlags, TargetFlags
from dynamodb_opensearch.cli.interrupts import orderly_stop
from dynamodb_opensearch.cli.output import INTERRUPTED, print_json, stderr, tell
from dynamodb_opensearch.cli.progress import waiting
from dynamodb_opensearch.cli.running import Task, carried_out, checkpoint_path, how_to_resume
from dynamodb_opensearch.cli.survey import survey
from dynamodb_opensearch.cli.verifying import mend_all
from dynamodb_opensearch.errors import ConfigurationError, SyncError
from dynamodb_opensearch.jobs.export import Load, describe_export, location_of
from dynamodb_opensearch.jobs.pair import Pair, open_pair
from dynamodb_opensearch.jobs.recover import exportable_since, start_exports

_POLL_SECONDS = 10.0


def recover(
    target: TargetFlags,
    run: RunFlags,
    *,
    since: str,
    bucket: str | None,
    prefix: str,
    patience: float,
    rcu: float | None,
) -> int:
    """Do it; the exit code."""
    moment = parse_moment(since, datetime.now(UTC))
    settings = configure(target).settings
    if bucket is None:
        pair = open_pair(settings)
        if _is_exportable(pair, moment):
            tell(
                f"comparing all. The table has point-in-time recovery: with --bucket NAME, exports of what changed "
                f"since {_text(moment)} would do, and take none of the table's capacity"
            )
        return mend_all(target, run, settings, "recover", patience=patience, rcu=rcu)
    found, pair = survey(settings), open_pair(settings)
    path = run.checkpoint or checkpoint_path("recover", settings, found.table.arn)
    memo = Memo(path.with_name(path.name + ".exports"))
    if run.restart:
        memo.forget()
    urls = _exports(pair, memo, moment, bucket, prefix)
    if urls is None:
        if run.as_json:
            print_json({"command": "recover", "done": False, "checkpoint": str(memo.path)})
        tell(f"interrupted; the exports go on. {how_to_resume(path)}")
        return INTERRUPTED
    with carried_out(Task("recover", Load(tuple(urls)), None), found, run) as result:
        if result.done:
            memo.forget()
        return tell_filled(result, target, as_json=run.as_json)


def parse_moment(text: str, now: datetime) -> datetime:
    """``2026-11-24T09:00Z``, or so long ago: ``90m``, ``36h``, ``3d``. Without an offset: UTC.

    Raises:
        ConfigurationError: it is neither, or lies ahead.
    """
    moment = None
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
        moment = (
            now - int(ago[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[ago[2]]
        )
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ConfigurationError(
                f"--since {text}: give a time such as 2026-11-24T09:00Z, or so long ago: 90m, 36h, 3d"
            ) from None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment > now:
        raise ConfigurationError(f"--since {text}: it lies ahead; now it is {_text(now)}")
    return moment


@dataclass(frozen=True, slots=True)
class Memo:
    """Which exports were asked for, in a file beside the checkpoint: they cost money, and take minutes."""

    path: Path

    def read(self, since: datetime, bucket: str) -> Sequence[str] | None:
        """The ARNs that an earlier run asked for, None if there was none.

        Raises:
            ConfigurationError: they don't reach back so far, or are in another bucket.
        """
        try:
            noted = json.loads(self.path.read_text(encoding="utf-8"))
            began, place, exports = datetime.fromisoformat(noted["since"]), noted["bucket"], list(noted["exports"])
        except OSError:
            return None
        except (KeyError, TypeError, ValueError):
            raise ConfigurationError(f"{self.path} is broken: begin anew with --restart") from None
        if began > since or place != bucket:
            raise ConfigurationError(
                f"an interrupted run recovers since {_text(began)} from the bucket {place}: finish that one, or begin "
                "anew with --restart"
            )
        return exports

    def write(self, since: datetime, bucket: str, exports: Sequence[str]) -> None:
        """Note them."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        noted = {"since": since.isoformat(), "bucket": bucket, "exports": list(exports)}
        self.path.write_text(json.dumps(noted), encoding="utf-8")

    def forget(self) -> None:
        """They are done with."""
        self.path.unlink(missing_ok=True)


def _exports(pair: Pair, memo: Memo, since: datetime, bucket: str, prefix: str) -> Sequence[str] | None:
    """The exports' places once they are complete; None if whoever waits for them is tired of it."""
    arns = memo.read(since, bucket)
    if arns is None:
        arns = start_exports(pair, since, bucket, prefix)
        memo.write(since, bucket, arns)
        tell(f"asked for {len(arns)} incremental export(s) to s3://{bucket}/{prefix}: DynamoDB takes some minutes")
    with orderly_stop(quietly=True) as stop, waiting(stderr(), "waiting for DynamoDB's exports"):
        while any(describe_export(pair.dynamodb, arn)["ExportStatus"] == "IN_PROGRESS" for arn in arns):
            waited = 0.0
            while waited < _POLL_SECONDS:
                if stop.requested:
                    return None
                time.sleep(0.2)
                waited += 0.2
    try:
        return [location_of(pair.dynamodb, arn) for arn in arns]
    except SyncError:
        memo.forget()  # one failed: the next run asks again
        raise


def _is_exportable(pair: Pair, since: datetime) -> bool:
    try:
        covered = exportable_since(pair)
    except SyncError:
        return False
    return covered is not None and covered[0] <= since


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
