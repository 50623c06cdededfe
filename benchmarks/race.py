"""Lets the contestants run, taking turns, so that a busy moment of the machine meets all of them."""

import gc
import http.client
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from contestants import Contestant, Raw
from workloads import Round

_INDEX = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"},
    "mappings": {"dynamic": True},
}


@dataclass(frozen=True, slots=True)
class Times:
    """What one contestant's runs took, run by run."""

    wall_seconds: Sequence[float]
    cpu_seconds: Sequence[float]
    """Of this process, all its threads; OpenSearch's is not in it."""

    @property
    def wall(self) -> float:
        return statistics.median(self.wall_seconds)

    @property
    def cpu(self) -> float:
        return statistics.median(self.cpu_seconds)


@dataclass(frozen=True, slots=True)
class Entry:
    """A contestant, and in every how many rounds it runs: slow ones needn't run as often."""

    contestant: Contestant
    every: int = 1


def race(
    url: str, entries: Sequence[Entry], make: Callable[[int, int], Round], *, size: int, rounds: int, seeder: Raw
) -> dict[str, Times]:
    """Run all over ``rounds`` batches of ``size`` records; by name, what it took."""
    for entry in entries:
        _create_index(url, entry.contestant.index)
    for number in range(rounds):
        before = make(number, size).before
        for entry in entries if before else ():
            if number % entry.every == 0:
                seeder.seed(entry.contestant.index, before)
    _request(url, "POST", "/bench-*/_refresh")
    samples: dict[str, tuple[list[float], list[float]]] = {entry.contestant.name: ([], []) for entry in entries}
    for number in range(rounds):
        records = make(number, size).records
        runners = [entry.contestant for entry in entries if number % entry.every == 0]
        turn = number % len(runners)
        for contestant in runners[turn:] + runners[:turn]:
            contestant.prepare(records)
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            contestant.run()
            walls, cpus = samples[contestant.name]
            cpus.append(time.process_time() - cpu)
            walls.append(time.perf_counter() - wall)
    return {name: Times(walls, cpus) for name, (walls, cpus) in samples.items()}


def count_documents(url: str, index: str) -> int:
    """Documents that a search would find."""
    _request(url, "POST", f"/{index}/_refresh")
    return int(_request(url, "GET", f"/{index}/_count")["count"])


def _create_index(url: str, index: str) -> None:
    _request(url, "DELETE", f"/{index}?ignore_unavailable=true")
    _request(url, "PUT", f"/{index}", json.dumps(_INDEX))


def _request(url: str, method: str, path: str, body: str | None = None) -> dict[str, object]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer: dict[str, object] = json.load(response)
    finally:
        connection.close()
    if response.status >= 300:
        raise RuntimeError(f"{method} {path} answered {response.status}: {answer}")
    return answer
