"""Prints what a command that filled the index did, for people or as JSON."""

from dynamodb_opensearch.cli.output import INTERRUPTED, REMAINS, WELL, counted, print_json, stdout, tell
from dynamodb_opensearch.cli.run.task import Result
from dynamodb_opensearch.cli.show.summary import print_counts, print_findings, with_findings
from dynamodb_opensearch.cli.target.flags import TargetFlags

_FILLED = ("written", "superseded", "settled", "gone", "refused")


def print_filled(result: Result, target: TargetFlags, *, as_json: bool) -> int:
    """Print what was filled, and return the exit code."""
    settings, refused = result.settings, result.counts.get("refused", 0)
    if as_json:
        print_json(with_findings(result, refused))
    elif result.done:
        items = counted(result.counts.get("items", 0), "item")
        console = stdout()
        print_counts(console, result, f"Brought {items} of {settings.table_name} into {settings.index}", _FILLED)
        print_findings(console, result.checkpoint.findings(), refused)
    if not result.done:
        return INTERRUPTED
    if refused:
        tell("\nNext: correct the items or the index mapping, and run it again.")
        return REMAINS
    if not as_json:
        tell(f"\nNext: {target.command_line('verify')}")
    return WELL
