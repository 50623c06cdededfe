"""The engines' folder: installations that are kept, runs that are removed, locks between processes."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from engines.errors import EngineError

PROJECT = "terraform-aws-dynamodb-opensearch"


def engines_home() -> Path:
    """ENGINES_HOME, or the user's cache folder; for root, a folder that the user `nobody` can enter."""
    if configured := os.environ.get("ENGINES_HOME"):
        return Path(configured).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/cache") / PROJECT
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / PROJECT


def home_folder(name: str) -> Path:
    """Return a folder in ENGINES_HOME, created if necessary. Everyone may read it, whatever the umask."""
    folder = engines_home() / name
    try:
        for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
            missing.mkdir(exist_ok=True)
            missing.chmod(0o755)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{folder} can't be written to by this user")
    except OSError as error:
        raise EngineError(f"cannot use {folder}: {error}; set ENGINES_HOME to a writable folder") from error
    return folder


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is held until it is released or this process ends, even if killed: the kernel frees it."""

    file: TextIO

    def release(self) -> None:
        self.file.close()


def try_lock(name: str, *, patience_seconds: float = 0) -> Lock | None:
    """Take the lock of that name; None if another process holds it for longer than the patience.

    Lock files are kept: removing them would be a race.
    """
    file = (home_folder("locks") / f"{name}.lock").open("w")
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                file.close()
                return None
            time.sleep(0.01)
        else:
            return Lock(file)


@contextmanager
def locked(name: str, when_waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of that name; `when_waiting` is called once if another process has it."""
    lock = try_lock(name)
    if lock is None:
        when_waiting()
        file = (home_folder("locks") / f"{name}.lock").open("w")
        fcntl.flock(file, fcntl.LOCK_EX)
        lock = Lock(file)
    try:
        yield
    finally:
        lock.release()
