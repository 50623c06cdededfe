"""Prints what a command that filled the indices did, for people or as JSON."""

from dynamodb_opensearch.cli.output import INTERRUPTED, REMAINS, WELL, counted, print_json, tell
from dynamodb_opensearch.cli.run.counts import held_of, total_of
from dynamodb_opensearch.cli.run.task import Result
from dynamodb_opensearch.cli.show.summary import by_index, console_for, print_counts, print_findings, with_findings
from dynamodb_opensearch.cli.target.flags import TargetFlags

_FILLED = ("written", "superseded", "settled", "gone", "refused")


def print_filled(result: Result, target: TargetFlags, *, as_json: bool) -> int:
    """Print what was filled, and return the exit code."""
    refused = result.counts.get("refused", 0)
    if as_json:
        print_json({**with_findings(result, refused), **by_index(result)})
    elif result.done:
        for index in result.indices:
            _print_index(result, index)
    if not result.done:
        return INTERRUPTED
    if refused:
        tell("\nNext: correct the items or the index mapping, and run it again.")
        return REMAINS
    if not as_json:
        tell(f"\nNext: {target.command_line('verify')}")
    return WELL


def _print_index(result: Result, index: str) -> None:
    counts, console = result.counts_of(index), console_for(result, index)
    held = held_of(counts) if len(result.indices) == 1 else total_of(counts, _FILLED)
    sentence = f"Brought {counted(held, 'item')} of {result.settings.table_name} into {index}"
    print_counts(console, result, sentence, (*_FILLED, *(["outside"] if counts.get("outside") else [])), counts)
    print_findings(console, result.findings_of(index), counts.get("refused", 0))
