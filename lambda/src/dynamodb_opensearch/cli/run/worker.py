"""A worker of a run: does one unit after another, and waits until each of its steps is noted before it goes on."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from dynamodb_opensearch.cli.faults import line_of, trace_of
from dynamodb_opensearch.core.errors import OutOfTimeError, SyncError
from dynamodb_opensearch.jobs.job import Job, Pause, Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Unit

PAUSED = 8
"""Most units of one worker that may pause at the same time: each holds its data in memory while it waits."""
LOOK_SECONDS = 0.1  # between two checks of the stop flag
_LONGEST_PAUSE_SECONDS = 60.0  # before a unit is retried


class JobFailedError(SyncError):
    """A worker couldn't go on. What was done is noted, so the job can be resumed."""


Task = tuple[Unit, Any]
END = "end"  # marks the end of the tasks, and is a worker's last result


@dataclass(frozen=True, slots=True)
class Failure:
    """A worker's error as text: not every exception can be sent to another process."""

    line: str
    trace: str

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        return cls(line_of(error), trace_of(error))

    def raised(self) -> JobFailedError:
        error = JobFailedError(self.line)
        error.add_note(f"In the worker:\n{self.trace}")
        return error


@dataclass(frozen=True, slots=True)
class Setback:
    """A unit ran out of time, and will be retried."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lines:
    """The queues and flags between the workers and the run: within this process, or between processes."""

    tasks: Any
    results: Any
    stopped: Any
    """A flag, ``value``, without a lock: a worker killed while it holds or awaits a lock would block all others."""
    noted: Sequence[Any]
    """A semaphore for each worker: it is released when the worker's step is noted, and only then the worker goes on."""

    def wait(self, seconds: float) -> bool:
        """Wait that long, or until the workers are to stop. Return whether they are."""
        until = time.monotonic() + seconds
        while not self.stopped.value:
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, LOOK_SECONDS))
        return True

    def deal(self, units: Sequence[Task], workers: int) -> None:
        """Put all units into the queue, then an end mark for each worker."""
        for task in [*units, *([END] * workers)]:
            self.tasks.put(task)


@dataclass(slots=True)
class _Run:
    """A unit under way."""

    unit: Unit
    position: Any
    """Where it goes on if it is retried."""
    steps: Iterator[Step | Pause]
    is_between_steps: bool = True
    mark: Any = ...
    """The position of its last step that did something."""
    setbacks: int = 0
    """Setbacks since its last progress."""

    def take(self, step: Step) -> None:
        """Note a step that was done."""
        self.position, self.is_between_steps = step.position, not step.is_intent
        if not step.is_intent and self.mark != step.position:
            self.mark, self.setbacks = step.position, 0


@dataclass(order=True, slots=True)
class _Paused:
    until: float
    unit: Unit = field(compare=False)
    run: _Run = field(compare=False)


class Worker:
    """Does one unit after another, and turns to the next while a unit pauses."""

    def __init__(self, job: Job, sync: Sync, lines: Lines, number: int) -> None:
        self._job, self._sync, self._lines, self._number = job, sync, lines, number
        self._paused: list[_Paused] = []

    def work(self) -> None:
        """Work until no units are left, or the run is to stop."""
        has_more = True
        while not self._lines.stopped.value and (has_more or self._paused):
            crowded = len(self._paused) == PAUSED or not has_more
            if self._paused and (crowded or not Pause(self._paused[0].until).seconds):
                paused = heappop(self._paused)
                if not self._lines.wait(Pause(paused.until).seconds):
                    self._advance(paused.run)
            elif (task := self._lines.tasks.get()) == END:
                has_more = False
            else:
                unit, position = task
                self._advance(_Run(unit, position, self._job.run(self._sync, unit, position)))

    def _advance(self, run: _Run) -> None:
        """Advance a unit to its end, its next pause or setback, or the stop."""
        while self._may_read(run):
            try:
                step = next(run.steps, None)
            except OutOfTimeError as error:
                self._set_back(run, error)
                return
            if step is None:
                return
            if isinstance(step, Pause):
                heappush(self._paused, _Paused(step.until, run.unit, run))
                return
            self._lines.results.put((self._number, run.unit, step))
            while not self._lines.noted[self._number].acquire(timeout=1):
                if self._lines.stopped.value:
                    return
            run.take(step)

    def _may_read(self, run: _Run) -> bool:
        """Wait until the capacity limit allows another read. Return False if the run is to stop."""
        capacity = self._sync.capacity if run.is_between_steps else None
        return not self._lines.wait(capacity.owed_seconds if capacity else 0)

    def _set_back(self, run: _Run, error: OutOfTimeError) -> None:
        """Retry the unit from its last step, after a pause that grows each time."""
        self._lines.results.put(Setback(str(error)))
        pause_seconds = min(2.0**run.setbacks, _LONGEST_PAUSE_SECONDS)
        run.setbacks, run.is_between_steps = run.setbacks + 1, True
        run.steps = self._job.run(self._sync, run.unit, run.position)
        heappush(self._paused, _Paused(time.monotonic() + pause_seconds, run.unit, run))
