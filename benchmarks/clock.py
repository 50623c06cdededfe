"""Measures runs: how long they take, and how much CPU time each process spends on them."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

OURS = "ours"


@dataclass(frozen=True, slots=True)
class Sample:
    """The time that one run took."""

    wall_seconds: float
    cpu_seconds: Mapping[str, float]
    """CPU time by the process that spent it."""


class Clock:
    """Measures runs, with the CPU time of this program, its workers and other processes."""

    def __init__(self, others: Mapping[str, int]) -> None:
        """Measure other processes too.

        Args:
            others: name -> pid; the CPU time of its children is included.
        """
        self._others = {who: psutil.Process(pid) for who, pid in others.items()}
        self._samples: dict[str, list[Sample]] = {}
        self.counts = False
        """Whether samples count; False while runs only warm up."""

    @property
    def who(self) -> tuple[str, ...]:
        """The processes whose CPU time is measured."""
        return (OURS, *self._others)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what was measured."""
        return tuple(self._samples)

    def measure(self, name: str, action: Callable[[], Any]) -> Any:
        """Run the action and return its result."""
        cpu, wall = self._cpu_seconds(), time.perf_counter()
        answer = action()
        wall = time.perf_counter() - wall
        spent = {who: seconds - cpu[who] for who, seconds in self._cpu_seconds().items()}
        if self.counts:
            self._samples.setdefault(name, []).append(Sample(wall, spent))
        return answer

    def wall(self, name: str) -> float:
        """Median seconds of wall-clock time."""
        return statistics.median(sample.wall_seconds for sample in self._samples[name])

    def cpu(self, name: str, who: str) -> float:
        """Median seconds of a process's CPU time."""
        return statistics.median(sample.cpu_seconds[who] for sample in self._samples[name])

    def _cpu_seconds(self) -> dict[str, float]:
        own = sum(os.times()[:4])  # includes workers that have ended
        return {OURS: own} | {who: sum(map(_cpu, family_of(other))) for who, other in self._others.items()}


@contextmanager
def cores_apart(pid: int) -> Iterator[None]:
    """Pin that process to a core of its own, and this process and its children to the others. Linux only."""
    mine, theirs = psutil.Process(), family_of(psutil.Process(pid))
    cores = mine.cpu_affinity()
    try:
        mine.cpu_affinity(cores[1:])
        _pin(theirs, cores[:1])
        yield
    finally:
        mine.cpu_affinity(cores)
        _pin(theirs, cores)


def family_of(process: psutil.Process) -> list[psutil.Process]:
    """Return the process and all its descendants."""
    return [process, *process.children(recursive=True)]


def _pin(processes: list[psutil.Process], cores: list[int]) -> None:
    for process in processes:
        for thread in process.threads():
            os.sched_setaffinity(thread.id, cores)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
