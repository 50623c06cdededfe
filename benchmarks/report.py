"""Compares the measurements with the bars, and shows both."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.contestants import BULK, OURS, RAW, SKIPPED, THREE, WRITTEN
from benchmarks.footprint import Imports
from benchmarks.race import Times

LARGE = 1000
"""Records per batch for which the bars are set."""


@dataclass(frozen=True, slots=True)
class Race:
    """One workload with one batch size."""

    workload: str
    size: int
    times: Mapping[str, Times]


@dataclass(frozen=True, slots=True)
class Results:
    """All that a run of the benchmark measured."""

    machine: Mapping[str, str]
    races: Sequence[Race]
    single: Mapping[str, Times]
    """Times for one record per invocation."""
    duplicates: Mapping[float, Times]
    """The function's times by the share of a batch's records that a later record of the same document outdates."""
    thirds: Mapping[str, Times]
    """Times of updates by one index, and by three that hold a third each."""
    no_ops: Mapping[str, Times]
    """Times of changes that no document shows, written and skipped."""
    imports: Imports
    peak_memory_mb: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One demand, and the result."""

    demand: str
    measured: str
    met: bool


def bars(results: Results) -> list[Bar]:
    """Return all demands, the most important first."""
    large = [race for race in results.races if race.size == LARGE]
    judged: list[Bar] = []
    for race in large:
        ours, raw, helpers = (race.times[name] for name in (OURS, RAW, BULK))
        judged += [
            _at_least(f"{race.workload}: throughput ≥ 0.85 x raw", raw.wall / ours.wall, 0.85),
            _at_least(f"{race.workload}: throughput ≥ 2 x {BULK}", helpers.wall / ours.wall, 2),
            _at_least(f"{race.workload}: {BULK} takes ≥ 3 x the CPU time", helpers.cpu / ours.cpu, 3),
        ]
    overhead_ms = (results.single[OURS].wall - results.single[RAW].wall) * 1000
    cpu = [results.duplicates[share].cpu for share in sorted(results.duplicates)]
    share = results.thirds[THREE].wall / results.thirds[OURS].wall
    import_ms = statistics.median(results.imports.source)
    return [
        *judged,
        Bar("three indices of a third each take ≤ 1.3 x the time of one", f"{share:.2f} x", share <= 1.3),
        _at_least("a no-op is skipped ≥ 5 x faster than written", _gain(results.no_ops), 5),
        Bar("one record's invocation ≤ raw + 3 ms", f"{overhead_ms:.2f} ms", overhead_ms <= 3),
        Bar("import of the handler ≤ 300 ms", f"{import_ms:.0f} ms", import_ms <= 300),
        Bar(
            f"peak memory < 100 MB, {LARGE:,} records",
            _megabytes(results.peak_memory_mb),
            (results.peak_memory_mb or 0) < 100,
        ),
        Bar(
            "hot keys: cost falls with the share of duplicates",
            " → ".join(f"{seconds * 1000:.1f}" for seconds in cpu) + " ms CPU",
            all(later < earlier for earlier, later in pairwise(cpu)),
        ),
    ]


def show(results: Results, console: Console) -> None:
    """Print tables: the races, one record, duplicates, projections, footprint, and the bars."""
    console.print(_races(results.races))
    console.print(_single(results.single))
    console.print(_duplicates(results.duplicates))
    console.print(_projections(results))
    console.print(_footprint(results))
    console.print(_bars(bars(results)))
    console.print(", ".join(f"{name} {value}" for name, value in results.machine.items()), style="dim")


def to_json(results: Results) -> str:
    """Return all times, run by run, and the bars."""
    document: dict[str, Any] = {
        "machine": results.machine,
        "races": [asdict(race) for race in results.races],
        "single": {name: asdict(times) for name, times in results.single.items()},
        "duplicates": {share: asdict(times) for share, times in results.duplicates.items()},
        "thirds": {name: asdict(times) for name, times in results.thirds.items()},
        "no_ops": {name: asdict(times) for name, times in results.no_ops.items()},
        "import_ms": asdict(results.imports),
        "peak_memory_mb": results.peak_memory_mb,
        "bars": [asdict(bar) for bar in bars(results)],
    }
    return json.dumps(document, indent=2)


