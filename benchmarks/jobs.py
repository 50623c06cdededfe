"""Races a backfill against its own requests made beforehand, and a verification against the backfill.

It reads from DynamoDB Local and writes to a real OpenSearch. Both share this machine with the job, so the CPU time of
each process is measured separately. It reports, and never fails for being slow.

usage: python -m benchmarks.jobs [--quick] [--items N] [--processes N] [--threads N]
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.cli.run.comparison import SEGMENTS
from dynamodb_opensearch.cli.run.engine import Stop, Workers, run
from dynamodb_opensearch.cli.target.flags import default_processes
from dynamodb_opensearch.core.documents import encode_document
from dynamodb_opensearch.dynamodb.table import projection
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.job import Job
from dynamodb_opensearch.jobs.seen import seen_file
from dynamodb_opensearch.jobs.sync import open_sync
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.settings import Settings, read_settings
from engines import EngineError, dynamodb_local, opensearch, unwind_on_termination
from rich.console import Console
from rich.table import Table

from benchmarks.clock import Clock, cores_apart
from benchmarks.contestants import BenchmarkError, Raw, function_environment
from benchmarks.race import ask
from benchmarks.recorded_table import recorded_table
from benchmarks.workloads import KEY, insert

ACTIONS = 500  # actions of a ready-made request: the function's own default
BACKFILL, VERIFY, RAW, REPLAY = "backfill", "verify", "documents sent ready-made", "all its requests ready-made"

# VmHWM is the process's peak memory; Linux only.
_MEMORY = """
import os, sys
from pathlib import Path
from benchmarks.jobs import SEGMENTS, run_job
from dynamodb_opensearch.cli.run.engine import Workers
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.jobs.seen import seen_file
from dynamodb_opensearch.settings import read_settings
with seen_file(int(sys.argv[2])) as seen:
    job = Backfill(SEGMENTS) if sys.argv[1] == "backfill" else Verify(SEGMENTS, patience_seconds=0, seen=seen)
    run_job(job, read_settings(os.environ), Workers(threads=2))
