"""Races a backfill against its own requests made beforehand, and a verification against the backfill.

Reads from DynamoDB Local, writes to a real OpenSearch. Both share this machine with what is measured, so each one's CPU
is told apart. It reports, and never fails for being slow.

usage: python -m benchmarks.jobs [--quick] [--items N] [--processes N] [--threads N]
"""

import argparse
import http.client
import json
import os
import statistics
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
import psutil
from dynamodb_opensearch.cli.engine import Stop, Workers, run
from dynamodb_opensearch.cli.journal import Journal
from dynamodb_opensearch.cli.verifying import SEGMENTS
from dynamodb_opensearch.documents import encode_document
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.pair import open_pair
from dynamodb_opensearch.jobs.scan import pages
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.jobs.vouched import vouched_file
from dynamodb_opensearch.jobs.work import Job
from dynamodb_opensearch.settings import Settings, read_settings
from dynamodb_opensearch.truth import projection
from engines import DynamoDBLocal, EngineError, OpenSearchNode, dynamodb_local, opensearch, unwind_on_termination
from rich.console import Console
from rich.table import Table

from benchmarks.contestants import BenchmarkError, Raw, function_environment
from benchmarks.race import ask
from benchmarks.workloads import KEY, insert

ACTIONS = 500  # of one ready-made request: the function's own default
BACKFILL, VERIFY, RAW, REPLAY = "backfill", "verify", "documents sent ready-made", "all its requests ready-made"

# VmHWM: the most that this process ever held; Linux only.
_MEMORY = """
import os, sys
from pathlib import Path
from benchmarks.jobs import environment, run_job
from dynamodb_opensearch.cli.engine import Workers
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.jobs.vouched import vouched_file
from dynamodb_opensearch.settings import read_settings
with vouched_file(int(sys.argv[2])) as vouched:
    job = Backfill(64) if sys.argv[1] == "backfill" else Verify(64, patience_seconds=0, vouched=vouched)
    run_job(job, read_settings(os.environ), Workers(threads=2))
status = Path("/proc/self/status").read_text()
print(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1000)
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took."""

    wall_seconds: float
    cpu_seconds: Mapping[str, float]
    """By who spent it."""