def _at_least(demand: str, ratio: float, bound: float) -> Bar:
    return Bar(demand, f"{ratio:.2f} x", ratio >= bound)


def _gain(no_ops: Mapping[str, Times]) -> float:
    return no_ops[WRITTEN].wall / no_ops[SKIPPED].wall


def _megabytes(size: float | None) -> str:
    return "not measured: needs Linux" if size is None else f"{size:.0f} MB"


def _races(races: Sequence[Race]) -> Table:
    table = Table(
        "workload", "records", "contestant", title="Batches (medians; CPU is the client's)", title_justify="left"
    )
    for name in ("ms", "fastest", "records/s", "speed / raw", "speed / ours", "CPU ms / 1,000", "CPU / ours"):
        table.add_column(name, justify="right", no_wrap=True)
    for race in races:
        ours, raw = race.times[OURS], race.times[RAW]
        for number, (name, times) in enumerate(sorted(race.times.items(), key=lambda item: item[1].wall)):
            table.add_row(
                *((race.workload, f"{race.size:,}") if number == 0 else ("", "")),
                name,
                f"{times.wall * 1000:.1f}",
                f"{min(times.wall_seconds) * 1000:.1f}",
                f"{race.size / times.wall:,.0f}",
                f"{raw.wall / times.wall:.2f}",
                f"{ours.wall / times.wall:.2f}",
                f"{times.cpu * 1000 * 1000 / race.size:.1f}",
                f"{times.cpu / ours.cpu:.2f}",
                style="bold" if name == OURS else None,
                end_section=number == len(race.times) - 1,
            )
    return table


def _single(single: Mapping[str, Times]) -> Table:
    table = Table("contestant", title="One record per invocation", title_justify="left")
    for name in ("median ms", "fastest", "above raw", "CPU ms"):
        table.add_column(name, justify="right")
    for name, times in single.items():
        table.add_row(
            name,
            f"{times.wall * 1000:.2f}",
            f"{min(times.wall_seconds) * 1000:.2f}",
            f"{(times.wall - single[RAW].wall) * 1000:+.2f}",
            f"{times.cpu * 1000:.2f}",
        )
    return table


def _duplicates(duplicates: Mapping[float, Times]) -> Table:
    table = Table("duplicates", title=f"Hot keys: {LARGE:,} records, ours", title_justify="left")
    for name in ("ms", "CPU ms"):
        table.add_column(name, justify="right")
    for share, times in duplicates.items():
        table.add_row(f"{share:.0%}", f"{times.wall * 1000:.1f}", f"{times.cpu * 1000:.1f}")
    return table


def _projections(results: Results) -> Table:
    table = Table("function", title=f"Several indices, and no-ops: {LARGE:,} records, ours", title_justify="left")
    for name in ("ms", "fastest", "CPU ms"):
        table.add_column(name, justify="right")
    for name, times in [*results.thirds.items(), *results.no_ops.items()]:
        table.add_row(
            "one index" if name == OURS else name,
            f"{times.wall * 1000:.1f}",
            f"{min(times.wall_seconds) * 1000:.1f}",
            f"{times.cpu * 1000:.1f}",
        )
    return table


def _footprint(results: Results) -> Table:
    table = Table("in fresh processes", title="Footprint", title_justify="left")
    for name in ("median", "least"):
        table.add_column(name, justify="right")
    for name, values in (
        ("import of the handler", results.imports.source),
        ("import from the zip's files without bytecode", results.imports.zipped),
    ):
        table.add_row(name, f"{statistics.median(values):.0f} ms", f"{min(values):.0f} ms")
    table.add_row(f"peak memory, {LARGE:,} records", _megabytes(results.peak_memory_mb), "")
    return table


def _bars(judged: Sequence[Bar]) -> Table:
    table = Table("demand", "measured", "", title="Bars", title_justify="left")
    for bar in judged:
        table.add_row(bar.demand, bar.measured, "[green]pass[/]" if bar.met else "[red]miss[/]")
    return table
