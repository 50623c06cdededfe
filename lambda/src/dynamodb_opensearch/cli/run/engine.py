"""Runs a job's units on this machine, in threads of one or more processes, and notes each step once it is done."""

import gc
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from multiprocessing.process import BaseProcess
from types import SimpleNamespace
from typing import Any

from dynamodb_opensearch.cli.faults import line_of, trace_of
from dynamodb_opensearch.cli.output import tell
from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.core.errors import OutOfTimeError, SyncError
from dynamodb_opensearch.dynamodb.capacity import CapacityLimit
from dynamodb_opensearch.jobs.job import Job, Pause, Step
from dynamodb_opensearch.jobs.sync import Sync, open_sync
from dynamodb_opensearch.jobs.unit import Unit
from dynamodb_opensearch.settings import Settings

PAUSED = 8
"""Most units of one worker that may pause at the same time: each holds its data in memory while it waits."""
STUCK_SECONDS = 900
"""How long units are retried while none of them makes progress: then the run ends."""
_QUIET_SECONDS = 60  # without progress, before a setback is reported
_LOOK_SECONDS = 0.1  # between two checks of the stop flag
_LONGEST_PAUSE_SECONDS = 60.0  # before a unit is retried


class JobFailedError(SyncError):
    """A worker couldn't go on. What was done is noted, so the job can be resumed."""


@dataclass(frozen=True, slots=True)
class Workers:
    """How a job is run."""

    processes: int = 1
    """1: only this process. More help where a single interpreter is the limit."""
    threads: int = 4
    """Threads of each process. Each has its own unit: one reads while another's documents are on the wire."""
    read_units_per_second: float | None = None
    """Limit for all workers together; None: no limit."""
    page_items: int | None = None
    """Most items of a page; None: as many as DynamoDB returns."""


class Stop:
    """Asks a run to end after the steps that are under way."""

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        """Ask the run to end. A signal handler may call this."""
        self.requested = True


def run(
    job: Job,
    settings: Settings,
    workers: Workers,
    checkpoint: Checkpoint,
    *,
    stop: Stop,
    on_step: Callable[[Step], None],
) -> bool:
    """Run a job, or the rest of it. Return whether all units are done.

    Args:
        on_step: called in this thread after each step is noted.

    Raises:
        ConfigurationError: the job can't begin.
        JobFailedError: a unit failed; the others have finished the steps that were under way.
    """
    sync = _open(settings, workers)
    if checkpoint.units is None:
        checkpoint.begin(list(job.plan(sync)))
    start = _threads if workers.processes == 1 else _processes
    with _few_collections(), start(job, sync, workers, checkpoint.open_units()) as steps:
        for unit, step in steps(stop):
            checkpoint.record(unit, step)
            on_step(step)
    return not checkpoint.open_units()


@contextmanager
def _few_collections() -> Iterator[None]:
    """Collect garbage less often. Jobs hold trees: searching them for cycles at Python's default rate costs 10 %."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _open(settings: Settings, workers: Workers) -> Sync:
    rate = workers.read_units_per_second
    capacity = CapacityLimit(rate / workers.processes) if rate else None
    return open_sync(settings, threads=workers.threads, capacity=capacity, page_items=workers.page_items)


Task = tuple[Unit, Any]
Steps = Callable[[Stop], Iterator[tuple[Unit, Step]]]
_END = "end"  # marks the end of the tasks, and is a worker's last result


@dataclass(frozen=True, slots=True)
class _Failure:
    """A worker's error as text: not every exception can be sent to another process."""

    line: str
    trace: str

    @classmethod
    def of(cls, error: Exception) -> "_Failure":
        return cls(line_of(error), trace_of(error))

    def raised(self) -> JobFailedError:
        error = JobFailedError(self.line)
        error.add_note(f"In the worker:\n{self.trace}")
        return error


@dataclass(frozen=True, slots=True)
class _Setback:
    """A unit ran out of time, and will be retried."""

    reason: str


class _Patience:
    """Decides how long setbacks may go on: as long as any unit makes progress."""

    def __init__(self) -> None:
        self._marks: dict[Unit, Any] = {}
        self._progress_at = time.monotonic()
        self._since: float | None = None
        """When the current series of setbacks began; None if there is none."""

    def see(self, unit: Unit, step: Step) -> None:
        """Note a step. It is progress if it moved the unit on; an intent never is."""
        if not step.is_intent and self._marks.get(unit, ...) != step.position:
            self._marks[unit] = step.position
            self._progress_at, self._since = time.monotonic(), None

    def bear(self, setback: _Setback) -> _Failure | None:
        """Note a setback. Return a failure once setbacks have gone on for too long."""
        now = time.monotonic()
        if self._since is None and now - self._progress_at >= _QUIET_SECONDS:
            self._since = now
            tell(f"waiting: {setback.reason}; retrying for {STUCK_SECONDS // 60} minutes at most")
        if self._since is not None and now - self._since >= STUCK_SECONDS:
            return _Failure.of(OutOfTimeError(f"{setback.reason}; no progress for {STUCK_SECONDS // 60} minutes"))
        return None


