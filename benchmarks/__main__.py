"""Runs the benchmark against a real OpenSearch and shows the results. It reports, and never fails for being slow.

usage: python -m benchmarks [--quick] [--url URL] [--json FILE]
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engines import EngineError, opensearch, unwind_on_termination
from rich.console import Console

from benchmarks.contestants import (
    SKIPPED,
    WRITTEN,
    BenchmarkError,
    Bulk,
    Ours,
    Raw,
    Single,
    three_indices,
    without_counters,
)
from benchmarks.footprint import measure_imports, measure_memory
from benchmarks.race import Entry, ask, race
from benchmarks.report import LARGE, Race, Results, show, to_json
from benchmarks.workloads import WORKLOADS, Workload, hot_keys, insert, recount, update

SMALL = 100
SHARES = (0.0, 0.5, 0.9, 0.99)
MEMORY_ROUND = 90_000  # documents that no race has written


def main() -> int:
    """Run the command line."""
    unwind_on_termination()
    options = _parser().parse_args()
    progress = Console(stderr=True)
    try:
        with _node(options.url, progress.print) as url:
            results = measure(url, 5 if options.quick else 25, lambda text: progress.print(text, style="dim"))
    except (BenchmarkError, EngineError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("benchmarks: interrupted", file=sys.stderr)
        return 130
    if options.json:
        options.json.write_text(to_json(results) + "\n", encoding="utf-8")
    show(results, Console(width=None if sys.stdout.isatty() else 140))
    return 0


def measure(url: str, rounds: int, announce: Callable[[str], None]) -> Results:
    """Measure everything, one part after another."""
    version = ask(url, "GET", "/")["version"]["number"]
    load = f"{os.getloadavg()[0]:.1f}"
    announce("import times")  # first: before the node is busy
    imports = measure_imports(max(rounds // 2, 5))
    ours, raw, helpers, single = Ours(url), Raw(url), Bulk(url), Single(url)
    races = []
    for workload in WORKLOADS:
        for size in (SMALL, LARGE):
            announce(f"{workload.name}, {size:,} records")
            # One request per record takes seconds for a batch: three batches are enough.
            entries = [Entry(ours), Entry(raw), Entry(helpers), Entry(single, every=max(rounds // 3, 1))]
            races.append(Race(workload.name, size, race(url, entries, workload, size=size, rounds=rounds, seeder=raw)))
    announce("one record per invocation")
    entries = [Entry(ours), Entry(raw), Entry(helpers)]
    single_record = race(url, entries, Workload("one", update), size=1, rounds=rounds * 8, seeder=raw)
    announce("hot keys by their share")
    duplicates = {
        share: race(url, [Entry(ours)], Workload("hot", hot_keys(share)), size=LARGE, rounds=rounds // 2, seeder=raw)
        for share in SHARES
    }
    announce("three indices of a third each")
    entries = [Entry(ours), Entry(three_indices(url))]
    thirds = race(url, entries, Workload("update", update), size=LARGE, rounds=rounds, seeder=raw)
    announce("no-ops")
    entries = [
        Entry(without_counters(url, WRITTEN, "bench-written", skip_unchanged=False)),
        Entry(without_counters(url, SKIPPED, "bench-skipped", skip_unchanged=True)),
    ]
    no_ops = race(url, entries, Workload("no-ops", recount), size=LARGE, rounds=rounds, seeder=raw)
    announce("memory")
    memory = measure_memory(url, insert(MEMORY_ROUND, LARGE).records)
    ask(url, "DELETE", "/bench-*")
    return Results(
        machine={
            "OpenSearch": version,
            "Python": platform.python_version(),
            "cores": str(os.cpu_count()),
            "load at the start": load,
            "rounds": str(rounds),
        },
        races=races,
        single=single_record,
        duplicates={share: times[ours.name] for share, times in duplicates.items()},
        thirds=thirds,
        no_ops=no_ops,
        imports=imports,
        peak_memory_mb=memory,
    )


@contextmanager
def _node(url: str | None, announce: Callable[[str], None]) -> Iterator[str]:
    if url:
        if not url.startswith("http://"):
            raise BenchmarkError(f"--url is {url!r}: it must be a URL like http://localhost:9200, without TLS")
        yield url.rstrip("/")
        return
    with opensearch(heap="1g", announce=announce) as node:
        yield node.url


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description="Race the function against its rivals.")
    parser.add_argument("--quick", action="store_true", help="five rounds instead of 25: the direction, not the number")
    parser.add_argument(
        "--url", help="a running OpenSearch without a password; indices bench-* are written and deleted"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the times of every run to FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
