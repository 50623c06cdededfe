"""Runs many schedules in parallel against one function and one OpenSearch, and describes those that fail."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from simulation.comparison import Kind
from simulation.sandbox import Forge
from simulation.schedule import make_schedule
from simulation.simulation import Outcome, run_schedule

# Most of a schedule's time is waiting: for OpenSearch, for forks, for time-outs.
_SIDE_BY_SIDE = 6 * (os.cpu_count() or 1)
_REPLAY = "replay: make prove SEED={} ARGS='-k {}'"


@dataclass(frozen=True, slots=True)
class Ground:
    """What all schedules of a run share. `prefix` separates their keys from another function's in the same index."""

    forge: Forge
    opensearch_url: str
    index_name: str
    prefix: str
    images_only: bool = False
    several: bool = False
    test: str = "schedule"
    """The name by which pytest finds the test."""

    def run(self, seed: int) -> Outcome:
        try:
            schedule = make_schedule(seed, f"{self.prefix}-{seed}", images_only=self.images_only, several=self.several)
            return run_schedule(schedule, self.forge, self.opensearch_url, self.index_name)
        except Exception as error:
            error.add_note(f"in the schedule of seed {seed}; {_REPLAY.format(seed, self.test)}")
            raise


@contextmanager
def run_seeds(ground: Ground, seeds: Iterable[int]) -> Iterator[Iterator[Outcome]]:
    """Yield the schedules' outcomes in the order of their seeds. At an early exit, schedules under way still finish."""
    pool = ThreadPoolExecutor(_SIDE_BY_SIDE)
    try:
        yield pool.map(partial(Ground.run, ground), seeds)
    finally:
        pool.shutdown(cancel_futures=True)


def describe_failure(outcome: Outcome, test: str) -> str:
    """Describe a failure: each difference, the command that replays it, and the story of the first key that differs."""
    lines = [f"seed {outcome.seed} does not converge; {_REPLAY.format(outcome.seed, test)}"]
    lines += [f"  {difference}" for difference in outcome.differences]
    key = next((difference.key for difference in outcome.differences if difference.key), None)
    if key is not None:
        lines += [f"story of {key} (seconds of simulated time):", outcome.story.of_key(key, outcome.began)]
    elif any(difference.kind in (Kind.STUCK, Kind.VIOLATION) for difference in outcome.differences):
        lines += ["end of the story of all keys:", outcome.story.end(outcome.began)]
    return "\n".join(lines)
