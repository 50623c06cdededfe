"""``redrive``: settles the keys of failures, at the queue or bucket that holds them."""

from typing import Annotated
from urllib.parse import urlsplit

import typer

from dynamodb_opensearch.cli.command import command
from dynamodb_opensearch.cli.output import INTERRUPTED, REMAINS, WELL, counted, print_json, stdout, tell
from dynamodb_opensearch.cli.run.survey import survey
from dynamodb_opensearch.cli.run.task import Task, carried_out
from dynamodb_opensearch.cli.show.summary import print_counts, print_findings, with_findings
from dynamodb_opensearch.cli.target.configuration import configure
from dynamodb_opensearch.cli.target.flags import RunFlags, TargetFlags
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.redrive import Redrive
from dynamodb_opensearch.settings import Settings


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
            help="ARN of the queue or bucket that holds the failures, or the queue's URL; by default the function's.",
        ),
    ] = None,
    drop_expired: Annotated[
        bool,
        typer.Option(
            "--drop-expired",
            metavar="",
            help="Delete failures whose records are no longer in the stream: only after recover or repair.",
        ),
    ] = False,
    drop_keyless: Annotated[
        bool,
        typer.Option(
            "--drop-keyless",
            metavar="",
            help="Delete failures that name no key of the table: only after verify.",
        ),
    ] = False,
) -> int:
    """Settle the keys of failures: dead letters, and AWS's failure records.

    A failure that is settled is deleted. One that still fails is kept, with its new reason. With --index, failures
    about other indices are kept, and so are those that concern all indices of the sync.
    """
    configuration = configure(target)
    job = Redrive(source_arn(source, configuration.settings), drop_expired, drop_keyless)
    found = survey(configuration)
    task = Task("redrive", job, None, ("failures",), parallel=job.source.split(":")[2:3] == ["s3"])
    with carried_out(task, found, run) as result:
        kept = result.counts.get("kept", 0)
        if run.as_json:
            print_json(with_findings(result, kept))
        elif result.done:
            console = stdout()
            failures = counted(result.counts.get("failures", 0), "failure")
            print_counts(console, result, f"Took {failures} of {job.source}", ("redriven", "kept"))
            print_findings(console, result.checkpoint.findings(), kept, with_index=len(result.indices) > 1)
        if not result.done:
            return INTERRUPTED
        if kept:
            tell("\nNext: do what the reasons say, and redrive again. Failures that were kept are where they were.")
        return REMAINS if kept else WELL


def source_arn(source: str | None, settings: Settings) -> str:
    """Return the ARN of the failures' queue or bucket; a queue's URL is converted.

    Raises:
        ConfigurationError: no source is given, or it is neither an ARN nor a queue's URL.
    """
    source = source or settings.dead_letter_arn
    if source is None:
        raise ConfigurationError(
            "no SOURCE of failures: give the ARN of the queue or bucket, or --function NAME, whose settings name it"
        )
    if not source.startswith(("https://", "http://")):
        return source
    parts = urlsplit(source)
    path = parts.path.strip("/").split("/")
    if len(path) != 2:
        raise ConfigurationError(f"SOURCE is {source!r}: it must be an ARN, or a queue's URL")
    host = (parts.hostname or "").split(".")
    region = host[1] if len(host) > 3 and host[0] == "sqs" else settings.region
    partition = "aws-cn" if host[-1] == "cn" else "aws"
    return f"arn:{partition}:sqs:{region}:{path[0]}:{path[1]}"
