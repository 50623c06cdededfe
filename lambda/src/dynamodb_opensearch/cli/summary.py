"""A job's result for people: one sentence, the counts with what they mean, and the first findings."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from rich.console import Console
from rich.text import Text

from dynamodb_opensearch.cli.progress import duration
from dynamodb_opensearch.cli.running import Result

SHOWN, IN_JSON = 20, 1_000
"""Most findings that the screen and ``--json`` show."""

MEANINGS = {
    "written": "as the table held them",
    "superseded": "something newer stands there already",
    "settled": "read again and written as they are now",
    "gone": "deleted from the table meanwhile",
    "refused": "OpenSearch never takes them as they are",
    "missing": "items without a document",
    "ghost": "documents without an item",
    "stale": "documents with an item's older content",
    "wrong content": "documents that something else has written",
    "wrong place": "in an index that isn't written to, or under a routing",
    "changing": "changed at every look: not compared, not counted as different",
    "repaired": "documents, settled or removed",
    "redriven": "settled and deleted",
    "kept": "put back with the reason",
}
DIFFERENCES = ("missing", "ghost", "stale", "wrong content", "wrong place")
"""The counts that verify's exit code depends on."""


def print_counts(console: Console, result: Result, sentence: str, shown: Sequence[str]) -> None:
    """The sentence, and those counts, also the ones that are zero."""
    console.print(Text(f"{sentence} in {duration(result.seconds)}"))
    width = max(len(f"{result.counts.get(name, 0):,}") for name in shown) + 2
    for name in shown:
        number = result.counts.get(name, 0)
        alarming = number > 0 and name in {*DIFFERENCES, "refused", "kept"}
        style = "bold red" if alarming else ""
        console.print(
            Text.assemble(f"{number:>{width},}  ", (f"{name:<13}", style), ("  " + MEANINGS[name], "dim")),
            soft_wrap=True,
        )


def print_findings(console: Console, findings: Iterable[Mapping[str, Any]], total: int) -> None:
    """The first findings, one a line."""
    if total == 0:
        return
    console.print()
    for finding in islice(findings, SHOWN):
        console.print(finding_line(finding), soft_wrap=True)
    if total > SHOWN:
        console.print(Text(f"  … and {total - SHOWN:,} more", style="dim"))


def finding_line(finding: Mapping[str, Any]) -> Text:
    """``  stale          p-0001  (price, stock)``."""
    line = Text.assemble("  ", (f"{finding['kind']:<13}", "red"), "  ", str(finding.get("id") or "-"))
    details = [*finding.get("fields", ())]
    if routing := finding.get("routing"):
        details.append(f"routing {routing}")
    if finding["kind"] == "wrong place":
        details.append(f"in {finding['index']}")
    if reason := finding.get("reason"):
        details.append(str(reason))
    if details:
        line.append(f"  ({', '.join(details)})", style="dim")
    # An id may hold any character: one that moves the cursor must not.
    line.plain = "".join(one if one.isprintable() else "\ufffd" for one in line.plain)
    return line


def with_findings(result: Result, total: int) -> dict[str, Any]:
    """The result as JSON has it, with its first findings."""
    findings = list(islice(result.journal.findings(), IN_JSON))
    return {**result.to_json(), "findings": findings, "findingsOmitted": total - len(findings)}
