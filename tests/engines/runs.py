"""Manages runs of engines: each has a port, a folder and processes, which this program owns until the run ends."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil

from engines.errors import EngineError
from engines.home import Lock, home_folder, try_lock
from engines.installations import Announce, silent
from engines.interrupts import interrupts_deferred
from engines.ports import describe_holder, is_free
from engines.processes import MARK, PATIENCE_SECONDS, ProcessIdentity, end_family
from engines.records import KnownRun, Record, State

PORTS_TRIED = 1000
TAIL_LINES = 25
INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE")  # not the user's proxies, AWS profiles and JVM options


class Run:
    """A port, a folder and its processes. `claim` makes it, and also ends it."""

    def __init__(self, record: Record, folder: Path, lock: Lock) -> None:
        self.folder = folder
        self.log_file = folder / "console.log"
        self._record = record
        self._lock = lock
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self._record.name

    @property
    def port(self) -> int:
        return self._record.port

    @property
    def kept(self) -> bool:
        return self._record.kept

    @property
    def pid(self) -> int:
        return self._started().pid

    def subfolder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path,
        environment: Mapping[str, str],
        user: str | None = None,
        group: str | None = None,
    ) -> None:
        """Start the engine's process in `folder`. It gets little of this program's environment, and TMPDIR and HOME in
        the run's own folder, so that all it leaves behind is removed with the run."""
        home = self.subfolder("home")
        temporary = self.subfolder("tmp")
        if user is not None:
            for path in (home, temporary):
                shutil.chown(path, user, group)
        variables = {name: os.environ[name] for name in INHERITED if name in os.environ}
        variables |= {"HOME": str(home), "TMPDIR": str(temporary), MARK: str(self.folder), **environment}
        with self.log_file.open("ab") as log, interrupts_deferred():
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for this program, which decides what ends
                umask=0o022,
                user=user,
                group=group,
                extra_groups=None if user is None else [],
            )
            self._rewrite(process=ProcessIdentity.of(self._process.pid))

    def wait_until(self, ready: Callable[[], bool], *, timeout_seconds: float) -> None:
        """Wait until the started process is ready; an EngineError says why it isn't."""
        process = self._started()
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            if (code := process.poll()) is not None:
                raise EngineError(f"{self._title()} stopped while it started (exit code {code}). {self._log_tail()}")
            if time.monotonic() > deadline:
                raise EngineError(f"{self._title()} was not ready after {timeout_seconds:.0f} s. {self._log_tail()}")
            time.sleep(0.05)

    def describe(self, **details: str) -> None:
        """Note details of this run for other programs, such as `python -m engines status`."""
        self._rewrite(details=details)

    def suspend(self) -> None:
        psutil.Process(self.pid).suspend()

    def resume(self) -> None:
        psutil.Process(self.pid).resume()

    def kill(self) -> None:
        """Kill the process and all that it started (SIGKILL). The run stays, for another `spawn`."""
        known = [self._record.process] if self._record.process else []
        end_family(self.folder, known)
        if self._process is not None:
            self._process.wait()

    def terminate(self) -> None:
        """Ask the process to end in good order, and wait for that; kill it if it takes too long."""
        process = self._started()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)  # a suspended process handles SIGTERM only once it is resumed
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_SECONDS)
        self.kill()

    def keep(self) -> None:
        """Leave the run as it is when this program ends; `python -m engines stop` ends it."""
        self._rewrite(kept=True)

    def end(self) -> None:
        """End the run and remove all of it, unless it is kept."""
        try:
            if not self.kept:
                self.kill()
                shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            self._lock.release()

    def _rewrite(self, **changes: object) -> None:
        self._record = replace(self._record, **changes)  # type: ignore[arg-type] # the fields' own types
        self._record.write(self.folder)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise EngineError(f"{self._title()} was not started")
        return self._process

    def _title(self) -> str:
        return f"{self.name} on port {self.port}"

    def _log_tail(self) -> str:
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        useful = [line for line in lines if not line.startswith(("\tat ", "\t... "))]  # Java's stack frames say little
        return "Its log ends:\n" + "\n".join(useful[-TAIL_LINES:])


