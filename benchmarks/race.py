"""Runs the contestants in turns, so that a busy moment of the machine affects all of them."""

import gc
import http.client
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from benchmarks.contestants import BenchmarkError, Contestant, Raw
from benchmarks.workloads import Workload, kind_of_record

_INDEX = {"settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}}
_WARM_UP = 2  # rounds that aren't counted


@dataclass(frozen=True, slots=True)
class Times:
    """The times of a contestant's runs, run by run."""

    wall_seconds: Sequence[float]
    cpu_seconds: Sequence[float]
    """CPU time of this process with all its threads, without OpenSearch's."""

    @property
    def wall(self) -> float:
        """Median seconds of wall-clock time."""
        return statistics.median(self.wall_seconds)

    @property
    def cpu(self) -> float:
        """Median seconds of CPU time."""
        return statistics.median(self.cpu_seconds)


@dataclass(frozen=True, slots=True)
class Entry:
    """A contestant, and how many rounds apart its runs are: a slow contestant runs less often."""

    contestant: Contestant
    every: int = 1


def race(
    url: str, entries: Sequence[Entry], workload: Workload, *, size: int, rounds: int, seeder: Raw
) -> dict[str, Times]:
    """Run all contestants over ``rounds`` batches of ``size`` records; return their times by name."""
    for index in [index for entry in entries for index in entry.contestant.indices]:
        ask(url, "DELETE", f"/{index}?ignore_unavailable=true")
        ask(url, "PUT", f"/{index}", _INDEX)
    for number in range(_WARM_UP + rounds):
        before = workload.make(number, size).before
        for entry in entries if before else ():
            if _runs(entry, number):
                for index, kind in entry.contestant.indices.items():
                    seeder.seed(index, [record for record in before if kind in {None, kind_of_record(record)}])
    # Existing documents are in a segment, as in an index in use, and no merge runs during the race.
    ask(url, "POST", "/bench-*/_forcemerge?max_num_segments=1")
    ask(url, "POST", "/bench-*/_refresh")
    samples: dict[str, list[tuple[float, float]]] = {entry.contestant.name: [] for entry in entries}
    for number in range(_WARM_UP + rounds):
        records = workload.make(number, size).records
        runners = [entry.contestant for entry in entries if _runs(entry, number)]
        first = number % len(runners)
        for contestant in runners[first:] + runners[:first]:
            contestant.prepare(records)
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            contestant.run()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            if number >= _WARM_UP:
                samples[contestant.name].append((wall, cpu))
    _check_alike(url, [entry.contestant for entry in entries if entry.every == 1])
    return {name: Times(*zip(*pairs, strict=True)) for name, pairs in samples.items()}


def _runs(entry: Entry, number: int) -> bool:
    return number % entry.every == _WARM_UP % entry.every


def _check_alike(url: str, contestants: Sequence[Contestant]) -> None:
    """Check that all contestants have written the same number of documents: else the race would be unfair."""
    ask(url, "POST", "/bench-*/_refresh")
    counts = {
        contestant.name: ask(url, "GET", f"/{','.join(contestant.indices)}/_count")["count"]
        for contestant in contestants
    }
    if len(set(counts.values())) > 1:
        raise BenchmarkError(f"the contestants' indices hold different numbers of documents: {counts}")


def ask(url: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Send a request that isn't timed."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise BenchmarkError(f"{url} can't be reached ({error}): is OpenSearch running there?") from None
    finally:
        connection.close()
    if response.status >= 300:
        raise BenchmarkError(f"{method} {url}{path} answered {response.status}: {text[:300]!r}")
    answer: dict[str, Any] = json.loads(text)
    return answer
