"""A trial's folder: a copy of the example, Terraform's state, and a note of whose it is. It outlives a crash."""

import json
import os
import secrets
import shutil
import string
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from trial.errors import TrialError

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
NOTE = "trial.json"
SUFFIX_CHARACTERS = 6
_EXAMPLE_FILES = ("*.tf", "*.json", "*.tftpl", "mappings/*.json")

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
            TrialError: the folder exists, or can't be written.
        """
        try:
            path.mkdir(mode=0o700, parents=True)
            folder = cls(path, note)
            (path / NOTE).write_text(json.dumps(asdict(note), indent=2) + "\n", encoding="utf-8")
            for file in _needed(note.example):
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
        return cls(path.absolute(), note)

    def remove_copy(self) -> None:
        """Remove what is no longer needed when everything is destroyed; reports and log stay."""
        shutil.rmtree(self.path / "copy", ignore_errors=True)


def home() -> Path:
    """Return the folder of all trials; `make clean` leaves it alone."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "dynamodb-opensearch" / "trials"


def new_name() -> str:
    """Return a name that no other trial has: two at the same time don't meet."""
    letters = string.ascii_lowercase + string.digits
    return "trial-" + "".join(secrets.choice(letters) for _ in range(SUFFIX_CHARACTERS))


def unfinished() -> list[Path]:
    """Return the folders of trials that may have something left in AWS."""
    return sorted(path.parent for path in home().glob(f"*/{NOTE}") if (path.parent / "copy").is_dir())


def commit() -> str:
    """Return the checkout's commit; with a mark if files differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + (" with changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown: no git checkout"


def _needed(example: str) -> Iterator[Path]:
    """Yield the files that Terraform needs. Your own *.tfvars, state and plugins in the checkout are none of them."""
    for pattern in ("*.tf", "modules/*/*.tf", "lambda/dist/*.zip"):
        yield from REPOSITORY.glob(pattern)
    for pattern in _EXAMPLE_FILES:
        yield from (REPOSITORY / "examples" / example).glob(pattern)