status = Path("/proc/self/status").read_text()
print(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1000)
"""


@dataclass(frozen=True, slots=True)
class Page:
    """The bodies that a backfill sends for a page of the scan, ready to send."""

    scan: bytes
    bulks: Sequence[bytes]
    look: bytes
    """The second look, which reads only keys."""


def main() -> int:
    """Run the command line."""
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
    """Measure everything, one part after another, and print the tables."""
    items, rounds = (20_000, 1) if options.quick else (options.items, options.rounds)
    workers = Workers(options.processes or default_processes(items), options.threads)
    with ExitStack() as engines:
        table = engines.enter_context(dynamodb_local(heap=_heap(items), announce=announce))
        node = engines.enter_context(opensearch(heap="1g", announce=announce))
        os.environ |= environment(node.url, table.url)
        settings = read_settings(os.environ)
        announce(f"writing {items:,} items")
        _fill(settings.table_name, items)
        race = Race(settings, workers, items, _pages(settings), announce)
        clock = race.run(rounds, {"DynamoDB Local": table.pid, "OpenSearch": node.pid}, with_replay=True)
        race.show(clock, f"All on the same {os.cpu_count()} cores")
        if not hasattr(os, "sched_setaffinity") or os.cpu_count() == 1:
            return
        recorded = engines.enter_context(recorded_table(table.url))
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = recorded.url
        with cores_apart(node.pid):
            clock = race.run(rounds, {"recorded table": recorded.pid, "OpenSearch": node.pid}, with_replay=False)
        race.show(clock, "OpenSearch on a core of its own, the table's answers recorded")
        if options.quick:
            return
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = table.url
        announce("memory")
        small = settings.table_name + "-small"
        _fill(small, items // 10)
        sizes = {items // 10: small, items: settings.table_name}
        _show_memory({count: _memory(name, count, node.url) for count, name in sizes.items()})


@dataclass(frozen=True, slots=True)
class Race:
    """The contestants' turns, round after round."""

    settings: Settings
    workers: Workers
    items: int
    pages: Sequence[Page]
    announce: Callable[[str], None]

    def run(self, rounds: int, others: Mapping[str, int], *, with_replay: bool) -> Clock:
        """Run all contestants in each round, in a different order. The first round isn't counted."""
        clock = Clock(others)
        turns = [self._run_raw, self._run_jobs, *([self._run_replay] if with_replay else [])]
        for number in range(rounds + 1):
            clock.counts = number > 0
            self.announce(f"round {number} of {rounds}" if number else "warming up")
            first = number % len(turns)
            for turn in turns[first:] + turns[:first]:
                _fresh_index(self.settings.endpoint)
                turn(clock)
        return clock

    def show(self, clock: Clock, title: str) -> None:
        """Print the results, and whether they reach the bars."""
        form = f"{self.items:,} items, {self.workers.processes} processes of {self.workers.threads} threads (medians)"
        table = Table("what", title=f"{title}: {form}", title_justify="left")
        for name in ("seconds", "items/s", "speed / raw", *(f"CPU µs per item: {who}" for who in clock.who)):
            table.add_column(name, justify="right")
        for name in clock.names:
            seconds = clock.wall(name)
            spent = [f"{clock.cpu(name, who) * 1e6 / self.items:.0f}" for who in clock.who]
            table.add_row(
                name, f"{seconds:.1f}", f"{self.items / seconds:,.0f}", f"{clock.wall(RAW) / seconds:.2f}", *spent
            )
        console = Console(width=None if sys.stdout.isatty() else 120)
        console.print(table)
        for faster, slower, bar in ((BACKFILL, RAW, 0.8), (BACKFILL, REPLAY, 0.8), (VERIFY, BACKFILL, 1.0)):
            if slower in clock.names:
                ratio = clock.wall(slower) / clock.wall(faster)
                console.print(f"{faster} ≥ {bar} x {slower}: {ratio:.2f} {'pass' if ratio >= bar else 'miss'}")
        console.print(f"load {os.getloadavg()[0]:.1f}", style="dim")

    def _run_raw(self, clock: Clock) -> None:
        senders = [Raw(self.settings.endpoint) for _ in range(self._threads)]
        bodies = [body for page in self.pages for body in page.bulks]
        for number, sender in enumerate(senders):
            sender.prepare_bodies(bodies[number :: len(senders)], self.settings.indices[0])
        with ThreadPoolExecutor(len(senders)) as pool:
            clock.measure(RAW, lambda: list(pool.map(Raw.run, senders)))

    def _run_replay(self, clock: Clock) -> None:
        """Send all that the backfill sends, but don't use the answers."""
        with ThreadPoolExecutor(self._threads) as pool:
            shares = [self.pages[number :: self._threads] for number in range(self._threads)]
            clock.measure(REPLAY, lambda: list(pool.map(self._replay, shares)))

    def _replay(self, pages_of_thread: Sequence[Page]) -> None:
        sender = Raw(self.settings.endpoint)
        table = http.client.HTTPConnection(urlsplit(os.environ["AWS_ENDPOINT_URL_DYNAMODB"]).netloc)
        for page in pages_of_thread:
            _scan(table, page.scan)
            sender.prepare_bodies(page.bulks, self.settings.indices[0])
            sender.run()
            _scan(table, page.look)

    def _run_jobs(self, clock: Clock) -> None:
        counts = clock.measure(BACKFILL, lambda: run_job(Backfill(SEGMENTS), self.settings, self.workers))
        if counts["written"] != self.items:
            raise BenchmarkError(f"the backfill wrote {counts}, not {self.items} items")
        with seen_file(self.items) as seen:
            verify = Verify(SEGMENTS, patience_seconds=0, seen=seen)
            found = clock.measure(VERIFY, lambda: run_job(verify, self.settings, self.workers))
        if found != {"items": self.items, "documents": self.items}:
            raise BenchmarkError(f"the verification found {found}")

    @property
    def _threads(self) -> int:
        return self.workers.processes * self.workers.threads


