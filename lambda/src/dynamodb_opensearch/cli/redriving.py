"""``redrive``: failures settled where they were put."""

from urllib.parse import urlsplit

from dynamodb_opensearch.cli.configuration import configure
from dynamodb_opensearch.cli.flags import RunFlags, TargetFlags
from dynamodb_opensearch.cli.output import INTERRUPTED, REMAINS, WELL, counted, print_json, stdout, tell
from dynamodb_opensearch.cli.running import Task, carried_out
from dynamodb_opensearch.cli.summary import print_counts, print_findings, with_findings
from dynamodb_opensearch.cli.survey import survey
from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.jobs.redrive import Redrive
from dynamodb_opensearch.settings import Settings


def redrive(target: TargetFlags, run: RunFlags, source: str | None, *, drop_expired: bool, drop_keyless: bool) -> int:
    """Do it; the exit code."""
    settings = configure(target).settings
    job = Redrive(source_arn(source, settings), drop_expired, drop_keyless)
    found = survey(settings)
    task = Task("redrive", job, None, ("failures",), parallel=job.source.split(":")[2:3] == ["s3"])
    with carried_out(task, found, run) as result:
        kept = result.counts.get("kept", 0)
        if run.as_json:
            print_json(with_findings(result, kept))
        elif result.done:
            console = stdout()
            failures = counted(result.counts.get("failures", 0), "failure")
            print_counts(console, result, f"Took {failures} of {job.source}", ("redriven", "kept"))
            print_findings(console, result.journal.findings(), kept)
        if not result.done:
            return INTERRUPTED
        if kept:
            tell("\nNext: do what the reasons say, and redrive again. What is kept is where it was.")
        return REMAINS if kept else WELL


def source_arn(source: str | None, settings: Settings) -> str:
    """The ARN of the failures' queue or bucket, also from a queue's URL.

    Raises:
        ConfigurationError: nothing is named.
    """
    source = source or settings.dead_letter_arn
    if source is None:
        raise ConfigurationError(
            "no SOURCE of failures: give the ARN of the queue or bucket, or --function NAME, which knows its own"
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
