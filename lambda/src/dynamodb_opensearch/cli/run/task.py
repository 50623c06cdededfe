"""Runs a job for a command: finds its checkpoint, shows its progress, and says how to resume it if interrupted."""

import fcntl
import hashlib
import os
import re
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from dynamodb_opensearch.cli.output import stderr, tell
from dynamodb_opensearch.cli.run.checkpoint import Checkpoint, age_seconds, is_of, remove
from dynamodb_opensearch.cli.run.counts import counts_of, totals_of
from dynamodb_opensearch.cli.run.engine import Workers, run
from dynamodb_opensearch.cli.run.interrupts import orderly_stop
from dynamodb_opensearch.cli.run.progress import Pace, ProgressBar, span
from dynamodb_opensearch.cli.run.survey import Survey, check_function, check_unmoved
from dynamodb_opensearch.cli.target.flags import RunFlags, default_processes
from dynamodb_opensearch.core.errors import ConfigurationError, SyncError
from dynamodb_opensearch.jobs.job import Job, Step, identity_of
from dynamodb_opensearch.settings import Settings


@dataclass(frozen=True, slots=True)
class Task:
    """A job, and what only the command knows about it."""

    name: str
    job: Job
    expected: int | None
    """About how much there is to count; None if unknown."""
    counted: tuple[str, ...] = ("items",)
    """The counts that show how far it is."""
    parallel: bool = True
    """Whether it has many units."""
    read_units_per_second: float | None = None
    identity: Mapping[str, Any] | None = None
    """What must be equal for a run to resume another's checkpoint; None: the job's settings."""
    is_comparison: bool = False
    """Whether its result is about one moment: what was compared long ago says nothing about now."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a run."""

    task: Task
    survey: Survey
    checkpoint: Checkpoint
    done: bool
    seconds: float
    """Duration of this run."""

    @property
    def settings(self) -> Settings:
        """The sync's settings."""
        return self.survey.settings

    @property
    def counts(self) -> Mapping[str, int]:
        """Counts of this run and of those that it resumed."""
        return self.checkpoint.counts

    @property
    def indices(self) -> tuple[str, ...]:
        """The names of the indices that the command works on."""
        return self.settings.indices

    def counts_of(self, index: str) -> Mapping[str, int]:
        """The counts of one index."""
        return self.counts if len(self.indices) == 1 else counts_of(self.counts, index)

    def findings_of(self, index: str) -> Iterator[Mapping[str, Any]]:
        """Differences and refusals in one index. They name the index that is written to, or the sync's name for it."""
        if len(self.indices) == 1:
            return self.checkpoint.findings()
        names = self.survey.names()
        return (finding for finding in self.checkpoint.findings() if names.get(finding.get("index", "")) == index)

    def notices_of(self, index: str) -> Mapping[str, int]:
        """What is worth knowing about one index but isn't a difference."""
        if len(self.indices) == 1:
            return self.checkpoint.notices
        return counts_of(self.checkpoint.notices, index, ": ")

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints for every command."""
        return {
            "command": self.task.name,
            "table": self.survey.table.arn,
            "index": ",".join(self.indices),
            "endpoint": self.settings.endpoint,
            "done": self.done,
            "startedAt": self.checkpoint.started_at,
            "counts": totals_of(self.counts),
            "seconds": round(self.seconds, 3),
            "checkpoint": None if self.done else str(self.checkpoint.path),
        }


@contextmanager
def carried_out(task: Task, found: Survey, flags: RunFlags, *, is_alone: bool = False) -> Iterator[Result]:
    """Run a job, or the rest of it. The block prints the result; the checkpoint of a finished job is deleted by then.

    Args:
        is_alone: whether the caller keeps other runs off the checkpoint, see ``alone``.

    Raises:
        SyncError: see ``engine.run``; or the table or the index was recreated meanwhile.
    """
    path = flags.checkpoint or checkpoint_path(task.name, found.settings, found.table.arn)
    with nullcontext() if is_alone else alone(path):
        identity = _identity(task, found)
        _forget(path, task, identity, restart=flags.restart)
        checkpoint = Checkpoint(path, identity)
        if checkpoint.resumed:
            tell(f"resuming from the checkpoint {path}, begun at {checkpoint.started_at} (--restart starts again)")
        try:
            began = time.monotonic()
            done = _run(task, found, flags, checkpoint)
            if done:
                checkpoint.finish()
                check_unmoved(found)
            else:
                tell(f"interrupted; {how_to_resume(path)}")
            yield Result(task, found, checkpoint, done, time.monotonic() - began)
        except SyncError:
            if not checkpoint.finished and checkpoint.resumed:
                tell(f"finished work is kept; {how_to_resume(path)}")
            raise
        finally:
            if not checkpoint.finished and not checkpoint.resumed:  # there is nothing to resume
                checkpoint.finish()
            checkpoint.close()


def _forget(path: Path, task: Task, identity: Mapping[str, Any], *, restart: bool) -> None:
    """Remove a checkpoint that must not be resumed."""
    age = age_seconds(path)
    if age is None:
        return
    if restart:
        remove(path)
    elif task.is_comparison and age > COMPARISON_SECONDS and is_of(path, identity):
        tell(f"the checkpoint {path} is {span(age)} old, and what it compared says nothing about now: starting again")
        remove(path)
    elif age > _OLD_SECONDS:
        tell(f"the checkpoint {path} is {span(age)} old")


COMPARISON_SECONDS = 24 * 3600
"""How long after its last step an interrupted comparison may be resumed."""
_OLD_SECONDS = 3600


def _run(task: Task, found: Survey, flags: RunFlags, checkpoint: Checkpoint) -> bool:
    workers = Workers(
        processes=(flags.processes or default_processes(task.expected)) if task.parallel else 1,
        threads=flags.workers if task.parallel else 1,
        read_units_per_second=task.read_units_per_second,
        page_items=flags.page_items,
        check=partial(check_function, found.configuration),
    )

    def number(counts: Mapping[str, int]) -> int:
        return sum(counts.get(name, 0) for name in task.counted)

    with (
        orderly_stop() as stop,
        ProgressBar(stderr(), task.name, Pace(number(checkpoint.counts), task.expected)) as bar,
    ):

        def on_step(step: Step) -> None:
            bar.add(number(step.counts))

        return run(task.job, found.settings, workers, checkpoint, stop=stop, on_step=on_step)


def checkpoint_path(name: str, settings: Settings, table_arn: str) -> Path:
    """Return the file of this command, table and indices, in the state folder of the XDG base directory specification.

    See: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if state.startswith("/") else Path.home() / ".local/state"
    parts = (name, table_arn, ",".join(settings.indices), settings.endpoint)
    text = "-".join((name, table_arn.rpartition("/")[2], *settings.indices))
    readable = re.sub(r"[^A-Za-z0-9_.-]", "-", text)[:150]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
    return folder / "dynamodb-opensearch" / f"{readable}-{digest}.jsonl"


def how_to_resume(path: Path) -> str:
    """Return the same command as it was typed, but without ``--restart``."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--restart"]
    return f"go on with: {shlex.join(['dynamodb-opensearch', *arguments])}  (checkpoint {path})"


def _identity(task: Task, found: Survey) -> dict[str, Any]:
    own = identity_of(task.job) if task.identity is None else task.identity
    return {"command": task.name, **own, **found.identity()}


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep a second run off the checkpoint: two would do everything twice, and note it in one file.

    Raises:
        ConfigurationError: another run has it, or the lock file can't be created.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _locked(lock)
    except OSError as error:
        raise ConfigurationError(f"the checkpoint {path} can't be used ({error.strerror}); give another") from None
    if file is None:
        raise ConfigurationError(
            f"another run uses the checkpoint {path}: wait for it, or give this one its own with --checkpoint"
        )
    with file:
        try:
            yield
        finally:
            if lock.stat().st_size == 0:  # else it is a file of the user's
                lock.unlink()


def _locked(path: Path) -> TextIO | None:
    """Open and lock the lock file; None if another run holds it."""
    while True:
        file = path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        # Its last holder may have removed it between our open and our lock: then it locks nothing.
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
        file.close()
