"""``backfill``: from a scan of the table, or from an export."""

from dynamodb_opensearch import wire
from dynamodb_opensearch.cli.configuration import configure
from dynamodb_opensearch.cli.flags import RunFlags, TargetFlags
from dynamodb_opensearch.cli.output import INTERRUPTED, REMAINS, WELL, counted, print_json, stderr, stdout, tell
from dynamodb_opensearch.cli.progress import waiting
from dynamodb_opensearch.cli.running import Result, Task, carried_out, describe
from dynamodb_opensearch.cli.summary import print_counts, print_findings, with_findings
from dynamodb_opensearch.client import Client
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.export import Load, location_of
from dynamodb_opensearch.jobs.stored import Catalogue
from dynamodb_opensearch.settings import Settings

_FILLED = ("written", "superseded", "settled", "gone", "refused")
_PATIENCE_SECONDS = 10.0


def backfill(
    target: TargetFlags, run: RunFlags, *, segments: int, rcu: float | None, export: str | None, recheck: bool
) -> int:
    """Do it; the exit code."""
    settings = configure(target).settings
    with waiting(stderr(), "asking the table and the index"):
        table = describe(settings)
        count_documents(settings)
        job: Backfill | Load = Backfill(segments, recheck)
        if export:
            job = Load((_location(export),), recheck)
    task = Task("backfill", job, table.item_count, read_units_per_second=rcu)
    with carried_out(task, settings, table, run) as result:
        return tell_filled(result, target, as_json=run.as_json)


def tell_filled(result: Result, target: TargetFlags, *, as_json: bool) -> int:
    """Print what a filling did; the exit code."""
    settings, refused = result.settings, result.counts.get("refused", 0)
    if as_json:
        print_json(with_findings(result, refused))
    elif result.done:
        items = counted(result.counts.get("items", 0), "item")
        console = stdout()
        print_counts(console, result, f"Brought {items} of {settings.table_name} into {settings.index}", _FILLED)
        print_findings(console, result.journal.findings(), refused)
    if not result.done:
        return INTERRUPTED
    if refused:
        tell("\nNext: mend the items, or the index's mapping, and run it again.")
        return REMAINS
    if not as_json:
        tell(f"\nNext: {target.command_line('verify')}")
    return WELL


def count_documents(settings: Settings) -> int:
    """How many documents the index has; before anything is begun it shows whether OpenSearch can be used.

    Raises:
        ConfigurationError: it can't.
    """
    catalogue = Catalogue(Client(settings, connections=1), settings.index, settings.request_timeout_seconds)
    try:
        return catalogue.count(Deadline.after(_PATIENCE_SECONDS))
    except OutOfTimeError as error:
        raise ConfigurationError(
            f"OpenSearch can't be reached: {error}; check --endpoint, and that this machine may reach it (VPN, "
            "security groups, the domain's access policy)"
        ) from None


def _location(export: str) -> str:
    return location_of(wire.connect(connections=1), export) if export.startswith("arn:") else export