@dataclass(frozen=True, slots=True)
class _Lines:
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
            time.sleep(min(left, _LOOK_SECONDS))
        return True

    def deal(self, units: Sequence[Task], workers: int) -> None:
        """Put all units into the queue, then an end mark for each worker."""
        for task in [*units, *([_END] * workers)]:
            self.tasks.put(task)

    def steps(self, stop: Stop, workers: int, find_dead: Callable[[], str | None]) -> Iterator[tuple[Unit, Step]]:
        """Yield steps as they are done. After a failure, the other workers finish their steps; then it is raised."""
        failure: _Failure | None = None
        patience = _Patience()
        while workers:
            if stop.requested or failure:
                self.stopped.value = True
            try:
                result = self.results.get(timeout=0.2)
            except queue.Empty:
                if dead := find_dead():
                    raise JobFailedError(dead) from None
                continue
            if result == _END:
                workers -= 1
            elif isinstance(result, _Failure):
                failure = failure or result
            elif isinstance(result, _Setback):
                failure = failure or patience.bear(result)
            else:
                number, unit, step = result
                patience.see(unit, step)
                yield unit, step
                self.noted[number].release()
        if failure:
            raise failure.raised()


@contextmanager
def _threads(job: Job, sync: Sync, workers: Workers, units: Sequence[Task]) -> Iterator[Steps]:
    noted = [threading.Semaphore(0) for _ in range(workers.threads)]
    lines = _Lines(queue.Queue(), queue.Queue(), SimpleNamespace(value=False), noted)
    lines.deal(units, workers.threads)
    threads = _start_threads(job, sync, range(workers.threads), lines)
    try:
        yield lambda stop: lines.steps(stop, workers.threads, lambda: None)
    finally:
        lines.stopped.value = True
        for thread in threads:
            thread.join()


@contextmanager
def _processes(job: Job, sync: Sync, workers: Workers, units: Sequence[Task]) -> Iterator[Steps]:
    context = multiprocessing.get_context("spawn")  # a fork would share connections and locks
    count = workers.processes * workers.threads
    noted = [context.Semaphore(0) for _ in range(count)]
    lines = _Lines(context.Queue(), context.Queue(), context.RawValue("b", 0), noted)
    lines.deal(units, count)
    processes = [
        context.Process(target=_process, args=(job, sync.settings, workers, numbers, lines), daemon=True)
        for numbers in (range(first, first + workers.threads) for first in range(0, count, workers.threads))
    ]
    with _signals_held_back():
        for process in processes:
            process.start()
    try:
        yield lambda stop: lines.steps(stop, count, lambda: _dead(processes))
    finally:
        lines.stopped.value = True
        for process in processes:
            process.join(30)
            process.kill()


def _dead(processes: Sequence[BaseProcess]) -> str | None:
    """Describe a worker process that ended before its work was done; None if all are well."""
    codes = [process.exitcode for process in processes if process.exitcode]
    if not codes:
        return None
    if codes[0] < 0:
        return f"a worker process was killed by signal {-codes[0]}, perhaps for lack of memory"
    return f"a worker process ended unexpectedly, with the exit code {codes[0]}"


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Block SIGINT and SIGTERM in processes started meanwhile, even while they import: the parent answers both.

    A terminal sends SIGINT to the whole process group; a service manager or container runtime sends SIGTERM.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


_SIGNALS = {signal.SIGINT, signal.SIGTERM}


def _process(job: Job, settings: Settings, workers: Workers, numbers: Sequence[int], lines: _Lines) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        sync = _open(settings, workers)
    except Exception as error:  # noqa: BLE001 (the parent reports it)
        lines.results.put(_Failure.of(error))
        for _ in numbers:
            lines.results.put(_END)
        return
    with _few_collections():
        for thread in _start_threads(job, sync, numbers, lines):
            thread.join()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)  # the parent was killed: there is no one to report to


def _start_threads(job: Job, sync: Sync, numbers: Sequence[int], lines: _Lines) -> list[threading.Thread]:
    workers = [_Worker(job, sync, lines, number) for number in numbers]
    threads = [threading.Thread(target=_work, args=(worker, lines), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    return threads


def _work(worker: "_Worker", lines: _Lines) -> None:
    try:
        worker.work()
    except Exception as error:  # noqa: BLE001 (the parent reports it; it must not look like a normal end)
        lines.results.put(_Failure.of(error))
    finally:
        lines.results.put(_END)


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
    unit: Unit
    run: _Run = field(compare=False)


class _Worker:
    """Does one unit after another, and turns to the next while a unit pauses."""

    def __init__(self, job: Job, sync: Sync, lines: _Lines, number: int) -> None:
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
            elif (task := self._lines.tasks.get()) == _END:
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
        self._lines.results.put(_Setback(str(error)))
        pause_seconds = min(2.0**run.setbacks, _LONGEST_PAUSE_SECONDS)
        run.setbacks, run.is_between_steps = run.setbacks + 1, True
        run.steps = self._job.run(self._sync, run.unit, run.position)
        heappush(self._paused, _Paused(time.monotonic() + pause_seconds, run.unit, run))