def environment(opensearch_url: str, dynamodb_url: str) -> dict[str, str]:
    """Return the jobs' settings."""
    return function_environment(opensearch_url, "bench-jobs") | {
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_url,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def run_job(job: Job, settings: Settings, workers: Workers) -> Any:
    """Run a job to its end, and return its counts."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder) / "checkpoint.jsonl", {})
        if not run(job, settings, workers, checkpoint, stop=Stop(), on_step=lambda _: None):
            raise BenchmarkError("the job didn't finish")
        findings = list(checkpoint.findings())
        checkpoint.close()
    if findings:
        raise BenchmarkError(f"the job reported differences or refusals: {findings[:5]}")
    return checkpoint.counts


def _heap(items: int) -> str:
    """Heap for DynamoDB Local, which holds its tables in memory, and answers InternalFailure when that is full."""
    return f"{2 + items // 100_000}g"


def _fill(table: str, items: int) -> None:
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def write(start: int) -> None:
        images = [record["dynamodb"]["NewImage"] for record in insert(start, min(25, items - start)).records]
        requests = [{"PutRequest": {"Item": image}} for image in images]
        while requests:
            answer = client.batch_write_item(RequestItems={table: requests})
            requests = answer["UnprocessedItems"].get(table, [])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(0, items, 25)))


def _pages(settings: Settings) -> list[Page]:
    """Read the table once, and return what a backfill will send."""
    sync = open_sync(settings)
    found = []
    for segment in range(SEGMENTS):
        start_key = None
        for page in sync.scan.pages(segment, SEGMENTS, None):
            request = {"TableName": settings.table_name, "Segment": segment, "TotalSegments": SEGMENTS}
            request |= {"ConsistentRead": True} | ({"ExclusiveStartKey": start_key} if start_key else {})
            chunks = [page.items[start : start + ACTIONS] for start in range(0, len(page.items), ACTIONS)]
            look = request | projection(settings.key_schema)
            found.append(Page(_encoded(request), [_body(chunk) for chunk in chunks], _encoded(look)))
            start_key = page.next_key
    return found


def _encoded(request: Mapping[str, Any]) -> bytes:
    return json.dumps(request).encode()


def _scan(connection: http.client.HTTPConnection, body: bytes) -> None:
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.Scan",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise BenchmarkError(f"DynamoDB Local refused a ready-made Scan: {content[:500]!r}")


def _body(images: Sequence[Any]) -> bytes:
    version = (int(time.time()) - 600) * 10**9  # like a scan's version, so that both do the same work in the index
    return b"".join(
        b'{"index":{"_id":"%b","version":%d,"version_type":"external"}}\n%b\n'
        % (image[KEY]["S"].encode(), version, encode_document(image))
        for image in images
    )


def _fresh_index(url: str) -> None:
    ask(url, "DELETE", "/bench-jobs?ignore_unavailable=true")
    numbers = {
        name: {"type": "double"} for name in ("price", "rating")
    }  # else parallel requests would compete to set their type
    ask(
        url,
        "PUT",
        "/bench-jobs",
        {"settings": {"number_of_replicas": 0, "refresh_interval": "5s"}, "mappings": {"properties": numbers}},
    )


def _memory(table: str, items: int, url: str) -> dict[str, float]:
    """Return each job's peak memory in MB, each in its own process."""
    _fresh_index(url)
    found = {}
    for job in (BACKFILL, VERIFY):
        command = [sys.executable, "-c", _MEMORY, job, str(items)]
        printed = subprocess.run(
            command, env=os.environ | {"TABLE_NAME": table}, check=True, capture_output=True, text=True
        ).stdout
        found[job] = float(printed)
    return found


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
    parser.add_argument("--processes", type=int, help="default: as the command's")
    parser.add_argument("--threads", type=int, default=4, help="threads of each process; default: 4, as the command's")
    return parser


if __name__ == "__main__":
    sys.exit(main())