@contextmanager
def claim(name: str, port: int | None, first_port: int) -> Iterator[Run]:
    """Make a run of the engine. When the block ends, for whatever reason, all its processes and files are removed.

    Port None means the first free port from `first_port` on. These ports are below the range that systems use for
    outgoing connections: in that range, a client that retries a dead engine's port could connect to itself.
    """
    sweep()
    run = _claim_any(name, first_port) if port is None else _claim_port(name, port)
    try:
        yield run
    finally:
        with interrupts_deferred():
            run.end()


def known_runs() -> list[KnownRun]:
    """Return all runs in this user's ENGINES_HOME, whichever program started them."""
    runs = []
    for folder in sorted(home_folder("run").iterdir()):
        lock = _lock_of(folder)
        record = Record.read(folder)
        if lock is not None:
            lock.release()
        if record is not None:
            unowned = State.KEPT if record.kept and record.lives() else State.STALE
            runs.append(KnownRun(record, State.OWNED if lock is None else unowned, folder))
    return runs


def sweep() -> None:
    """End what killed programs left behind."""
    for folder in home_folder("run").iterdir():
        if lock := _lock_of(folder):
            record = Record.read(folder)
            if record is None or not (record.kept and record.lives()):
                _remove(folder, record)
            lock.release()


def stop_all(name: str | None = None, port: int | None = None, announce: Announce = silent) -> bool:
    """End all kept and left-over runs (of one engine, on one port). Return False if a running program uses one."""
    free = True
    for folder in sorted(home_folder("run").iterdir()):
        if name not in (None, _name_of(folder)) or port not in (None, _port_of(folder)):
            continue
        record = Record.read(folder)
        if lock := _lock_of(folder):
            _remove(folder, record)
            lock.release()
            announce(f"stopped {folder.name}")
        else:
            owner = f"process {record.owner_pid}" if record else "a program"
            announce(f"{folder.name} is in use by {owner}: end that, and it ends its engines")
            free = False
    return free


def _claim_any(name: str, first_port: int) -> Run:
    for port in range(first_port, first_port + PORTS_TRIED):
        if (lock := _port_lock(port)) is None:
            continue
        if is_free(port) and not _run_on(port):
            return _new_run(name, port, lock)
        lock.release()
    raise EngineError(f"no free port for {name} from {first_port} to {first_port + PORTS_TRIED - 1}: choose one")


def _claim_port(name: str, port: int) -> Run:
    if not 0 < port < 65536:
        raise EngineError(f"port {port} for {name}: a port is a number from 1 to 65535")
    lock = _port_lock(port)
    run = _run_on(port)
    if lock is not None and run is None and is_free(port):
        return _new_run(name, port, lock)
    if lock is not None:
        lock.release()
    holder = f"an engine of this project, {run.name}: `python -m engines stop`" if run else describe_holder(port)
    raise EngineError(f"port {port} for {name} is in use by {holder}; stop that or choose another port")


def _new_run(name: str, port: int, lock: Lock) -> Run:
    folder = home_folder("run") / f"{name}-{port}"
    folder.mkdir()
    folder.chmod(0o755)
    record = Record(name, port, os.getpid())
    record.write(folder)
    return Run(record, folder, lock)


def _run_on(port: int) -> Path | None:
    return next(home_folder("run").glob(f"*-{port}"), None)


def _port_lock(port: int) -> Lock | None:
    # other programs hold it briefly to see whether its holder is alive
    return try_lock(f"port-{port}", patience_seconds=0.1)


def _lock_of(folder: Path) -> Lock | None:
    return _port_lock(_port_of(folder))


def _name_of(folder: Path) -> str:
    return folder.name.rpartition("-")[0]


def _port_of(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])


def _remove(folder: Path, record: Record | None) -> None:
    with interrupts_deferred():
        end_family(folder, [record.process] if record and record.process else [])
        shutil.rmtree(folder, ignore_errors=True)
