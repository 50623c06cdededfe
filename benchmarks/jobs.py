"""Races a backfill against its own documents sent ready-made, and a verification against the backfill.

Reads from DynamoDB Local, writes to a real OpenSearch. It reports, and never fails for being slow.

usage: python -m benchmarks.jobs [--quick] [--items N] [--processes N] [--threads N]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from dynamodb_opensearch.cli.engine import Stop, Workers, run
from dynamodb_opensearch.cli.journal import Journal
from dynamodb_opensearch.documents import encode_document
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.pair import open_pair
from dynamodb_opensearch.jobs.scan import pages
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.jobs.work import Job
from dynamodb_opensearch.settings import Settings, read_settings
from engines import EngineError, dynamodb_local, opensearch, unwind_on_termination
from rich.console import Console
from rich.table import Table

from benchmarks.contestants import BenchmarkError, Raw, function_environment
from benchmarks.race import ask
from benchmarks.workloads import KEY, insert

SEGMENTS = 16
ACTIONS = 500  # of one ready-made request: the function's own default
BACKFILL, VERIFY, RAW, SCAN = "backfill", "verify", "raw", "scan"

# VmHWM: the most that this process ever held; Linux only.
_MEMORY = """
import os, sys
from pathlib import Path
from benchmarks.jobs import environment, run_job
from dynamodb_opensearch.cli.engine import Workers
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.settings import read_settings
job = Backfill(4) if sys.argv[1] == "backfill" else Verify(4, patience_seconds=0)
run_job(job, read_settings(os.environ), Workers(threads=2))
status = Path("/proc/self/status").read_text()
print(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1000)
"""


@dataclass
class Times:
    """Seconds of each round, by contestant."""

    rounds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        self.rounds.setdefault(name, []).append(seconds)

    def median(self, name: str) -> float:
        return statistics.median(self.rounds[name])


def main() -> int:
    """The command."""
    unwind_on_termination()
    options = _parser().parse_args()
    progress = Console(stderr=True)

    def announce(text: str) -> None:
        progress.print(text, style="dim")

    try:
        measure(options, announce)
    except (BenchmarkError, EngineError) as error:
        print(f"benchmarks.jobs: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("benchmarks.jobs: interrupted", file=sys.stderr)
        return 130
    return 0


def measure(options: argparse.Namespace, announce: Callable[[str], None]) -> None:
    """Everything, one after the other, and its tables."""
    items, rounds = (20_000, 1) if options.quick else (options.items, options.rounds)
    load = os.getloadavg()[0]
    workers = Workers(processes=options.processes, threads=options.threads)
    with ExitStack() as engines:
        table = engines.enter_context(dynamodb_local(heap="2g", announce=announce))
        node = engines.enter_context(opensearch(heap="1g", announce=announce))
        os.environ |= environment(node.url, table.url)
        settings = read_settings(os.environ)
        announce(f"writing {items:,} items")
        chunks = _fill(settings.table_name, items)
        times = Times()
        for number in range(rounds):
            announce(f"round {number + 1} of {rounds}")
            _round(settings, workers, chunks, node.url, times)
        _show(items, workers, times, f"load at the start {load:.1f}, {os.cpu_count()} cores, {rounds} rounds")
        if options.quick or not Path("/proc/self/status").exists():
            return
        announce("memory")
        small = settings.table_name + "-small"
        _fill(small, items // 10)
        sizes = {items // 10: small, items: settings.table_name}
        _show_memory({count: _memory(name, node.url) for count, name in sizes.items()})


def environment(opensearch_url: str, dynamodb_url: str) -> dict[str, str]:
    """The jobs' settings."""
    return function_environment(opensearch_url, "bench-jobs") | {
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_url,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def run_job(job: Job, settings: Settings, workers: Workers) -> Any:
    """Run a job to its end; its counts."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "checkpoint.jsonl", {})
        if not run(job, settings, workers, journal, stop=Stop(), on_step=lambda _: None):
            raise BenchmarkError("the job didn't come to its end")
        findings = list(journal.findings())
        journal.close()
    if findings:
        raise BenchmarkError(f"findings: {findings[:5]}")
    return journal.counts


def _fill(table: str, items: int) -> list[list[Any]]:
    """Make the table; its items, in chunks of one ready-made request each."""
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    images = [record["dynamodb"]["NewImage"] for record in insert(0, items).records]

    def write(start: int) -> None:
        requests = [{"PutRequest": {"Item": image}} for image in images[start : start + 25]]
        while requests:
            answer = client.batch_write_item(RequestItems={table: requests})
            requests = answer["UnprocessedItems"].get(table, [])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(0, items, 25)))
    return [images[start : start + ACTIONS] for start in range(0, items, ACTIONS)]


def _round(settings: Settings, workers: Workers, chunks: Sequence[Sequence[Any]], url: str, times: Times) -> None:
    items = sum(map(len, chunks))
    pair = open_pair(settings)
    times.add(SCAN, _timed(lambda: sum(len(page.items) for page in pages(pair, 0, 1, None))))
    _fresh_index(url)
    senders = [Raw(url) for _ in range(workers.processes * workers.threads)]
    for number, sender in enumerate(senders):
        sender.prepare_bodies([_body(chunk) for chunk in chunks[number :: len(senders)]], "bench-jobs")
    with ThreadPoolExecutor(len(senders)) as pool:
        times.add(RAW, _timed(lambda: list(pool.map(Raw.run, senders))))
    _fresh_index(url)
    counts: dict[str, Any] = {}
    times.add(BACKFILL, _timed(lambda: counts.update(run_job(Backfill(SEGMENTS), settings, workers))))
    if counts["written"] != items:
        raise BenchmarkError(f"the backfill wrote {counts}, not {items} items")
    found = []
    times.add(VERIFY, _timed(lambda: found.append(run_job(Verify(SEGMENTS, patience_seconds=0), settings, workers))))
    if found != [{"items": items, "documents": items}]:
        raise BenchmarkError(f"the verification found {found}")


def _body(images: Sequence[Any]) -> bytes:
    version = 1_700_000_000 * 10**9 + 1
    return b"".join(
        b'{"index":{"_id":"%b","version":%d,"version_type":"external"}}\n%b\n'
        % (image[KEY]["S"].encode(), version, encode_document(image))
        for image in images
    )


def _fresh_index(url: str) -> None:
    ask(url, "DELETE", "/bench-jobs?ignore_unavailable=true")
    numbers = {name: {"type": "double"} for name in ("price", "rating")}  # or parallel requests fight over their type
    ask(
        url,
        "PUT",
        "/bench-jobs",
        {"settings": {"number_of_replicas": 0, "refresh_interval": "5s"}, "mappings": {"properties": numbers}},
    )


def _timed(action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _memory(table: str, url: str) -> dict[str, float]:
    """Peak memory of each job in a process of its own, in MB."""
    _fresh_index(url)
    found = {}
    for job in (BACKFILL, VERIFY):
        command = [sys.executable, "-c", _MEMORY, job]
        printed = subprocess.run(
            command, env=os.environ | {"TABLE_NAME": table}, check=True, capture_output=True, text=True
        ).stdout
        found[job] = float(printed)
    return found


def _show(items: int, workers: Workers, times: Times, machine: str) -> None:
    title = f"{items:,} items, {workers.processes} processes of {workers.threads} threads (medians)"
    table = Table("what", title=title, title_justify="left")
    for name in ("seconds", "items/s", "speed / raw", "speed / backfill"):
        table.add_column(name, justify="right")
    for name in (SCAN, RAW, BACKFILL, VERIFY):
        seconds = times.median(name)
        table.add_row(
            {SCAN: "the table read alone, one segment", RAW: "documents sent ready-made"}.get(name, name),
            f"{seconds:.1f}",
            f"{items / seconds:,.0f}",
            f"{times.median(RAW) / seconds:.2f}",
            f"{times.median(BACKFILL) / seconds:.2f}",
        )
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    ratio, verify = times.median(RAW) / times.median(BACKFILL), times.median(BACKFILL) / times.median(VERIFY)
    console.print(f"backfill ≥ 0.8 x raw: {ratio:.2f} {'pass' if ratio >= 0.8 else 'miss'}")
    console.print(f"verify ≥ backfill: {verify:.2f} {'pass' if verify >= 1 else 'miss'}")
    console.print(machine, style="dim")


def _show_memory(found: dict[int, dict[str, float]]) -> None:
    table = Table("items", BACKFILL, VERIFY, title="Peak memory, one process of two threads", title_justify="left")
    for items, sizes in found.items():
        table.add_row(f"{items:,}", f"{sizes[BACKFILL]:.0f} MB", f"{sizes[VERIFY]:.0f} MB")
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description="Race backfill and verify.")
    parser.add_argument("--quick", action="store_true", help="20,000 items once: the direction, not the number")
    parser.add_argument("--items", type=int, default=100_000, help="default: 100,000")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--processes", type=int, default=2, help="default: 2")
    parser.add_argument("--threads", type=int, default=2, help="of each process; default: 2")
    return parser


if __name__ == "__main__":
    sys.exit(main())
