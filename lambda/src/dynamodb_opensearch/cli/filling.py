"""``backfill``: from a scan of the table, or from an export."""

from dynamodb_opensearch import wire
from dynamodb_opensearch.cli.configuration import configure
from dynamodb_opensearch.cli.flags import RunFlags, TargetFlags
from dynamodb_opensearch.cli.output import INTERRUPTED, REMAINS, WELL, counted, print_json, stdout, tell
from dynamodb_opensearch.cli.running import Result, Task, carried_out
from dynamodb_opensearch.cli.summary import print_counts, print_findings, with_findings
from dynamodb_opensearch.cli.survey import survey
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.export import Load, location_of

_FILLED = ("written", "superseded", "settled", "gone", "refused")


def backfill(
    target: TargetFlags, run: RunFlags, *, segments: int, rcu: float | None, export: str | None, recheck: bool
) -> int:
    """Do it; the exit code."""
    found = survey(configure(target).settings)
    job: Backfill | Load = Backfill(segments, recheck)
    if export:
        job = Load((_location(export),), recheck)
    task = Task("backfill", job, found.table.item_count, read_units_per_second=rcu)
    with carried_out(task, found, run) as result:
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


def _location(export: str) -> str:
    return location_of(wire.connect(connections=1), export) if export.startswith("arn:") else export
