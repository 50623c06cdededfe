"""A trial's folder: a copy of the example, Terraform's state, and a note of whose it is. It outlives a crash."""

import errno
import fcntl
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from trial.copying import FILES, needed
from trial.errors import TrialError
from trial.naming import must_be_a_trials

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
NOTE = "trial.json"
_NO_LOCKS = (errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)
"""What file systems without locks answer."""

# Terraform refuses to plan or destroy with the credentials of another account, and deletes the queue with its failures.
_OVERRIDE = """
provider "aws" {{
  allowed_account_ids = ["{account}"]
}}

module "sync" {{
  failure_destination_force_destroy = true
}}
"""


@dataclass(frozen=True, slots=True)
class Note:
    """What must be known to destroy a trial later."""

    name: str
    example: str
    account: str
    region: str
    profile: str | None
    began: str
    variables: Mapping[str, str]
    destroyed: bool = False
    """Whether it was seen that nothing is left."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A trial's folder."""

    path: Path
    note: Note

    @property
    def terraform(self) -> Path:
        """The folder in which Terraform runs, and keeps its state."""
        return self.path / "copy" / "examples" / self.note.example

    @property
    def log(self) -> Path:
        return self.path / "terraform.log"

    @property
    def has_copy(self) -> bool:
        return (self.terraform / "main.tf").is_file()

    @classmethod
    def create(cls, path: Path, note: Note) -> Self:
        """Copy the example and what it needs, with what a trial adds. Only you may read the folder.

        Raises:
            TrialError: the folder exists, or can't be written, or the example has settings of yours.
        """
        files = needed(REPOSITORY, note.example)
        try:
            path.mkdir(mode=0o700, parents=True)
            folder = cls(path, note)
            (path / NOTE).write_text(json.dumps(asdict(note), indent=2) + "\n", encoding="utf-8")
            for file in files:
                copy = path / "copy" / file.relative_to(REPOSITORY)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, copy)
            shutil.copy2(HERE / "added.tf", folder.terraform / "trial.tf")
            override = _OVERRIDE.format(account=note.account)
            (folder.terraform / "trial_override.tf").write_text(override, encoding="utf-8")
            with zipfile.ZipFile(folder.terraform / "probe.zip", "w") as package:
                probe = zipfile.ZipInfo("probe.py")  # of a fixed time: the same code is the same file
                probe.external_attr = 0o644 << 16
                package.writestr(probe, (HERE / "probe.py").read_bytes())
        except OSError as error:
            raise TrialError(f"the trial's folder {path} can't be made: {error}") from error
        return folder

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read a folder that an earlier trial has left.

        Raises:
            TrialError: it is no trial's folder.
        """
        try:
            note = Note(**json.loads((path / NOTE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise TrialError(f"{path} isn't the folder of a trial: {NOTE} in it can't be read ({error})") from error
        must_be_a_trials(note.name)
        if note.example not in FILES:
            raise TrialError(f"{path / NOTE}: the example is {note.example!r}: give one of {', '.join(FILES)}")
        return cls(path.absolute(), note)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the folder for this process: two at the same time would destroy what the other one is making.

        Raises:
            TrialError: another process has it.
        """
        place = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TrialError(f"the trial {self.note.name} is running: wait for its end, or interrupt it") from None
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
            yield
        finally:
            os.close(place)

    def is_running(self) -> bool:
        """Whether a process has the folder."""
        try:
            with self.locked():
                return False
        except TrialError:
            return True

    def end(self) -> None:
        """Note that all is destroyed, and remove what is no longer needed; reports and log stay."""
        with suppress(OSError):  # the disk may be full: then RESUME looks again
            new = self.path / f"{NOTE}.new"
            new.write_text(json.dumps(asdict(replace(self.note, destroyed=True)), indent=2) + "\n", encoding="utf-8")
            new.replace(self.path / NOTE)
        shutil.rmtree(self.path / "copy", ignore_errors=True)


def home() -> Path:
    """Return the folder of all trials; `make clean` leaves it alone."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "dynamodb-opensearch" / "trials"


def unfinished() -> list[Folder]:
    """Return the folders of trials that may have something left in AWS."""
    folders = []
    for note in sorted(home().glob(f"*/{NOTE}")):
        with suppress(TrialError):
            folders.append(Folder.open(note.parent))
    return [folder for folder in folders if not folder.note.destroyed]


def commit() -> str:
    """Return the checkout's commit; with a mark if files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + (" with changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown: no git checkout"
