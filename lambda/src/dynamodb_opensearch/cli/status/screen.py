"""Shows ``status`` on a screen of 80 by 24: what doesn't run, what is behind, and what needs an operator."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dynamodb_opensearch.cli.output import ERROR, REMAINS, WELL, counted
from dynamodb_opensearch.cli.run.progress import span
from dynamodb_opensearch.cli.status.metrics import MINUTES, Metrics
from dynamodb_opensearch.cli.status.status import EventSourceMapping, IndexStatus, Letters, Part, Status

_BARS, _GAP = "▁▂▃▄▅▆▇█", "·"
_BARS_WIDTH = 30
_LATE_SECONDS = 60
"""A lag that was measured longer ago says nothing about now."""

_Value = TypeVar("_Value")


def judge(seen: Status) -> int:
    """Return the exit code: whether something needs an operator.

    A part that we may not read, or that is unknown, needs no one; if that is true of all parts, it is an error. A
    broken part does: OpenSearch doesn't answer or refuses, or the function, the table or the failure destination
    doesn't exist. A standby index may be missing, as it holds up nothing. Metrics are only about the sync, which runs
    without them too.
    """
    documents = [index.documents for index in seen.indices.values()]
    needed = [index.documents for index in seen.indices.values() if not index.standby]
    verified = [index.verified.value for index in seen.indices.values()]
    parts: tuple[Part[Any], ...] = (seen.mappings, seen.metrics, seen.letters, *documents, seen.items)
    if all(part.problem for part in parts):
        return ERROR
    mappings, letters = seen.mappings.value, seen.letters.value
    reasons = (
        any(part.broken for part in (seen.mappings, seen.letters, seen.items)),
        any(part.broken for part in needed),
        mappings is not None and not any(_is_running(mapping) for mapping in mappings),
        mappings is not None and any(_has_problem(mapping) for mapping in mappings),
        letters is not None and letters.waiting > 0,
        any(_wrong(entry) > 0 for entry in verified if entry is not None),
    )
    return REMAINS if any(reasons) else WELL


def screen(seen: Status, *, watched: bool) -> RenderableType:
    """Render the whole screen."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("trigger", _or_problem(seen.mappings, _mappings))
    grid.add_row("iterator age", _or_problem(seen.iterator_age_seconds, lambda age: Text(span(age))))
    metrics = seen.metrics.value
    if metrics is None:
        grid.add_row("metrics", Text(seen.metrics.problem or f"no batch in the last {MINUTES} minutes", style="dim"))
    else:
        for name, text in _metrics(metrics):
            grid.add_row(name, text)
    grid.add_row("set aside", _or_problem(seen.letters, _letters))
    items = _or_problem(seen.items, lambda count: Text(f"about {count:,}, as DynamoDB counted some hours ago"))
    if len(seen.indices) == 1:
        [index] = seen.indices.values()
        grid.add_row("documents", _or_problem(index.documents, lambda count: Text(f"{count:,}")))
        grid.add_row("items", items)
        grid.add_row("last verify", _or_problem(index.verified, lambda entry: _verified(entry, seen.at)))
    else:
        grid.add_row("items", items)
        for name, index in seen.indices.items():
            grid.add_row(name, _index(name, index, seen.at))
    head = Text.assemble(
        (f"{seen.table.rpartition('/')[2]} → {', '.join(seen.indices)}", "bold"),
        (f"   {seen.function or 'no function named'}   {seen.at:%H:%M:%S} UTC", "dim"),
    )
    foot = [Text("\nevery 2 s · Ctrl-C ends this", style="dim")] if watched else []
    return Group(head, Text(), grid, *foot)


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Draw bars from 0 to the highest value; a dot where there is no value."""
    step = max(len(values) / width, 1)
    groups = [values[int(at * step) : int((at + 1) * step)] for at in range(min(width, len(values)))]
    highest = [max((value for value in group if value is not None), default=None) for group in groups]
    top = max((value for value in highest if value is not None), default=0)
    return "".join(
        _GAP if value is None else _BARS[min(int(value / top * len(_BARS)), len(_BARS) - 1)] if top else _BARS[0]
        for value in highest
    )


def _or_problem(part: Part[_Value], shown: Callable[[_Value], Text]) -> Text:
    if part.value is None:
        return Text(part.problem or "unknown", style="bold red" if part.broken else "yellow")
    return shown(part.value)


def _mappings(mappings: Sequence[EventSourceMapping]) -> Text:
    if not mappings:
        return Text("none: nothing makes Lambda read the stream", style="bold red")
    return Text("\n").join(_mapping(mapping) for mapping in mappings)


def _mapping(mapping: EventSourceMapping) -> Text:
    state_style = "" if _is_running(mapping) else "bold red"
    result_style = "red" if _has_problem(mapping) else "dim"
    return Text.assemble((mapping.state, state_style), ("   last result: ", "dim"), (mapping.last_result, result_style))


def _is_running(mapping: EventSourceMapping) -> bool:
    return mapping.state in {"Enabled", "Enabling", "Updating", "Creating"}


def _has_problem(mapping: EventSourceMapping) -> bool:
    return mapping.last_result.startswith("PROBLEM")


def _metrics(metrics: Metrics) -> Sequence[tuple[str, Text]]:
    lag = metrics.lag_seconds
    latest, highest = lag.latest, lag.highest
    age = f" ({span(lag.latest_age_seconds)} ago)" if lag.latest_age_seconds > _LATE_SECONDS else ""
    times = f"{span(latest or 0)}{age}, at most {span(highest or 0)}"
    alarming = "bold red" if metrics.dead_letters else ""
    return [
        ("lag", Text.assemble(f"{times:<32} ", (sparkline(lag.values, _BARS_WIDTH), "cyan"))),
        ("writes", Text(f"{metrics.writes:,}")),
        ("retries", Text(f"{metrics.retries:,}")),
        ("dead letters", Text.assemble((f"{metrics.dead_letters:,}", alarming))),
        *((name, Text(f"{count:,}  {why}", style="dim")) for name, count, why in _rare(metrics) if count),
        ("", Text(f"of the last {MINUTES} minutes, by the function's {metrics.source}", style="dim")),
    ]


def _index(name: str, index: IndexStatus, now: datetime) -> Text:
    """Show an index in two lines: what it is, and what the last verification found."""
    if index.documents.value is None:
        return Text.assemble(*_facts(name, index), _or_problem(index.documents, lambda _: Text()))
    documents = counted(index.documents.value, "document")
    verified = _or_problem(index.verified, lambda entry: _verified(entry, now))
    return Text.assemble(documents, *_facts(name, index), "\n", ("verified: ", "dim"), verified)


def _facts(name: str, index: IndexStatus) -> list[str | tuple[str, str]]:
    alias = [(f" in {index.home.value}", "dim")] if index.home.value not in {None, name} else []
    return [*alias, *([("   standby: it is being filled ", "yellow")] if index.standby else [])]


def _rare(metrics: Metrics) -> Sequence[tuple[str, int, str]]:
    return [
        ("dropped", metrics.dropped, "records that concern no document of an index"),
        ("skipped", metrics.skipped, "changes that left the document as it was"),
        ("missed", metrics.missed, "writes that a standby index couldn't take: verify it when it is filled"),
    ]


def _letters(letters: Letters) -> Text:
    if letters.waiting == 0:
        return Text("none waiting")
    number = f"{'at least ' if letters.at_least else ''}{counted(letters.waiting, 'failure')} waiting"
    age = "" if letters.oldest_seconds is None else f", the oldest for {span(letters.oldest_seconds)}"
    return Text.assemble((number + age, "bold red"), ("   dynamodb-opensearch redrive", "dim"))


def _verified(entry: Mapping[str, Any], now: datetime) -> Text:
    differences, undecided = int(entry.get("differences", 0)), int(entry.get("undecided", 0))
    items = counted(int(entry.get("items", 0)), "item")
    at = str(entry.get("at", ""))
    try:
        ago = f" ({span((now - datetime.fromisoformat(at)).total_seconds())} ago)"
    except (TypeError, ValueError):
        ago = ""
    text = counted(differences, "difference") + (f" and {undecided:,} undecided" if undecided else "")
    found = (text, "bold red" if _wrong(entry) else "green")
    return Text.assemble(found, f" in {items}", (f"   {at}{ago}", "dim"))


def _wrong(verified: Mapping[str, Any]) -> int:
    """How many differences the last verify found, and how many documents it couldn't judge."""
    return int(verified.get("differences", 0)) + int(verified.get("undecided", 0))