class Clock:
    """Measures runs, with the CPU of this program, its workers and both engines."""

    def __init__(self, table: DynamoDBLocal, node: OpenSearchNode) -> None:
        self._engines = {"DynamoDB Local": psutil.Process(table.pid), "OpenSearch": psutil.Process(node.pid)}
        self.samples: dict[str, list[Sample]] = {}
        self.counts = False
        """Whether this round's samples count, or only warm up."""

    def measure(self, name: str, action: Callable[[], Any]) -> Any:
        """Run it; what it returns."""
        cpu, wall = self._cpu_seconds(), time.perf_counter()
        answer = action()
        wall = time.perf_counter() - wall
        spent = {who: seconds - cpu[who] for who, seconds in self._cpu_seconds().items()}
        if self.counts:
            self.samples.setdefault(name, []).append(Sample(wall, spent))
        return answer

    def wall(self, name: str) -> float:
        """Median seconds."""
        return statistics.median(sample.wall_seconds for sample in self.samples[name])

    def cpu(self, name: str) -> dict[str, float]:
        """Median seconds, by who spent them."""
        samples = self.samples[name]
        return {who: statistics.median(sample.cpu_seconds[who] for sample in samples) for who in samples[0].cpu_seconds}

    def _cpu_seconds(self) -> dict[str, float]:
        own = sum(os.times()[:4])  # workers that have ended are in it
        return {"ours": own} | {who: sum(map(_cpu, _family(engine))) for who, engine in self._engines.items()}


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@dataclass(frozen=True, slots=True)
class Page:
    """What a backfill sends for a page of the scan: bytes that are ready to go."""

    scan: bytes
    bulks: Sequence[bytes]
    look: bytes
    """The second look, at the keys alone."""


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
        table = engines.enter_context(dynamodb_local(heap=_heap(items), announce=announce))
        node = engines.enter_context(opensearch(heap="1g", announce=announce))
        os.environ |= environment(node.url, table.url)
        settings = read_settings(os.environ)
        announce(f"writing {items:,} items")
        _fill(settings.table_name, items)
        pages = _pages(settings)
        clock = Clock(table, node)
        runs = [_race_raw, _race_replay, _race_jobs]
        for number in range(rounds + 1):
            clock.counts = number > 0
            announce(f"round {number} of {rounds}" if number else "warming up")
            for run_one in runs[number % 3 :] + runs[: number % 3]:
                _fresh_index(node.url)
                run_one(settings, workers, pages, clock)
        _show(items, workers, clock, f"load at the start {load:.1f}, {os.cpu_count()} cores, {rounds} rounds")
        if options.quick or not Path("/proc/self/status").exists():
            return
        announce("memory")
        small = settings.table_name + "-small"
        _fill(small, items // 10)
        sizes = {items // 10: small, items: settings.table_name}
        _show_memory({count: _memory(name, count, node.url) for count, name in sizes.items()})


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


def _heap(items: int) -> str:
    """DynamoDB Local holds its tables in memory, and answers InternalFailure when that is full."""
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
    """Read the table once, and note what a backfill will send."""
    pair = open_pair(settings)
    found = []
    for segment in range(SEGMENTS):
        start_key = None
        for page in pages(pair, segment, SEGMENTS, None):
            request = {"TableName": settings.table_name, "Segment": segment, "TotalSegments": SEGMENTS}
            request |= {"ConsistentRead": True} | ({"ExclusiveStartKey": start_key} if start_key else {})
            chunks = [page.items[start : start + ACTIONS] for start in range(0, len(page.items), ACTIONS)]
            look = request | projection(settings.key_schema)
            found.append(Page(_encoded(request), [_body(chunk) for chunk in chunks], _encoded(look)))
            start_key = page.next_key
    return found


def _encoded(request: Mapping[str, Any]) -> bytes:
    return json.dumps(request).encode()


def _race_raw(settings: Settings, workers: Workers, pages_of_table: Sequence[Page], clock: Clock) -> None:
    senders = [Raw(settings.endpoint) for _ in range(workers.processes * workers.threads)]
    bodies = [body for page in pages_of_table for body in page.bulks]
    for number, sender in enumerate(senders):
        sender.prepare_bodies(bodies[number :: len(senders)], settings.index)
    with ThreadPoolExecutor(len(senders)) as pool:
        clock.measure(RAW, lambda: list(pool.map(Raw.run, senders)))


def _race_replay(settings: Settings, workers: Workers, pages_of_table: Sequence[Page], clock: Clock) -> None:
    """Whatever the backfill sends, and nothing is read of what comes back."""
    table_url = urlsplit(os.environ["AWS_ENDPOINT_URL_DYNAMODB"])

    def replay(own_pages: Sequence[Page]) -> None:
        sender = Raw(settings.endpoint)
        table = http.client.HTTPConnection(table_url.netloc)
        for page in own_pages:
            _scan(table, page.scan)
            sender.prepare_bodies(page.bulks, settings.index)
            sender.run()
            _scan(table, page.look)

    count = workers.processes * workers.threads
    with ThreadPoolExecutor(count) as pool:
        shares = [pages_of_table[number::count] for number in range(count)]
        clock.measure(REPLAY, lambda: list(pool.map(replay, shares)))


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


def _race_jobs(settings: Settings, workers: Workers, pages_of_table: Sequence[Page], clock: Clock) -> None:
    items = sum(body.count(b"\n") // 2 for page in pages_of_table for body in page.bulks)
    counts = clock.measure(BACKFILL, lambda: run_job(Backfill(SEGMENTS), settings, workers))
    if counts["written"] != items:
        raise BenchmarkError(f"the backfill wrote {counts}, not {items} items")
    with vouched_file(items) as vouched:
        verify = Verify(SEGMENTS, patience_seconds=0, vouched=vouched)
        found = clock.measure(VERIFY, lambda: run_job(verify, settings, workers))
    if found != {"items": items, "documents": items}:
        raise BenchmarkError(f"the verification found {found}")


def _body(images: Sequence[Any]) -> bytes:
    version = (int(time.time()) - 600) * 10**9  # as a scan's, so that both do the same to an index
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


def _memory(table: str, items: int, url: str) -> dict[str, float]:
    """Peak memory of each job in a process of its own, in MB."""
    _fresh_index(url)
    found = {}
    for job in (BACKFILL, VERIFY):
        command = [sys.executable, "-c", _MEMORY, job, str(items)]
        printed = subprocess.run(
            command, env=os.environ | {"TABLE_NAME": table}, check=True, capture_output=True, text=True
        ).stdout
        found[job] = float(printed)
    return found


def _show(items: int, workers: Workers, clock: Clock, machine: str) -> None:
    title = f"{items:,} items, {workers.processes} processes of {workers.threads} threads (medians)"
    table = Table("what", title=title, title_justify="left")
    who = tuple(clock.cpu(RAW))
    for name in ("seconds", "items/s", "speed / raw", *(f"CPU µs an item: {one}" for one in who)):
        table.add_column(name, justify="right")
    for name in (RAW, REPLAY, BACKFILL, VERIFY):
        seconds, cpu = clock.wall(name), clock.cpu(name)
        spent = [f"{cpu[one] * 1e6 / items:.0f}" for one in who]
        ratio = clock.wall(RAW) / seconds
        table.add_row(name, f"{seconds:.1f}", f"{items / seconds:,.0f}", f"{ratio:.2f}", *spent)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for faster, slower, bar in ((BACKFILL, RAW, 0.8), (BACKFILL, REPLAY, 0.8), (VERIFY, BACKFILL, 1.0)):
        ratio = clock.wall(slower) / clock.wall(faster)
        console.print(f"{faster} ≥ {bar} x {slower}: {ratio:.2f} {'pass' if ratio >= bar else 'miss'}")
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
