"""Finds and ends all of an engine's processes, even those that left its group or lost their parent."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from engines.errors import EngineError

# Every process of a run or an installation has the folder in this variable, so it is found even without its parent.
MARK = "ENGINES_FOLDER"
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """Identifies a process across program runs: a pid may be reused, but not with the same start time."""

    pid: int
    create_time: float

    @classmethod
    def of(cls, pid: int) -> Self:
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """Return the process if it is alive, else None."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            # the start time is derived from the clock, which may have been set since
            if abs(process.create_time() - self.create_time) < 2 and is_alive(process):
                return process
        return None


def is_alive(process: psutil.Process) -> bool:
    """Whether a process is alive. A zombie has ended: its parent just hasn't read its exit code yet."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def find_family(folder: Path, known: Iterable[ProcessIdentity] = ()) -> list[psutil.Process]:
    """Return the live processes that carry the folder's mark or are known to belong to it, with their descendants."""
    family = {process.pid: process for identity in known if (process := identity.find())}
    family |= {process.pid: process for process in psutil.process_iter() if _mark_of(process) == str(folder)}
    for process in list(family.values()):
        with suppress(psutil.NoSuchProcess):
            family |= {child.pid: child for child in process.children(recursive=True)}
    family.pop(os.getpid(), None)
    return [process for process in family.values() if is_alive(process)]


def end_family(folder: Path, known: Iterable[ProcessIdentity] = ()) -> None:
    """Kill the whole family and wait until it is gone. Engines hold nothing that needs a graceful end."""
    known = list(known)
    deadline = time.monotonic() + PATIENCE_SECONDS
    looks_without_any = 0
    while looks_without_any < 2:  # while a process executes another program, it briefly has no mark
        family = find_family(folder, known)
        looks_without_any = 0 if family else looks_without_any + 1
        if family and time.monotonic() > deadline:
            pids = ", ".join(str(process.pid) for process in family)
            raise EngineError(f"processes {pids} of {folder} can't be ended: end them by hand (kill -9 {pids})")
        for process in family:  # suspend them all first, so that none starts another process unseen
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        for process in find_family(folder, known) if family else []:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.02)


def _mark_of(process: psutil.Process) -> str | None:
    with suppress(psutil.Error, OSError):
        return process.environ().get(MARK)
    return None  # gone, or another user's
