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
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from types import SimpleNamespace
from typing import Any

from dynamodb_opensearch.cli.output import tell
from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.cli.run.worker import END, Failure, JobFailedError, Lines, Setback, Task, Worker
from dynamodb_opensearch.core.errors import OutOfTimeError
from dynamodb_opensearch.dynamodb.capacity import CapacityLimit
from dynamodb_opensearch.jobs.job import Job, Step
from dynamodb_opensearch.jobs.sync import Sync, open_sync
from dynamodb_opensearch.jobs.unit import Unit
from dynamodb_opensearch.settings import Settings

STUCK_SECONDS = 900
"""How long units are retried while none of them makes progress: then the run ends."""
_QUIET_SECONDS = 60  # without progress, before a setback is reported


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
    check: Callable[[], None] | None = None
    """See ``jobs.sync.Sync.check``. Each process has its own copy."""


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
    return open_sync(
        settings,
        threads=workers.threads,
        capacity=capacity,
        page_items=workers.page_items,
        check=workers.check,
    )


Steps = Callable[[Stop], Iterator[tuple[Unit, Step]]]


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

    def bear(self, setback: Setback) -> Failure | None:
        """Note a setback. Return a failure once setbacks have gone on for too long."""
        now = time.monotonic()
        if self._since is None and now - self._progress_at >= _QUIET_SECONDS:
            self._since = now
            tell(f"waiting: {setback.reason}; retrying for {STUCK_SECONDS // 60} minutes at most")
        if self._since is not None and now - self._since >= STUCK_SECONDS:
            return Failure.of(OutOfTimeError(f"{setback.reason}; no progress for {STUCK_SECONDS // 60} minutes"))
        return None


def _received(
    lines: Lines, stop: Stop, workers: int, find_dead: Callable[[], str | None]
) -> Iterator[tuple[Unit, Step]]:
    """Yield steps as they are done. After a failure, the other workers finish their steps; then it is raised."""
    failure: Failure | None = None
    patience = _Patience()
    while workers:
        if stop.requested or failure:
            lines.stopped.value = True
        try:
            result = lines.results.get(timeout=0.2)
        except queue.Empty:
            if dead := find_dead():
                raise JobFailedError(dead) from None
            continue
        if result == END:
            workers -= 1
        elif isinstance(result, Failure):
            failure = failure or result
        elif isinstance(result, Setback):
            failure = failure or patience.bear(result)
        else:
            number, unit, step = result
            patience.see(unit, step)
            yield unit, step
            lines.noted[number].release()
    if failure:
        raise failure.raised()


@contextmanager
def _threads(job: Job, sync: Sync, workers: Workers, units: Sequence[Task]) -> Iterator[Steps]:
    noted = [threading.Semaphore(0) for _ in range(workers.threads)]
    lines = Lines(queue.Queue(), queue.Queue(), SimpleNamespace(value=False), noted)
    lines.deal(units, workers.threads)
    threads = _start_threads(job, sync, range(workers.threads), lines)
    try:
        yield lambda stop: _received(lines, stop, workers.threads, lambda: None)
    finally:
        lines.stopped.value = True
        for thread in threads:
            thread.join()


@contextmanager
def _processes(job: Job, sync: Sync, workers: Workers, units: Sequence[Task]) -> Iterator[Steps]:
    context = multiprocessing.get_context("spawn")  # a fork would share connections and locks
    count = workers.processes * workers.threads
    noted = [context.Semaphore(0) for _ in range(count)]
    lines = Lines(context.Queue(), context.Queue(), context.RawValue("b", 0), noted)
    lines.deal(units, count)
    processes = [
        context.Process(target=_process, args=(job, sync.settings, workers, numbers, lines), daemon=True)
        for numbers in (range(first, first + workers.threads) for first in range(0, count, workers.threads))
    ]
    with _signals_held_back():
        for process in processes:
            process.start()
    try:
        yield lambda stop: _received(lines, stop, count, lambda: _dead(processes))
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


def _process(job: Job, settings: Settings, workers: Workers, numbers: Sequence[int], lines: Lines) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        sync = _open(settings, workers)
    except Exception as error:  # noqa: BLE001 (the parent reports it)
        lines.results.put(Failure.of(error))
        for _ in numbers:
            lines.results.put(END)
        return
    with _few_collections():
        for thread in _start_threads(job, sync, numbers, lines):
            thread.join()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)  # the parent was killed: there is no one to report to


def _start_threads(job: Job, sync: Sync, numbers: Sequence[int], lines: Lines) -> list[threading.Thread]:
    workers = [Worker(job, sync, lines, number) for number in numbers]
    threads = [threading.Thread(target=_work, args=(worker, lines), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    return threads


def _work(worker: "Worker", lines: Lines) -> None:
    try:
        worker.work()
    except Exception as error:  # noqa: BLE001 (the parent reports it; it must not look like a normal end)
        lines.results.put(Failure.of(error))
    finally:
        lines.results.put(END)
