"""Prints a job's result: one sentence, the counts with their meanings, and the first differences or refusals."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from rich.console import Console
from rich.text import Text

from dynamodb_opensearch.cli.output import stdout, tell
from dynamodb_opensearch.cli.run.counts import DIFFERENCES, UNDECIDED, UNMENDED
from dynamodb_opensearch.cli.run.progress import duration
from dynamodb_opensearch.cli.run.task import Result

SHOWN, IN_JSON = 20, 1_000
"""Most differences or refusals that the screen and ``--json`` show."""

MEANINGS = {
    "written": "as the table held them",
    "superseded": "the index already holds something newer",
    "settled": "read again and written as they are now",
    "gone": "deleted from the table meanwhile",
    "outside": "items that the index doesn't hold",
    "refused": "OpenSearch never takes them as they are",
    "missing": "items without a document",
    "ghost": "documents without an item",
    "stale": "documents with an item's older content",
    "wrong content": "documents that something else has written",
    "wrong place": "in an index that isn't written to, or under another routing",
    "changing": "changed at every look, so they couldn't be judged",
    "unlisted": "documents that the index counts but didn't list: compare again",
    "untransformed": "items of which no document could be made, for the reasons below",
    "equal by now": "named by the report, but equal now",
    "repaired": "documents written or removed, and checked again",
    "left": "not touched: nothing proves that they may be removed",
    "remaining": "repaired, but still different",
    "redriven": "settled and deleted",
    "kept": "put back with the reason",
}


def console_for(result: Result, index: str) -> Console:
    """Return the console for an index's block, after a line that separates it from the block before."""
    console = stdout()
    if index != result.indices[0]:
        console.print()
    return console


def print_counts(
    console: Console, result: Result, sentence: str, shown: Sequence[str], counts: Mapping[str, int] | None = None
) -> None:
    """Print the sentence and these counts, even those that are zero; by default of all that was done."""
    counts = result.counts if counts is None else counts
    console.print(Text(f"{sentence} in {duration(result.seconds)}"))
    width = max(len(f"{counts.get(name, 0):,}") for name in shown) + 2
    for name in shown:
        number = counts.get(name, 0)
        alarming = number > 0 and name in {*DIFFERENCES, *UNDECIDED, *UNMENDED, "kept"}
        style = "bold red" if alarming else ""
        console.print(
            Text.assemble(f"{number:>{width},}  ", (f"{name:<13}", style), ("  " + MEANINGS[name], "dim")),
            soft_wrap=True,
        )


def print_findings(
    console: Console, findings: Iterable[Mapping[str, Any]], total: int, *, with_index: bool = False
) -> None:
    """Print the first differences or refusals, one per line.

    Args:
        with_index: whether to name the index of each.
    """
    if total == 0:
        return
    console.print()
    for finding in islice(findings, SHOWN):
        console.print(finding_line(finding, with_index=with_index), soft_wrap=True)
    if total > SHOWN:
        console.print(Text(f"  … and {total - SHOWN:,} more", style="dim"))


def finding_line(finding: Mapping[str, Any], *, with_index: bool = False) -> Text:
    """``  stale          p-0001  (price, stock)``."""
    line = Text.assemble("  ", (f"{finding['kind']:<13}", "red"), "  ", str(finding.get("id") or "-"))
    details = [*finding.get("fields", ())]
    if routing := finding.get("routing"):
        details.append(f"routing {routing}")
    if finding["kind"] in {"wrong place", "left"} or (with_index and finding.get("index")):
        details.append(f"in {finding['index']}")
    if reason := finding.get("reason"):
        details.append(str(reason))
    if details:
        line.append(f"  ({', '.join(details)})", style="dim")
    line.plain = _shown(line.plain)
    return line


def _shown(text: str) -> str:
    """Replace unprintable characters: an id or a name may hold any, even one that moves the cursor."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def print_notices(notices: Mapping[str, int]) -> None:
    """Print what is worth knowing but isn't a difference, the most frequent first."""
    ordered = sorted(notices.items(), key=lambda notice: -notice[1])
    for text, number in ordered[:SHOWN]:
        tell(f"note: {_shown(text)} ({number:,})")
    if len(ordered) > SHOWN:
        tell(f"note: … and {len(ordered) - SHOWN:,} more")


def with_findings(result: Result, total: int) -> dict[str, Any]:
    """Return the result for ``--json``, with its first differences or refusals."""
    findings = list(islice(result.checkpoint.findings(), IN_JSON))
    return {**result.to_json(), "findings": findings, "findingsOmitted": max(total - len(findings), 0)}


def by_index(result: Result, **more: Callable[[str], Any]) -> dict[str, Any]:
    """Return what ``--json`` adds about each index if there are several; for one, nothing.

    Args:
        more: further members, each with what gives its value for an index.
    """
    if len(result.indices) == 1:
        return {}
    return {
        "indices": {
            index: {"counts": result.counts_of(index), **{name: value(index) for name, value in more.items()}}
            for index in result.indices
        }
    }
